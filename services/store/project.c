/* What the desk is called, and how its store is doing. */
#include "backup.h"
#include "ticket.h"

#include "schema/project.h"
#include "stats.h"

#include <errno.h>

static int project_view(struct store *s, struct db *db, struct arena *arena, struct project *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT name FROM project", "");
        int r = db_step(db, q);

        *ret = (struct project){
                .key = { (const char *)s->project_key, sizeof(s->project_key) },
                .name = STR(""),
                .version = STR(ASSIST_VERSION),
        };
        if (r > 0)
                ret->name = arena_str(arena, db_column_str(q, 0));
        db_done(q);
        return r < 0 ? r : 0;
}

int store_on_project_info(struct store *s, struct call *c, const struct project_info *in, struct project_info_result *ret)
{
        (void)in;
        return project_view(s, store_db(s, c), &c->arena, &ret->value);
}

int store_on_project_set(struct store *s, struct call *c, const struct project_set *in, struct project_set_result *ret)
{
        struct op_project_set body = { .name = in->name };
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = tx_append(tx, &(struct effect){ .kind = &schema_op_project_set, .body = &body });
        if (!r)
                r = project_view(s, tx->db, &c->arena, &ret->value);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

static void queue_stats(struct stats *stats, struct store *s)
{
        struct figure *f = stats_figure(stats, FIGURE_KIND_GAUGE, "queue_calls", "Calls that wait for a thread.", 4);
        const char *thread;
        int64_t n;

        for (int i = 0; (thread = store_waiting(s, i, &n)); i++)
                stats_sample(stats, f, n, "thread", thread, NULL);
}

/* On the loop, so that it is answered where the reader is busy, too. */
int store_on_store_stats(struct store *s, struct call *c, const struct store_stats *in, struct store_stats_result *ret)
{
        struct stats stats;
        int64_t n;

        (void)in;
        ret->value.processes.items = stats_begin(&stats, &c->arena, s->service);
        ret->value.processes.n = 1;
        stats_server(&stats, s->server);
        stats_gauge(&stats, "log_head", "The log's last position.", s->head);
        stats_gauge(&stats, "search_behind", "Ops that the index of texts has not taken in yet; a search waits for them.", s->head - s->search.indexed);
        stats_gauge(&stats, "redaction_under_way", "1 while redacted words may still lie in a file, where nothing finds them.",
                    s->search.stained || s->scrub);
        stats_counter(&stats, "commits_total", "Batches of commands that were committed with ops.", s->commits);
        stats_counter(&stats, "ops_total", "Ops that were committed: by commits_total, the size of a batch.", s->ops);
        stats_tally(&stats, "transaction", "The writer's COMMITs, with the wait for the disk.", &s->committing);
        queue_stats(&stats, s);
        if (!db_int(s->follow_db, &n, "SELECT coalesce(max(number), 0) FROM ticket", ""))
                stats_gauge(&stats, "tickets", "Tickets that were ever filed.", n);
        if (!db_int(s->follow_db, &n, "SELECT count(*) FROM upload WHERE used = 0 AND blob IS NULL", ""))
                stats_gauge(&stats, "uploads_open", "Uploads that were begun and are not complete.", n);
        stats_gauge(&stats, "blob_files", "Files of attachments.", s->blob_files);
        stats_gauge(&stats, "blob_bytes", "What they take; right after the start less, until all are counted.", s->blob_bytes);
        stats_gauge(&stats, "job_under_way", "1 while a rebuild, a verify or a backup runs.", job_is_running(&s->job, JOB_ANY));
        backup_stats(&stats, s->follow_db);
        stats_database(&stats, s->follow_db);
        return 0;
}

/* What the desk is called, and how its store is doing. */
#include "ticket.h"

#include "schema/project.h"

#include <errno.h>
#include <sys/stat.h>

static int project_view(struct store *s, struct db *db, struct arena *arena, struct project *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT name FROM project", "");
        int r = db_step(db, q);

        *ret = (struct project){
                .key = { (const char *)s->public_key, sizeof(s->public_key) },
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

int store_on_store_stats(struct store *s, struct call *c, const struct store_stats *in, struct store_stats_result *ret)
{
        struct stat st = { 0 };

        (void)in;
        stat(s->path, &st);
        *ret = (struct store_stats_result){
                .version = STR(ASSIST_VERSION),
                .started_at = s->started_at,
                .head = s->head,
                .commits = s->commits,
                .ops_committed = s->ops,
                .database_bytes = st.st_size,
        };
        return db_int(store_db(s, c), &ret->tickets, "SELECT coalesce(max(number), 0) FROM ticket", "");
}

/* The proof of "one truth": the log is folded into a fresh database, which is compared with ours.
 *
 * It follows the log slice by slice, as far as the index of texts goes, and has caught up with those who write by the time that it takes one
 * state of ours to compare: only then it keeps old pages of ours from being used again. */
#include "audit.h"
#include "fold.h"
#include "search.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INDEX_OPS = 32 * 1024 }; /* at once: the more, the less FTS5 has to merge */

struct rebuild {
        struct job *job;
        struct db *from, *to;
        struct arena arena;
        int64_t folded, indexed;
        int64_t ops;
};

/* What the fold asks nothing of, and FTS5's memory for what is new. Counts are made at once in the end, apart from the triggers that make ours. */
static const char lean[] =
        "DROP TRIGGER ticket_counted; DROP TRIGGER ticket_counted_first;"
        "DROP INDEX op_by_audience; DROP INDEX comment_by_ticket; DROP INDEX note_by_ticket; DROP INDEX member_by_element;"
        "DROP INDEX ticket_by_number; DROP INDEX ticket_by_requester; DROP INDEX ticket_by_touched; DROP INDEX ticket_by_created;"
        "DROP INDEX ticket_by_urgency; DROP INDEX ticket_by_assignee; DROP INDEX ticket_active;"
        "DROP INDEX search_text_subject; DROP INDEX search_text_subject_of;"
        "INSERT INTO search_public(search_public, rank) VALUES('hashsize', 16777216);";
static const char counts[] =
        "INSERT INTO ticket_count SELECT state, priority, assignee, type, team, count(*) FROM ticket WHERE NOT hidden AND merged_into IS NULL"
        " GROUP BY 1, 2, 3, 4, 5";

static int row_fold(struct rebuild *b, sqlite3_stmt *q)
{
        struct log_entry e;
        void *body;
        int r = log_entry_read(b->from, q, &b->arena, &e);

        if (!r)
                r = log_place(b->to, &e);
        if (!r && e.kind) {
                body = arena_zalloc(&b->arena, e.kind->body->size);
                r = log_entry_body(b->from, &e, &b->arena, body);
                if (!r)
                        r = fold_apply(b->to, &e, body);
        }
        b->job->ops = ++b->ops;
        return r;
}

static int64_t least(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

/* The rows of a slice, and their texts, are of one state: the statement that is under way holds it. */
static int slice_fold(struct rebuild *b, int64_t until)
{
        int64_t from = b->folded, to = least(until, from + JOB_SLICE_OPS);
        sqlite3_stmt *q = db_query(b->from, "SELECT " LOG_COLUMNS " FROM op WHERE seq > ?1 AND seq <= ?2 ORDER BY seq", "ii", from, to);
        int r = db_step(b->from, q), copied = r > 0 ? log_texts_copy(b->from, b->to, from + 1, to - from) : 0;

        for (; r > 0 && !copied; r = db_step(b->from, q)) {
                copied = row_fold(b, q);
                arena_reset(&b->arena);
        }
        db_done(q);
        b->folded = to;
        return r < 0 ? r : copied;
}

static int log_fold(struct rebuild *b, int64_t until)
{
        int r = 0;

        job_step(b->job, JOB_STEP_LOG, until);
        while (!r && b->folded < until) {
                r = job_goes_on(b->job);
                if (!r)
                        r = slice_fold(b, until);
        }
        return r;
}

/* Of the tables as they were there: what was folded. */
static int texts_index(struct rebuild *b)
{
        int64_t before = -1;
        int r = 0;

        job_step(b->job, JOB_STEP_INDEX, b->folded);
        while (!r && b->indexed < b->folded && b->indexed != before) {
                before = b->indexed;
                r = job_goes_on(b->job);
                if (!r)
                        r = search_index(b->to, b->from, &b->arena, least(b->folded - b->indexed, INDEX_OPS), &b->indexed);
                b->job->ops = b->indexed;
        }
        return r;
}

/* Never past the position of our index: a fresh one is made of the tables as they were there. */
static int catch_up(struct rebuild *b)
{
        int64_t indexed;
        int r = 0;

        while (!r && (indexed = b->job->store->search.indexed) - b->folded >= JOB_SLICE_OPS) {
                r = log_fold(b, indexed);
                if (!r)
                        r = texts_index(b);
        }
        return r;
}

/* In one state of ours. */
static int rest_compare(struct rebuild *b, struct report *report)
{
        int64_t indexed, head;
        int r = search_position(b->from, &indexed);

        if (!r)
                r = db_int(b->from, &head, "SELECT coalesce(max(seq), 0) FROM op", "");
        if (!r)
                r = log_fold(b, indexed);
        if (!r)
                r = texts_index(b);
        if (!r)
                r = log_fold(b, head);
        job_step(b->job, JOB_STEP_TABLES, 0);
        if (!r)
                r = db_run(b->to, counts);
        if (!r)
                r = tables_compare(b->from, b->to, report);
        return r ? r : search_compare(b->from, b->to, report);
}

static void leftover_remove(const char *path)
{
        static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
        char file[600];

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
                unlink(file);
        }
}

static void fresh_path(const struct store *s, char ret[512])
{
        snprintf(ret, 512, "%s.rebuild", s->path);
}

void rebuild_clean(const struct store *s)
{
        char path[512];

        fresh_path(s, path);
        leftover_remove(path);
}

int rebuild_run(struct job *job, struct db *db, bool grows, struct rebuilt *ret)
{
        struct rebuild b = { .job = job, .from = db };
        struct report report;
        char path[512];
        int r;

        fresh_path(job->store, path);
        report_init(&report, &job->arena);
        r = db_open(path, DB_FLEETING, NULL, &store_migrations, &b.to);
        if (r)
                return r;
        job_interrupts(job, b.to);
        r = db_run(b.to, lean);
        if (!r)
                r = db_begin(b.to); /* and never commits: what was not there before needs no journal */
        if (!r && grows)
                r = catch_up(&b);
        if (!r)
                r = db_run(db, "BEGIN");
        if (!r)
                r = rest_compare(&b, &report);
        db_close(b.to);
        leftover_remove(path);
        arena_deinit(&b.arena);
        *ret = (struct rebuilt){ .ops = b.ops, .equal = report.n == 0, .differences = { report.items, report.n } };
        return r;
}

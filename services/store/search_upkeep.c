#include "search_upkeep.h"

#include "search.h"
#include "store.h"

#include <errno.h>
#include <string.h>

/* A call on its way to a reader, in its own arena. */
struct search_waiting {
        struct task task;
        struct search_waiting *next;
        struct store *store;
        struct call *call;
        struct queue *queue;
        int64_t until;
};

int search_upkeep_load(struct store *s)
{
        int64_t seq, one;
        int r = search_position(s->writer.db, &seq);

        if (r)
                return r;
        s->search.last = &s->search.first;
        s->search.indexed = seq;
        r = db_int(s->writer.db, &one, "SELECT 1 FROM position WHERE name LIKE 'scrub %' LIMIT 1", "");
        s->search.stained = !r;
        s->scrub = true; /* the WAL that was found may have what was redacted before */
        return r == -ENOENT ? 0 : r;
}

void search_upkeep_stained(struct store *s)
{
        s->search.stained = true;
}

static int64_t now_us(const struct store *s)
{
        return clock_steady_us(s->service->clock);
}

static int64_t behind(const struct store *s)
{
        return s->head - s->search.indexed;
}

int64_t search_upkeep_pause_us(const struct store *s)
{
        const struct search_upkeep *u = &s->search;
        bool hurry = u->first || u->stained || behind(s) >= SEARCH_FAR;
        int64_t rest = u->retry_us - now_us(s);

        if (!hurry && behind(s) < (u->begun ? 1 : SEARCH_LAG))
                return -1;
        if (rest > 0)
                return u->first ? 0 : rest;
        return hurry || u->begun ? 0 : SEARCH_QUIET_US;
}

/* ---- who waits ---- */

/* Those who have what they wait for, or all; and those who have no time left. */
static void release(struct store *s, bool all)
{
        struct search_waiting **at = &s->search.first, *w;

        while ((w = *at)) {
                if (!all && w->until > s->search.indexed && call_has_time(w->call)) {
                        at = &w->next;
                        continue;
                }
                *at = w->next;
                if (all || w->until <= s->search.indexed)
                        queue_call(w->queue, w->call);
                else
                        call_answer(w->call, call_unavailable(w->call, 1000, "the index of texts is still being made"));
        }
        s->search.last = at;
}

void search_upkeep_stop(struct store *s)
{
        while (s->search.first) {
                struct search_waiting *w = s->search.first;

                s->search.first = w->next;
                call_answer(w->call, call_unavailable(w->call, 1000, "the service is stopping"));
        }
}

static int nothing(struct task *task)
{
        (void)task;
        return 0;
}

static void waiting_come(struct task *task, int r)
{
        struct search_waiting *w = (struct search_waiting *)task;
        struct search_upkeep *u = &w->store->search;

        (void)r;
        *u->last = w;
        u->last = &w->next;
        release(w->store, false);
}

void search_then(struct store *s, struct call *c, struct queue *queue)
{
        int64_t head = s->head;
        struct search_waiting *w;

        if (s->search.indexed >= head) {
                queue_call(queue, c);
                return;
        }
        w = ARENA_NEW(&c->arena, struct search_waiting);
        *w = (struct search_waiting){ .task = { .run = nothing, .done = waiting_come }, .store = s, .call = c, .queue = queue, .until = head };
        queue_task(&s->writer.queue, &w->task);
}

/* ---- steps ---- */

/* What is lost with the power is made again from the log, and everything that is committed for somebody reaches the disk behind this, in
 * the one file: so no step waits for the disk. */
static int step_begin(struct db *db)
{
        int r = db_run(db, "PRAGMA synchronous = NORMAL");

        return r ? r : db_begin(db);
}

static int step_end(struct db *db, int r)
{
        int synchronous;

        if (!r)
                r = db_commit(db);
        if (r)
                db_rollback(db);
        synchronous = db_run(db, "PRAGMA synchronous = FULL");
        return r ? r : synchronous;
}

static int step_index(struct store *s, int64_t max_ops)
{
        struct db *db = s->writer.db;
        int64_t reached = s->search.indexed;
        int r = step_begin(db);

        if (!r)
                r = search_index(db, db, &s->writer.arena, max_ops, &reached);
        r = step_end(db, r);
        if (!r)
                s->search.indexed = reached;
        return r;
}

static int step_scrub(struct store *s)
{
        struct db *db = s->writer.db;
        bool clean = false;
        int r = step_begin(db);

        if (!r)
                r = search_scrub(db, SEARCH_STEP_PAGES, &clean);
        r = step_end(db, r);
        if (r || !clean)
                return r;
        s->scrub = true;        /* the segments that were are in the WAL */
        s->search.stained = false;
        return 0;
}

void search_upkeep_step(struct store *s, int64_t ops, bool idle)
{
        struct search_upkeep *u = &s->search;
        int r = 0;

        u->begun = idle && behind(s) > 0;
        if (now_us(s) < u->retry_us && !u->first)
                return;
        if (u->stained)
                r = step_scrub(s);
        else if (behind(s) >= SEARCH_FAR)
                r = step_index(s, SEARCH_STEP_OPS + 2 * ops);   /* more than come */
        else if (behind(s) > 0 && (u->first || u->begun))
                r = step_index(s, SEARCH_STEP_OPS);
        if (r) {
                log_warning("the index of texts can't be written: %s (%s)", strerrordesc_np(-r), db_error(s->writer.db));
                u->retry_us = now_us(s) + SEARCH_RETRY_US;
        }
        release(s, r != 0);
}

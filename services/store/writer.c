#include "writer.h"

#include "instance.h"
#include "personal.h"
#include "tx.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRUB_AGAIN_US = 100 * 1000 };

int writer_load(struct store *s)
{
        int r = instance_load(s);

        if (!r)
                r = search_upkeep_load(s);
        if (!r)
                r = personal_load(s);
        if (!r)
                r = instance_enter(s);
        return r ? r : due_look(s);
}

/* One command or task. With a savepoint it is undone as a whole where it fails; without, *ret_torn says that it failed and had written. */
static int guarded(struct store *s, struct call *c, struct task *t, bool savepoint, bool *ret_torn)
{
        struct db *db = s->writer.db;
        int64_t changes = sqlite3_total_changes64(db_handle(db)), personal_seq = s->personal_seq;
        struct chain chain = s->chain;
        int r;

        r = savepoint ? db_savepoint(db) : 0;
        if (r)
                return r;
        r = c ? call_execute(c) : t->run(t);
        if (sqlite3_get_autocommit(db_handle(db))) {
                s->broken = true; /* a full disk took the whole transaction with it */
                return r < 0 ? r : -EIO;
        }
        if (r) {
                s->chain = chain;
                s->personal_seq = personal_seq;
        }
        if (!savepoint) {
                *ret_torn = r && sqlite3_total_changes64(db_handle(db)) != changes;
                return r;
        }
        db_savepoint_end(db, !r);
        if (sqlite3_get_autocommit(db_handle(db)))
                s->broken = true;
        return r;
}

/* 0: it is on disk. An error: nothing of the batch is, unless *ret_unknown. */
static int commit(struct store *s, int64_t seq_before, bool *ret_unknown)
{
        int64_t began_us;
        int r = 0;

        *ret_unknown = false;
        if (s->broken)
                return -EIO;
        if (s->chain.seq != seq_before)
                r = instance_save(s);
        if (!r)
                r = instance_checkpoint(s);
        if (r) {
                db_rollback(s->writer.db);
                return r;
        }
        began_us = clock_steady_us(s->service->clock);
        r = db_commit(s->writer.db);
        tally_note(&s->committing, r ? FAULT_UNAVAILABLE : 0, clock_steady_us(s->service->clock) - began_us);
        if (r == -ENOSPC) /* before the frame that commits was written: it is known not to be there */
                db_rollback(s->writer.db);
        *ret_unknown = r && r != -ENOSPC;
        return r;
}

/* What was redacted leaves the WAL too; where a reader is in the way, with the next batch or sweep. */
static void scrub(struct store *s)
{
        int64_t busy;

        if (s->scrub && !db_int(s->writer.db, &busy, "PRAGMA wal_checkpoint(TRUNCATE)", ""))
                s->scrub = busy != 0;
}

static void wake_followers(struct loop_work *work)
{
        struct store *s = (struct store *)((char *)work - offsetof(struct store, woken));

        s->waking = false;
        feed_wake(&s->feed);
        feed_wake(&s->personal_feed);
        due_arm(s);
}

/* What was committed, to those who wait for it. */
static void announce(struct store *s, int64_t seq_before)
{
        bool moved = s->chain.seq != seq_before || s->personal_seq != s->personal_head;

        if (s->chain.seq != seq_before) {
                s->head = store_position(s);
                s->commits++;
                s->ops += s->chain.seq - seq_before;
        }
        s->personal_head = s->personal_seq;
        if (moved && due_look(s))
                log_error("what is due next can't be read: %s", db_error(s->writer.db));
        if (moved && !atomic_exchange(&s->waking, true)) {
                s->woken.run = wake_followers;
                loop_post(s->service->loop, &s->woken);
        }
}

/* A batch's commands and tasks in order, in one transaction; no further than to one that is torn. */
static int batch_run(struct store *s, struct call *calls, struct task *tasks, bool savepoints, int *results, bool *ret_torn)
{
        int r = db_begin(s->writer.db);

        s->broken = false;
        s->runs++;
        *ret_torn = false;
        for (struct call *c = calls; c && !*ret_torn; c = c->next, results++) {
                sched_yield(); /* who reads goes first, where we share a core: a whole batch holds it for a millisecond */
                *results = r || s->broken ? -EIO : call_has_time(c) ? guarded(s, c, NULL, savepoints, ret_torn)
                                                                    : call_unavailable(c, 0, "its caller has stopped waiting");
        }
        for (struct task *t = tasks; t && !r && !s->broken && !*ret_torn; t = t->next) {
                int one = guarded(s, NULL, t, savepoints, ret_torn);

                if (one && !*ret_torn)
                        log_warning("a task of the writer failed: %s", strerrordesc_np(-one));
        }
        return r;
}

static void batch(struct store *s, struct call *calls, struct task *tasks)
{
        struct chain chain = s->chain;
        int64_t checkpoint_seq = s->checkpoint_seq, checkpoint_at = s->checkpoint_at;
        int results[STORE_BATCH_MAX], *result = results, r;
        struct call *next_call;
        struct task *next_task;
        bool torn, unknown = false;

        /* For a savepoint SQLite keeps each page that a command touches, a quarter of what the command takes; and few fail behind their
         * first write. So a batch is first run without; where one is torn, all of it is undone, and run again with a savepoint each. */
        r = batch_run(s, calls, tasks, false, results, &torn);
        if (torn) {
                db_rollback(s->writer.db);
                s->chain = chain;
                s->personal_seq = s->personal_head;
                r = batch_run(s, calls, tasks, true, results, &torn);
        }
        if (!r)
                r = commit(s, chain.seq, &unknown);
        if (r) {
                log_error("a commit failed: %s (%s)", strerrordesc_np(-r), db_error(s->writer.db));
                if (unknown) {
                        /* It may be on disk all the same. Only a fresh start knows; callers retry by op id. */
                        log_error("its outcome is unknown: store ends, and recovers when it is started again");
                        _exit(1);
                }
                s->chain = chain;
                s->personal_seq = s->personal_head;
                s->checkpoint_seq = checkpoint_seq;
                s->checkpoint_at = checkpoint_at;
        } else {
                announce(s, chain.seq);
        }
        scrub(s);
        for (struct call *c = calls; c; c = next_call, result++) {
                next_call = c->next;
                access_result(s, c, *result);
                call_answer(c, r && *result <= 0 ? r : *result);
        }
        for (struct task *t = tasks; t; t = next_task) {
                next_task = t->next;
                t->done(t, r);
        }
}

/* A while from now where a reader is in the way of what is to leave the WAL. */
static int64_t pause_us(const struct store *s)
{
        int64_t us = search_upkeep_pause_us(s);

        return s->scrub && (us < 0 || us > SCRUB_AGAIN_US) ? SCRUB_AGAIN_US : us;
}

void *writer_main(void *worker)
{
        struct worker *w = worker;
        struct store *s = w->store;
        struct call *calls;
        struct task *tasks;

        while (queue_take(&w->queue, STORE_BATCH_MAX, pause_us(s), &calls, &tasks)) {
                int64_t head = s->head;

                if (calls || tasks)
                        batch(s, calls, tasks);
                search_upkeep_step(s, s->head - head, !calls && !tasks);
                scrub(s);
        }
        search_upkeep_stop(s);
        return NULL;
}

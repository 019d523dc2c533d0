#include "due.h"

#include "snooze.h"
#include "state.h"
#include "store.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum {
        FIRED_MAX = 64,                 /* in one transaction */
        LOOK_US = 60 * 1000000,         /* the wall clock may jump: so often it is asked while something waits */
        RETRY_US = 1000000,
};

int due_set(struct db *db, enum due_kind kind, struct str target, const int64_t *at_ms)
{
        if (!at_ms)
                return db_do(db, "DELETE FROM due WHERE kind = ?1 AND target = ?2", "ib", (int64_t)kind, target);
        return db_do(db, "INSERT INTO due(kind, target, at) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = excluded.at", "ibi",
                     (int64_t)kind, target, *at_ms);
}

struct ulid due_op_id(enum due_kind kind, struct str target, int64_t at_ms)
{
        static const uint8_t person[16] = "assist-due-1";
        uint8_t in[4 + DUE_TARGET_MAX + 8], hash[32];

        for (int i = 0; i < 4; i++)
                in[i] = (uint8_t)((unsigned)kind >> (24 - 8 * i));
        memcpy(in + 4, target.p, target.n);
        for (int i = 0; i < 8; i++)
                in[4 + target.n + (size_t)i] = (uint8_t)((uint64_t)at_ms >> (56 - 8 * i));
        crypto_generichash_blake2b_salt_personal(hash, sizeof(hash), in, 4 + target.n + 8, NULL, 0, NULL, person);
        return ulid_of(at_ms, hash);
}

/* The first row behind one: 0, or -ENOENT. */
static int next_row(struct db *db, const struct due_row *after, struct due_row *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT at, kind, target FROM due WHERE (at, kind, target) > (?1, ?2, ?3) ORDER BY at, kind, target LIMIT 1",
                                   "iib", after->at, after->kind, (struct str){ (const char *)after->target, after->target_n });
        struct str target;
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        target = db_column_str(q, 2);
        *ret = (struct due_row){ .at = db_column_int(q, 0), .kind = db_column_int(q, 1), .target_n = target.n };
        if (target.n > sizeof(ret->target))
                r = -EBADMSG;
        else
                memcpy(ret->target, target.p, target.n);
        db_done(q);
        return r < 0 ? r : 0;
}

/* How many there are up to the place. */
static int tried(struct store *s, int64_t *ret)
{
        const struct due_row *place = &s->due.place;

        return db_int(s->writer.db, ret, "SELECT count(*) FROM due WHERE (at, kind, target) <= (?1, ?2, ?3)", "iib", place->at, place->kind,
                      (struct str){ (const char *)place->target, place->target_n });
}

/* A time that is over already may be put back, by an undo: then all is tried again. */
int due_look(struct store *s)
{
        struct due_row next;
        int64_t n;
        int r = tried(s, &n);

        if (r)
                return r;
        if (n > s->due.stuck)
                s->due.place = (struct due_row){ 0 };
        s->due.stuck = n > s->due.stuck ? 0 : n;
        r = next_row(s->writer.db, &s->due.place, &next);

        if (r && r != -ENOENT)
                return r;
        s->due.next_at = r ? INT64_MAX : next.at;
        return 0;
}

static int row_fire(struct store *s, const struct due_row *row)
{
        struct ulid ticket;

        switch ((enum due_kind)row->kind) {
        case DUE_WAKE:
                memcpy(ticket.b, row->target, sizeof(ticket.b));
                return state_wake(s, ticket, row->at);
        case DUE_SNOOZE:
                return snooze_wake(s, (struct str){ (const char *)row->target, row->target_n }, row->at);
        }
        return 0; /* a newer version's */
}

int due_fire(struct task *task)
{
        struct store *s = (struct store *)((char *)task - offsetof(struct store, due.task));
        int64_t now = clock_now_ms(s->service->clock);
        struct due_row row;
        int r = 0;

        s->due.reached = s->due.place;
        if (s->due.reached.at > now) /* the clock was put back: there may be new rows before the place */
                s->due.reached = (struct due_row){ 0 };
        for (int i = 0; i < FIRED_MAX && !r; i++) {
                r = next_row(s->writer.db, &s->due.reached, &row);
                if (r || row.at > now)
                        break;
                r = row_fire(s, &row);
                s->due.reached = row;
        }
        arena_reset(&s->writer.arena);
        return r == -ENOENT ? 0 : r;
}

static void fired(struct loop_work *work)
{
        struct store *s = (struct store *)((char *)work - offsetof(struct store, due.fired));

        s->due.firing = false;
        if (s->due.failed && s->due.timer)
                loop_timer_set(s->due.timer, RETRY_US);
        else
                due_arm(s);
}

void due_fired(struct task *task, int r)
{
        struct store *s = (struct store *)((char *)task - offsetof(struct store, due.task));

        if (!r) {
                s->due.place = s->due.reached;
                r = tried(s, &s->due.stuck);
                if (!r)
                        r = due_look(s);
        }
        if (r)
                log_error("what is due could not be done: %s; it will be tried again", strerrordesc_np(-r));
        s->due.failed = r != 0;
        s->due.fired.run = fired;
        loop_post(s->service->loop, &s->due.fired);
}

void due_arm(struct store *s)
{
        int64_t next = s->due.next_at, wait_ms;

        if (!s->due.timer || s->due.firing)
                return;
        if (next == INT64_MAX) {
                loop_timer_stop(s->due.timer);
                return;
        }
        wait_ms = next - clock_now_ms(s->service->clock);
        loop_timer_set(s->due.timer, wait_ms <= 0 ? 0 : wait_ms < LOOK_US / 1000 ? wait_ms * 1000 : LOOK_US);
}

static void look(void *data)
{
        struct store *s = data;

        if (s->due.next_at > clock_now_ms(s->service->clock)) {
                due_arm(s);
                return;
        }
        s->due.firing = true;
        s->due.task = (struct task){ .run = due_fire, .done = due_fired };
        queue_task(&s->writer.queue, &s->due.task);
}

int due_start(struct store *s)
{
        s->due.timer = loop_timer_new(s->service->loop, look, s);
        if (!s->due.timer)
                return -ENOMEM;
        due_arm(s);
        return 0;
}

void due_stop(struct store *s)
{
        loop_timer_free(s->due.timer);
        s->due.timer = NULL;
}

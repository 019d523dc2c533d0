#include "access.h"

#include "person.h"
#include "store.h"
#include "ticket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
        SLOTS = 4096,
        ITEMS_MAX = 3072,
        HOUR_MS = 60 * 60 * 1000,
        FLUSH_US = 1000000,
};

struct access_item {
        struct ulid user, ticket;
        enum access_kind kind;
        const struct schema_method *method; /* NULL: the place is free */
        char device[65];
        int64_t first_ms, last_ms, count;
};

int access_init(struct access *access)
{
        *access = (struct access){ .written_in = -1 };
        access->noted = calloc(SLOTS, sizeof(*access->noted));
        access->kept = calloc(SLOTS, sizeof(*access->kept));
        return !access->noted || !access->kept ? -ENOMEM : -pthread_mutex_init(&access->mutex, NULL);
}

void access_deinit(struct access *access)
{
        if (access->noted && access->kept)
                pthread_mutex_destroy(&access->mutex);
        free(access->noted);
        free(access->kept);
}

/* ---- noting ---- */

static size_t place_of(const struct access_item *item)
{
        uint64_t a, b, c;

        memcpy(&a, item->user.b + 8, 8);
        memcpy(&b, item->ticket.b + 8, 8);
        c = (uintptr_t)item->method + (uint64_t)item->kind;
        return (size_t)((a ^ b * 31 ^ c) * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (SLOTS - 1);
}

static bool same(const struct access_item *a, const struct access_item *b)
{
        return ulid_eq(a->user, b->user) && ulid_eq(a->ticket, b->ticket) && a->kind == b->kind && a->method == b->method &&
               a->first_ms / HOUR_MS == b->first_ms / HOUR_MS;
}

/* Whether the loop must be told. */
static bool item_take(struct access *access, const struct access_item *item)
{
        size_t at = place_of(item);
        struct access_item *there;
        bool was_waiting = access->waiting;

        while (access->noted[at].method && !same(&access->noted[at], item))
                at = (at + 1) & (SLOTS - 1);
        there = &access->noted[at];
        if (!there->method && access->n_noted == ITEMS_MAX) {
                access->lost++;
                return false;
        }
        if (!there->method) {
                *there = *item;
                access->n_noted++;
        } else {
                there->last_ms = item->last_ms;
                there->count++;
                memcpy(there->device, item->device, sizeof(there->device));
        }
        access->waiting = true;
        return !was_waiting;
}

static void woken(struct loop_work *work)
{
        struct store *s = (struct store *)((char *)work - offsetof(struct store, access.woken));

        if (s->access.timer)
                loop_timer_set(s->access.timer, FLUSH_US);
}

static void note(struct store *s, const struct call *c, const struct caller *caller, struct ulid ticket, enum access_kind kind)
{
        struct access *access = &s->access;
        int64_t now = clock_now_ms(s->service->clock);
        struct access_item item = { .user = caller->user, .ticket = ticket, .kind = kind, .method = c->method, .first_ms = now, .last_ms = now, .count = 1 };
        size_t n = caller->device.n < sizeof(item.device) ? caller->device.n : sizeof(item.device) - 1;
        bool tell;

        if (ulid_is_zero(caller->user))
                return;
        memcpy(item.device, caller->device.p, n);
        pthread_mutex_lock(&access->mutex);
        tell = item_take(access, &item);
        pthread_mutex_unlock(&access->mutex);
        if (tell) {
                access->woken.run = woken;
                loop_post(s->service->loop, &access->woken);
        }
}

void access_viewed(struct store *s, const struct call *c, const struct caller *caller, struct ulid ticket)
{
        if (caller_is_agent(caller))
                note(s, c, caller, ticket, ACCESS_KIND_VIEWED);
}

void access_result(struct store *s, const struct call *c, int r)
{
        if (c->has_caller && c->method && c->caller.role >= SCHEMA_ROLE_CUSTOMER && (r == FAULT_FORBIDDEN || r == FAULT_NOT_FOUND))
                note(s, c, &c->caller, c->ticket, r == FAULT_FORBIDDEN ? ACCESS_KIND_FORBIDDEN : ACCESS_KIND_NOT_FOUND);
}

/* ---- writing ---- */

/* Not everything that is not found was kept from somebody: a draft that there is none of, on a ticket of theirs. */
static int was_refused(struct db *db, const struct access_item *item, bool *ret)
{
        struct caller user;
        bool visible;
        int r = person_caller(db, item->user, &user);

        *ret = true;
        if (r || item->kind != ACCESS_KIND_NOT_FOUND)
                return r == -ENOENT ? 0 : r;
        r = ticket_visible(db, &user, item->ticket, &visible);
        *ret = !r && !visible;
        return r;
}

/* A ticket that is none is not told apart from others: whoever guesses fills no table. */
static int item_write(struct db *db, const struct access_item *item)
{
        struct ulid ticket = item->ticket;
        struct ticket_row row;
        bool refused = true;
        int r = ticket_find(db, ticket, &row);

        if (r == -ENOENT)
                ticket = (struct ulid){ 0 };
        else if (!r)
                r = was_refused(db, item, &refused);
        if ((r && r != -ENOENT) || !refused)
                return r;
        return db_do(db, "INSERT INTO access_audit(hour, user, ticket, kind, method, device, first, last, n) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                         " ON CONFLICT(hour, user, ticket, kind, method) DO UPDATE SET device = excluded.device, last = max(last, excluded.last),"
                         " n = n + excluded.n",
                     "iuuittiii", item->first_ms / HOUR_MS, item->user, ticket, (int64_t)item->kind, str_of(item->method->name), str_of(item->device),
                     item->first_ms, item->last_ms, item->count);
}

/* What is noted from now on is for the next time. */
static void tables_swap(struct access *access)
{
        struct access_item *noted = access->noted;

        pthread_mutex_lock(&access->mutex);
        access->noted = access->kept;
        access->kept = noted;
        access->n_kept = access->n_noted;
        access->kept_lost = access->lost;
        access->n_noted = 0;
        access->lost = 0;
        access->waiting = false;
        pthread_mutex_unlock(&access->mutex);
}

/* In the batch's transaction; where it runs again, all of it is written again, and else once a batch. */
static int flush(struct store *s)
{
        struct access *access = &s->access;
        int r = 0;

        if (!access->n_kept)
                tables_swap(access);
        else if (access->written_in == s->runs)
                return 0;
        access->written_in = s->runs;
        for (size_t i = 0; i < SLOTS && access->n_kept && !r; i++)
                if (access->kept[i].method)
                        r = item_write(s->writer.db, &access->kept[i]);
        return r;
}

static void flushed(struct store *s, int r)
{
        struct access *access = &s->access;

        if (r || !access->n_kept)
                return;
        if (access->kept_lost)
                log_warning("%lld accesses were not kept for the audit: too many at once", (long long)access->kept_lost);
        memset(access->kept, 0, SLOTS * sizeof(*access->kept));
        access->n_kept = 0;
}

static int flush_run(struct task *task)
{
        return flush((struct store *)((char *)task - offsetof(struct store, access.task)));
}

static void flush_over(struct loop_work *work)
{
        struct store *s = (struct store *)((char *)work - offsetof(struct store, access.over));
        bool again;

        s->access.flushing = false;
        pthread_mutex_lock(&s->access.mutex);
        again = s->access.waiting || s->access.failed;
        pthread_mutex_unlock(&s->access.mutex);
        if (again && s->access.timer)
                loop_timer_set(s->access.timer, FLUSH_US);
}

static void flush_done(struct task *task, int r)
{
        struct store *s = (struct store *)((char *)task - offsetof(struct store, access.task));

        flushed(s, r);
        s->access.failed = r != 0;
        s->access.over.run = flush_over;
        loop_post(s->service->loop, &s->access.over);
}

static void on_timer(void *data)
{
        struct store *s = data;

        if (s->access.flushing)
                return; /* once it is over, again */
        s->access.flushing = true;
        s->access.task = (struct task){ .run = flush_run, .done = flush_done };
        queue_task(&s->writer.queue, &s->access.task);
}

int access_start(struct store *s)
{
        s->access.timer = loop_timer_new(s->service->loop, on_timer, s);
        return s->access.timer ? 0 : -ENOMEM;
}

void access_stop(struct store *s)
{
        loop_timer_free(s->access.timer);
        s->access.timer = NULL;
}

void access_finish(struct store *s)
{
        int r = s->access.n_noted || s->access.n_kept ? db_begin(s->writer.db) : -ENOENT;

        s->runs++;
        if (!r)
                r = flush(s);
        if (!r)
                r = db_commit(s->writer.db);
        if (r && r != -ENOENT)
                log_warning("the last accesses were not kept for the audit: %s", strerrordesc_np(-r));
}

/* A call on its way to a reader, in its own arena. */
struct waiting {
        struct task task;
        struct store *store;
        struct call *call;
        struct queue *queue;
};

static int waiting_run(struct task *task)
{
        return flush(((struct waiting *)task)->store);
}

static void waiting_done(struct task *task, int r)
{
        struct waiting *w = (struct waiting *)task;

        flushed(w->store, r);
        queue_call(w->queue, w->call);
}

void access_then(struct store *s, struct call *c, struct queue *queue)
{
        struct waiting *w = ARENA_NEW(&c->arena, struct waiting);

        *w = (struct waiting){ .task = { .run = waiting_run, .done = waiting_done }, .store = s, .call = c, .queue = queue };
        queue_task(&s->writer.queue, &w->task);
}

int access_sweep(struct db *db, int64_t now_ms)
{
        return db_do(db, "DELETE FROM access_audit WHERE hour < ?1", "i", now_ms / HOUR_MS - (int64_t)ACCESS_KEPT_DAYS * 24);
}

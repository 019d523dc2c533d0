#include "callers.h"

struct callers_wait {
        struct call *c;
        int64_t revision, until_us;
        struct callers_wait *next;
};

static int64_t now_us(const struct callers *callers)
{
        return clock_steady_us(loop_clock(callers->loop));
}

bool callers_all_past(const struct callers *callers, int64_t revision)
{
        int64_t live_since = now_us(callers) - CALLERS_LIVE_US;

        for (size_t i = 0; i < callers->n_gateways; i++)
                if (callers->gateways[i].revision < revision && callers->gateways[i].asked_us > live_since)
                        return false;
        return true;
}

/* Answers whom nothing keeps waiting any more, and sets the timer for the first of the others. */
static void answer_waiting(struct callers *callers)
{
        int64_t now = now_us(callers), first = INT64_MAX;
        struct callers_wait **at = &callers->waiting, *w;

        while ((w = *at)) {
                if (w->until_us <= now || callers_all_past(callers, w->revision)) {
                        *at = w->next;
                        call_answer(w->c, 0); /* frees w with its arena */
                        continue;
                }
                if (w->until_us < first)
                        first = w->until_us;
                at = &w->next;
        }
        if (callers->waiting)
                loop_timer_set(callers->timer, first - now);
        else
                loop_timer_stop(callers->timer);
}

static void on_timer(void *data)
{
        answer_waiting(data);
}

void callers_init(struct callers *callers, struct loop *loop)
{
        *callers = (struct callers){ .loop = loop };
        callers->timer = loop_timer_new(loop, on_timer, callers);
}

void callers_drain(struct callers *callers)
{
        struct callers_wait *w;

        callers->draining = true;
        while ((w = callers->waiting)) {
                callers->waiting = w->next;
                call_answer(w->c, 0);
        }
}

void callers_deinit(struct callers *callers)
{
        callers_drain(callers);
        loop_timer_free(callers->timer);
        callers->timer = NULL;
}

int callers_note(struct db *db, const struct caller_change *change, int64_t *ret_revision)
{
        int r;

        r = db_do(db, "INSERT INTO caller_change (user, device, role, owner, about, bound) VALUES (?, ?, ?, ?, ?, ?)", "UtiUti",
                  change->has_user ? &change->user : NULL, change->device, (int64_t)change->role, change->has_owner ? &change->owner : NULL,
                  change->about, (int64_t)change->bound);
        if (r == 0)
                r = db_do(db, "DELETE FROM caller_change WHERE revision <= (SELECT max(revision) FROM caller_change) - ?", "i",
                          (int64_t)CALLERS_KEEP);
        if (r == 0)
                r = callers_revision(db, ret_revision);
        return r;
}

int callers_revision(struct db *db, int64_t *ret_revision)
{
        return db_int(db, ret_revision, "SELECT max(revision) FROM caller_change", "");
}

int callers_read(struct db *db, int64_t after, struct arena *arena, struct callers_follow_result *ret)
{
        struct caller_change *items;
        int64_t oldest, head;
        sqlite3_stmt *q;
        size_t n = 0;
        int r;

        r = callers_revision(db, &head);
        if (r == 0)
                r = db_int(db, &oldest, "SELECT min(revision) FROM caller_change", "");
        if (r)
                return r;
        if (after > head || after < oldest - 1 || after == 0) {
                *ret = (struct callers_follow_result){ .head = head, .reset = true };
                return 0;
        }
        if (after == head) {
                *ret = (struct callers_follow_result){ .head = head };
                return 0;
        }
        items = arena_array(arena, CALLERS_PAGE, sizeof(*items));
        q = db_query(db, "SELECT revision, user, device, role, owner, about, bound FROM caller_change WHERE revision > ? ORDER BY revision LIMIT ?", "ii", after,
                     (int64_t)CALLERS_PAGE);
        while ((r = db_step(db, q)) > 0)
                items[n++] = (struct caller_change){
                        .revision = head = db_column_int(q, 0),
                        .has_user = !db_column_is_null(q, 1),
                        .user = db_column_ulid(q, 1),
                        .device = arena_str(arena, db_column_str(q, 2)),
                        .role = db_column_int(q, 3),
                        .has_owner = !db_column_is_null(q, 4),
                        .owner = db_column_ulid(q, 4),
                        .about = arena_str(arena, db_column_str(q, 5)),
                        .bound = db_column_int(q, 6),
                };
        if (r < 0)
                return r;
        *ret = (struct callers_follow_result){ .head = head, .items = { items, n } };
        return 0;
}

void callers_followed(struct callers *callers, struct ulid gateway, int64_t revision)
{
        size_t i, oldest = 0;

        for (i = 0; i < callers->n_gateways && !ulid_eq(callers->gateways[i].id, gateway); i++)
                if (callers->gateways[i].asked_us < callers->gateways[oldest].asked_us)
                        oldest = i;
        if (i == callers->n_gateways) {
                if (i == CALLERS_GATEWAYS_MAX)
                        i = oldest;
                else
                        callers->n_gateways++;
                callers->gateways[i].id = gateway;
        }
        callers->gateways[i].revision = revision;
        callers->gateways[i].asked_us = now_us(callers);
        if (callers->waiting)
                answer_waiting(callers);
}

int callers_wait(struct callers *callers, struct call *c, int64_t revision)
{
        struct callers_wait *w;

        if (callers->draining || callers_all_past(callers, revision))
                return 0;
        w = ARENA_NEW(&c->arena, struct callers_wait);
        w->c = c;
        w->revision = revision;
        w->until_us = now_us(callers) + CALLERS_WAIT_US;
        w->next = callers->waiting;
        callers->waiting = w;
        if (!w->next)
                loop_timer_set(callers->timer, CALLERS_WAIT_US);
        return CALL_PARKED;
}

#include "fanout.h"

#include "schema/fanout_handlers.h"
#include "schema/personal.h"
#include "stats.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
        REAP_US = 10 * 1000000,
        TAIL_BYTES = 32 * 1024 * 1024,
        PAGE_BYTES = 256 * 1024,
        PAGE_EVENTS = 4096,
        RESET_OPS = 10000,              /* who is further behind is told by store that fetching anew is cheaper */
};

static void outlet_drop(struct fanout *f, struct outlet *o)
{
        while (o->sessions) {
                attendance_lost(&f->attendance, o->sessions, o->asked_us);
                sessions_detach(&f->sessions, o->sessions);
        }
        outlet_free(&f->outlets, o);
}

static void outlets_drop(struct fanout *f)
{
        struct outlet *o, *next;

        HASH_ITER(hh, f->outlets, o, next)
                outlet_drop(f, o);
}

void fanout_wake(struct fanout *f)
{
        struct outlet *o, *next;

        HASH_ITER(hh, f->outlets, o, next) {
                if (o->bytes > OUTLET_QUEUE_BYTES) { /* it will announce its sessions again, and they go on from their cursors */
                        log_warning("a gateway takes nothing any more: its queue is dropped");
                        outlet_drop(f, o);
                } else if (o->first || !o->told) {
                        feed_wake(&o->feed);
                }
        }
}

/* ---- following the log ---- */

/* Somebody may see a ticket no more: neither what waits for them of it. */
static void access_lost(struct fanout *f, const struct shared_event *event)
{
        struct party *p = sessions_party(&f->sessions, event->readers->target);
        struct ulid ticket;
        struct session *s;

        if (p && event_loses(event, &ticket))
                DL_FOREACH(p->sessions, s)
                        if (!s->agent)
                                outlet_withdraw(s, ticket);
}

/* What was redacted is in memory nowhere: who has not got it yet reads the log, where it is gone. */
static void redacted(struct fanout *f, const struct log_item *item)
{
        struct outlet *o, *next;

        HASH_ITER(hh, f->outlets, o, next)
                if (o->first)
                        outlet_drop(f, o);
        tail_begin(&f->tail, f->tail.instance, item->seq - 1, NULL);
}

static void take_op(struct fanout *f, const struct log_item *item)
{
        struct shared_event *event;

        if (item->redacts)
                redacted(f, item);
        event = tail_add(&f->tail, item);
        f->events++;
        if (!event->has_event)
                return;
        attendance_op(&f->attendance, event);
        if (!f->positioned)
                return;
        if (event->readers->kind == AUDIENCE_USER)
                access_lost(f, event);
        sessions_select(&f->sessions, event->readers, &f->recipients);
        outlets_deliver(event, &f->recipients);
}

static void log_ask(void *data, void *params)
{
        struct fanout *f = data;

        /* at first beyond any head, which answers the head at once */
        *(struct ops_follow *)params = (struct ops_follow){ .after = f->found ? tail_end(&f->tail) : (INT64_C(1) << 53) - 1, .max_bytes = 262144 };
}

/* The log's head is known: what is before it is read first, so that those who come back find it in memory. */
static void log_found(struct fanout *f, const struct ops_follow_result *in)
{
        int64_t start = in->head > FANOUT_PRELOAD ? in->head - FANOUT_PRELOAD : 0;

        f->found = true;
        f->positioned = start == in->head;
        f->preload = in->head;
        tail_begin(&f->tail, (const uint8_t *)in->instance.p, start, start == in->head ? (const uint8_t *)in->head_hash.p : NULL);
}

static void log_take(void *data, const void *result)
{
        const struct ops_follow_result *in = result;
        struct fanout *f = data;
        int64_t before = tail_end(&f->tail);

        f->heard_us = clock_steady_us(f->service->clock);
        if (f->found && (in->head < before || memcmp(in->instance.p, f->tail.instance, sizeof(f->tail.instance)))) {
                /* store was restored from a backup: what was told is another future's */
                log_warning("the log is another one than before: all gateways begin anew");
                outlets_drop(f);
                attendance_deinit(&f->attendance);
                attendance_init(&f->attendance, f);
                f->found = f->positioned = f->own_found = false;
                f->own_told = 0;
                return;
        }
        if (!f->found) {
                log_found(f, in);
                return;
        }
        for (size_t i = 0; i < in->items.n; i++)
                take_op(f, &in->items.items[i]);
        f->positioned = f->positioned || tail_end(&f->tail) >= f->preload;
        if (tail_end(&f->tail) == before || !f->positioned)
                return;
        for (struct outlet *o = f->outlets; o; o = o->hh.next)
                o->told = false;
        fanout_wake(f);
}

/* ---- what is users' own ---- */

static void own_ask(void *data, void *params)
{
        struct fanout *f = data;

        f->own_anew = !f->own_found || f->own_missed;
        *(struct personal_follow *)params = (struct personal_follow){ .has_after = !f->own_anew, .after = f->own_head, .max_bytes = 262144 };
}

/* To the sessions of whose own it is, or of them to those that missed it. */
static void own_tell(struct fanout *f, const struct personal_item *item, bool again)
{
        const struct party *party = sessions_party(&f->sessions, item->user);
        struct shared_event *event;
        struct session *s;

        f->recipients.n = 0;
        if (party)
                DL_FOREACH(party->sessions, s)
                        if (!again || s->missed)
                                recipients_add(&f->recipients, s);
        if (!f->recipients.n)
                return;
        event = shared_event_new(&item->event);
        outlets_deliver(event, &f->recipients);
        shared_event_unref(event);
}

static void own_caught_up(struct fanout *f)
{
        if (!f->own_retold || f->own_missed)
                return;
        f->own_retold = false;
        for (struct session *s = f->sessions.by_id; s; s = s->hh.next)
                s->missed = false;
}

static void own_take(void *data, const void *result)
{
        const struct personal_follow_result *in = result;
        struct fanout *f = data;
        const bool again = in->head <= f->own_told;

        if (f->own_anew) {
                f->own_missed = false;
                f->own_retold = true;
        }
        f->own_found = true;
        f->own_head = in->head;
        for (size_t i = 0; i < in->items.n; i++)
                own_tell(f, &((const struct personal_item *)in->items.items)[i], again);
        if (in->head >= f->own_told) {
                f->own_told = in->head;
                own_caught_up(f);
        }
        fanout_wake(f);
}

/* ---- gateways ---- */

static struct outlet *outlet_for(struct fanout *f, struct ulid gateway)
{
        if (!f->outlets)
                loop_timer_set(f->reaper, REAP_US);
        return outlet_of(&f->outlets, f->service->loop, gateway);
}

static void reset_to_end(struct fanout *f, struct arena *arena, const char *reason, struct live_attach_result *ret)
{
        ret->outcome = ATTACH_OUTCOME_RESET;
        ret->reason = str_of(reason);
        ret->cursor = tail_cursor(&f->tail, tail_end(&f->tail), arena);
}

/* Goes on from a position that is in the tail. */
static void go_on(struct fanout *f, const struct session *s, int64_t after, struct arena *arena, struct live_attach_result *ret)
{
        const struct tail_reader reader = { .user = s->party->user, .agent = s->agent, .max = PAGE_EVENTS, .max_bytes = PAGE_BYTES };
        struct tail_page page;

        tail_read(&f->tail, after, &reader, arena, &page);
        if (page.role_changed) {
                reset_to_end(f, arena, "your role has changed", ret);
                return;
        }
        ret->outcome = page.more ? ATTACH_OUTCOME_PAGE : ATTACH_OUTCOME_LIVE;
        ret->cursor = tail_cursor(&f->tail, page.to, arena);
        ret->events.items = page.events;
        ret->events.n = page.n;
}

static int resume(struct fanout *f, struct call *c, const struct session *s, struct str cursor, struct live_attach_result *ret)
{
        int64_t seq = 0;

        switch (tail_find(&f->tail, cursor, &seq)) {
        case TAIL_HERE:
                if (tail_end(&f->tail) - seq <= RESET_OPS) {
                        go_on(f, s, seq, &c->arena, ret);
                        return 0;
                }
                break;
        case TAIL_FORGED:
                return call_invalid(c, "cursor", "must be a cursor that this server gave");
        case TAIL_ELSEWHERE:
                reset_to_end(f, &c->arena, "the cursor is of another instance", ret);
                return 0;
        case TAIL_LOST:
                reset_to_end(f, &c->arena, "the server was restored from a backup", ret);
                return 0;
        case TAIL_UNKNOWN:
                break;
        }
        ret->outcome = ATTACH_OUTCOME_LOG;
        ret->cursor = cursor;
        return 0;
}

int fanout_on_live_attach(struct fanout *f, struct call *c, const struct live_attach *in, struct live_attach_result *ret)
{
        bool known = sessions_find(&f->sessions, in->id);
        struct session *s;
        struct outlet *o;
        int r = 0;

        if (!f->positioned)
                return call_unavailable(c, 100, "fanout has not reached the log yet");
        o = outlet_for(f, in->gateway);
        s = sessions_attach(&f->sessions, o, in->id, in->session, &c->caller);
        if (!s)
                return call_invalid(c, "id", "must be of no other session");
        ret->epoch = o->epoch;
        ret->order = tail_end(&f->tail);
        ret->reason = STR("");
        if (in->has_cursor) {
                r = resume(f, c, s, in->cursor, ret);
        } else {
                ret->outcome = ATTACH_OUTCOME_LIVE;
                ret->cursor = tail_cursor(&f->tail, tail_end(&f->tail), &c->arena);
        }
        s->pushed = !r && (ret->outcome == ATTACH_OUTCOME_LIVE || ret->outcome == ATTACH_OUTCOME_RESET);
        if (in->again && !known)
                s->missed = f->own_missed = true;
        attendance_attached(&f->attendance, s, in, known);
        return r;
}

int fanout_on_live_detach(struct fanout *f, struct call *c, const struct live_detach *in, struct live_detach_result *ret)
{
        struct outlet *o = outlet_find(f->outlets, in->gateway);

        (void)c;
        (void)ret;
        for (size_t i = 0; o && i < in->sessions.n; i++) {
                struct session *s = sessions_find(&f->sessions, in->sessions.items[i]);

                if (!s || s->outlet != o)
                        continue;
                attendance_ended(&f->attendance, s);
                sessions_detach(&f->sessions, s);
        }
        return 0;
}

int fanout_on_live_follow(struct fanout *f, struct call *c, const struct live_follow *in, struct live_follow_result *ret)
{
        struct outlet *o = outlet_for(f, in->gateway);
        int r;

        o->asked_us = clock_steady_us(f->service->clock);
        if (in->after <= o->head) /* else it speaks to the fanout before us: the epoch in the answer tells it */
                outlet_acknowledge(o, in->after);
        if (!o->first && (o->told || !f->positioned) && in->after <= o->head) {
                r = feed_park(&o->feed, c);
                if (r)
                        return r;
        }
        outlet_read(o, in->after <= o->head ? in->after : o->head, in->max_bytes, &c->arena, ret);
        if (!o->first || ret->items.n == 0)
                ret->head = o->head;
        ret->epoch = o->epoch;
        /* only who has everything may be moved on to where the log is */
        ret->position = ret->head == o->head && f->positioned ? tail_cursor(&f->tail, tail_end(&f->tail), &c->arena) : STR("");
        ret->order = tail_end(&f->tail);
        o->told = ret->position.n > 0;
        return 0;
}

int fanout_on_fanout_stats(struct fanout *f, struct call *c, const struct fanout_stats *in, struct fanout_stats_result *ret)
{
        struct stats stats;
        size_t queued = 0;

        (void)in;
        for (const struct outlet *o = f->outlets; o; o = o->hh.next)
                queued += o->bytes;
        ret->value.processes.items = stats_begin(&stats, &c->arena, f->service);
        ret->value.processes.n = 1;
        stats_server(&stats, f->server);
        stats_gauge(&stats, "log_position", "How far the log was followed: behind store's log_head, it lags.", tail_end(&f->tail));
        if (f->positioned)
                stats_gauge_us(&stats, "log_silence_seconds", "Since store answered last; it answers every second.",
                               clock_steady_us(f->service->clock) - f->heard_us);
        stats_counter(&stats, "ops_total", "Ops read from the log.", f->events);
        stats_gauge(&stats, "tail_ops", "Ops in memory: who is no further behind resumes from there.", (int64_t)f->tail.n);
        stats_gauge(&stats, "tail_bytes", "What they take.", (int64_t)f->tail.bytes);
        stats_gauge(&stats, "sessions", "Live sessions, of all gateways.", (int64_t)sessions_count(&f->sessions));
        stats_gauge(&stats, "people_online", "Who have a session, or had one 10 s ago.", (int64_t)roster_count(&f->attendance.roster));
        stats_gauge(&stats, "presence_leases", "Tickets that sessions show, each for itself.", (int64_t)f->attendance.presence.leases);
        stats_gauge(&stats, "gateways", "Gateways that follow.", HASH_COUNT(f->outlets));
        stats_gauge(&stats, "queued_bytes", "What gateways have not taken yet.", (int64_t)queued);
        return 0;
}

static void reap(void *data)
{
        struct fanout *f = data;
        struct outlet *o, *next;
        int64_t now = clock_steady_us(f->service->clock);

        HASH_ITER(hh, f->outlets, o, next) {
                if (o->feed.first || now - o->asked_us < OUTLET_SILENT_US)
                        continue;
                outlet_drop(f, o);
        }
        if (f->outlets)
                loop_timer_set(f->reaper, REAP_US);
}

/* ---- the service ---- */

static int start(struct service *service, void **ret_data)
{
        struct fanout *f = calloc(1, sizeof(*f));
        uint8_t cursor[CURSOR_SECRET_BYTES];
        int r;

        if (!f)
                return -ENOMEM;
        *ret_data = f;
        f->service = service;
        r = service_secret(service, "caller", f->caller_key);
        attendance_init(&f->attendance, f);
        if (!r)
                r = service_secret(service, "cursor", cursor);
        if (!r)
                tail_init(&f->tail, cursor, TAIL_BYTES);
        sodium_memzero(cursor, sizeof(cursor));
        if (!r)
                r = service_client(service, "store", SCHEMA_PEER_STORE, &f->store);
        if (!r)
                r = follower_new(service->loop, &(struct follower_options){ .client = f->store, .method = &schema_method_ops_follow,
                                                                            .ask = log_ask, .take = log_take, .data = f },
                                 &f->log);
        if (!r)
                r = follower_new(service->loop, &(struct follower_options){ .client = f->store, .method = &schema_method_personal_follow,
                                                                            .ask = own_ask, .take = own_take, .data = f },
                                 &f->own);
        if (!r)
                r = service_server(service, fanout_handlers, f, NULL, f->caller_key, &f->server);
        if (r)
                return r;
        f->reaper = loop_timer_new(service->loop, reap, f);
        return f->reaper ? 0 : -ENOMEM;
}

static void drain(void *data)
{
        struct fanout *f = data;
        struct outlet *o, *next;

        rpc_server_stop(f->server);
        HASH_ITER(hh, f->outlets, o, next)
                feed_drain(&o->feed);
}

static bool drained(void *data)
{
        return rpc_server_busy(((struct fanout *)data)->server) == 0;
}

static void stop(void *data)
{
        struct fanout *f = data;

        if (!f)
                return;
        follower_free(f->log);
        follower_free(f->own);
        rpc_client_free(f->store);
        outlets_drop(f);
        attendance_deinit(&f->attendance);
        rpc_server_free(f->server);
        loop_timer_free(f->reaper);
        recipients_deinit(&f->recipients);
        tail_deinit(&f->tail);
        free(f);
}

static void status(void *data, struct buf *out)
{
        struct fanout *f = data;

        buf_format(out, "%zu sessions at %u gateways, position %lld", sessions_count(&f->sessions), HASH_COUNT(f->outlets),
                   (long long)tail_end(&f->tail));
}

const struct service_type fanout_service = {
        .name = "fanout",
        .peer = SCHEMA_PEER_FANOUT,
        .start = start,
        .drain = drain,
        .drained = drained,
        .stop = stop,
        .status = status,
};

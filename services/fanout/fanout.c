#include "fanout.h"

#include "schema/fanout_handlers.h"
#include "stats.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { REAP_US = 10 * 1000000 };

void fanout_deliver(struct fanout *f, const struct log_item *item, struct str cursor)
{
        struct shared_event *event = shared_event_new(item->event, cursor);
        struct outlet *o, *next;

        f->events++;
        HASH_ITER(hh, f->outlets, o, next) {
                if (!outlet_offer(o, event, item))
                        continue;
                if (o->bytes > OUTLET_QUEUE_BYTES) { /* it will announce its sessions again, and fill the gap from the log */
                        log_warning("a gateway takes nothing any more: its queue is dropped");
                        f->sessions -= HASH_COUNT(o->sessions);
                        outlet_free(&f->outlets, o);
                }
        }
        shared_event_unref(event);
}

/* ---- following the log ---- */

static void log_ask(void *data, void *params)
{
        struct fanout *f = data;
        struct ops_follow *in = params;

        /* without a position: beyond any head, which answers the head at once */
        *in = (struct ops_follow){ .after = f->positioned ? f->seq : (INT64_C(1) << 53) - 1, .max_bytes = 262144 };
}

/* The cursor of a position in the log, in text. */
static struct str cursor_of(const struct fanout *f, struct str instance, int64_t seq, struct str hash, char text[CURSOR_TEXT])
{
        struct cursor cursor = { .seq = seq };

        memcpy(cursor.instance, instance.p, sizeof(cursor.instance));
        memcpy(cursor.hash, hash.p, sizeof(cursor.hash));
        cursor_write(&f->cursor_key, &cursor, text);
        return (struct str){ text, CURSOR_TEXT };
}

static void log_take(void *data, const void *result)
{
        const struct ops_follow_result *in = result;
        struct fanout *f = data;
        struct outlet *o, *next;
        bool moved;

        if (f->positioned && in->head < f->seq) {
                /* store was restored from a backup: what was told is another future's */
                log_warning("the log is shorter than it was: all gateways begin anew");
                HASH_ITER(hh, f->outlets, o, next)
                        outlet_free(&f->outlets, o);
                f->sessions = 0;
                f->positioned = false;
                return;
        }
        f->heard_us = clock_steady_us(f->service->clock);
        moved = !f->positioned || in->head != f->seq;
        for (size_t i = 0; i < in->items.n; i++) {
                const struct log_item *item = &in->items.items[i];
                char text[CURSOR_TEXT];

                if (item->event)
                        fanout_deliver(f, item, cursor_of(f, in->instance, item->seq, item->hash, text));
        }
        f->positioned = true;
        f->seq = in->head;
        f->cursor = cursor_of(f, in->instance, in->head, in->head_hash, f->cursor_text);
        if (!moved)
                return;
        HASH_ITER(hh, f->outlets, o, next) {
                o->told = false;
                feed_wake(&o->feed);
        }
}

/* ---- gateways ---- */

static struct outlet *outlet_for(struct fanout *f, struct ulid gateway)
{
        if (!f->outlets)
                loop_timer_set(f->reaper, REAP_US);
        return outlet_of(&f->outlets, f->service->loop, gateway);
}

int fanout_on_live_attach(struct fanout *f, struct call *c, const struct live_attach *in, struct live_attach_result *ret)
{
        struct outlet *o;

        if (!f->positioned)
                return call_unavailable(c, 100, "fanout has not reached the log yet");
        o = outlet_for(f, in->gateway);
        f->sessions -= HASH_COUNT(o->sessions);
        outlet_attach(o, in->session, &c->caller);
        f->sessions += HASH_COUNT(o->sessions);
        ret->epoch = o->epoch;
        ret->position = f->cursor;
        ret->order = f->seq;
        return 0;
}

int fanout_on_live_detach(struct fanout *f, struct call *c, const struct live_detach *in, struct live_detach_result *ret)
{
        struct outlet *o = outlet_find(f->outlets, in->gateway);

        (void)c;
        (void)ret;
        for (size_t i = 0; o && i < in->sessions.n; i++)
                f->sessions -= outlet_detach(o, in->sessions.items[i]);
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
        ret->position = ret->head == o->head && f->positioned ? f->cursor : STR("");
        ret->order = f->seq;
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
        stats_gauge(&stats, "log_position", "How far the log was followed: behind store's log_head, it lags.", f->seq);
        if (f->positioned)
                stats_gauge_us(&stats, "log_silence_seconds", "Since store answered last; it answers every second.",
                               clock_steady_us(f->service->clock) - f->heard_us);
        stats_counter(&stats, "events_total", "Events read from the log.", f->events);
        stats_gauge(&stats, "sessions", "Live sessions, of all gateways.", (int64_t)f->sessions);
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
                f->sessions -= HASH_COUNT(o->sessions);
                outlet_free(&f->outlets, o);
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
        if (!r)
                r = service_secret(service, "cursor", cursor);
        if (!r)
                cursor_key_init(&f->cursor_key, cursor);
        sodium_memzero(cursor, sizeof(cursor));
        if (!r)
                r = service_client(service, "store", SCHEMA_PEER_STORE, &f->store);
        if (!r)
                r = follower_new(service->loop, &(struct follower_options){ .client = f->store, .method = &schema_method_ops_follow,
                                                                            .ask = log_ask, .take = log_take, .data = f },
                                 &f->log);
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
        struct outlet *o, *next;

        if (!f)
                return;
        follower_free(f->log);
        rpc_client_free(f->store);
        HASH_ITER(hh, f->outlets, o, next)
                outlet_free(&f->outlets, o);
        rpc_server_free(f->server);
        loop_timer_free(f->reaper);
        free(f);
}

static void status(void *data, struct buf *out)
{
        struct fanout *f = data;

        buf_format(out, "%zu sessions at %u gateways, position %lld", f->sessions, HASH_COUNT(f->outlets), (long long)f->seq);
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

#include "fanout.h"

#include "schema/fanout_handlers.h"
#include "stats.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
        REAP_US = 10 * 1000000,
        TAIL_BYTES = 32 * 1024 * 1024,
};

void fanout_drop(struct fanout *f, struct outlet *o)
{
        while (o->sessions) {
                attendance_lost(&f->attendance, o->sessions, o->asked_us);
                sessions_detach(&f->sessions, o->sessions);
        }
        outlet_free(&f->outlets, o);
}

void fanout_drop_all(struct fanout *f)
{
        struct outlet *o, *next;

        HASH_ITER(hh, f->outlets, o, next)
                fanout_drop(f, o);
}

void fanout_wake(struct fanout *f)
{
        struct outlet *o, *next;

        HASH_ITER(hh, f->outlets, o, next) {
                if (o->bytes > OUTLET_QUEUE_BYTES) { /* it will announce its sessions again, and they go on from their cursors */
                        log_warning("a gateway takes nothing any more: its queue is dropped");
                        fanout_drop(f, o);
                } else if (o->first || !o->told) {
                        feed_wake(&o->feed);
                }
        }
}

struct outlet *fanout_outlet(struct fanout *f, struct ulid gateway)
{
        if (!f->outlets)
                loop_timer_set(f->reaper, REAP_US);
        return outlet_of(&f->outlets, f->service->loop, gateway);
}

bool fanout_serves_as_agent(const struct fanout *f, const struct caller *caller)
{
        return caller->role >= SCHEMA_ROLE_AGENT && caller->role <= SCHEMA_ROLE_ADMIN && !demotions_have(&f->demotions, caller->user);
}

static size_t queued_bytes(const struct fanout *f)
{
        size_t queued = 0;

        for (const struct outlet *o = f->outlets; o; o = o->hh.next)
                queued += o->bytes;
        return queued;
}

int fanout_on_fanout_stats(struct fanout *f, struct call *c, const struct fanout_stats *in, struct fanout_stats_result *ret)
{
        struct stats stats;

        (void)in;
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
        stats_gauge(&stats, "devices_online", "Devices that have a session.", (int64_t)f->sessions.devices);
        stats_gauge(&stats, "people_online", "Who have a session, or had one 10 s ago.", (int64_t)roster_count(&f->attendance.roster));
        stats_gauge(&stats, "presence_leases", "Tickets that sessions show, each for itself.", (int64_t)f->attendance.presence.leases);
        stats_gauge(&stats, "gateways", "Gateways that follow.", HASH_COUNT(f->outlets));
        stats_gauge(&stats, "queued_bytes", "What gateways have not taken yet.", (int64_t)queued_bytes(f));
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
                fanout_drop(f, o);
        }
        if (f->outlets)
                loop_timer_set(f->reaper, REAP_US);
}

/* ---- the service ---- */

void fanout_init(struct fanout *f, struct service *service, const uint8_t caller_key[CALLER_KEY_BYTES], const uint8_t cursor_secret[CURSOR_SECRET_BYTES])
{
        *f = (struct fanout){ .service = service };
        memcpy(f->caller_key, caller_key, sizeof(f->caller_key));
        tail_init(&f->tail, cursor_secret, TAIL_BYTES);
        attendance_init(&f->attendance, f);
        f->reaper = loop_timer_new(service->loop, reap, f);
        if (!f->reaper)
                abort();
}

void fanout_deinit(struct fanout *f)
{
        fanout_drop_all(f);
        attendance_deinit(&f->attendance);
        loop_timer_free(f->reaper);
        recipients_deinit(&f->recipients);
        demotions_deinit(&f->demotions);
        tail_deinit(&f->tail);
}

static int follow(struct fanout *f, const struct follower_options *what, struct follower **ret)
{
        struct follower_options options = *what;

        options.client = f->store;
        options.data = f;
        return follower_new(f->service->loop, &options, ret);
}

static int start(struct service *service, void **ret_data)
{
        uint8_t caller[CALLER_KEY_BYTES], cursor[CURSOR_SECRET_BYTES];
        struct fanout *f;
        int r = service_secret(service, "caller", caller);

        if (!r)
                r = service_secret(service, "cursor", cursor);
        if (r)
                return r;
        f = malloc(sizeof(*f));
        if (!f)
                return -ENOMEM;
        *ret_data = f;
        fanout_init(f, service, caller, cursor);
        r = service_client(service, "store", SCHEMA_PEER_STORE, &f->store);
        if (!r)
                r = follow(f, &fanout_log, &f->log);
        if (!r)
                r = follow(f, &fanout_own, &f->own);
        if (!r)
                r = service_server(service, fanout_handlers, f, NULL, f->caller_key, &f->server);
        sodium_memzero(caller, sizeof(caller));
        sodium_memzero(cursor, sizeof(cursor));
        return r;
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
        fanout_drop_all(f);             /* answers the calls that wait */
        rpc_server_free(f->server);
        fanout_deinit(f);
        free(f);
}

static void status(void *data, struct buf *out)
{
        struct fanout *f = data;

        buf_format(out, "%zu sessions at %u gateways, position %lld", sessions_count(&f->sessions), HASH_COUNT(f->outlets),
                   (long long)tail_end(&f->tail));
}

static void sums(void *data, struct past_sums *ret)
{
        const struct fanout *f = data;

        stats_sums(ret, f->server);
        ret->waits = "queued_bytes";
        ret->waiting = queued_bytes(f);
}

const struct service_type fanout_service = {
        .name = "fanout",
        .peer = SCHEMA_PEER_FANOUT,
        .start = start,
        .drain = drain,
        .drained = drained,
        .stop = stop,
        .status = status,
        .sums = sums,
};

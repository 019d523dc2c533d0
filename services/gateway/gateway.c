#include "gateway.h"

#include "connection.h"
#include "listener.h"
#include "live.h"
#include "router.h"
#include "schema/overlay.h"
#include "stats.h"
#include "visitors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STOP_ROUNDS = 100 };     /* in which connections end */

struct rpc_client *gateway_client(struct gateway *g, const struct schema_method *method)
{
        if (strcmp(method->service, "store") == 0)
                return g->store;
        if (strcmp(method->service, "identity") == 0)
                return g->identity;
        return strcmp(method->service, "fanout") == 0 ? g->fanout : g->supervisor;
}

/* ---- where we are ---- */

static void listen_at(struct gateway *g, const struct listener_place *place)
{
        char text[INET6_ADDRSTRLEN];
        int r;

        host_address_text(&place->address.any, text);
        if (device_of(g->driver, &place->address.any, g->device)) {
                log_error("the overlay's address %s is outside the driver's range: not listening", text);
                return;
        }
        listener_free(g->listener);
        g->listener = NULL;
        g->place = *place;
        buf_clear(&g->host);
        r = listener_new(g, place, &g->listener);
        if (r)
                log_error("can't listen at %s port %lld: %s; trying on", text, (long long)g->service->settings.port, strerror(-r));
        else
                log_notice("listening at %s port %lld", text, (long long)g->service->settings.port);
        service_status(g->service);
}

static void overlay_ask(void *data, void *params)
{
        struct gateway *g = data;

        *(struct overlay_follow *)params = (struct overlay_follow){ .after = g->overlay_head, .max_bytes = 65536 };
}

static void overlay_take(void *data, const void *result)
{
        const struct overlay_follow_result *in = result;
        struct gateway *g = data;
        struct listener_place place = { .ifindex = (uint32_t)in->overlay.ifindex };

        g->overlay_head = in->head;
        if (g->draining || !place.ifindex)      /* no interface has the address */
                return;
        if (overlay_driver_parse(in->overlay.driver, &g->driver) ||
            host_address_parse(in->overlay.address, (uint16_t)g->service->settings.port, &place.address)) {
                log_error("the supervisor tells of an overlay that is not known here");
                return;
        }
        if (!listener_is_at(g->listener, &place))
                listen_at(g, &place);
}

/* ---- two loops in one ---- */

static void on_loop(h2o_socket_t *sock, const char *err)
{
        struct gateway *g = sock->data;

        if (!err && loop_dispatch(g->service->loop, 0))
                loop_stop(g->service->loop);
}

static int run(void *data)
{
        struct gateway *g = data;

        while (!loop_stopped(g->service->loop)) {
                loop_run_deferred(g->service->loop);    /* the calls of all requests of a round leave together */
                if (h2o_evloop_run(g->h2o, INT32_MAX) && errno != EINTR)        /* a stop and go on, a debugger */
                        return -errno;
                connections_turn(g->connections);
        }
        return 0;
}

static void h2o_start(struct gateway *g)
{
        h2o_config_init(&g->config);
        g->config.server_name = h2o_iovec_init(H2O_STRLIT(""));         /* no Server header */
        g->config.max_request_entity_size = GATEWAY_BODY_MAX;
        g->config.http1.req_timeout = UINT32_MAX;       /* deadlines are ours: connection.h */
        g->config.http1.upgrade_to_http2 = 0;
        router_register(g);
        g->h2o = h2o_evloop_create();
        h2o_context_init(&g->context, g->h2o, &g->config);
        g->accept = (h2o_accept_ctx_t){ .ctx = &g->context, .hosts = g->config.hosts };
        g->loop_socket = h2o_evloop_socket_create(g->h2o, dup(loop_fd(g->service->loop)), H2O_SOCKET_FLAG_DONT_READ);
        g->loop_socket->data = g;
        h2o_socket_read_start(g->loop_socket, on_loop);
        g->connections = connections_new(g);
}

/* ---- what it tells of itself ---- */

struct process_stats *gateway_tell(struct gateway *g)
{
        static const char *const statuses[] = { NULL, "1xx", "2xx", "3xx", "4xx", "5xx" };
        struct process_stats *told;
        struct figure *answers;
        struct stats stats;

        arena_reset(&g->stats);
        told = stats_begin(&stats, &g->stats, g->service);
        answers = stats_figure(&stats, FIGURE_KIND_COUNTER, "http_answers_total", "HTTP requests that were answered.", 5);
        for (int i = 1; i <= 5; i++)
                stats_sample(&stats, answers, g->answers[i], "status", statuses[i], NULL);
        stats_tally(&stats, "jsonrpc_call", "Calls of clients, from the request's arrival to the answer.", &g->calls);
        stats_gauge(&stats, "requests_under_way", "Requests not answered yet.", (int64_t)g->requests);
        connections_tell(g->connections, &stats);
        stats_gauge(&stats, "live_sessions", "WebSockets.", (int64_t)live_count(g->live));
        stats_counter(&stats, "live_put_off_total", "WebSockets that were told to come back later, as too many began at once.", g->admission.put_off);
        stats_gauge(&stats, "callers_cached", "Sessions whose callers are known without asking identity.", (int64_t)visitors_count(g->visitors));
        return told;
}

/* ---- the service ---- */

static int start(struct service *service, void **ret_data)
{
        struct gateway *g = calloc(1, sizeof(*g));
        int r;

        if (!g)
                return -ENOMEM;
        *ret_data = g;
        g->service = service;
        g->id = ulid_new(clock_now_ms(service->clock));
        g->driver = (enum overlay_driver)service->settings.driver;
        h2o_start(g);
        g->limits = malloc(sizeof(*g->limits));
        if (!g->limits)
                return -ENOMEM;
        limits_init(g->limits, service->settings.device_rate, service->settings.user_rate);
        admission_init(&g->admission, service->settings.admissions);
        g->visitors = visitors_new(g);
        g->live = live_new(g);
        r = service_client(service, "store", SCHEMA_PEER_STORE, &g->store);
        if (!r)
                r = service_client(service, "identity", SCHEMA_PEER_IDENTITY, &g->identity);
        if (!r)
                r = service_client(service, "fanout", SCHEMA_PEER_FANOUT, &g->fanout);
        if (!r)
                r = service_client(service, "mycelium-supervisor", SCHEMA_PEER_SUPERVISOR, &g->supervisor);
        if (!r)
                r = visitors_follow(g->visitors);
        if (!r)
                r = live_follow(g->live);
        return r ? r : follower_new(service->loop,
                                    &(struct follower_options){ .client = g->supervisor, .method = &schema_method_overlay_follow,
                                                                .ask = overlay_ask, .take = overlay_take, .data = g },
                                    &g->overlay);
}

static void reload(void *data)
{
        struct gateway *g = data;
        struct listener_place place = g->place;

        g->limits->device_rate = g->service->settings.device_rate;
        g->limits->user_rate = g->service->settings.user_rate;
        g->admission.rate = g->service->settings.admissions;
        if (!g->listener)
                return;
        host_address_set_port(&place.address, (uint16_t)g->service->settings.port);
        if (!listener_is_at(g->listener, &place))
                listen_at(g, &place);
}

static void drain(void *data)
{
        struct gateway *g = data;

        g->draining = true;
        listener_leave(g->listener);
        g->listener = NULL;
        /* Answers from now on say `Connection: close`. Not h2o_context_request_shutdown, which also begins to end HTTP/2, with a timer
         * that can't be undone. */
        g->context.shutdown_requested = 1;
        live_drain(g->live);
}

static bool drained(void *data)
{
        struct gateway *g = data;

        return g->requests == 0 && live_count(g->live) == 0 && !connections_expect(g->connections);
}

static void h2o_stop(struct gateway *g)
{
        h2o_multithread_queue_t *queue = g->context.queue;

        h2o_socket_close(g->loop_socket);
        for (int i = 0; i < STOP_ROUNDS && connections_count(g->connections); i++)
                connections_close(g->connections);
        connections_free(g->connections);
        h2o_context_dispose(&g->context);
        h2o_config_dispose(&g->config);
        h2o_evloop_destroy(g->h2o);
        free(queue);    /* h2o forgets it */
}

static void stop(void *data)
{
        struct gateway *g = data;

        if (!g)
                return;
        follower_free(g->overlay);
        listener_leave(g->listener);
        g->listener = NULL;
        live_free(g->live);
        visitors_free(g->visitors);
        g->visitors = NULL;
        rpc_client_free(g->store);
        rpc_client_free(g->identity);
        rpc_client_free(g->fanout);
        rpc_client_free(g->supervisor);
        h2o_stop(g);
        request_deinit_spare(g);
        buf_deinit(&g->openrpc);
        arena_deinit(&g->stats);
        buf_deinit(&g->host);
        free(g->limits);
        free(g);
}

static void status(void *data, struct buf *out)
{
        struct gateway *g = data;
        char text[INET6_ADDRSTRLEN];

        if (g->listener) {
                host_address_text(&g->place.address.any, text);
                buf_format(out, "listening at %s port %lld", text, (long long)g->service->settings.port);
        } else {
                buf_text(out, "waiting for the overlay's address");
        }
        buf_format(out, ", %zu connections, %zu live sessions, callers of %zu sessions known", connections_count(g->connections), live_count(g->live),
                   visitors_count(g->visitors));
}

static void sums(void *data, struct past_sums *ret)
{
        const struct gateway *g = data;

        past_add(ret, &g->calls);
        ret->counted = "jsonrpc_calls_total";
        ret->waiting = g->requests;
        ret->waits = "requests_under_way";
}

const struct service_type gateway_service = {
        .name = "gateway",
        .peer = SCHEMA_PEER_GATEWAY,
        .start = start,
        .run = run,
        .reload = reload,
        .drain = drain,
        .drained = drained,
        .stop = stop,
        .status = status,
        .sums = sums,
};

#include "metrics.h"

#include "http.h"
#include "page.h"
#include "schema/identity.h"
#include "schema/live.h"
#include "schema/overlay.h"
#include "schema/project.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const struct {
        const char *process;
        const struct schema_method *method;
        unsigned peer;
} services[] = {
        { "mycelium-supervisor", &schema_method_supervisor_stats, SCHEMA_PEER_SUPERVISOR },
        { "identity", &schema_method_identity_stats, SCHEMA_PEER_IDENTITY },
        { "store", &schema_method_store_stats, SCHEMA_PEER_STORE },
        { "fanout", &schema_method_fanout_stats, SCHEMA_PEER_FANOUT },
};
enum { SERVICES = sizeof(services) / sizeof(services[0]) };

struct source {
        struct metrics *metrics;
        struct rpc_client *client;
        struct buf said;                /* this time, as msgpack; empty: nothing */
};

struct metrics {
        struct service *service;
        struct source sources[SERVICES];
        int asking;                     /* how many have not answered yet */
        struct http *http;
        bool activated;                 /* the socket is systemd's: it starts us again */
        struct loop_timer *idle;
        struct arena arena;
        struct buf page;
};

/* ---- a page ---- */

static void add_said(struct metrics *m, int i, struct process_stats *list, size_t *n)
{
        struct source *s = &m->sources[i];
        struct stats_list said;

        if (s->said.n == 0 || msgpack_read(services[i].method->result, buf_view(&s->said), &m->arena, &said, NULL)) {
                list[(*n)++] = (struct process_stats){ .service = str_of(services[i].process) };
                return;
        }
        memcpy(&list[*n], said.processes.items, said.processes.n * sizeof(*list));
        *n += said.processes.n;
}

static void answer(struct metrics *m)
{
        struct process_stats *list = arena_array(&m->arena, SERVICES * 100, sizeof(*list));
        size_t n = 0;

        for (int i = 0; i < SERVICES; i++)
                add_said(m, i, list, &n);
        buf_clear(&m->page);
        page_write(list, n, &m->page);
        arena_reset(&m->arena);
        http_answer(m->http, buf_view(&m->page));
}

static void on_stats(void *data, const struct rpc_reply *reply)
{
        struct source *s = data;

        if (reply->code == 0)
                msgpack_write(services[s - s->metrics->sources].method->result, reply->result, &s->said);
        else if (reply->code != FAULT_UNAVAILABLE)
                log_error("%s: %s", services[s - s->metrics->sources].method->name, fault_name(reply->code));
        if (--s->metrics->asking == 0)
                answer(s->metrics);
}

/* Who asks meanwhile gets the same page. */
static void on_asked(void *data)
{
        struct metrics *m = data;

        if (m->asking)
                return;
        m->asking = SERVICES;
        for (int i = 0; i < SERVICES; i++) {
                const char nothing = 0;
                const struct rpc_request request = { .method = services[i].method, .params = &nothing, .timeout_ms = METRICS_PATIENCE_MS };

                buf_clear(&m->sources[i].said);
                if (rpc_call(m->sources[i].client, &request, on_stats, &m->sources[i]))
                        abort();        /* a call without parameters is never too large */
        }
}

static void on_left(void *data)
{
        struct metrics *m = data;

        loop_timer_set(m->idle, METRICS_IDLE_US);
}

static void on_idle(void *data)
{
        struct metrics *m = data;

        if (m->activated && http_clients(m->http) == 0)
                loop_stop(m->service->loop);
}

/* ---- the socket ---- */

static int passed(void)
{
        int n = sd_listen_fds(1), fd = SD_LISTEN_FDS_START;

        if (n <= 0)
                return n < 0 ? n : -ENOENT;
        if (n > 1 || sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
                return -EINVAL;
        return fd;
}

static int listen_at(uint16_t port)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, r;

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
            bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, SOMAXCONN) == 0)
                return fd;
        r = -errno;
        close(fd);
        return r;
}

/* ---- the service ---- */

static int start(struct service *service, void **ret_data)
{
        struct metrics *m = calloc(1, sizeof(*m));
        int fd, r = 0;

        if (!m)
                return -ENOMEM;
        *ret_data = m;
        m->service = service;
        fd = passed();
        m->activated = fd >= 0;
        if (fd == -ENOENT)
                fd = listen_at((uint16_t)service->settings.metrics_port);
        if (fd < 0) {
                log_error("no socket to be asked at: %s", strerror(-fd));
                return fd;
        }
        m->idle = loop_timer_new(service->loop, on_idle, m);
        m->http = http_new(service->loop, &(struct http_options){ .fd = fd, .asked = on_asked, .left = on_left, .data = m });
        for (int i = 0; i < SERVICES && !r; i++) {
                m->sources[i].metrics = m;
                r = service_client(service, services[i].process, services[i].peer, &m->sources[i].client);
        }
        on_left(m);
        return r;
}

static void stop(void *data)
{
        struct metrics *m = data;

        http_free(m->http);
        for (int i = 0; i < SERVICES; i++) {
                rpc_client_free(m->sources[i].client);
                buf_deinit(&m->sources[i].said);
        }
        loop_timer_free(m->idle);
        arena_deinit(&m->arena);
        buf_deinit(&m->page);
        free(m);
}

static void status(void *data, struct buf *out)
{
        buf_text(out, ((struct metrics *)data)->activated ? "answers scrapes, and ends when there are none" : "answers scrapes");
}

const struct service_type metrics_service = {
        .name = "metrics", .peer = SCHEMA_PEER_METRICS, .start = start, .stop = stop, .status = status,
};

#include "web.h"

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int try_dial(in_addr_t address, uint16_t port)
{
        struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        /* The port is chosen on connecting, so that what was closed a moment ago to another port is in nobody's way. */
        if (fd >= 0)
                setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
        if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
                int error = errno;

                if (fd >= 0)
                        close(fd);
                errno = error;
                return -1;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        return fd;
}

int web_dial(in_addr_t from, uint16_t port)
{
        double began = steady_us();
        int fd;

        while ((fd = try_dial(from, port)) < 0) {
                if (errno != ECONNREFUSED || steady_us() - began > 5e6)
                        bench_fail("no connection to 127.0.0.1:%d: %s", port, strerror(errno));
                nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        }
        return fd;
}

/* The whole answer's length once it is there, else 0. */
static size_t answer_length(const char *in, size_t have, size_t *ret_body)
{
        const char *end = memmem(in, have, "\r\n\r\n", 4), *length;
        size_t head;

        if (!end)
                return 0;
        head = (size_t)(end - in) + 4;
        if (memcmp(in, "HTTP/1.1 2", 10) != 0)
                bench_fail("an answer that is no success: %.*s", (int)have, in);
        length = memmem(in, head, "ontent-", 7);
        while (length && strncasecmp(length, "ontent-length:", 14) != 0)
                length = memmem(length + 1, head - (size_t)(length + 1 - in), "ontent-", 7);
        *ret_body = head;
        head += length ? strtoul(length + 14, NULL, 10) : 0;
        return have >= head ? head : 0;
}

static void send_one(struct web *w, struct web_connection *c)
{
        if (write(c->fd, w->request.p, w->request.n) != (ssize_t)w->request.n)
                bench_fail("a request was not taken whole");
}

/* Whether its answer is there. */
static bool receive(struct web_connection *c)
{
        ssize_t n = read(c->fd, c->in + c->have, sizeof(c->in) - c->have);
        size_t body;

        if (n <= 0)
                bench_fail("the server closed a connection");
        c->have += (size_t)n;
        if (!answer_length(c->in, c->have, &body))
                return false;
        c->have = 0;
        return true;
}

void web_open(struct web *w, uint16_t port, int connections, struct str request, int chunk)
{
        *w = (struct web){ .epoll = epoll_create1(EPOLL_CLOEXEC), .n = connections, .request = request, .chunk = chunk };
        w->connections = calloc((size_t)connections, sizeof(*w->connections));
        if (!w->connections)
                abort();
        for (int i = 0; i < connections; i++) {
                struct epoll_event e = { .events = EPOLLIN, .data.ptr = &w->connections[i] };

                w->connections[i].fd = web_dial(WEB_DEVICE, port);
                epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->connections[i].fd, &e);
        }
}

void web_close(struct web *w)
{
        for (int i = 0; i < w->n; i++)
                close(w->connections[i].fd);
        close(w->epoll);
        free(w->connections);
}

void web_chunk(void *web)
{
        struct web *w = web;
        int sent = 0, answered = 0;

        for (; sent < w->n && sent < w->chunk; sent++)
                send_one(w, &w->connections[sent]);
        while (w->n == 1 && answered < w->chunk) {
                if (!receive(w->connections))
                        continue;
                if (++answered < w->chunk)
                        send_one(w, w->connections);
        }
        while (answered < w->chunk) {
                struct epoll_event events[WEB_CONNECTIONS_MAX];
                int n = epoll_wait(w->epoll, events, WEB_CONNECTIONS_MAX, 10000);

                if (n <= 0)
                        bench_fail("no answer within 10 s");
                for (int i = 0; i < n; i++) {
                        if (!receive(events[i].data.ptr))
                                continue;
                        answered++;
                        if (sent < w->chunk) {
                                sent++;
                                send_one(w, events[i].data.ptr);
                        }
                }
        }
}

struct str web_post(struct arena *arena, uint16_t port, const char *path, const char *token, struct str body)
{
        return arena_format(arena, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
                            path, port, token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "", body.n, STR_ARG(body));
}

struct str web_get(struct arena *arena, uint16_t port, const char *path)
{
        return arena_format(arena, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path, port);
}

struct str web_upgrade(struct arena *arena, uint16_t port, const char *path, const char *token)
{
        return arena_format(arena, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s%s%s\r\n",
                            path, port, token ? "Sec-WebSocket-Protocol: assist.1, assist.token." : "", token ? token : "", token ? "\r\n" : "");
}

struct str web_ask(struct arena *arena, in_addr_t from, uint16_t port, struct str request)
{
        size_t have = 0, whole = 0, body, size = 65536;
        char *in = arena_alloc(arena, size);
        int fd = web_dial(from, port);

        if (write(fd, request.p, request.n) != (ssize_t)request.n)
                bench_fail("a request was not taken whole");
        while (!whole) {
                ssize_t n = read(fd, in + have, size - have);

                if (n <= 0)
                        bench_fail("no answer to %.*s", STR_ARG(request));
                have += (size_t)n;
                whole = answer_length(in, have, &body);
        }
        close(fd);
        return (struct str){ in + body, whole - body };
}

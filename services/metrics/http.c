#include "http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
        struct http *http;
        int fd;
        struct loop_io *io;
        struct loop_timer *deadline;
        char head[HTTP_HEAD_MAX];
        size_t n;
        bool waiting;                   /* for the page */
        struct buf answer;
        size_t sent;
        struct client *next;
};

struct http {
        struct loop *loop;
        struct http_options o;
        struct loop_io *io;
        struct client *clients;
        size_t n;
};

/* ---- one client ---- */

static void client_free(struct client *c)
{
        struct http *h = c->http;
        struct client **at = &h->clients;

        while (*at != c)
                at = &(*at)->next;
        *at = c->next;
        loop_io_free(c->io);
        loop_timer_free(c->deadline);
        close(c->fd);
        buf_deinit(&c->answer);
        free(c);
        if (h->n-- == HTTP_CLIENTS_MAX)
                loop_io_events(h->io, EPOLLIN);
        if (h->n == 0)
                h->o.left(h->o.data);
}

static void on_deadline(void *data)
{
        client_free(data);
}

/* What it still sends is not read: a close would then become a reset, which may overtake the answer. So the end is said first, and
 * the client's own end waited for. */
static void client_send(struct client *c)
{
        ssize_t n = send(c->fd, c->answer.p + c->sent, c->answer.n - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN) {
                client_free(c);
                return;
        }
        c->sent += n > 0 ? (size_t)n : 0;
        if (c->sent < c->answer.n) {
                loop_io_events(c->io, EPOLLOUT);
                return;
        }
        shutdown(c->fd, SHUT_WR);
        loop_io_events(c->io, EPOLLIN);
}

static void client_answer(struct client *c, const char *status, const char *headers, const char *type, struct str body)
{
        c->waiting = false;
        buf_format(&c->answer, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
                               "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s\r\n", status, type, body.n, headers);
        buf_str(&c->answer, body);
        client_send(c);
}

static void client_refuse(struct client *c, const char *status, const char *headers)
{
        client_answer(c, status, headers, "text/plain", str_of(status));
}

/* ---- what it asks ---- */

/* An address of numbers, or localhost: under a name, a page in a browser of this machine could make it its own (DNS rebinding). */
static bool is_host_ours(struct str host)
{
        struct in6_addr address;
        char text[INET6_ADDRSTRLEN];
        const char *colon = memrchr(host.p, ':', host.n), *bracket = memrchr(host.p, ']', host.n);

        if (colon && (!bracket || colon > bracket))
                host.n = (size_t)(colon - host.p);
        if (host.n == strlen("localhost") && strncasecmp(host.p, "localhost", host.n) == 0)
                return true;
        if (bracket && str_starts(host, "[")) {
                host.p++;
                host.n -= 2;
        }
        if (host.n >= sizeof(text))
                return false;
        memcpy(text, host.p, host.n);
        text[host.n] = '\0';
        return inet_pton(bracket ? AF_INET6 : AF_INET, text, &address) == 1;
}

static void client_read_request(struct client *c, struct str head)
{
        struct str rest = head, line = str_trim(str_cut(&rest, '\n')), method = str_cut(&line, ' '), target = str_cut(&line, ' ');

        if (!method.n || !target.n || !str_starts(line, "HTTP/1.")) {
                client_refuse(c, "400 Bad Request", "");
                return;
        }
        while (rest.n) {
                struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');

                if (name.n == strlen("host") && strncasecmp(name.p, "host", name.n) == 0 && !is_host_ours(str_trim(value))) {
                        client_refuse(c, "421 Misdirected Request", "");
                        return;
                }
        }
        if (!str_is(str_cut(&target, '?'), "/metrics")) {
                client_refuse(c, "404 Not Found", "");
        } else if (!str_is(method, "GET")) {
                client_refuse(c, "405 Method Not Allowed", "Allow: GET\r\n");
        } else {
                c->waiting = true;
                loop_io_events(c->io, 0);
                c->http->o.asked(c->http->o.data);
        }
}

static void on_client(void *data, uint32_t events)
{
        struct client *c = data;
        const char *end;
        ssize_t n;

        (void)events;
        if (c->waiting) {               /* nothing was asked of it: it is gone */
                client_free(c);
                return;
        }
        if (c->sent < c->answer.n) {
                client_send(c);
                return;
        }
        if (c->answer.n)
                c->n = 0;               /* what comes behind its request */
        n = recv(c->fd, c->head + c->n, sizeof(c->head) - c->n, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0) {
                client_free(c);
                return;
        }
        if (c->answer.n)
                return;
        c->n += (size_t)n;
        end = memmem(c->head, c->n, "\r\n\r\n", 4);
        if (end)
                client_read_request(c, (struct str){ c->head, (size_t)(end - c->head) });
        else if (c->n == sizeof(c->head))
                client_refuse(c, "431 Request Header Fields Too Large", "");
}

static void on_listener(void *data, uint32_t events)
{
        struct http *h = data;
        struct client *c;
        int fd = accept4(h->o.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        (void)events;
        if (fd < 0)
                return;
        c = calloc(1, sizeof(*c));
        if (!c)
                abort();
        *c = (struct client){ .http = h, .fd = fd, .io = loop_io_new(h->loop, fd, EPOLLIN, on_client, c), .next = h->clients };
        if (!c->io) {
                close(fd);
                free(c);
                return;
        }
        h->clients = c;
        c->deadline = loop_timer_new(h->loop, on_deadline, c);
        loop_timer_set(c->deadline, HTTP_DEADLINE_US);
        if (++h->n == HTTP_CLIENTS_MAX)
                loop_io_events(h->io, 0);
}

/* ---- all ---- */

void http_answer(struct http *http, struct str page)
{
        struct client *next;

        for (struct client *c = http->clients; c; c = next) {
                next = c->next;
                if (c->waiting)
                        client_answer(c, "200 OK", "", "text/plain; version=0.0.4; charset=utf-8", page);
        }
}

size_t http_clients(const struct http *http)
{
        return http->n;
}

struct http *http_new(struct loop *loop, const struct http_options *options)
{
        struct http *h = calloc(1, sizeof(*h));

        if (!h)
                abort();
        h->loop = loop;
        h->o = *options;
        h->io = loop_io_new(loop, h->o.fd, EPOLLIN, on_listener, h);
        if (!h->io)
                abort();
        return h;
}

static void nobody_left(void *data)
{
        (void)data;
}

void http_free(struct http *http)
{
        if (!http)
                return;
        http->o.left = nobody_left;
        while (http->clients)
                client_free(http->clients);
        loop_io_free(http->io);
        close(http->o.fd);
        free(http);
}

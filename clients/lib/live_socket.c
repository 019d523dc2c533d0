#include "live_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4 * 1024 * 1024, READ_AT_ONCE = 4096 };

void live_socket_close(struct live_socket *s)
{
        if (s->ws)
                wslay_event_context_free(s->ws);
        loop_io_free(s->io);
        if (s->fd >= 0)
                close(s->fd);
        if (s->out.n)
                sodium_memzero(s->out.p, s->out.n); /* the token */
        buf_deinit(&s->out);
        upgrade_deinit(&s->upgrade);
        s->ws = NULL;
        s->io = NULL;
        s->fd = -1;
        s->out_at = s->early_at = 0;
        s->upgrade = (struct upgrade){ 0 };
        s->writing = false;
}

static void unreachable(struct live_socket *s, int r)
{
        live_socket_close(s);
        assist_fail(s->error, r, "no connection to %s:%d: %s", s->a->address, s->a->port, strerror(-r));
        *s->told = true;
        live_machine_unreachable(s->machine, 0);
}

static void closed(struct live_socket *s, int code)
{
        live_socket_close(s);
        assist_fail(s->error, -ECONNRESET, "the connection to %s:%d broke", s->a->address, s->a->port);
        *s->told = true;
        live_machine_closed(s->machine, code);
}

static void watch(struct live_socket *s, bool writing)
{
        if (writing != s->writing)
                loop_io_events(s->io, writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
        s->writing = writing;
}

/* ---- wslay's ends ---- */

static ssize_t on_recv(wslay_event_context_ptr ws, uint8_t *to, size_t n, int flags, void *data)
{
        struct live_socket *s = data;
        struct buf *early = &s->upgrade.in;
        ssize_t r = -1;

        (void)flags;
        if (s->early_at < early->n) {
                if (n > early->n - s->early_at)
                        n = early->n - s->early_at;
                memcpy(to, early->p + s->early_at, n);
                s->early_at += n;
                return (ssize_t)n;
        }
        errno = EAGAIN;
        if (!live_machine_busy(s->machine)) /* what is not taken yet waits at the desk, not here */
                r = recv(s->fd, to, n, MSG_DONTWAIT);
        if (r > 0) {
                *s->told = true;
                live_machine_heard(s->machine);
                return r;
        }
        wslay_event_set_error(ws, r < 0 && (errno == EAGAIN || errno == EINTR) ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
}

static ssize_t on_send(wslay_event_context_ptr ws, const uint8_t *bytes, size_t n, int flags, void *data)
{
        struct live_socket *s = data;
        ssize_t r = send(s->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL | (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));

        if (r < 0)
                wslay_event_set_error(ws, errno == EAGAIN || errno == EINTR ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return r;
}

static int on_mask(wslay_event_context_ptr ws, uint8_t *bytes, size_t n, void *data)
{
        (void)ws;
        (void)data;
        randombytes_buf(bytes, n);
        return 0;
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *arg, void *data)
{
        struct live_socket *s = data;

        (void)ws;
        if (arg->opcode != WSLAY_TEXT_FRAME)
                return;
        *s->told = true;
        live_machine_message(s->machine, (struct str){ arg->msg ? (const char *)arg->msg : "", arg->msg_length });
}

static void write_waiting(struct live_socket *s)
{
        if (wslay_event_send(s->ws))
                closed(s, 0);
        else
                watch(s, wslay_event_want_write(s->ws));
}

static void exchange(struct live_socket *s)
{
        int r = wslay_event_recv(s->ws);

        if (r || wslay_event_get_close_received(s->ws)) {
                wslay_event_send(s->ws); /* its own half of closing, as far as it goes */
                closed(s, !r && wslay_event_get_status_code_received(s->ws) != WSLAY_CODE_ABNORMAL_CLOSURE
                                  ? wslay_event_get_status_code_received(s->ws) : 0);
        } else if (!wslay_event_get_read_enabled(s->ws)) {
                wslay_event_send(s->ws);
                closed(s, WSLAY_CODE_PROTOCOL_ERROR); /* of the desk's */
        } else if (wslay_event_want_write(s->ws)) {
                write_waiting(s);
        }
}

void live_socket_send(struct live_socket *s, struct str text)
{
        const struct wslay_event_msg message = { .opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)text.p, .msg_length = text.n };

        if (s->ws && !wslay_event_queue_msg(s->ws, &message))
                write_waiting(s);
}

/* ---- connecting ---- */

static void accepted(struct live_socket *s)
{
        static const struct wslay_event_callbacks callbacks = { .recv_callback = on_recv, .send_callback = on_send,
                                                                .genmask_callback = on_mask, .on_msg_recv_callback = on_message };

        if (wslay_event_context_client_init(&s->ws, &callbacks, s))
                abort();
        wslay_event_config_set_max_recv_msg_length(s->ws, MESSAGE_MAX);
        s->state = SOCKET_OPEN;
        s->early_at = s->upgrade.whole;
        *s->told = true;
        live_machine_accepted(s->machine);
        exchange(s);
}

static void answer_read(struct live_socket *s)
{
        ssize_t n = recv(s->fd, buf_reserve(&s->upgrade.in, READ_AT_ONCE), READ_AT_ONCE, MSG_DONTWAIT);
        int64_t retry_after_ms;
        int r, status;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        r = n > 0 ? upgrade_take(&s->upgrade, (size_t)n) : n ? -errno : -ECONNRESET;
        status = s->upgrade.status;
        retry_after_ms = s->upgrade.retry_after_ms;
        if (r < 0) {
                unreachable(s, r);
        } else if (r && status == 101) {
                accepted(s);
        } else if (r) {
                live_socket_close(s);
                assist_fail(s->error, -EPROTO, "the desk at %s:%d answers HTTP %d", s->a->address, s->a->port, status);
                *s->told = true;
                live_machine_refused(s->machine, status, retry_after_ms);
        }
}

static void request_write(struct live_socket *s)
{
        ssize_t n = send(s->fd, s->out.p + s->out_at, s->out.n - s->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
                unreachable(s, -errno);
        else if (n > 0)
                s->out_at += (size_t)n;
        if (s->fd >= 0)
                watch(s, s->out_at < s->out.n);
}

static void on_io(void *data, uint32_t events)
{
        struct live_socket *s = data;
        int failed = 0;

        if (s->state == SOCKET_DIALLING) {
                getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &failed, &(socklen_t){ sizeof(failed) });
                if (failed) {
                        unreachable(s, -failed);
                        return;
                }
                s->state = SOCKET_UPGRADING;
        }
        if (s->state == SOCKET_UPGRADING && events & EPOLLOUT)
                request_write(s);
        else if (s->state == SOCKET_UPGRADING)
                answer_read(s);
        else if (events & EPOLLOUT)
                write_waiting(s);
        else
                exchange(s);
}

static int dial(struct live_socket *s)
{
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *to, *from = NULL;
        char port[8];
        int r = 0;

        snprintf(port, sizeof(port), "%d", s->a->port);
        if (getaddrinfo(s->a->address, port, &hints, &to))
                return -EINVAL;
        if (s->a->from[0] && getaddrinfo(s->a->from, "0", &hints, &from)) {
                freeaddrinfo(to);
                return -EADDRNOTAVAIL;
        }
        s->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0 || (from && bind(s->fd, from->ai_addr, from->ai_addrlen)) ||
            (connect(s->fd, to->ai_addr, to->ai_addrlen) && errno != EINPROGRESS))
                r = -errno;
        freeaddrinfo(to);
        if (from)
                freeaddrinfo(from);
        if (!r)
                setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        return r;
}

void live_socket_dial(struct live_socket *s, struct str cursor)
{
        int r;

        live_socket_close(s);
        r = dial(s);
        if (r) {
                unreachable(s, r);
                return;
        }
        upgrade_request(s->a, cursor, &s->out);
        s->state = SOCKET_DIALLING;
        s->writing = true;
        s->io = loop_io_new(s->loop, s->fd, EPOLLIN | EPOLLOUT, on_io, s);
        if (!s->io)
                unreachable(s, -errno);
}

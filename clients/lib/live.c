/* The live side: one WebSocket that is made again when it breaks, and resumes at its cursor. docs/protocol.md, "Live". */
#include "private.h"

#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

enum { HANDSHAKE_MS = 5000, SILENCE_MS = 40000, MESSAGE_MAX = 4 * 1024 * 1024, PAUSE_MAX_MS = 10000 };

/* A message of the server, whole. */
struct message {
        struct message *next;
        struct str text;
};

struct assist_live {
        struct assist *a;
        int fd;                        /* -1: not connected */
        wslay_event_context_ptr ws;
        struct buf early;              /* bytes that came with the handshake's answer */
        size_t early_at;
        struct buf cursor;
        struct message *first, **last;
        struct arena arena;            /* of the message whose events are given out */
        struct live_message current;
        size_t event;                  /* the next one of it */
        int64_t heard_us, retry_us;    /* steady: of the last byte; when to connect again */
        int64_t pause_ms;
        bool greeted;                  /* hello has come */
};

/* ---- wslay's ends ---- */

static ssize_t on_recv(wslay_event_context_ptr ws, uint8_t *buf, size_t n, int flags, void *data)
{
        struct assist_live *l = data;
        ssize_t r;

        (void)flags;
        if (l->early_at < l->early.n) {
                if (n > l->early.n - l->early_at)
                        n = l->early.n - l->early_at;
                memcpy(buf, l->early.p + l->early_at, n);
                l->early_at += n;
                return (ssize_t)n;
        }
        r = recv(l->fd, buf, n, MSG_DONTWAIT);
        if (r > 0) {
                l->heard_us = clock_steady_us(&clock_system);
                return r;
        }
        wslay_event_set_error(ws, r < 0 && (errno == EAGAIN || errno == EINTR) ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
}

static ssize_t on_send(wslay_event_context_ptr ws, const uint8_t *bytes, size_t n, int flags, void *data)
{
        struct assist_live *l = data;
        ssize_t r = send(l->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL | (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));

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
        struct assist_live *l = data;
        struct message *m;

        (void)ws;
        if (arg->opcode != WSLAY_TEXT_FRAME)
                return;
        m = malloc(sizeof(*m) + arg->msg_length);
        if (!m)
                abort();
        memcpy(m + 1, arg->msg, arg->msg_length);
        *m = (struct message){ .text = { (const char *)(m + 1), arg->msg_length } };
        *l->last = m;
        l->last = &m->next;
}

/* ---- connecting ---- */

static void disconnect(struct assist_live *l)
{
        if (l->ws)
                wslay_event_context_free(l->ws);
        if (l->fd >= 0)
                close(l->fd);
        l->ws = NULL;
        l->fd = -1;
        l->greeted = false;
}

static int dial(struct assist_live *l)
{
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *to, *from = NULL;
        char port[8];
        int fd, r = 0;

        snprintf(port, sizeof(port), "%d", l->a->port);
        if (getaddrinfo(l->a->address, port, &hints, &to))
                return -EINVAL;
        if (l->a->from && getaddrinfo(l->a->from, "0", &hints, &from)) {
                freeaddrinfo(to);
                return -EADDRNOTAVAIL;
        }
        fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || (from && bind(fd, from->ai_addr, from->ai_addrlen)) || connect(fd, to->ai_addr, to->ai_addrlen))
                r = -errno;
        freeaddrinfo(to);
        if (from)
                freeaddrinfo(from);
        if (r) {
                if (fd >= 0)
                        close(fd);
                return r;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        l->fd = fd;
        return 0;
}

static int send_all(int fd, struct str s)
{
        while (s.n) {
                ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

                if (n < 0)
                        return -errno;
                s.p += n;
                s.n -= (size_t)n;
        }
        return 0;
}

/* RFC 6455 section 4: the key's answer is not checked beyond the status, for what it guards against (caches) can't be between us. */
static int handshake(struct assist_live *l, int *ret_status)
{
        struct buf request = { 0 };
        const char *end = NULL;
        uint8_t key[16];
        char base64[32];
        int r;

        randombytes_buf(key, sizeof(key));
        sodium_bin2base64(base64, sizeof(base64), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
        buf_format(&request, "GET /ws%s%.*s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
                             "Sec-WebSocket-Protocol: assist.1, assist.token.%s\r\n\r\n",
                   l->cursor.n ? "?cursor=" : "", (int)l->cursor.n, l->cursor.n ? l->cursor.p : "", l->a->host, l->a->port, base64, l->a->token);
        r = send_all(l->fd, buf_view(&request));
        sodium_memzero(request.p, request.n);
        buf_deinit(&request);
        buf_clear(&l->early);
        l->early_at = 0;
        while (!r && !end) {
                struct pollfd p = { .fd = l->fd, .events = POLLIN };
                ssize_t n;

                if (l->early.n > 16384)
                        return -EPROTO;
                if (poll(&p, 1, HANDSHAKE_MS) <= 0)
                        return -ETIMEDOUT;
                n = recv(l->fd, buf_reserve(&l->early, 4096), 4096, 0);
                if (n <= 0)
                        return n ? -errno : -ECONNRESET;
                l->early.n += (size_t)n;
                end = memmem(l->early.p, l->early.n, "\r\n\r\n", 4);
        }
        if (r)
                return r;
        l->early_at = (size_t)(end + 4 - l->early.p);
        if (l->early.n < 12 || memcmp(l->early.p, "HTTP/1.1 ", 9))
                return -EPROTO;
        *ret_status = atoi(l->early.p + 9);
        return 0;
}

static int connect_once(struct assist_live *l, struct assist_error *error)
{
        static const struct wslay_event_callbacks callbacks = { .recv_callback = on_recv, .send_callback = on_send,
                                                                .genmask_callback = on_mask, .on_msg_recv_callback = on_message };
        int r, status = 0;

        for (int tries = 0; tries < 2; tries++) {
                arena_reset(&l->a->arena);
                r = session_open(l->a, error);
                if (r)
                        return r;
                r = dial(l);
                if (!r)
                        r = handshake(l, &status);
                if (r || status != 101)
                        disconnect(l);
                if (r)
                        return assist_fail(error, r, "no connection to %s:%d: %s", l->a->address, l->a->port, strerror(-r));
                if (status != 401)
                        break;
                l->a->token[0] = '\0'; /* stale: once more, with a new one */
        }
        if (status == 401 || status == 403)
                return assist_fail(error, FAULT_UNAUTHENTICATED, "this device is nobody's yet at %s:%d; bind it first", l->a->address, l->a->port);
        if (status == 400 && l->cursor.n)
                return assist_fail(error, FAULT_INVALID_PARAMS, "the desk does not know this cursor");
        if (status != 101)
                return assist_fail(error, -EPROTO, "the desk answers HTTP %d", status);
        if (wslay_event_context_client_init(&l->ws, &callbacks, l))
                abort();
        wslay_event_config_set_max_recv_msg_length(l->ws, MESSAGE_MAX);
        l->heard_us = clock_steady_us(&clock_system);
        return 0;
}

/* ---- the public part ---- */

int assist_live_open(struct assist *a, struct str cursor, struct assist_live **ret, struct assist_error *error)
{
        struct assist_live *l = calloc(1, sizeof(*l));
        int r;

        if (!l)
                abort();
        l->a = a;
        l->fd = -1;
        l->last = &l->first;
        l->pause_ms = 100;
        buf_str(&l->cursor, cursor);
        r = connect_once(l, error);
        if (r) {
                assist_live_close(l);
                return r;
        }
        *ret = l;
        return 0;
}

void assist_live_close(struct assist_live *l)
{
        struct message *m;

        if (!l)
                return;
        disconnect(l);
        while ((m = l->first)) {
                l->first = m->next;
                free(m);
        }
        buf_deinit(&l->early);
        buf_deinit(&l->cursor);
        arena_deinit(&l->arena);
        free(l);
}

struct str assist_live_cursor(const struct assist_live *l)
{
        return buf_view(&l->cursor);
}

static int broken(struct assist_live *l)
{
        disconnect(l);
        l->retry_us = clock_steady_us(&clock_system) + (int64_t)randombytes_uniform((uint32_t)l->pause_ms) * 1000;
        l->pause_ms = l->pause_ms < PAUSE_MAX_MS ? 2 * l->pause_ms : PAUSE_MAX_MS;
        return ASSIST_LIVE_BROKEN;
}

/* The next message begins to be the current one: what it says beside its events, or -1. */
static int message_take(struct assist_live *l)
{
        struct message *m = l->first;
        struct live_message *now = &l->current;
        struct str text;
        int r;

        l->first = m->next;
        if (!l->first)
                l->last = &l->first;
        arena_reset(&l->arena);
        text = arena_str(&l->arena, m->text);
        free(m);
        l->event = 0;
        r = json_read(&schema_type_live_message, text, &l->arena, now, NULL);
        if (r) {
                *now = (struct live_message){ 0 };
                return broken(l);
        }
        if (now->has_type && str_is(now->type, "hello")) {
                l->greeted = true;
                l->pause_ms = 100;
                if (now->has_cursor) {
                        buf_clear(&l->cursor);
                        buf_str(&l->cursor, now->cursor);
                }
                if (now->has_mode && now->mode == LIVE_MODE_RESET)
                        return ASSIST_LIVE_RESET;
                return ASSIST_LIVE_CONNECTED;
        }
        if (now->has_type && str_is(now->type, "bye")) {
                broken(l);
                l->retry_us = clock_steady_us(&clock_system) + 1000 * (1 + (int64_t)randombytes_uniform((uint32_t)(now->retry_after_ms + 1)));
                return ASSIST_LIVE_BROKEN;
        }
        if (!now->has_to)
                return -1;
        if (l->cursor.n && now->has_from && !str_eq(now->from, buf_view(&l->cursor))) {
                if (str_eq(now->to, buf_view(&l->cursor))) {
                        *now = (struct live_message){ 0 }; /* seen already */
                        return -1;
                }
                *now = (struct live_message){ 0 };
                return broken(l); /* a gap: resume at what we have */
        }
        if (!now->events.n) {
                buf_clear(&l->cursor);
                buf_str(&l->cursor, now->to);
        }
        return -1;
}

/* The next event of the current message. The cursor moves on behind its last one. */
static bool event_take(struct assist_live *l, const struct event **ret)
{
        struct live_message *now = &l->current;

        if (!now->has_events || l->event >= now->events.n)
                return false;
        *ret = &now->events.items[l->event++];
        if (l->event == now->events.n) {
                buf_clear(&l->cursor);
                buf_str(&l->cursor, now->to);
        }
        return true;
}

static int remaining_ms(int64_t until_us)
{
        int64_t left = until_us - clock_steady_us(&clock_system);

        return left <= 0 ? 0 : left > 3600 * INT64_C(1000000) ? 3600 * 1000 : (int)(left / 1000 + 1);
}

int assist_live_next(struct assist_live *l, int timeout_ms, const struct event **ret, struct assist_error *error)
{
        int64_t end = timeout_ms < 0 ? INT64_MAX : clock_steady_us(&clock_system) + timeout_ms * INT64_C(1000);

        for (;;) {
                struct pollfd p = { .fd = l->fd, .events = POLLIN };
                int64_t until;
                int said;

                if (event_take(l, ret))
                        return ASSIST_LIVE_EVENT;
                if (l->first) {
                        said = message_take(l);
                        if (said >= 0)
                                return said;
                        continue;
                }
                if (l->fd < 0) {
                        until = l->retry_us < end ? l->retry_us : end;
                        poll(NULL, 0, remaining_ms(until));
                        if (clock_steady_us(&clock_system) < l->retry_us)
                                return ASSIST_LIVE_NOTHING;
                        said = connect_once(l, error);
                        if (said == FAULT_UNAUTHENTICATED || said == FAULT_INVALID_PARAMS)
                                return said;
                        if (said)
                                broken(l);
                        continue;
                }
                if (l->early_at >= l->early.n) {
                        until = l->heard_us + SILENCE_MS * INT64_C(1000);
                        if (until <= clock_steady_us(&clock_system))
                                return broken(l); /* the desk pings sooner than that */
                        if (wslay_event_want_write(l->ws))
                                p.events |= POLLOUT;
                        if (poll(&p, 1, remaining_ms(until < end ? until : end)) == 0 && clock_steady_us(&clock_system) >= end)
                                return ASSIST_LIVE_NOTHING;
                }
                if (wslay_event_recv(l->ws) || (wslay_event_want_write(l->ws) && wslay_event_send(l->ws)) ||
                    (!l->first && wslay_event_get_close_received(l->ws)))
                        return broken(l);
        }
}

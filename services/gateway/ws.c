#include "ws.h"

#include <h2o/http1.h>
#include <h2o/websocket.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { WRITE_AT_ONCE = 64 };

struct chunk {
        struct chunk *next;
        size_t n;
        char bytes[];
};

struct ws {
        struct gateway *gateway;
        const struct ws_events *events;
        void *data;
        h2o_socket_t *sock;              /* NULL until the upgrade is complete */
        int fd;                          /* its */
        wslay_event_context_ptr wslay;   /* 8.6 KB: only while a message is on its way, and while it closes */
        uint64_t given, announced;       /* bytes that wslay has had; those of the frames that it has begun */
        unsigned pieces;                 /* that came of a message whose last one is to come; empty ones take nothing and don't count */
        struct chunk *waiting, **last;
        struct chunk *writing;
        size_t queued;                   /* bytes of both */
        struct loop_timer *closing;      /* set once a close frame is under way */
        bool close_sent;                 /* nothing is sent behind it */
        bool over;                       /* both sides closed, or the peer broke the protocol: ends when all is written */
        bool failed;
        bool upgrading;                  /* h2o still has a callback of ours */
        unsigned busy;                   /* in a callback: freed afterwards */
        bool dead;
};

/* ---- the handshake ---- */

bool ws_protocols(struct str header, struct str *ret_token)
{
        static const char prefix[] = "assist.token.";
        struct str token = { 0 };
        bool offered = false;

        while (header.n > 0) {
                struct str one = str_trim(str_cut(&header, ','));

                if (str_is(one, "assist.1"))
                        offered = true;
                else if (str_starts(one, prefix))
                        token = (struct str){ one.p + sizeof(prefix) - 1, one.n - (sizeof(prefix) - 1) };
        }
        *ret_token = token;
        return offered;
}

int ws_handshake(const struct request *q, struct str *ret_token, const char **ret_reason)
{
        const char *key = NULL;

        if (q->h2o->version < 0x101 || h2o_is_websocket_handshake(q->h2o, &key) != 0 || !key) {
                *ret_reason = "this is for WebSockets: Upgrade: websocket is missing, or its key is wrong";
                return 426;
        }
        if (!str_is(request_header(q, "sec-websocket-version"), "13")) {
                *ret_reason = "Sec-WebSocket-Version must be 13";
                return 426;
        }
        if (!ws_protocols(request_header(q, "sec-websocket-protocol"), ret_token)) {
                *ret_reason = "Sec-WebSocket-Protocol must offer assist.1, and assist.token.<token>";
                return 400;
        }
        return 0;
}

/* RFC 6455, section 4.2.2. */
static struct str accept_of(struct str key, struct arena *arena)
{
        struct str text = arena_format(arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", STR_ARG(key));
        unsigned char hash[SHA_DIGEST_LENGTH], accept[32];
        int n;

        SHA1((const unsigned char *)text.p, text.n, hash);
        n = EVP_EncodeBlock(accept, hash, sizeof(hash));
        return arena_str(arena, (struct str){ (const char *)accept, (size_t)n });
}

/* ---- out ---- */

static void chunks_free(struct ws *ws, struct chunk *c)
{
        while (c) {
                struct chunk *next = c->next;

                ws->queued -= c->n;
                free(c);
                c = next;
        }
}

static void drop_waiting(struct ws *ws)
{
        chunks_free(ws, ws->waiting);
        ws->waiting = NULL;
        ws->last = &ws->waiting;
}

/* Says once that it is over; from its own event, so that nobody is told in the midst of what they do. */
static void end(struct ws *ws)
{
        ws->failed = true;
        loop_timer_set(ws->closing, 0);
}

static void on_closing(void *data)
{
        struct ws *ws = data;

        ws->events->closed(ws->data);
}

static void enter(struct ws *ws)
{
        ws->busy++;
}

static void leave(struct ws *ws)
{
        if (--ws->busy == 0 && ws->dead)
                ws_free(ws);
}

static void on_written(h2o_socket_t *sock, const char *err);

static void flush(struct ws *ws)
{
        h2o_iovec_t vec[WRITE_AT_ONCE];
        struct chunk **end_of = &ws->waiting;
        size_t n = 0;

        if (!ws->sock || ws->writing || ws->failed)
                return;
        if (!ws->waiting) {
                if (ws->over)
                        end(ws);
                return;
        }
        for (int i = 0; i < WRITE_AT_ONCE && *end_of; i++) {
                vec[n++] = h2o_iovec_init((*end_of)->bytes, (*end_of)->n);
                end_of = &(*end_of)->next;
        }
        ws->writing = ws->waiting;
        ws->waiting = *end_of;
        *end_of = NULL;
        if (!ws->waiting)
                ws->last = &ws->waiting;
        h2o_socket_write(ws->sock, vec, n, on_written);
}

static void on_written(h2o_socket_t *sock, const char *err)
{
        struct ws *ws = sock->data;

        chunks_free(ws, ws->writing);
        ws->writing = NULL;
        if (err) {
                end(ws);
                return;
        }
        enter(ws);
        flush(ws);
        leave(ws);
}

static void chunk_add(struct ws *ws, const void *bytes, size_t n)
{
        struct chunk *c = malloc(sizeof(*c) + n);

        if (!c)
                abort();
        *c = (struct chunk){ .n = n };
        memcpy(c->bytes, bytes, n);
        *ws->last = c;
        ws->last = &c->next;
        ws->queued += n;
}

size_t ws_frame_head(size_t n, uint8_t ret[WS_HEAD_MAX])
{
        ret[0] = 0x80 | WSLAY_TEXT_FRAME;
        if (n < 126) {
                ret[1] = (uint8_t)n;
                return 2;
        }
        if (n <= UINT16_MAX) {
                ret[1] = 126;
                ret[2] = (uint8_t)(n >> 8);
                ret[3] = (uint8_t)n;
                return 4;
        }
        ret[1] = 127;
        for (int i = 0; i < 8; i++)
                ret[2 + i] = (uint8_t)(n >> (56 - 8 * i));
        return 10;
}

/* Whether more waits than may; then it closes, with what waits dropped. */
static bool close_slow(struct ws *ws)
{
        if (ws->queued <= WS_QUEUE_MAX || ws->close_sent || ws->failed)
                return false;
        drop_waiting(ws);
        ws_close(ws, WS_CLOSE_SLOW, "too slow");
        return true;
}

bool ws_send_frame(struct ws *ws, struct str frame)
{
        ssize_t written = 0;

        if (ws->close_sent || ws->over || ws->failed)
                return true;
        if (ws->sock && !ws->queued)
                written = send(ws->fd, frame.p, frame.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (written == (ssize_t)frame.n)
                return true;
        if (written < 0)        /* an error shows again, when the rest is written */
                written = 0;
        chunk_add(ws, frame.p + written, frame.n - (size_t)written);
        if (close_slow(ws))
                return false;
        flush(ws);
        return true;
}

bool ws_send(struct ws *ws, struct str text)
{
        uint8_t head[WS_HEAD_MAX];
        struct buf frame = { 0 };
        bool r;

        buf_add(&frame, head, ws_frame_head(text.n, head));
        buf_str(&frame, text);
        r = ws_send_frame(ws, buf_view(&frame));
        buf_deinit(&frame);
        return r;
}

static ssize_t on_wslay_send(wslay_event_context_ptr ctx, const uint8_t *bytes, size_t n, int flags, void *data)
{
        (void)ctx;
        (void)flags;
        chunk_add(data, bytes, n);
        return (ssize_t)n;
}

static const struct wslay_event_callbacks wslay_callbacks;

static wslay_event_context_ptr wslay_of(struct ws *ws)
{
        if (ws->wslay)
                return ws->wslay;
        if (wslay_event_context_server_init(&ws->wslay, &wslay_callbacks, ws))
                abort();
        wslay_event_config_set_max_recv_msg_length(ws->wslay, WS_MESSAGE_MAX);
        ws->given = ws->announced = 0;
        ws->pieces = 0;
        return ws->wslay;
}

/* What wslay has to say: pongs, and its half of closing. */
static void wslay_flush(struct ws *ws)
{
        if (!ws->wslay) {
                flush(ws);
                return;
        }
        if (!ws->close_sent && wslay_event_want_write(ws->wslay) && wslay_event_send(ws->wslay) != 0)
                ws->over = true;
        if (wslay_event_get_close_sent(ws->wslay) && !ws->close_sent) {
                ws->close_sent = true;
                if (!ws->failed)
                        loop_timer_set(ws->closing, WS_CLOSE_US);
        }
        if (wslay_event_get_close_sent(ws->wslay) && wslay_event_get_close_received(ws->wslay))
                ws->over = true;
        flush(ws);
}

void ws_ping(struct ws *ws)
{
        static const char ping[] = { (char)(0x80 | WSLAY_PING), 0 };

        ws_send_frame(ws, (struct str){ ping, sizeof(ping) });
}

void ws_close(struct ws *ws, enum ws_close code, const char *reason)
{
        if (ws->close_sent || ws->failed)
                return;
        if (wslay_event_queue_close(wslay_of(ws), (uint16_t)code, (const uint8_t *)reason, strlen(reason)) != 0)
                ws->over = true;
        wslay_flush(ws);
}

size_t ws_queued(const struct ws *ws)
{
        return ws->queued;
}

/* ---- in ---- */

static ssize_t on_wslay_recv(wslay_event_context_ptr ctx, uint8_t *to, size_t n, int flags, void *data)
{
        struct ws *ws = data;
        h2o_buffer_t *input = ws->sock->input;

        (void)flags;
        if (ws->dead || input->size == 0) {
                wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
                return -1;
        }
        if (n > input->size)
                n = input->size;
        memcpy(to, input->bytes, n);
        ws->given += n;
        h2o_buffer_consume(&ws->sock->input, n);
        return (ssize_t)n;
}

/* RFC 6455, section 5.2: two bytes, the longer lengths, the mask. */
static void on_wslay_frame(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_start_arg *frame, void *data)
{
        uint64_t n = frame->payload_length;
        struct ws *ws = data;

        ws->announced += 2 + (n < 126 ? 0 : n <= UINT16_MAX ? 2 : 8) + 4 + n;
        if (!wslay_is_ctrl_frame(frame->opcode))
                ws->pieces = frame->fin ? 0 : ws->pieces + (n > 0 || !ws->pieces);
        if (ws->pieces <= WS_PIECES_MAX)
                return;
        ws_close(ws, WS_CLOSE_LONG, "too many pieces");
        wslay_event_shutdown_read(ctx);
}

static void on_wslay_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m, void *data)
{
        struct ws *ws = data;

        (void)ctx;
        if (ws->dead)
                return;
        ws->events->heard(ws->data);
        if (m->opcode == WSLAY_TEXT_FRAME && !ws->dead)
                ws->events->text(ws->data, (struct str){ m->msg ? (const char *)m->msg : "", m->msg_length });
        else if (m->opcode == WSLAY_BINARY_FRAME && !ws->dead)
                ws_close(ws, WS_CLOSE_BINARY, "text only");
}

/* A frame that wslay can't read. It would close without a code. */
static void broken(struct ws *ws)
{
        static const uint8_t close_1002[] = { 0x80 | WSLAY_CONNECTION_CLOSE, 2, 0x03, 0xea };

        ws->over = true;
        if (ws->close_sent || ws->failed)
                return;
        chunk_add(ws, close_1002, sizeof(close_1002));
        ws->close_sent = true;
        loop_timer_set(ws->closing, WS_CLOSE_US);
}

/* An idle socket keeps no memory for what may come. */
static void rest(struct ws *ws)
{
        if (ws->sock && !ws->sock->input->size && ws->sock->input->capacity) {
                h2o_buffer_dispose(&ws->sock->input);
                h2o_buffer_init(&ws->sock->input, &h2o_socket_buffer_prototype);
        }
        if (!ws->wslay || ws->given != ws->announced || ws->pieces || wslay_event_want_write(ws->wslay) ||
            !wslay_event_get_read_enabled(ws->wslay) || wslay_event_get_close_sent(ws->wslay) || wslay_event_get_close_received(ws->wslay))
                return;
        wslay_event_context_free(ws->wslay);
        ws->wslay = NULL;
}

static void take(struct ws *ws)
{
        enter(ws);
        if (wslay_event_recv(wslay_of(ws)) != 0)
                broken(ws);
        else if (!wslay_event_get_read_enabled(ws->wslay) && !wslay_event_get_close_received(ws->wslay))
                ws->over = true;        /* the peer broke the protocol; the close frame that says so goes out first */
        if (!ws->dead) {
                wslay_flush(ws);
                close_slow(ws);         /* pongs count, too: else a peer that pings and does not read takes all memory */
                rest(ws);
        }
        leave(ws);
}

static void on_read(h2o_socket_t *sock, const char *err)
{
        struct ws *ws = sock->data;

        if (err) {
                h2o_socket_read_stop(sock);
                end(ws);
                return;
        }
        take(ws);
}

static void on_upgraded(void *data, h2o_socket_t *sock, size_t request_bytes)
{
        struct ws *ws = data;

        ws->upgrading = false;
        if (ws->dead || !sock) {
                if (sock)
                        h2o_socket_close(sock);
                if (ws->dead)
                        ws_free(ws);
                else
                        end(ws);
                return;
        }
        ws->sock = sock;
        ws->fd = h2o_socket_get_fd(sock);
        sock->data = ws;
        h2o_buffer_consume(&sock->input, request_bytes);
        h2o_socket_read_start(sock, on_read);
        if (sock->input->size > 0) {
                take(ws);
                return;
        }
        rest(ws);
        flush(ws);
}

/* ---- life ---- */

static const struct wslay_event_callbacks wslay_callbacks = {
        .recv_callback = on_wslay_recv,
        .send_callback = on_wslay_send,
        .on_frame_recv_start_callback = on_wslay_frame,
        .on_msg_recv_callback = on_wslay_message,
};

struct ws *ws_new(struct request *q, const struct ws_events *events, void *data)
{
        struct ws *ws = calloc(1, sizeof(*ws));
        struct str key = q->h2o ? request_header(q, "sec-websocket-key") : (struct str){ 0 };
        h2o_req_t *h2o;

        if (!ws)
                abort();
        *ws = (struct ws){ .gateway = q->gateway, .events = events, .data = data, .last = &ws->waiting };
        ws->closing = loop_timer_new(q->gateway->service->loop, on_closing, ws);
        if (!q->h2o) {
                request_end(q);
                end(ws);
                return ws;
        }
        request_add_header(q, "upgrade", STR("websocket"));
        request_add_header(q, "sec-websocket-accept", accept_of(key, &q->arena));
        request_add_header(q, "sec-websocket-protocol", STR("assist.1"));
        request_secure(q, "default-src 'none'; frame-ancestors 'none'");
        q->h2o->res.status = 101;
        q->h2o->res.reason = "Switching Protocols";
        q->gateway->answers[1]++;
        ws->upgrading = true;
        h2o = q->h2o;
        request_end(q);
        h2o_http1_upgrade(h2o, NULL, 0, on_upgraded, ws);
        return ws;
}

void ws_free(struct ws *ws)
{
        if (!ws)
                return;
        ws->dead = true;
        if (ws->busy || ws->upgrading)
                return;
        if (ws->sock)
                h2o_socket_close(ws->sock);
        drop_waiting(ws);
        chunks_free(ws, ws->writing);
        if (ws->wslay)
                wslay_event_context_free(ws->wslay);
        loop_timer_free(ws->closing);
        free(ws);
}

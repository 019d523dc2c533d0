/* Any bytes as what a WebSocket's peer sends, on a socket that is h2o's by name only. The first byte says how the bytes are cut, and
 * whether the peer reads what it is sent. What is heard is UTF-8 and within its limit; what is said is frames as a server makes them,
 * a close frame the last; what waits for a peer that does not read is bounded. */
#include "services/gateway/ws.c"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf said;
static h2o_socket_cb written;           /* what h2o would call once it wrote */
static bool reads;

static void expect(bool truth)
{
        if (!truth)
                abort();
}

/* ---- in place of h2o and of the request ---- */

static void (*upgraded)(void *, h2o_socket_t *, size_t);
static void *upgraded_data;

void h2o_socket_write(h2o_socket_t *sock, h2o_iovec_t *vec, size_t n, h2o_socket_cb done)
{
        (void)sock;
        for (size_t i = 0; i < n; i++)
                buf_add(&said, vec[i].base, vec[i].len);
        expect(!written);
        written = done;
}

/* Nothing is taken at once: all goes by the queue. */
int h2o_socket_get_fd(h2o_socket_t *sock)
{
        (void)sock;
        return -1;
}

void h2o_socket_read_start(h2o_socket_t *sock, h2o_socket_cb cb)
{
        (void)sock;
        (void)cb;
}

void h2o_socket_read_stop(h2o_socket_t *sock)
{
        (void)sock;
}

void h2o_socket_close(h2o_socket_t *sock)
{
        h2o_buffer_dispose(&sock->input);
}

void h2o_http1_upgrade(h2o_req_t *req, h2o_iovec_t *vec, size_t n, h2o_http1_upgrade_cb done, void *data)
{
        (void)req;
        (void)vec;
        (void)n;
        upgraded = done;
        upgraded_data = data;
}

int h2o_is_websocket_handshake(h2o_req_t *req, const char **key)
{
        (void)req;
        *key = NULL;
        return 0;
}

void request_add_header(struct request *q, const char *name, struct str value)
{
        (void)q;
        (void)name;
        (void)value;
}

void request_secure(struct request *q, const char *csp)
{
        (void)q;
        (void)csp;
}

struct str request_header(const struct request *q, const char *name)
{
        (void)q;
        (void)name;
        return STR("dGhlIHNhbXBsZSBub25jZQ==");
}

void request_end(struct request *q)
{
        arena_reset(&q->arena);
}

/* ---- who owns the WebSocket ---- */

static struct ws *ws;
static bool heard_close;

static void on_text(void *data, struct str text)
{
        (void)data;
        expect(str_utf8_length(text) >= 0 && text.n <= WS_MESSAGE_MAX);
        ws_send(ws, STR("{\"type\":\"pong\"}"));
}

static void on_nothing(void *data)
{
        (void)data;
}

static void on_over(void *data)
{
        (void)data;
        heard_close = true;
}

/* Whole frames, unmasked, unfragmented, and nothing behind a close. */
static void check_said(void)
{
        const uint8_t *p = (const uint8_t *)said.p, *end = said.n ? p + said.n : p;
        bool closed = false;

        while (p < end) {
                size_t n;

                expect(!closed && end - p >= 2 && !(p[1] & 0x80));
                expect(p[0] == 0x81 || p[0] == 0x88 || p[0] == 0x8a);
                closed = p[0] == 0x88;
                n = p[1];
                expect(n < 126 && (size_t)(end - p) >= 2 + n && (!closed || n != 1));
                p += 2 + n;
        }
}

static void hear(h2o_socket_t *sock, struct str bytes)
{
        h2o_iovec_t to = h2o_buffer_reserve(&sock->input, bytes.n);

        memcpy(to.base, bytes.p, bytes.n);
        sock->input->size += bytes.n;
        on_read(sock, NULL);
        expect(ws_queued(ws) <= WS_QUEUE_MAX + 1024 * bytes.n + 1024);
        while (reads && written) {
                h2o_socket_cb done = written;

                written = NULL;
                done(sock, NULL);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct ws_events fuzz_events = { .text = on_text, .heard = on_nothing, .closed = on_over };
        static h2o_buffer_prototype_t prototype = { ._initial_buf = { .capacity = 4096 } };
        static h2o_req_t h2o;
        struct loop *loop = loop_new(&clock_system);
        struct service service = { .loop = loop };
        struct gateway gateway = { .service = &service };
        struct request request = { .gateway = &gateway, .h2o = &h2o };
        h2o_socket_t sock = { 0 };
        size_t step = size && data[0] >> 1 ? data[0] >> 1 : SIZE_MAX;

        buf_clear(&said);
        written = NULL;
        heard_close = false;
        reads = size == 0 || data[0] & 1;
        h2o_buffer_init(&sock.input, &prototype);
        ws = ws_new(&request, &fuzz_events, NULL);
        upgraded(upgraded_data, &sock, 0);
        for (size_t at = 1; at < size && !ws->failed; at += step < size - at ? step : size - at)
                hear(&sock, (struct str){ (const char *)data + at, step < size - at ? step : size - at });
        loop_dispatch(loop, 0);
        expect(!heard_close || ws->failed);
        check_said();
        ws_free(ws);
        loop_free(loop);
        arena_deinit(&request.arena);
        return 0;
}

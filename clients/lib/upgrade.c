#include "upgrade.h"

#include <errno.h>
#include <sodium.h>

void upgrade_request(const struct assist *a, struct str cursor, struct buf *ret)
{
        uint8_t key[16];
        char base64[32];

        randombytes_buf(key, sizeof(key));
        sodium_bin2base64(base64, sizeof(base64), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
        buf_text(ret, "GET /ws");
        if (cursor.n)
                buf_format(ret, "?cursor=%.*s", STR_ARG(cursor));
        buf_format(ret, " HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: assist.1, assist.token.%s\r\n\r\n",
                   a->host, a->port, base64, a->token);
}

/* "HTTP/1.1 101 Switching Protocols", then the fields. */
static int head_taken(struct upgrade *u)
{
        struct str rest = { u->in.p, u->head }, line = str_cut(&rest, '\n'), value;
        uint64_t n, length = 0;

        line = str_trim(line);
        str_cut(&line, ' ');
        if (!str_starts((struct str){ u->in.p, u->head }, "HTTP/1.1 ") || str_u64(str_cut(&line, ' '), &n) || n < 100 || n > 599)
                return -EPROTO;
        u->status = (int)n;
        while (rest.n) {
                line = str_cut(&rest, '\n');
                if (http_header(line, "Retry-After", &value))
                        u->retry_after_ms = http_retry_after_ms(value);
                else if (http_header(line, "Content-Length", &value) && (str_u64(value, &length) || length > UPGRADE_ANSWER_MAX))
                        return -EPROTO;
        }
        u->whole = u->head + (u->status == 101 ? 0 : (size_t)length);
        return 0;
}

/* The body says it in ms. */
static void body_taken(struct upgrade *u)
{
        struct arena arena = { 0 };
        struct rpc_reply reply;
        struct fault fault;

        if (!json_read(&schema_type_rpc_reply, (struct str){ u->in.p + u->head, u->whole - u->head }, &arena, &reply, NULL) && reply.error &&
            reply.error->has_data && !json_read(&fault_type, reply.error->data, &arena, &fault, NULL) && fault.has_retry_after_ms)
                u->retry_after_ms = fault.retry_after_ms;
        arena_deinit(&arena);
}

int upgrade_take(struct upgrade *u, size_t n)
{
        const char *end;

        u->in.n += n;
        if (!u->head) {
                end = memmem(u->in.p, u->in.n, "\r\n\r\n", 4);
                if (!end)
                        return u->in.n > UPGRADE_ANSWER_MAX ? -EPROTO : 0;
                u->head = (size_t)(end + 4 - u->in.p);
                if (head_taken(u))
                        return -EPROTO;
        }
        if (u->in.n < u->whole)
                return 0;
        if (u->status != 101)
                body_taken(u);
        return 1;
}

void upgrade_deinit(struct upgrade *u)
{
        buf_deinit(&u->in);
}

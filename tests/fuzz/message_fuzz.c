/* Any bytes as what comes to a service's internal socket, or back from one. The first byte says which: a call from some process, an
 * answer to a method, or a connection's bytes. What is admitted fits its schema and is from one who may; every refusal is an answer
 * that its caller can read. */
#include "libcommon/rpc_client.c"
#include "libcommon/call.h"
#include <assert.h>
#include <fcntl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t fixed_ms(void *data)
{
        (void)data;
        return 1000;
}

static int64_t fixed_us(void *data)
{
        (void)data;
        return 1000;
}

static const struct clock clock_fixed = { fixed_ms, fixed_us, NULL };
static const uint8_t caller_key[CALLER_KEY_BYTES] = "the corpus is sealed with this!";

static void expect(bool truth)
{
        if (!truth)
                abort();
}

static int by_name(const void *a, const void *b)
{
        return strcmp((*(const struct rpc_handler *const *)a)->method->name, (*(const struct rpc_handler *const *)b)->method->name);
}

/* One service that has them all. */
static struct rpc_server *server(void)
{
        static struct rpc_server s = { .caller_key = caller_key, .clock = &clock_fixed, .fd = -1 };
        struct rpc_handler *handlers;

        if (s.handlers)
                return &s;
        log_level((enum log_level)0);
        while (schema_methods[s.n_handlers])
                s.n_handlers++;
        handlers = calloc(s.n_handlers + 1, sizeof(*handlers));
        s.index = calloc(s.n_handlers, sizeof(*s.index));
        s.counts = calloc(s.n_handlers + 1, sizeof(*s.counts));
        for (size_t i = 0; i < s.n_handlers; i++) {
                handlers[i].method = schema_methods[i];
                s.index[i] = &handlers[i];
        }
        s.handlers = handlers;
        qsort(s.index, s.n_handlers, sizeof(*s.index), by_name);
        return &s;
}

static void admitted(const struct call *c)
{
        const struct schema_method *m = c->method;

        expect(c->from & m->from);
        expect(m->role == SCHEMA_ROLE_ANYONE || m->role == SCHEMA_ROLE_NOBODY || (c->has_caller && c->caller.role >= m->role) ||
               (!c->has_caller && (c->from & m->from & ~(unsigned)SCHEMA_PEER_GATEWAY)));
        expect(schema_check(m->params, c->params, NULL) == 0);
        expect(m->params_op_id < 0 || !ulid_is_zero(c->op_id));
}

static void call_comes(unsigned from, struct str message)
{
        struct rpc_slot slot = { .server = server() };
        struct call *c = &slot.call;
        struct str reply;
        struct fault fault;
        int r, code;

        c->slot = &slot;
        r = call_admit(c, from, message);
        expect(r >= 0);
        if (r == 0) {
                admitted(c);
        } else {
                call_write_reply(c, r);
                reply = buf_view(&slot.reply);
                expect(rpc_reply_read_head(&reply, &code) == 0 && code == r);
                expect(msgpack_read(&fault_type, reply, &c->arena, &fault, NULL) == 0);
        }
        buf_deinit(&slot.reply);
        arena_deinit(&c->arena);
}

static void answer_comes(struct str name, struct str answer)
{
        struct pending p = { .method = schema_method_find(name) };

        server();
        if (!p.method)
                p.method = schema_methods[name.n % server()->n_handlers];
        read_answer(&p, answer);
        expect(p.reply.code >= 0 && !p.reply.result == (p.reply.code != 0) && !p.reply.fault == (p.reply.code == 0));
        if (p.reply.result)
                expect(schema_check(p.method->result, p.reply.result, NULL) == 0);
        arena_deinit(&p.arena);
}

/* ---- a connection ---- */

struct end {
        struct rpc_stream stream;
        unsigned from;
        bool lost;
};

static bool stream_message(struct rpc_stream *stream, uint32_t id, struct str body)
{
        (void)id;
        call_comes(((struct end *)(void *)stream)->from, body);
        return true;
}

static void stream_lost(struct rpc_stream *stream)
{
        ((struct end *)(void *)stream)->lost = true;
}

static void connection_comes(unsigned from, struct str bytes)
{
        static const struct rpc_stream_type type = { .protocol = RPC_REP, .message = stream_message, .lost = stream_lost };
        struct loop *loop = loop_new(&clock_fixed);
        struct end end = { .from = from };
        int fd[2];

        if (bytes.n > 100000)
                bytes.n = 100000;       /* what the socket takes at once */
        expect(loop && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
        expect(write(fd[1], bytes.p, bytes.n) == (ssize_t)bytes.n && shutdown(fd[1], SHUT_WR) == 0);
        expect(rpc_stream_open(&end.stream, loop, fd[0], &type) == 0);
        while (!end.lost)
                expect(loop_dispatch(loop, 0) == 0);
        rpc_stream_close(&end.stream);
        close(fd[1]);
        loop_free(loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str in = { (const char *)data + 1, size - 1 }, name;

        if (size == 0)
                return 0;
        switch (data[0] & 3) {
        case 0: case 1:
                call_comes(1u << (data[0] >> 2 & 7), in);
                break;
        case 2:
                name = str_cut(&in, '\n');
                answer_comes(name, in);
                break;
        case 3:
                connection_comes(1u << (data[0] >> 2 & 7), in);
                break;
        }
        return 0;
}

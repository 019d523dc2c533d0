#include "rpc_stream.h"
#include "rpc_wire.h"
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        GREETING_BYTES = 8,
        HEAD_BYTES = 1 + 8 + 4,
        ID_BYTES = 4,
        READ_BYTES = 16 * 1024,         /* room for one read */
};

static void defer(struct rpc_stream *s)
{
        if (s->deferred)
                return;
        s->deferred = true;
        loop_defer(s->loop, &s->work);
}

static void wait_for(struct rpc_stream *s)
{
        uint32_t events = (s->waits || s->stopped ? 0 : EPOLLIN) | (s->out_at < s->out.n && !s->deferred ? EPOLLOUT : 0);

        if (events == s->events)
                return;
        s->events = events;
        loop_io_events(s->io, events);
}

static void trim(struct buf *b)
{
        if (b->capacity > RPC_BUFFER_KEEP)
                buf_deinit(b);
        else
                buf_clear(b);
}

/* ---- out ---- */

static void put_greeting(struct rpc_stream *s)
{
        const uint8_t greeting[GREETING_BYTES] = { 0, 'S', 'P', 0, 0, (uint8_t)s->type->protocol };

        buf_add(&s->out, greeting, sizeof(greeting));
        defer(s);
}

void rpc_stream_put(struct rpc_stream *s, uint32_t id, struct str body)
{
        uint64_t length = htobe64(ID_BYTES + body.n);
        uint32_t wire_id = htobe32(id);
        char *p = buf_reserve(&s->out, HEAD_BYTES + body.n);

        p[0] = 1;
        memcpy(p + 1, &length, sizeof(length));
        memcpy(p + 9, &wire_id, sizeof(wire_id));
        memcpy(p + HEAD_BYTES, body.p, body.n);
        s->out.n += HEAD_BYTES + body.n;
        defer(s);
}

size_t rpc_stream_queued(const struct rpc_stream *s)
{
        return s->out.n - s->out_at;
}

/* False where the peer is gone. */
static bool flush(struct rpc_stream *s)
{
        while (s->out_at < s->out.n) {
                ssize_t n = send(s->fd, s->out.p + s->out_at, s->out.n - s->out_at, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN;
                s->out_at += (size_t)n;
        }
        if (s->out.n > 0) {
                s->out_at = 0;
                trim(&s->out);
                if (s->type->written)
                        s->type->written(s);
        }
        return true;
}

/* ---- in ---- */

/* How many bytes the greeting or frame takes that begins with these; 0 while that can't be told; -EPROTO. */
static ssize_t unit_size(const struct rpc_stream *s, struct str in)
{
        uint64_t length;

        if (!s->greeted) {
                const uint8_t peer[GREETING_BYTES] = { 0, 'S', 'P', 0, 0, s->type->protocol == RPC_REQ ? RPC_REP : RPC_REQ };

                if (memcmp(in.p, peer, in.n < sizeof(peer) ? in.n : sizeof(peer)) != 0)
                        return -EPROTO;
                return GREETING_BYTES;
        }
        if (in.n > 0 && in.p[0] != 1)
                return -EPROTO;
        if (in.n < HEAD_BYTES)
                return 0;
        memcpy(&length, in.p + 1, sizeof(length));
        length = be64toh(length);
        if (length < ID_BYTES || length > RPC_WIRE_MAX || !(in.p[9] & 0x80))
                return -EPROTO;
        return (ssize_t)(1 + sizeof(length) + length);
}

static bool take_unit(struct rpc_stream *s, struct str unit)
{
        uint32_t id;

        if (!s->greeted) {
                s->greeted = true;
                if (s->type->greeted)
                        s->type->greeted(s);
                return true;
        }
        memcpy(&id, unit.p + 9, sizeof(id));
        return s->type->message(s, be32toh(id), (struct str){ unit.p + HEAD_BYTES, unit.n - HEAD_BYTES });
}

/* Everything that is there whole. -EPROTO where the peer speaks something else. */
static int parse(struct rpc_stream *s)
{
        ssize_t size = 0;

        s->reading = true;
        while (!s->waits && !s->stopped && s->in_at < s->in.n) {
                struct str in = { s->in.p + s->in_at, s->in.n - s->in_at };

                size = unit_size(s, in);
                if (size <= 0 || (size_t)size > in.n)
                        break;
                s->waits = !take_unit(s, (struct str){ in.p, (size_t)size });
                if (!s->waits)
                        s->in_at += (size_t)size;
                size = 0;
        }
        s->reading = false;
        if (size < 0)
                return (int)size;
        if (s->in_at == s->in.n) {
                trim(&s->in);
        } else if (s->in_at > 0) {
                s->in.n -= s->in_at;
                memmove(s->in.p, s->in.p + s->in_at, s->in.n);
        }
        s->in_at = 0;
        if ((size_t)size > s->in.n)     /* the rest of it in as few reads as may be */
                buf_reserve(&s->in, (size_t)size - s->in.n);
        return 0;
}

/* False where the peer is gone, or should be. */
static bool receive(struct rpc_stream *s)
{
        ssize_t n;

        if (s->in.capacity - s->in.n < READ_BYTES / 2)
                buf_reserve(&s->in, READ_BYTES);
        n = recv(s->fd, s->in.p + s->in.n, s->in.capacity - s->in.n, 0);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n == 0)
                return false;
        s->in.n += (size_t)n;
        return parse(s) == 0;
}

/* ---- the stream's life ---- */

static void lose(struct rpc_stream *s)
{
        loop_io_events(s->io, 0);
        s->stopped = true;
        s->type->lost(s);
}

static void on_work(struct loop_work *work)
{
        struct rpc_stream *s = (struct rpc_stream *)(void *)((char *)work - offsetof(struct rpc_stream, work));

        s->deferred = false;
        if (parse(s) || !flush(s))
                lose(s);
        else
                wait_for(s);
}

static void on_io(void *data, uint32_t events)
{
        struct rpc_stream *s = data;

        if ((events & EPOLLIN && !s->waits && !s->stopped && !receive(s)) ||
            (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) ||
            (events & EPOLLOUT && !flush(s)))
                lose(s);
        else
                wait_for(s);
}

int rpc_stream_open(struct rpc_stream *s, struct loop *loop, int fd, const struct rpc_stream_type *type)
{
        struct loop_io *io = loop_io_new(loop, fd, EPOLLIN, on_io, s);

        if (!io)
                return -errno;
        *s = (struct rpc_stream){ .type = type, .loop = loop, .io = io, .fd = fd, .events = EPOLLIN, .work.run = on_work };
        put_greeting(s);
        return 0;
}

void rpc_stream_close(struct rpc_stream *s)
{
        if (!s->io)
                return;
        if (s->deferred)
                loop_unpost(s->loop, &s->work);
        loop_io_free(s->io);
        close(s->fd);
        buf_deinit(&s->in);
        buf_deinit(&s->out);
        *s = (struct rpc_stream){ 0 };
}

bool rpc_stream_is_open(const struct rpc_stream *s)
{
        return s->io != NULL;
}

void rpc_stream_resume(struct rpc_stream *s)
{
        if (!s->waits)
                return;
        s->waits = false;
        defer(s);
}

void rpc_stream_stop(struct rpc_stream *s)
{
        s->stopped = true;
        wait_for(s);
}

/* The caller's side of the transport: one connection, made when there is something to ask, and made anew while calls wait for it.
 *
 * A call in flight has one of RPC_IN_FLIGHT lanes; its request id names the lane and its turn there, so that an answer which comes after its
 * call was given up is nobody's. What was in flight when a connection broke is sent again on the next one (op ids make that
 * harmless), at most ATTEMPTS times, lest a request that kills its service kills it for ever. */
#include "rpc_stream.h"
#include "rpc_wire.h"
#include "log_messages.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        ATTEMPTS = 4,
        DIAL_MIN_MS = 10,
        DIAL_MAX_MS = 200,
        QUEUED_MAX = 1024 * 1024,        /* bytes that the service did not read yet; past it calls wait in line */
        SPARE_MAX = 2 * RPC_IN_FLIGHT,
};

#define ID_BIT UINT32_C(0x80000000)

struct pending {
        struct rpc_client *client;
        struct pending *next;            /* of those in line, over, or spare */
        const struct schema_method *method;
        rpc_done_fn *done;
        void *data;
        uint32_t id;                     /* of the request that was sent last */
        int64_t deadline_us;
        struct ulid op_id;
        struct buf message;
        int attempts;

        struct str body;                 /* of the answer: result or fault; empty where there is none */
        struct arena arena;
        struct fault fault;
        struct rpc_reply reply;
};

struct rpc_client {
        struct rpc_stream stream;        /* first */
        struct loop *loop;
        const struct rpc_peers *peers;
        unsigned service;
        struct sockaddr_un address;
        bool refused;                    /* the listener was a stranger, and that was said */
        int64_t pause_ms;                /* before the next dialling; 0: none failed */
        struct loop_timer *dial;

        struct pending *lanes[RPC_IN_FLIGHT];
        int free[RPC_IN_FLIGHT];
        int n_free;
        uint32_t turn;                   /* of requests, for their ids */
        struct pending *first, **end;    /* in line for a lane */
        struct pending *spare;
        int n_spare;
        struct loop_timer *timer;
        int64_t timer_us;                /* when it fires, INT64_MAX where it is not set; never later than the first deadline */
};

static int64_t now_us(const struct rpc_client *c)
{
        return clock_steady_us(loop_clock(c->loop));
}

/* ---- pending calls ---- */

static struct pending *pending_take(struct rpc_client *c)
{
        struct pending *p = c->spare;

        if (p) {
                c->spare = p->next;
                c->n_spare--;
        } else {
                p = calloc(1, sizeof(*p));
                if (!p)
                        abort();
                p->client = c;
        }
        p->next = NULL;
        p->attempts = 0;
        p->body = (struct str){ 0 };
        p->op_id = (struct ulid){ 0 };
        return p;
}

static void pending_free(struct pending *p)
{
        buf_deinit(&p->message);
        arena_deinit(&p->arena);
        free(p);
}

static void pending_give_back(struct pending *p)
{
        struct rpc_client *c = p->client;

        if (c->n_spare == SPARE_MAX) {
                pending_free(p);
                return;
        }
        if (p->message.capacity > RPC_BUFFER_KEEP)
                buf_deinit(&p->message);
        arena_reset(&p->arena);
        p->next = c->spare;
        c->spare = p;
        c->n_spare++;
}

static void pending_fail(struct pending *p, int code, const char *reason)
{
        p->fault = (struct fault){ .has_reason = true, .reason = str_of(reason) };
        if (code == FAULT_UNAVAILABLE) {
                p->fault.has_retry_after_ms = true;
                p->fault.retry_after_ms = RPC_PARK_MS;
                p->fault.has_op_id = !ulid_is_zero(p->op_id);
                p->fault.op_id = p->op_id;
        }
        p->body = (struct str){ 0 };
        p->reply = (struct rpc_reply){ .code = code, .fault = &p->fault, .arena = &p->arena };
}

static void finish(struct pending *p)
{
        p->done(p->data, &p->reply);
        pending_give_back(p);
}

/* Last of what a callback does: each may call again. */
static void finish_all(struct pending *over)
{
        while (over) {
                struct pending *p = over;

                over = p->next;
                finish(p);
        }
}

/* ---- lanes ---- */

static bool is_up(const struct rpc_client *c)
{
        return rpc_stream_is_open(&c->stream) && c->stream.greeted;
}

static void lane_send(struct rpc_client *c, int lane)
{
        struct pending *p = c->lanes[lane];

        p->id = ID_BIT | (c->turn++ * RPC_IN_FLIGHT + (uint32_t)lane);
        p->attempts++;
        rpc_stream_put(&c->stream, p->id, buf_view(&p->message));
}

static void dial(struct rpc_client *c);

/* Those in line go on, as far as there are lanes, and the service reads. */
static void start_lanes(struct rpc_client *c)
{
        while (c->first && c->n_free > 0 && rpc_stream_queued(&c->stream) < QUEUED_MAX) {
                struct pending *p = c->first;
                int lane = c->free[--c->n_free];

                c->first = p->next;
                if (!c->first)
                        c->end = &c->first;
                c->lanes[lane] = p;
                if (is_up(c))
                        lane_send(c, lane);
                else if (!rpc_stream_is_open(&c->stream) && !c->pause_ms)
                        dial(c);
        }
}

static struct pending *lane_leave(struct rpc_client *c, int lane)
{
        struct pending *p = c->lanes[lane];

        c->lanes[lane] = NULL;
        c->free[c->n_free++] = lane;
        p->next = NULL;
        return p;
}

/* ---- the connection ---- */

static void read_answer(struct pending *p, struct str in)
{
        const struct schema_struct *type;
        struct codec_error error;
        void *value;
        int code;

        if (rpc_reply_read_head(&in, &code)) {
                pending_fail(p, FAULT_INTERNAL, "the service's answer is none");
                return;
        }
        type = code ? &fault_type : p->method->result;
        value = arena_zalloc(&p->arena, type->size);
        p->body = in;
        if (msgpack_read_next(type, &in, &p->arena, value, &error)) {
                log_error("%s: an answer that does not fit its schema: %s: %s", p->method->name, error.field, error.reason);
                pending_fail(p, FAULT_INTERNAL, "the service's answer does not fit its schema");
                return;
        }
        p->reply = (struct rpc_reply){ .code = code, .arena = &p->arena };
        if (code)
                p->reply.fault = value;
        else
                p->reply.result = value;
}

static bool on_message(struct rpc_stream *stream, uint32_t id, struct str body)
{
        struct rpc_client *c = (struct rpc_client *)stream;
        int lane = (int)(id % RPC_IN_FLIGHT);
        struct pending *p = c->lanes[lane];

        if (!p || p->id != id)
                return true;    /* it was given up */
        lane_leave(c, lane);
        read_answer(p, body);
        start_lanes(c);
        finish(p);
        return true;
}

static void on_greeted(struct rpc_stream *stream)
{
        struct rpc_client *c = (struct rpc_client *)stream;

        c->pause_ms = 0;
        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                if (c->lanes[i])
                        lane_send(c, i);
}

static void on_written(struct rpc_stream *stream)
{
        start_lanes((struct rpc_client *)stream);
}

static void dial_later(struct rpc_client *c)
{
        c->pause_ms = c->pause_ms ? 2 * c->pause_ms : DIAL_MIN_MS;
        if (c->pause_ms > DIAL_MAX_MS)
                c->pause_ms = DIAL_MAX_MS;
        loop_timer_set(c->dial, c->pause_ms * 1000);
}

static void on_lost(struct rpc_stream *stream)
{
        struct rpc_client *c = (struct rpc_client *)stream;
        struct pending *over = NULL;

        rpc_stream_close(&c->stream);
        for (int i = 0; i < RPC_IN_FLIGHT; i++) {
                struct pending *p = c->lanes[i];

                if (!p || p->attempts < ATTEMPTS)
                        continue;
                pending_fail(p, FAULT_UNAVAILABLE, "the service went away each time that it was asked");
                lane_leave(c, i);
                p->next = over;
                over = p;
        }
        dial_later(c);
        finish_all(over);
}

static const struct rpc_stream_type stream_type = {
        .protocol = RPC_REQ, .greeted = on_greeted, .message = on_message, .written = on_written, .lost = on_lost,
};

static bool is_the_service(struct rpc_client *c, int fd)
{
        uid_t uid = rpc_peer_uid(fd);

        if (rpc_peers_of(c->peers, uid) & c->service) {
                c->refused = false;
                return true;
        }
        if (!c->refused)
                log_write(LOG_LEVEL_WARNING, LOG_LISTENER_REFUSED,
                          "uid %u listens where a service should: it is not talked to", (unsigned)uid);
        c->refused = true;
        return false;
}

static void dial(struct rpc_client *c)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd >= 0 && connect(fd, (const struct sockaddr *)&c->address, sizeof(c->address)) == 0 && is_the_service(c, fd) &&
            rpc_stream_open(&c->stream, c->loop, fd, &stream_type) == 0)
                return;
        if (fd >= 0)
                close(fd);
        dial_later(c);
}

/* Where nobody waits, there is no connection: the next call makes one. */
static void on_dial(void *data)
{
        struct rpc_client *c = data;

        if (c->n_free < RPC_IN_FLIGHT)
                dial(c);
        else
                c->pause_ms = 0;
}

/* ---- deadlines ---- */

static void expect_by(struct rpc_client *c, int64_t deadline_us)
{
        if (deadline_us >= c->timer_us)
                return;
        c->timer_us = deadline_us;
        loop_timer_set(c->timer, deadline_us - now_us(c));
}

static void on_deadline(void *data)
{
        struct rpc_client *c = data;
        int64_t now = now_us(c), next = INT64_MAX;
        struct pending **at = &c->first, *over = NULL, **over_end = &over;

        for (int i = 0; i < RPC_IN_FLIGHT; i++) {
                struct pending *p = c->lanes[i];

                if (p && p->deadline_us <= now) {
                        pending_fail(p, FAULT_UNAVAILABLE, "the service did not answer in time");
                        *over_end = lane_leave(c, i);
                        over_end = &p->next;
                } else if (p && p->deadline_us < next) {
                        next = p->deadline_us;
                }
        }
        while (*at) {
                struct pending *p = *at;

                if (p->deadline_us > now) {
                        if (p->deadline_us < next)
                                next = p->deadline_us;
                        at = &p->next;
                        continue;
                }
                pending_fail(p, FAULT_UNAVAILABLE, "too many calls wait for the service");
                *at = p->next;
                p->next = NULL;
                *over_end = p;
                over_end = &p->next;
        }
        c->end = at;
        c->timer_us = INT64_MAX;
        if (next != INT64_MAX)
                expect_by(c, next);
        start_lanes(c);
        finish_all(over);
}

/* ---- calling ---- */

static void encode(struct pending *p, const struct rpc_request *request, int64_t timeout_ms)
{
        const struct schema_method *m = request->method;
        char made[ULID_TEXT + 1];
        struct rpc_envelope e = { .method = str_of(m->name), .request = request->request, .caller = request->caller,
                                  .client_request = request->client_request, .deadline_ms = timeout_ms };

        if (e.request.n == 0) {
                ulid_text(ulid_new(clock_now_ms(loop_clock(p->client->loop))), made);
                e.request = str_of(made);
        }
        buf_clear(&p->message);
        rpc_envelope_write(&e, &p->message);
        msgpack_write(m->params, request->params, &p->message);
}

int rpc_call(struct rpc_client *client, const struct rpc_request *request, rpc_done_fn *done, void *data)
{
        const struct schema_method *m = request->method;
        int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : RPC_TIMEOUT_MS;
        struct pending *p = pending_take(client);

        if (timeout_ms > RPC_TIMEOUT_MAX_MS)
                timeout_ms = RPC_TIMEOUT_MAX_MS;
        encode(p, request, timeout_ms);
        if (p->message.n > RPC_MESSAGE_MAX) {
                pending_give_back(p);
                return -EMSGSIZE;
        }
        p->method = m;
        p->done = done;
        p->data = data;
        p->deadline_us = now_us(client) + timeout_ms * 1000;
        if (m->params_op_id >= 0)
                memcpy(&p->op_id, schema_at(&m->params->fields[m->params_op_id], request->params), sizeof(p->op_id));
        expect_by(client, p->deadline_us);
        *client->end = p;
        client->end = &p->next;
        start_lanes(client);
        return 0;
}

void rpc_cancel(struct rpc_client *client, const void *data)
{
        struct pending **at = &client->first;

        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                if (client->lanes[i] && client->lanes[i]->data == data)
                        pending_give_back(lane_leave(client, i));
        while (*at) {
                struct pending *p = *at;

                if (p->data != data) {
                        at = &p->next;
                        continue;
                }
                *at = p->next;
                pending_give_back(p);
        }
        client->end = at;
        start_lanes(client);
}

/* ---- one call at a time ---- */

struct waiting {
        bool over;
        struct arena *arena;
        const struct schema_method *method;
        void *result;
        struct fault *fault;
        int code;
};

/* The answer's memory goes with the pending call, so what the waiting program keeps is read once more, from a copy. */
static void keep(void *data, const struct rpc_reply *reply)
{
        struct pending *p = (struct pending *)(void *)((char *)(uintptr_t)reply - offsetof(struct pending, reply));
        struct waiting *w = data;
        struct str copy;

        w->over = true;
        w->code = reply->code;
        if (p->body.n == 0) {
                *w->fault = *reply->fault;      /* our own: its text is constant */
                return;
        }
        copy = arena_bytes(w->arena, p->body.p, p->body.n);
        if (reply->code)
                msgpack_read_next(&fault_type, &copy, w->arena, w->fault, NULL);
        else
                msgpack_read_next(w->method->result, &copy, w->arena, w->result, NULL);
}

int rpc_call_wait(struct rpc_client *client, const struct rpc_request *request, struct arena *arena, void *ret_result,
                  struct fault *ret_fault)
{
        struct fault fault = { 0 };
        struct waiting w = { .arena = arena, .method = request->method, .result = ret_result,
                             .fault = ret_fault ? ret_fault : &fault };
        int r;

        assert(!client->stream.reading);        /* its answer could not be read */
        r = rpc_call(client, request, keep, &w);
        while (!r && !w.over)
                r = loop_dispatch(client->loop, -1);
        if (r) {
                rpc_cancel(client, &w);
                return r;
        }
        return w.code;
}

/* ---- the client's life ---- */

int rpc_client_new(struct loop *loop, const struct rpc_client_options *options, struct rpc_client **ret)
{
        struct sockaddr_un address;
        struct rpc_client *c;
        int r = rpc_address(options->path, &address);

        if (r)
                return r;
        c = calloc(1, sizeof(*c));
        if (!c)
                abort();
        c->address = address;
        c->loop = loop;
        c->peers = options->peers;
        c->service = options->service;
        c->end = &c->first;
        c->timer = loop_timer_new(loop, on_deadline, c);
        c->timer_us = INT64_MAX;
        c->dial = loop_timer_new(loop, on_dial, c);
        while (c->n_free < RPC_IN_FLIGHT) {
                c->free[c->n_free] = c->n_free;
                c->n_free++;
        }
        *ret = c;
        return 0;
}

static void free_all(struct pending *p)
{
        while (p) {
                struct pending *next = p->next;

                pending_free(p);
                p = next;
        }
}

void rpc_client_free(struct rpc_client *client)
{
        if (!client)
                return;
        rpc_stream_close(&client->stream);
        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                if (client->lanes[i])
                        pending_free(client->lanes[i]);
        free_all(client->first);
        free_all(client->spare);
        loop_timer_free(client->dial);
        loop_timer_free(client->timer);
        free(client);
}

/* The caller's side of the transport.
 *
 * A call in flight has a lane: a REQ context of its own. What REQ in nng 1.5.2 does when a pipe closes while a request is outstanding,
 * found by experiment: with resending off, the pending receive fails at once with ECONNRESET and the request is forgotten; a request
 * that was not yet written waits for the next pipe. So we resend the same bytes ourselves (op ids make that harmless), at most
 * ATTEMPTS times, lest a request that kills its service kills it for ever. REQ asserts if a send is cancelled while a receive waits
 * beside it, so what is given up is ended by closing its context, and the lane gets a new one.
 *
 * Now and then, when a peer dies with many requests under way, nng 1.5.2 never ends a pipe's operations: its one reaper waits for ever, and no
 * dialer of the process dials again. So who lost a pipe looks whether the listener is there; where it is and nng does not connect, a new socket
 * takes the place of the old one, which is left to the end of the process.
 *
 * nng's threads decode the reply; the loop hears of it by posted work. */
#include "rpc_wire.h"
#include "log_messages.h"
#include <assert.h>
#include <errno.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WATCH_FIRST_US = 1500000, WATCH_AGAIN_US = 500000 };
enum { ATTEMPTS = 4, RECONNECT_MIN_MS = 10, RECONNECT_MAX_MS = 200, SPARE_MAX = 2 * RPC_IN_FLIGHT };

struct pending {
        struct loop_work work;           /* first: the loop hands it back */
        struct rpc_client *client;
        struct lane *lane;               /* NULL while it waits in line */
        struct pending *next;            /* of those in line, or spare */
        const struct schema_method *method;
        rpc_done_fn *done;               /* NULL: forgotten */
        void *data;
        int64_t deadline_us;
        struct ulid op_id;
        struct buf message;
        int attempts;
        _Atomic bool given_up;

        nng_msg *answer;                 /* what the reply points into */
        struct str body;                 /* of the answer: result or fault */
        struct arena arena;
        struct fault fault;
        struct rpc_reply reply;
};

struct lane {
        struct rpc_client *client;
        nng_ctx ctx;
        nng_aio *send, *receive;
        struct pending *pending;
        bool closed;                     /* its context: another one is opened before its next use */
};

struct rpc_client {
        struct loop *loop;
        const struct rpc_peers *peers;
        unsigned service;
        nng_socket socket;
        struct lane lanes[RPC_IN_FLIGHT];
        struct lane *free[RPC_IN_FLIGHT];
        int n_free;
        struct pending *first, **end;    /* in line for a lane */
        struct pending *spare;
        int n_spare;
        struct loop_timer *timer;
        int64_t timer_us;                /* when it fires, INT64_MAX where it is not set; never later than the first deadline */
        _Atomic bool refused;            /* the listener was a stranger, and that was said */

        char path[RPC_PATH_MAX + 1];
        _Atomic bool lost;               /* a pipe broke, and nothing was heard since */
        _Atomic bool lost_posted;
        struct loop_work lost_work;
        struct loop_timer *watch;
        int suspicions;                  /* times that the listener was there and we were not connected */
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
                return p;
        }
        p = calloc(1, sizeof(*p));
        if (!p)
                abort();
        p->client = c;
        return p;
}

static void pending_free(struct pending *p)
{
        if (!p)
                return;
        nng_msg_free(p->answer);
        buf_deinit(&p->message);
        arena_deinit(&p->arena);
        free(p);
}

static void pending_give_back(struct pending *p)
{
        struct rpc_client *c = p->client;

        nng_msg_free(p->answer);
        p->answer = NULL;
        p->lane = NULL;
        if (c->n_spare == SPARE_MAX) {
                pending_free(p);
                return;
        }
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
        p->reply = (struct rpc_reply){ .code = code, .fault = &p->fault, .arena = &p->arena };
}

/* ---- on nng's threads ---- */

static void lane_send(struct lane *l, struct pending *p)
{
        nng_msg *m;

        if (nng_msg_alloc(&m, p->message.n))
                abort();
        memcpy(nng_msg_body(m), p->message.p, p->message.n);
        p->attempts++;
        nng_aio_set_msg(l->send, m);
        nng_ctx_send(l->ctx, l->send);
        /* Both at once: no thread has to wake only to begin the receive. */
        nng_ctx_recv(l->ctx, l->receive);
}

static int read_answer(struct pending *p)
{
        const struct schema_struct *type;
        struct str in = { nng_msg_body(p->answer), nng_msg_len(p->answer) };
        struct codec_error error;
        void *value;
        int code;

        if (rpc_reply_read_head(&in, &code))
                return -EBADMSG;
        type = code ? &fault_type : p->method->result;
        value = arena_zalloc(&p->arena, type->size);
        p->body = in;
        if (msgpack_read_next(type, &in, &p->arena, value, &error)) {
                log_error("%s: an answer that does not fit its schema: %s: %s", p->method->name, error.field, error.reason);
                return -EBADMSG;
        }
        p->reply = (struct rpc_reply){ .code = code, .arena = &p->arena };
        if (code)
                p->reply.fault = value;
        else
                p->reply.result = value;
        return 0;
}

static void pipe_lost(struct rpc_client *c)
{
        atomic_store(&c->lost, true);
        if (!atomic_exchange(&c->lost_posted, true))
                loop_post(c->loop, &c->lost_work);
}

static void on_moved(struct loop_work *work);

static void lane_received(void *data)
{
        struct lane *l = data;
        struct pending *p = l->pending;
        int r = nng_aio_result(l->receive);

        nng_aio_wait(l->send);          /* it is over by now, or ends with its context */
        if (nng_aio_result(l->send)) {
                nng_msg_free(nng_aio_get_msg(l->send));
                nng_aio_set_msg(l->send, NULL);
        }
        if (r == NNG_ECONNRESET)
                pipe_lost(p->client);
        else if (r == 0)
                atomic_store(&p->client->lost, false);
        if (r == NNG_ECONNRESET && p->attempts < ATTEMPTS && !atomic_load(&p->given_up)) {
                lane_send(l, p);
                return;
        }
        if (r == NNG_ECLOSED && p->attempts < ATTEMPTS && !atomic_load(&p->given_up)) { /* its socket was replaced */
                p->work.run = on_moved;
                loop_post(p->client->loop, &p->work);
                return;
        }
        if (r) {
                pending_fail(p, FAULT_UNAVAILABLE, "the service did not answer in time");
        } else {
                p->answer = nng_aio_get_msg(l->receive);
                if (read_answer(p))
                        pending_fail(p, FAULT_INTERNAL, "the service's answer does not fit its schema");
        }
        loop_post(p->client->loop, &p->work);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *data)
{
        struct rpc_client *c = data;
        uid_t uid = rpc_pipe_uid(pipe);

        (void)event;
        if (rpc_peers_of(c->peers, uid) & c->service) {
                atomic_store(&c->refused, false);
                atomic_store(&c->lost, false);
                return;
        }
        nng_pipe_close(pipe);
        if (!atomic_exchange(&c->refused, true))
                log_write(LOG_LEVEL_WARNING, LOG_LISTENER_REFUSED,
                          "uid %u listens where a service should: it is not talked to", (unsigned)uid);
}

/* ---- on the loop ---- */

static void lane_open(struct lane *l)
{
        if (l->closed && nng_ctx_open(&l->ctx, l->client->socket))
                abort();
        l->closed = false;
}

static void lane_start(struct rpc_client *c, struct pending *p)
{
        struct lane *l = c->free[--c->n_free];

        lane_open(l);
        l->pending = p;
        p->lane = l;
        lane_send(l, p);
}

static void finish(struct pending *p)
{
        if (p->done)
                p->done(p->data, &p->reply);
        pending_give_back(p);
}

/* The answer is there, or there will be none. */
static void on_answer(struct loop_work *work)
{
        struct pending *p = (struct pending *)work;
        struct rpc_client *c = p->client;

        p->lane->pending = NULL;
        c->free[c->n_free++] = p->lane;
        if (c->first) {
                struct pending *next = c->first;

                c->first = next->next;
                if (!c->first)
                        c->end = &c->first;
                lane_start(c, next);
        }
        finish(p);
}

/* On the new socket, once more. */
static void on_moved(struct loop_work *work)
{
        struct pending *p = (struct pending *)work;

        p->work.run = on_answer;
        if (atomic_load(&p->given_up)) {
                pending_fail(p, FAULT_UNAVAILABLE, "the service did not answer in time");
                on_answer(work);
                return;
        }
        lane_open(p->lane);
        lane_send(p->lane, p);
}

static void give_up(struct pending *p)
{
        if (atomic_exchange(&p->given_up, true))
                return;
        if (p->lane->closed) /* on its way to another socket: on_moved sees it */
                return;
        p->lane->closed = true;
        nng_ctx_close(p->lane->ctx);
}

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
                struct pending *p = c->lanes[i].pending;

                if (!p || atomic_load(&p->given_up))
                        continue;
                if (p->deadline_us <= now)
                        give_up(p);
                else if (p->deadline_us < next)
                        next = p->deadline_us;
        }
        while (*at) {
                struct pending *p = *at;

                if (p->deadline_us > now) {
                        if (p->deadline_us < next)
                                next = p->deadline_us;
                        at = &p->next;
                        continue;
                }
                *at = p->next;
                p->next = NULL;
                *over_end = p;
                over_end = &p->next;
        }
        c->end = at;
        c->timer_us = INT64_MAX;
        if (next != INT64_MAX)
                expect_by(c, next);
        while (over) {          /* last: each may call again */
                struct pending *p = over;

                over = p->next;
                pending_fail(p, FAULT_UNAVAILABLE, "too many calls wait for the service");
                finish(p);
        }
}

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
        p->work.run = on_answer;
        p->method = m;
        p->done = done;
        p->data = data;
        p->deadline_us = now_us(client) + timeout_ms * 1000;
        p->attempts = 0;
        p->given_up = false;
        p->op_id = (struct ulid){ 0 };
        if (m->params_op_id >= 0)
                memcpy(&p->op_id, schema_at(&m->params->fields[m->params_op_id], request->params), sizeof(p->op_id));
        p->next = NULL;
        expect_by(client, p->deadline_us);
        if (client->n_free > 0) {
                lane_start(client, p);
        } else {
                *client->end = p;
                client->end = &p->next;
        }
        return 0;
}

void rpc_cancel(struct rpc_client *client, const void *data)
{
        struct pending **at = &client->first;

        for (int i = 0; i < RPC_IN_FLIGHT; i++) {
                struct pending *p = client->lanes[i].pending;

                if (p && p->data == data && p->done) {
                        p->done = NULL;
                        give_up(p);
                }
        }
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
        if (!p->answer || reply->fault == &p->fault) {
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
        int r = rpc_call(client, request, keep, &w);

        while (!r && !w.over)
                r = loop_dispatch(client->loop, -1);
        if (r) {
                rpc_cancel(client, &w);
                return r;
        }
        return w.code;
}

/* ---- the client's life ---- */

static int socket_dial(struct rpc_client *c, nng_socket *ret)
{
        struct buf url = { 0 };
        nng_dialer dialer;
        nng_socket socket;
        int r = nng_req0_open(&socket);

        if (r)
                return r;
        r = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, RPC_WIRE_MAX);
        if (!r)
                r = nng_socket_set_ms(socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
        if (!r)
                r = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
        if (!r)
                r = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
        if (!r)
                r = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, on_pipe, c);
        rpc_url(c->path, &url);
        if (!r)
                r = nng_dial(socket, buf_z(&url), &dialer, NNG_FLAG_NONBLOCK);
        buf_deinit(&url);
        *ret = socket;
        return r;
}

static int lanes_open(struct rpc_client *c)
{
        int r = 0;

        for (int i = 0; !r && i < RPC_IN_FLIGHT; i++) {
                struct lane *l = &c->lanes[i];

                l->client = c;
                r = nng_ctx_open(&l->ctx, c->socket);
                if (!r)
                        r = nng_aio_alloc(&l->send, NULL, NULL);
                if (!r)
                        r = nng_aio_alloc(&l->receive, lane_received, l);
                c->free[c->n_free++] = l;
        }
        return r;
}

/* ---- a socket that does not come back ---- */

static bool listens(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        bool r;

        if (fd < 0)
                return false;
        memcpy(address.sun_path, path, strlen(path) + 1);
        r = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
        close(fd);
        return r;
}

/* What waits on the old socket ends there as closed, and is sent again on the new one. */
static void renew(struct rpc_client *c)
{
        nng_socket old = c->socket, fresh;

        if (socket_dial(c, &fresh)) {
                loop_timer_set(c->watch, WATCH_AGAIN_US);
                return;
        }
        log_warning("the connection to %s was lost and did not come back: it is made anew", c->path);
        nng_pipe_notify(old, NNG_PIPE_EV_ADD_PRE, NULL, NULL);
        c->socket = fresh;
        atomic_store(&c->lost, false);
        for (int i = 0; i < RPC_IN_FLIGHT; i++) {
                struct lane *l = &c->lanes[i];

                if (!l->closed) {
                        l->closed = true;
                        nng_ctx_close(l->ctx);
                }
        }
}

static void on_watch(void *data)
{
        struct rpc_client *c = data;

        if (!atomic_load(&c->lost)) {
                c->suspicions = 0;
                return;
        }
        c->suspicions = listens(c->path) ? c->suspicions + 1 : 0;
        if (c->suspicions < 2) {
                loop_timer_set(c->watch, WATCH_AGAIN_US);
                return;
        }
        c->suspicions = 0;
        renew(c);
}

static void on_lost(struct loop_work *work)
{
        struct rpc_client *c = (struct rpc_client *)(void *)((char *)work - offsetof(struct rpc_client, lost_work));

        atomic_store(&c->lost_posted, false);
        c->suspicions = 0;
        loop_timer_set(c->watch, WATCH_FIRST_US);
}

int rpc_client_new(struct loop *loop, const struct rpc_client_options *options, struct rpc_client **ret)
{
        struct rpc_client *c;
        int r;

        if (strlen(options->path) > RPC_PATH_MAX)
                return -ENAMETOOLONG;
        c = calloc(1, sizeof(*c));
        if (!c)
                abort();
        strcpy(c->path, options->path);
        c->loop = loop;
        c->peers = options->peers;
        c->service = options->service;
        c->end = &c->first;
        c->timer = loop_timer_new(loop, on_deadline, c);
        c->timer_us = INT64_MAX;
        c->lost_work.run = on_lost;
        c->watch = loop_timer_new(loop, on_watch, c);
        r = socket_dial(c, &c->socket);
        if (!r)
                r = lanes_open(c);
        if (r) {
                rpc_client_free(c);
                return rpc_errno(r);
        }
        *ret = c;
        return 0;
}

/* nng 1.5.2 may hang in nng_close for ever where the other side goes at the same moment (its issues 1543 and 1813), as when a whole desk is
 * stopped. So what is ours is taken from the socket, and the socket itself is left to the end of the process, which is near. */
static void abandon(struct rpc_client *c)
{
        nng_pipe_notify(c->socket, NNG_PIPE_EV_ADD_PRE, NULL, NULL);
        for (int i = 0; i < RPC_IN_FLIGHT; i++) {
                struct lane *l = &c->lanes[i];

                if (!l->closed)
                        nng_ctx_close(l->ctx);
                nng_aio_stop(l->receive);
                nng_aio_stop(l->send);
        }
}

void rpc_client_free(struct rpc_client *client)
{
        struct pending *p;

        if (!client)
                return;
        if (nng_socket_id(client->socket) > 0)
                abandon(client);
        for (int i = 0; i < RPC_IN_FLIGHT; i++) {
                struct lane *l = &client->lanes[i];

                nng_aio_free(l->receive);       /* waits for its callback, which may post */
                nng_aio_free(l->send);
                if (!l->pending)
                        continue;
                loop_unpost(client->loop, &l->pending->work);
                pending_free(l->pending);
        }
        while ((p = client->first)) {
                client->first = p->next;
                pending_free(p);
        }
        while ((p = client->spare)) {
                client->spare = p->next;
                pending_free(p);
        }
        loop_unpost(client->loop, &client->lost_work);
        loop_timer_free(client->watch);
        loop_timer_free(client->timer);
        free(client);
}

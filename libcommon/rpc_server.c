/* The owner's side of the transport.
 *
 * Calls are read, checked and refused on nng's threads, one context each; what passes goes to `route`, or to the loop. An answer may
 * come from any thread. In steady state a call takes nothing from the heap but nng's own message, which carries the reply back. */
#include "call.h"
#include "log_messages.h"
#include <nng/protocol/reqrep0/rep.h>
#include <stdlib.h>
#include <string.h>

enum { SOCKET_MODE = 0660 };   /* the group is that of the service's callers */

/* ---- who stands at the other end ---- */

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *data)
{
        struct rpc_server *s = data;
        uint32_t id = (uint32_t)nng_pipe_id(pipe);
        unsigned from = 0;
        uid_t uid;

        if (event == NNG_PIPE_EV_ADD_PRE) {
                uid = rpc_pipe_uid(pipe);
                from = rpc_peers_of(&s->peers, uid);
                if (!from) {
                        log_write(LOG_LEVEL_WARNING, LOG_CALLER_REFUSED, "a process of uid %u was refused", (unsigned)uid);
                        nng_pipe_close(pipe);
                        return;
                }
        }
        pthread_mutex_lock(&s->lock);
        if (event == NNG_PIPE_EV_ADD_PRE) {
                if (s->n_pipes == s->pipes_capacity) {
                        s->pipes_capacity = s->pipes_capacity ? 2 * s->pipes_capacity : 16;
                        s->pipes = reallocarray(s->pipes, s->pipes_capacity, sizeof(s->pipes[0]));
                        if (!s->pipes)
                                abort();
                }
                s->pipes[s->n_pipes++] = (struct rpc_pipe){ id, from };
        } else {
                for (size_t i = 0; i < s->n_pipes; i++) {
                        if (s->pipes[i].id != id)
                                continue;
                        s->pipes[i] = s->pipes[--s->n_pipes];
                        break;
                }
        }
        pthread_mutex_unlock(&s->lock);
}

static unsigned pipe_from(struct rpc_server *s, nng_pipe pipe)
{
        uint32_t id = (uint32_t)nng_pipe_id(pipe);
        unsigned from = 0;

        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < s->n_pipes; i++) {
                if (s->pipes[i].id == id) {
                        from = s->pipes[i].from;
                        break;
                }
        }
        pthread_mutex_unlock(&s->lock);
        return from;
}

/* ---- a slot's round ---- */

static void slot_receive(struct rpc_slot *slot)
{
        if (!atomic_load(&slot->server->stopping))
                nng_ctx_recv(slot->ctx, slot->receive);
}

static void run_on_loop(struct loop_work *work)
{
        struct call *c = (struct call *)(void *)((char *)work - offsetof(struct call, work));
        int r = call_execute(c);

        if (r != CALL_PARKED)
                call_answer(c, r);
}

static void slot_received(void *data)
{
        struct rpc_slot *slot = data;
        struct rpc_server *s = slot->server;
        struct call *c = &slot->call;
        unsigned from;
        int r = nng_aio_result(slot->receive);

        if (r == NNG_ECLOSED || r == NNG_ECANCELED)
                return;
        if (r) {
                slot_receive(slot);
                return;
        }
        slot->message = nng_aio_get_msg(slot->receive);
        nng_aio_set_msg(slot->receive, NULL);
        from = pipe_from(s, nng_msg_get_pipe(slot->message));
        arena_reset(&c->arena);
        *c = (struct call){ .arena = c->arena, .slot = slot, .work.run = run_on_loop };
        atomic_fetch_add(&s->busy, 1);
        r = call_admit(c, from, (struct str){ nng_msg_body(slot->message), nng_msg_len(slot->message) });
        if (r)
                call_answer(c, r);
        else if (s->route)
                s->route(s->data, c);
        else
                loop_post(s->loop, &c->work);
}

void call_answer(struct call *c, int r)
{
        struct rpc_slot *slot = c->slot;
        nng_msg *message = slot->message;

        call_write_reply(c, r, &slot->reply);
        slot->message = NULL;
        nng_msg_clear(message);
        if (nng_msg_append(message, slot->reply.p, slot->reply.n))
                abort();        /* no memory for what was bounded before */
        nng_aio_set_msg(slot->send, message);
        nng_ctx_send(slot->ctx, slot->send);
}

static void slot_sent(void *data)
{
        struct rpc_slot *slot = data;

        if (nng_aio_result(slot->send)) {       /* the pipe or the socket went: the caller asks again */
                nng_msg_free(nng_aio_get_msg(slot->send));
                nng_aio_set_msg(slot->send, NULL);
        }
        atomic_fetch_sub(&slot->server->busy, 1);
        slot_receive(slot);
}

/* ---- the server's life ---- */

static int by_name(const void *a, const void *b)
{
        const struct rpc_handler *const *x = a, *const *y = b;

        return strcmp((*x)->method->name, (*y)->method->name);
}

static void make_index(struct rpc_server *s, const struct rpc_handler *handlers)
{
        while (handlers[s->n_handlers].method)
                s->n_handlers++;
        s->index = calloc(s->n_handlers + 1, sizeof(s->index[0]));
        if (!s->index)
                abort();
        for (size_t i = 0; i < s->n_handlers; i++)
                s->index[i] = &handlers[i];
        qsort(s->index, s->n_handlers, sizeof(s->index[0]), by_name);
}

static int open_socket(struct rpc_server *s, const char *url)
{
        int r = nng_rep0_open(&s->socket);

        if (!r)
                r = nng_socket_set_size(s->socket, NNG_OPT_RECVMAXSZ, RPC_WIRE_MAX);
        if (!r)
                r = nng_pipe_notify(s->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, s);
        if (!r)
                r = nng_pipe_notify(s->socket, NNG_PIPE_EV_REM_POST, on_pipe, s);
        for (int i = 0; !r && i < RPC_IN_FLIGHT; i++) {
                struct rpc_slot *slot = &s->slots[i];

                slot->server = s;
                r = nng_ctx_open(&slot->ctx, s->socket);
                if (!r)
                        r = nng_aio_alloc(&slot->receive, slot_received, slot);
                if (!r)
                        r = nng_aio_alloc(&slot->send, slot_sent, slot);
        }
        if (!r)
                r = nng_listener_create(&s->listener, s->socket, url);
        if (!r)
                r = nng_listener_set_int(s->listener, NNG_OPT_IPC_PERMISSIONS, SOCKET_MODE);
        if (!r)
                r = nng_listener_start(s->listener, 0);
        return r;
}

int rpc_server_new(struct loop *loop, const struct rpc_server_options *options, struct rpc_server **ret)
{
        struct rpc_server *s;
        struct buf url = { 0 };
        int r;

        r = rpc_url(options->path, &url);
        if (r)
                return r;
        s = calloc(1, sizeof(*s));
        if (!s)
                abort();
        s->loop = loop;
        s->data = options->data;
        s->route = options->route;
        s->peers = *options->peers;
        s->caller_key = options->caller_key;
        s->clock = options->clock;
        pthread_mutex_init(&s->lock, NULL);
        make_index(s, options->handlers);
        r = open_socket(s, buf_z(&url));
        buf_deinit(&url);
        if (r) {
                rpc_server_free(s);
                return rpc_errno(r);
        }
        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                slot_receive(&s->slots[i]);
        *ret = s;
        return 0;
}

void rpc_server_stop(struct rpc_server *server)
{
        /* The listener stays: nng closes with it the pipes that answers still have to go through. What comes now is read by
         * nobody, and asked again of the next process when this one's pipes close. */
        if (atomic_exchange(&server->stopping, true))
                return;
        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                nng_aio_cancel(server->slots[i].receive);
}

uint32_t rpc_server_busy(struct rpc_server *server)
{
        return atomic_load(&server->busy);
}

static void slot_deinit(struct rpc_slot *slot)
{
        nng_aio_free(slot->receive);    /* waits for its callback */
        nng_aio_free(slot->send);
        nng_msg_free(slot->message);
        buf_deinit(&slot->reply);
        arena_deinit(&slot->call.arena);
}

/* As a client does, and for the same reason (rpc_client.c): nng_close may hang for ever where callers go, or ask again, at the same
 * moment. The listener takes its pipes and the socket's file with it. */
static void abandon(struct rpc_server *s)
{
        nng_pipe_notify(s->socket, NNG_PIPE_EV_ADD_PRE, NULL, NULL);
        nng_pipe_notify(s->socket, NNG_PIPE_EV_REM_POST, NULL, NULL);
        if (nng_listener_id(s->listener) > 0)
                nng_listener_close(s->listener);
        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                if (nng_ctx_id(s->slots[i].ctx) > 0)
                        nng_ctx_close(s->slots[i].ctx);
}

void rpc_server_free(struct rpc_server *server)
{
        if (!server)
                return;
        atomic_store(&server->stopping, true);
        if (nng_socket_id(server->socket) > 0)
                abandon(server);
        for (int i = 0; i < RPC_IN_FLIGHT; i++) {
                /* Stopped first: its callbacks post the work that is taken back. */
                if (server->slots[i].receive)
                        nng_aio_stop(server->slots[i].receive);
                loop_unpost(server->loop, &server->slots[i].call.work);
                slot_deinit(&server->slots[i]);
        }
        pthread_mutex_destroy(&server->lock);
        free(server->pipes);
        free(server->index);
        free(server);
}

/* What the server and a call know of each other beside rpc.h. */
#pragma once
#include "rpc_wire.h"
#include <pthread.h>
#include <stdatomic.h>

/* One of RPC_IN_FLIGHT: receives a call, holds it until it is answered, sends the answer, and only then receives again (a
 * context of nng 1.5.2 that receives while it sends may crash). */
struct rpc_slot {
        struct call call;
        struct rpc_server *server;
        nng_ctx ctx;
        nng_aio *receive, *send;
        nng_msg *message;        /* the call's bytes, then the reply's */
        struct buf reply;
};

struct rpc_server {
        struct loop *loop;
        void *data;
        void (*route)(void *data, struct call *c);
        struct rpc_peers peers;
        const uint8_t *caller_key;
        const struct clock *clock;
        const struct rpc_handler **index;    /* sorted by name */
        size_t n_handlers;

        nng_socket socket;
        nng_listener listener;
        struct rpc_slot slots[RPC_IN_FLIGHT];
        _Atomic uint32_t busy;
        _Atomic bool stopping;

        pthread_mutex_t lock;    /* of the pipes: who stands at the other end of each */
        struct rpc_pipe {
                uint32_t id;
                unsigned from;
        } *pipes;
        size_t n_pipes, pipes_capacity;
};

/* Everything that is known before a handler runs: fills c from its message, checks who asks and what, decodes the parameters.
 * 0, or the fault_code to answer. */
int call_admit(struct call *c, unsigned from, struct str message);

/* The whole reply to what the thunk returned (never CALL_PARKED) into out, which is cleared first; and the log's line. */
void call_write_reply(struct call *c, int r, struct buf *out);

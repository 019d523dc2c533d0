/* What the server and a call know of each other beside rpc.h. */
#pragma once
#include "rpc_stream.h"
#include "rpc_wire.h"
#include <stdatomic.h>

/* Holds a call until it is answered; then the next one. */
struct rpc_slot {
        struct call call;
        struct rpc_server *server;
        struct rpc_connection *connection;   /* NULL: it went; the answer is nobody's */
        uint32_t id;                         /* of the request, there */
        struct buf message, reply;
        int code;                            /* of the reply */
        int64_t took_us;
        struct loop_work answered;
        struct rpc_slot *spare;              /* the next one that is free */
        struct rpc_slot *next;               /* of all */
};

struct rpc_connection {
        struct rpc_stream stream;            /* first */
        struct rpc_server *server;
        uid_t uid;
        unsigned from;                       /* bits of enum schema_peer */
        uint32_t busy;                       /* calls not answered yet, at most RPC_IN_FLIGHT */
        uint32_t unsent;                     /* answers that the kernel did not take yet */
        struct rpc_connection *next;
};

struct rpc_server {
        struct loop *loop;
        void *data;
        bool (*route)(void *data, struct call *c);
        void (*on_refused)(void *data, const struct call *c, int r);
        void (*on_came)(void *data);
        void *came_data;
        struct rpc_peers peers;
        const uint8_t *caller_key;
        const struct clock *clock;
        const struct rpc_handler **index;    /* sorted by name */
        size_t n_handlers;
        const struct rpc_handler *handlers;
        struct rpc_count *counts;            /* in their order, and one more */
        uint64_t refused;

        char path[RPC_PATH_MAX + 1];
        int fd;                              /* listens; -1 once it was stopped */
        struct loop_io *io;
        struct loop_timer *again;            /* to accept, after there were no descriptors left */
        struct rpc_connection *connections;
        struct rpc_slot *slots, *spare;
        _Atomic uint32_t busy;
        bool stopping;
};

/* Everything that is known before a handler runs: fills c from its message, checks who asks and what, decodes the parameters.
 * 0, or the fault_code to answer. */
int call_admit(struct call *c, unsigned from, struct str message);

/* The whole reply to what the thunk returned (never CALL_PARKED) into the slot, its code, and how long it took; and the log's line. */
void call_write_reply(struct call *c, int r);

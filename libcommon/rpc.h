/* The one internal transport: nng's REQ/REP protocol over Unix sockets, one message = one msgpack array. The wire is nng's, so any
 * program that speaks nng can call; both ends here are our own, on the service's loop (docs/architecture.md says why).
 *
 *   call    [1, method, request, client_request | nil, deadline_ms, sealed caller | nil, params]
 *   reply   [1, 0, result]  or  [1, code, fault]
 *
 * deadline_ms is what the caller still waits, at most RPC_TIMEOUT_MAX_MS. Messages are at most RPC_MESSAGE_MAX bytes.
 * Both ends check the other's uid when a connection is made. A mutation carries its op id in its params, so any doubtful
 * answer may be retried with the same message. */
#pragma once
#include "arena.h"
#include "caller.h"
#include "codec.h"
#include "fault.h"
#include "log.h"
#include "loop.h"
#include "tally.h"
#include <sys/types.h>

enum {
        RPC_MESSAGE_MAX = 2 * 1024 * 1024,
        RPC_TIMEOUT_MS = 5000,       /* how long a call waits for a service that is away */
        RPC_TIMEOUT_MAX_MS = 60000,
        RPC_PARK_MS = 1000,          /* a follow with nothing new is answered after so long */
        RPC_IN_FLIGHT = 64,          /* calls on one connection; more wait in line */
        RPC_CONNECTIONS = 64,        /* at one service, of one uid; more are closed */
        RPC_SLOW_US = 100 * 1000,    /* a call that took longer is logged at info */
};

/* ---- who may stand at the other end ---- */

/* The uid of each process: assist-store and so on; with development = yes all are our own. 65534 is nobody's. */
struct rpc_peers {
        uid_t uid[8];       /* by bit number of enum schema_peer; (uid_t)-1 where there is no such user */
        bool development;   /* one uid for all: every peer with our own uid may be anyone */
};
int rpc_peers_load(bool development, struct rpc_peers *ret);             /* by getpwnam; unknown users get (uid_t)-1 */
unsigned rpc_peers_of(const struct rpc_peers *peers, uid_t uid);         /* bits of enum schema_peer; 0: a stranger */

/* ---- the owner's side ---- */

/* One call being served. Everything it refers to lies in its arena or its message, until it is answered.
 * It belongs to whoever it was routed to; nobody else touches it. */
struct call {
        struct arena arena;
        const struct rpc_handler *handler;
        const struct schema_method *method;
        unsigned from;               /* bits of enum schema_peer: who sent it */
        bool has_caller;
        struct caller caller;
        struct str request, client_request;
        struct str raw_params;       /* as received: what op ids are checked against */
        void *params, *result;       /* the method's structs */
        struct ulid op_id;           /* of a mutation, else zero */
        struct ulid ticket;          /* what it is about, for the log: the parameter of that name, or as the handler says */
        int64_t received_us, deadline_us;  /* steady */
        struct fault fault;          /* filled by call_fail and its kind */
        int64_t parked_us;           /* when it was first parked; 0: never */
        struct call *next;           /* for the owner's queues */
        void *owner;                 /* the owner's, NULL at first */
        struct rpc_slot *slot;       /* rpc.c's */
};

/* A thunk: returns 0 and fills ret; a positive fault_code, having filled c->fault where it says more; a negative errno
 * (answered as Internal, logged once); or CALL_PARKED, when the handler's owner kept the call and answers later. */
enum { CALL_PARKED = -115 /* -EINPROGRESS */ };
struct rpc_handler {
        const struct schema_method *method;
        int (*call)(void *data, struct call *c, const void *params, void *ret);
};

struct rpc_server;
struct rpc_server_options {
        const char *path;                    /* of the Unix socket; at most 100 bytes; its directory exists */
        const struct rpc_handler *handlers;  /* ends with a NULL method; a look-up by name */
        void *data;                          /* given to the thunks */
        /* Takes the checked calls that are another thread's: true where it handed this one over. The others are run and answered on
         * the loop, as all are where it is NULL. */
        bool (*route)(void *data, struct call *c);
        const struct rpc_peers *peers;
        const uint8_t *caller_key;           /* CALLER_KEY_BYTES; NULL where this service holds none and refuses callers */
        const struct clock *clock;
};
int rpc_server_new(struct loop *loop, const struct rpc_server_options *options, struct rpc_server **ret);
/* Told of each call that was refused before it ran: it has its caller and method, as far as they were read, and no parameters. On the loop. */
void rpc_server_on_refused(struct rpc_server *server, void (*refused)(void *data, const struct call *c, int r));
/* Told that something comes, before it is read: an occasion that no timer is needed for. On the loop. */
void rpc_server_on_message(struct rpc_server *server, void (*came)(void *data), void *data);
void rpc_server_stop(struct rpc_server *server);  /* takes no more; those under way may still be answered */
uint32_t rpc_server_busy(struct rpc_server *server); /* calls taken whose answers are not on their way; any thread */
/* What became of the calls since it was made: one for each handler, then those of no method that is here (method NULL). How long those of
 * a follow took is not noted: they wait. Of the server; they count on. */
struct rpc_count {
        const struct schema_method *method;
        struct tally calls;
};
struct rpc_figures {
        const struct rpc_count *counts;
        size_t n_counts;
        uint32_t connections, busy;
        uint64_t refused;                    /* connections, since it was made */
};
void rpc_server_figures(const struct rpc_server *server, struct rpc_figures *ret);  /* on its loop's thread */
void rpc_server_free(struct rpc_server *server);  /* what is under way is dropped: its callers retry; no other thread has any of it */

int call_execute(struct call *c);          /* runs the thunk, with the log context set */
void call_answer(struct call *c, int r);   /* sends result or fault, and gives the call back; any thread */
bool call_has_time(const struct call *c);  /* false when its caller has stopped waiting */

/* Each fills c->fault and returns the code, so that a handler can say `return call_not_found(c);`. */
int call_not_found(struct call *c);
int call_forbidden(struct call *c, const char *reason);
int call_invalid(struct call *c, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));
int call_conflict(struct call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
int call_conflict_newer(struct call *c, const struct schema_struct *type, const void *newer, const char *reason);
int call_too_large(struct call *c, int64_t limit, const char *format, ...) __attribute__((format(printf, 3, 4)));
int call_rate_limited(struct call *c, int64_t retry_after_ms);
int call_expired(struct call *c, const char *reason);
int call_unavailable(struct call *c, int64_t retry_after_ms, const char *reason);

/* ---- follow: parked reads ---- */

/* Calls of follow methods that wait for more. On one thread. A handler that has nothing new says
 * `return feed_park(&feed, c)`: CALL_PARKED, or 0 where it waited RPC_PARK_MS already and must answer with its head.
 * feed_wake runs each parked call again. */
struct feed {
        struct loop *loop;
        struct loop_timer *timer;
        struct call *first, *last;
        bool draining;
};
int feed_init(struct feed *feed, struct loop *loop);
void feed_deinit(struct feed *feed);        /* answers those parked with Unavailable */
int feed_park(struct feed *feed, struct call *c);
void feed_wake(struct feed *feed);
void feed_drain(struct feed *feed);         /* the service is about to stop: answers those parked with their heads; nobody parks any more */

/* ---- the caller's side ---- */

struct rpc_client;
struct rpc_client_options {
        const char *path;
        unsigned service;               /* enum schema_peer that must be listening there */
        const struct rpc_peers *peers;
};
int rpc_client_new(struct loop *loop, const struct rpc_client_options *options, struct rpc_client **ret);
void rpc_client_free(struct rpc_client *client);  /* pending calls are dropped, their `done` is not called */

struct rpc_request {
        const struct schema_method *method;
        const void *params;             /* the method's struct; only read during the call to rpc_call */
        struct str caller;              /* sealed; empty for none */
        struct str request, client_request;  /* empty request: one is made */
        int64_t timeout_ms;             /* 0: RPC_TIMEOUT_MS */
};

struct rpc_reply {
        int code;                       /* 0, or a fault_code; FAULT_UNAVAILABLE where no answer came in time */
        const void *result;             /* the method's struct; NULL unless code is 0 */
        const struct fault *fault;      /* NULL unless code is not 0 */
        struct arena *arena;            /* holds both until done returns */
};

/* Calls done once, on the loop's thread, never before rpc_call returned. -EMSGSIZE where the message is too large. */
typedef void rpc_done_fn(void *data, const struct rpc_reply *reply);
int rpc_call(struct rpc_client *client, const struct rpc_request *request, rpc_done_fn *done, void *data);
/* Forgets what waits for this data: its done will not be called. */
void rpc_cancel(struct rpc_client *client, const void *data);

/* For programs that do one thing at a time: runs the client's loop until the answer is there. The result lies in arena. 0 or a
 * fault_code with *ret_fault, or a negative errno. */
int rpc_call_wait(struct rpc_client *client, const struct rpc_request *request, struct arena *arena, void *ret_result,
                  struct fault *ret_fault);

/* Reads on from a position for ever: calls a follow method again and again, with a pause that grows from 10 to 1000 ms while
 * it fails. `ask` fills the params; `take` gets each result, and may free the follower. */
struct follower;
struct follower_options {
        struct rpc_client *client;
        const struct schema_method *method;
        void (*ask)(void *data, void *params);
        void (*take)(void *data, const void *result);
        void (*failed)(void *data, int code);   /* NULL is fine */
        void *data;
};
int follower_new(struct loop *loop, const struct follower_options *options, struct follower **ret);
void follower_free(struct follower *follower);

/* The gateway: the only process that listens on the network. It parses, checks, asks the one service that owns the matter, and
 * answers. It holds no key and no data: callers come sealed from identity, and any number of gateways may run side by side.
 *
 * h2o's loop drives the process; ours, which hears timers, signals and answers, is one descriptor in it. */
#pragma once
#include "admission.h"
#include "host.h"
#include "limits.h"
#include "service.h"
#include <h2o.h>

enum { GATEWAY_BODY_MAX = 1024 * 1024, GATEWAY_SMALL_BODY_MAX = 4096 };

struct listener_place {
        union host_address address;
        uint32_t ifindex;
};

struct gateway {
        struct service *service;
        struct ulid id;                 /* of this process: how identity and fanout tell gateways apart */
        h2o_evloop_t *h2o;
        h2o_globalconf_t config;
        h2o_context_t context;
        h2o_accept_ctx_t accept;
        h2o_socket_t *loop_socket;

        struct rpc_client *store, *identity, *fanout, *supervisor;
        struct follower *overlay;
        int64_t overlay_head;

        struct connections *connections;
        struct listener *listener;      /* NULL until the overlay's address is known */
        enum overlay_driver driver;
        struct listener_place place;    /* where we listen: our own address, with the port */
        struct buf host;                /* the last Host that meant us; empty: none since address and names were set */
        char device[DEVICE_MAX + 1];    /* what our own address is called */

        struct limits *limits;
        struct admission admission;     /* of WebSockets */
        struct visitors *visitors;
        struct live *live;
        struct request *spare;          /* requests that are over: their memory is used again */
        size_t requests;                /* under way */
        struct arena stats;             /* of what it tells of itself */
        struct tally calls;             /* JSON-RPC's, as their clients see them */
        int64_t answers[6];             /* HTTP, by the status' first digit */
        struct buf openrpc;             /* what rpc.discover answers; made once */
        bool draining;
};

extern const struct service_type gateway_service;

/* How it is doing, for identity, who is asked for it: there is no socket to ask us at. Good until it is asked again. */
struct process_stats *gateway_tell(struct gateway *g);

/* The client of the service that owns the method. */
struct rpc_client *gateway_client(struct gateway *g, const struct schema_method *method);

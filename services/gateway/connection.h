/* Accepted connections: how many there may be, how long each may take for what, and the gate before h2o, which lets a request's head
 * pass once it is whole and plain (head.h).
 *
 * A connection that waits (for a request, for the rest of one) stands in a list by what it waits for, the one that began first in
 * front. Each kind has its deadline, counted from when it began: single bytes don't put it off. Where there is no room for one
 * more, the one that has waited longest for a head goes. Bodies that are not small are taken from those alone who have a role. */
#pragma once
#include "gateway.h"
#include "head.h"

enum {
        CONNECTIONS_MAX = 16384,             /* less, where the limit of descriptors is less */
        CONNECTIONS_OF_DEVICE_MAX = 256,
        CONNECTIONS_SPARE_DESCRIPTORS = 128, /* for everything else: services, logs, timers */
};

enum connection_state {
        CONNECTION_HEAD,     /* accepted, or a part of a head is here */
        CONNECTION_IDLE,     /* between two requests */
        CONNECTION_BODY,
        CONNECTION_REFUSED,  /* told why; what it still sends is read and dropped, else the answer could be lost with the reset */
        CONNECTION_ANSWERED, /* since this turn of the loop */
        CONNECTION_BUSY,     /* a request is being answered, or it is a WebSocket: no deadline of ours */
        CONNECTION_STATES,
};

struct connections;
struct connection {
        struct connections *all;
        h2o_socket_t *socket;
        struct guest *guest;                 /* its device */
        enum connection_state state;
        h2o_linklist_t link;                 /* in the list of its state */
        uint32_t since;                      /* in ticks */
        struct buf begun;                    /* of a head that is not whole: h2o's own buffer would take 8 KiB for it */
        struct head head;                    /* of the request under way */
        struct visitor *visitor;             /* held: who its last request was from; NULL before */
        bool asking;                         /* who it is, before a large body is taken */
        char address[INET6_ADDRSTRLEN];
};

struct connections *connections_new(struct gateway *g);
void connections_free(struct connections *cs);

/* Whether one more may be accepted; perhaps another one must go for it. */
bool connections_room(const struct connections *cs);
/* Takes over a socket that was accepted while there was room, or closes it: of a peer that the overlay can't have sent, or that has
 * too many. */
void connections_add(struct connections *cs, h2o_socket_t *socket);
/* Once no more can be accepted: the listener is told to go on when one has closed, or a second is over. */
void connections_want_room(struct connections *cs);

struct connection *connection_of(const h2o_req_t *request);
const char *connection_device(const struct connection *c);
void connection_begin(struct connection *c, h2o_req_t *request);  /* h2o has read a request whole */
void connection_known(struct connection *c, struct visitor *visitor);
void connection_answered(struct connection *c);                   /* h2o is done with it */

/* After each turn of h2o's loop: connections whose request was answered wait for their next one. */
void connections_turn(struct connections *cs);
/* Once nothing is answered any more: those who keep a connection open see its end. One turn of h2o's loop. */
void connections_close(struct connections *cs);
size_t connections_count(const struct connections *cs);
/* Whether a request is to be expected: somebody connected, or began one, a second or two ago at most. */
bool connections_expect(const struct connections *cs);
struct stats;
void connections_tell(const struct connections *cs, struct stats *stats);

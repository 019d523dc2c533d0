/* One WebSocket: frames in by wslay, frames out at once, by one write each; what the kernel does not take waits in a queue of our own. */
#pragma once
#include "request.h"

enum {
        WS_QUEUE_MAX = 2 * 1024 * 1024, /* more than this waits: the peer asks and does not read */
        WS_MESSAGE_MAX = 64 * 1024,     /* from the peer */
        WS_PIECES_MAX = 256,            /* of one: each takes 96 bytes, however small it is */
        WS_HEAD_MAX = 10,
        WS_CLOSE_US = 5 * 1000 * 1000,  /* how long the peer may take to close its side */
};

enum ws_close {
        WS_CLOSE_GOING = 1001,
        WS_CLOSE_BINARY = 1003,
        WS_CLOSE_LONG = 1009,
        WS_CLOSE_UNAUTHENTICATED = 4001,
        WS_CLOSE_ANEW = 4002,           /* the caller's role changed: open a session again and fetch anew */
        WS_CLOSE_SLOW = 4008,
};

struct ws_events {
        void (*text)(void *data, struct str message);
        void (*heard)(void *data);      /* anything at all came */
        void (*closed)(void *data);     /* the owner frees it */
};

struct ws;
/* The handshake's headers: 0, or the HTTP status to refuse with and why. *ret_token points into the header. */
int ws_handshake(const struct request *q, struct str *ret_token, const char **ret_reason);
/* "assist.1, assist.token.<token>": whether assist.1 is offered, and the token, empty where there is none. */
bool ws_protocols(struct str header, struct str *ret_token);

/* Answers the request with the upgrade (and so ends it). What is sent before the upgrade is complete waits. */
struct ws *ws_new(struct request *q, const struct ws_events *events, void *data);
void ws_free(struct ws *ws);            /* NULL is fine; says nothing to the peer */

/* The header of a text message of n bytes; how long it is. RFC 6455, section 5.2. */
size_t ws_frame_head(size_t n, uint8_t ret[WS_HEAD_MAX]);
/* A whole frame, or a text that becomes one. False where too much waits: then it has been closed. */
bool ws_send_frame(struct ws *ws, struct str frame);
bool ws_send(struct ws *ws, struct str text);
void ws_ping(struct ws *ws);
void ws_close(struct ws *ws, enum ws_close code, const char *reason);
size_t ws_queued(const struct ws *ws);

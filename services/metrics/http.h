/* As much of HTTP as one page needs, for scrapers of this machine: GET /metrics is asked for by a callback, everything else is refused.
 *
 * Not h2o, which the gateway has: one request a connection, of a few hundred bytes, every few seconds, from loopback. What h2o would
 * bring (TLS, HTTP/2, pools, a loop of its own to nest) is more to link and to confine than the reader below, which is on the loop that
 * the calls to the services are on, and which knows a request's first line and its Host. */
#pragma once
#include "loop.h"
#include "str.h"

enum {
        HTTP_HEAD_MAX = 4096,
        HTTP_CLIENTS_MAX = 16,              /* more wait until one has gone */
        HTTP_DEADLINE_US = 10 * 1000 * 1000, /* from its first byte to its last, a client may take so long */
};

struct http;
struct http_options {
        int fd;                         /* listens; http's own from now on */
        void (*asked)(void *data);      /* somebody waits for the page: http_answer, soon */
        void (*left)(void *data);       /* the last client is gone */
        void *data;
};
struct http *http_new(struct loop *loop, const struct http_options *options);
void http_free(struct http *http);      /* NULL is fine */

/* The page, to all that wait for it. */
void http_answer(struct http *http, struct str page);
size_t http_clients(const struct http *http);

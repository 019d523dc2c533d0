/* Requests to a daemon on this machine, by libcurl on the loop. Whatever answers there, time and memory are bounded; nothing is
 * redirected, and no proxy is asked. */
#pragma once
#include "loop.h"
#include "str.h"

enum { HTTP_TIMEOUT_MS = 2000, HTTP_HEAD_MAX = 16 * 1024, HTTP_BODY_MAX = 256 * 1024, HTTP_PARALLEL = 32 };

/* error: 0 where a reply is there, of any status; -ECONNREFUSED where nobody listens; -ETIMEDOUT; -EMSGSIZE for a reply past the limits;
 * -EPROTO for one that is no HTTP. The body is good until this returns. */
typedef void http_done_fn(void *data, int error, long status, struct str body);

struct http;
int http_new(struct loop *loop, struct http **ret);
void http_free(struct http *http);      /* what is under way is broken off, without a word; NULL is fine */

/* GET, or with a body (of JSON, copied) POST. `done` is called once, never before this returned. -EBUSY past HTTP_PARALLEL, -ENOMEM. */
int http_ask(struct http *http, const char *url, const char *body, http_done_fn *done, void *data);
void http_cancel(struct http *http, const void *data);  /* its done is not called */

/* One HTTP request on its way: what it says, who sent it, and its one answer.
 *
 * A request is begun by the router and ended by exactly one of the answers below, which free it. Its client may vanish
 * meanwhile: then `h2o` is NULL, and the answer goes nowhere. */
#pragma once
#include "gateway.h"
#include "visitors.h"

struct request {
        struct gateway *gateway;
        h2o_req_t *h2o;                     /* NULL once the client is gone */
        struct guard *guard;                /* in h2o's memory: tells when that is */
        struct arena arena;
        struct buf out;
        char id_text[ULID_TEXT + 1];
        struct str id, client_id;           /* ours, and the client's own X-Request-Id */
        struct str method, path, query;     /* query without '?' */
        char address[INET6_ADDRSTRLEN];
        char device[DEVICE_MAX + 1];
        struct visitor *visitor;            /* held; NULL until known */
        int64_t began_us;
        struct request *next;               /* of the spare ones */
};

struct request *request_begin(struct gateway *g, h2o_req_t *h2o);
void request_deinit_spare(struct gateway *g);

struct str request_header(const struct request *q, const char *lower_case_name);  /* empty where absent; the first, where several */
struct str request_body(const struct request *q);
struct str request_query(const struct request *q, const char *name);              /* verbatim: our values need no escapes */
bool request_is_json(const struct request *q);                                    /* Content-Type */
bool request_has(const struct request *q, struct str etag);                       /* If-None-Match: a list of tags, weak or not, or "*" */

/* Headers of the answer, before it is given. value lies in constant memory or the request's arena. */
void request_add_header(struct request *q, const char *name, struct str value);
void request_secure(struct request *q, const char *csp);       /* what every answer has that a browser may show */

/* The answers. */
void request_answer(struct request *q, int status, const char *content_type, struct str body);  /* copies the body */
void request_answer_json(struct request *q, int status, struct str body);                       /* the same */
void request_answer_page(struct request *q, int status, struct str body);                       /* body is constant; headers are the caller's */
void request_fail(struct request *q, int code, const struct fault *fault);                      /* fault NULL is fine */
void request_refuse(struct request *q, int status, int code, const char *reason);               /* with another status than the code's own */
void request_end(struct request *q);   /* without one: it is gone, or somebody else answers now */
const char *http_reason(int status);

/* A whole answer to what was not let through to be a request. status 0: the code's own; fault NULL is fine. */
void request_write_refusal(struct gateway *g, int status, int code, const struct fault *fault, struct buf *out);

/* Finds out who it is by `Authorization: Bearer` (or the token given): `done` with q->visitor set, or with the code to answer.
 * Perhaps at once. */
typedef void request_known_fn(struct request *q, int code, const struct fault *fault);
void request_identify(struct request *q, struct str token, request_known_fn *done);
struct str request_token(const struct request *q);              /* empty where there is none */
struct str bearer_token(struct str authorization);

/* Takes one from the limits of its class: 0, or FAULT_RATE_LIMITED with *ret filled. */
int request_charge(struct request *q, const char *rate, struct fault *ret);

/* Whether the visitor may call it, by role alone: 0, FAULT_UNAUTHENTICATED (a device that nobody has bound) or FAULT_FORBIDDEN. */
int request_may(const struct request *q, const struct schema_method *method);

/* Asks the service that owns the method, as this visitor. */
int request_call(struct request *q, const struct schema_method *method, const void *params, rpc_done_fn *done, void *data);

/* Copies a fault, and says which request it was. */
struct fault request_fault(const struct request *q, const struct fault *fault);

#include "request.h"

#include "connection.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* In h2o's memory: tells when its request is over. */
struct guard {
        struct request *request;        /* NULL once ours is over, too */
        struct connection *connection;
};

static void on_gone(void *data)
{
        struct guard *guard = data;

        connection_answered(guard->connection);
        if (!guard->request)
                return;
        guard->request->h2o = NULL;
        guard->request->guard = NULL;
}

static bool is_request_id(struct str s)
{
        if (s.n == 0 || s.n > 64)
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!memchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-", s.p[i], 65))
                        return false;
        return true;
}

struct request *request_begin(struct gateway *g, h2o_req_t *h2o)
{
        struct connection *c = connection_of(h2o);
        struct request *q = g->spare;

        if (q)
                g->spare = q->next;
        else if (!(q = calloc(1, sizeof(*q))))
                abort();
        *q = (struct request){ .gateway = g, .h2o = h2o, .arena = q->arena, .out = q->out };
        q->guard = h2o_mem_alloc_shared(&h2o->pool, sizeof(*q->guard), on_gone);
        *q->guard = (struct guard){ q, c };
        connection_begin(c, h2o);
        q->began_us = clock_steady_us(g->service->clock);
        ulid_text(ulid_new(clock_now_ms(g->service->clock)), q->id_text);
        q->id = (struct str){ q->id_text, ULID_TEXT };
        q->client_id = request_header(q, "x-request-id");
        if (!is_request_id(q->client_id))
                q->client_id = (struct str){ 0 };
        q->client_id = arena_str(&q->arena, q->client_id);
        q->method = (struct str){ h2o->method.base, h2o->method.len };
        q->path = q->query = (struct str){ h2o->path.base, h2o->path.len };
        q->path = str_cut(&q->query, '?');
        strcpy(q->address, c->address);
        strcpy(q->device, connection_device(c));
        g->requests++;
        return q;
}

void request_end(struct request *q)
{
        struct gateway *g = q->gateway;

        if (q->guard)
                q->guard->request = NULL;
        visitor_unref(q->visitor);
        arena_reset(&q->arena);
        if (q->out.capacity > ARENA_KEEP_BYTES)
                buf_deinit(&q->out);
        buf_clear(&q->out);
        q->next = g->spare;
        g->spare = q;
        g->requests--;
}

void request_deinit_spare(struct gateway *g)
{
        while (g->spare) {
                struct request *q = g->spare;

                g->spare = q->next;
                arena_deinit(&q->arena);
                buf_deinit(&q->out);
                free(q);
        }
}

struct str request_header(const struct request *q, const char *name)
{
        const h2o_headers_t *headers = &q->h2o->headers;
        size_t n = strlen(name);

        for (size_t i = 0; i < headers->size; i++) {
                const h2o_header_t *h = &headers->entries[i];

                if (h->name->len == n && memcmp(h->name->base, name, n) == 0)   /* h2o makes them lower case */
                        return (struct str){ h->value.base, h->value.len };
        }
        return (struct str){ 0 };
}

struct str request_body(const struct request *q)
{
        return (struct str){ q->h2o->entity.base, q->h2o->entity.len };
}

struct str request_query(const struct request *q, const char *name)
{
        struct str rest = q->query;

        while (rest.n > 0) {
                struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');

                if (str_is(key, name))
                        return value;
        }
        return (struct str){ 0 };
}

bool request_is_json(const struct request *q)
{
        struct str rest = request_header(q, "content-type"), type = str_trim(str_cut(&rest, ';'));
        static const char json[] = "application/json";

        return type.n == sizeof(json) - 1 && strncasecmp(type.p, json, type.n) == 0;
}

bool request_has(const struct request *q, struct str etag)
{
        struct str header = request_header(q, "if-none-match");

        while (header.n > 0) {
                struct str one = str_trim(str_cut(&header, ','));

                if (str_starts(one, "W/"))
                        one = (struct str){ one.p + 2, one.n - 2 };
                if (str_is(one, "*") || str_eq(one, etag))
                        return true;
        }
        return false;
}

/* ---- answers ---- */

static const char nothing_allowed[] = "default-src 'none'; frame-ancestors 'none'";

void request_add_header(struct request *q, const char *name, struct str value)
{
        h2o_iovec_t kept;

        if (!q->h2o)
                return;
        kept = h2o_strdup(&q->h2o->pool, value.p, value.n);
        h2o_add_header_by_str(&q->h2o->pool, &q->h2o->res.headers, name, strlen(name), 1, NULL, kept.base, kept.len);
}

void request_secure(struct request *q, const char *csp)
{
        request_add_header(q, "content-security-policy", str_of(csp));
        request_add_header(q, "x-content-type-options", STR("nosniff"));
        request_add_header(q, "referrer-policy", STR("no-referrer"));
        request_add_header(q, "x-request-id", q->id);
}

const char *http_reason(int status)
{
        switch (status) {
        case 200:
                return "OK";
        case 204:
                return "No Content";
        case 206:
                return "Partial Content";
        case 304:
                return "Not Modified";
        case 400:
                return "Bad Request";
        case 401:
                return "Unauthorized";
        case 403:
                return "Forbidden";
        case 404:
                return "Not Found";
        case 405:
                return "Method Not Allowed";
        case 409:
                return "Conflict";
        case 410:
                return "Gone";
        case 411:
                return "Length Required";
        case 413:
                return "Payload Too Large";
        case 415:
                return "Unsupported Media Type";
        case 416:
                return "Range Not Satisfiable";
        case 417:
                return "Expectation Failed";
        case 421:
                return "Misdirected Request";
        case 426:
                return "Upgrade Required";
        case 429:
                return "Too Many Requests";
        case 431:
                return "Request Header Fields Too Large";
        case 503:
                return "Service Unavailable";
        default:
                return "Internal Server Error";
        }
}

static void send_answer(struct request *q, int status, struct str body)
{
        q->h2o->res.status = status;
        q->h2o->res.reason = http_reason(status);
        q->gateway->answers[status / 100]++;
        if (status != 204)
                q->h2o->res.content_length = body.n;
        q->guard->request = NULL;       /* h2o may dispose of its request at once */
        q->guard = NULL;
        h2o_send_inline(q->h2o, body.p, body.n);
}

void request_answer_page(struct request *q, int status, struct str body)
{
        static h2o_generator_t nothing = { NULL, NULL };
        bool bare = status == 304 || str_is(q->method, "HEAD");
        h2o_iovec_t vec = h2o_iovec_init(body.p, bare ? 0 : body.n);
        h2o_req_t *h2o = q->h2o;

        if (h2o) {
                h2o->res.status = status;
                h2o->res.reason = http_reason(status);
                q->gateway->answers[status / 100]++;
                if (status != 304)
                        h2o->res.content_length = body.n;
        }
        request_end(q);
        if (h2o) {
                h2o_start_response(h2o, &nothing);
                h2o_send(h2o, &vec, 1, H2O_SEND_STATE_FINAL);
        }
}

void request_answer(struct request *q, int status, const char *content_type, struct str body)
{
        if (q->h2o) {
                request_secure(q, nothing_allowed);
                if (content_type) {
                        request_add_header(q, "content-type", str_of(content_type));
                        request_add_header(q, "cache-control", STR("no-store"));
                }
                send_answer(q, status, body);
        }
        request_end(q);
}

/* Most answers are these: their headers are one, with the others in its value, which need only live until h2o has copied it. What is
 * no page has no use for a page's policies. */
void request_answer_json(struct request *q, int status, struct str body)
{
        static const char name[] = "x-request-id", rest[] = "\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
                                                            "x-content-type-options: nosniff";
        char value[ULID_TEXT + sizeof(rest)];

        if (q->h2o) {
                memcpy(value, q->id.p, ULID_TEXT);
                memcpy(value + ULID_TEXT, rest, sizeof(rest));
                h2o_add_header_by_str(&q->h2o->pool, &q->h2o->res.headers, name, sizeof(name) - 1, 0, NULL, value, sizeof(value) - 1);
                send_answer(q, status, body);
        }
        request_end(q);
}

static int status_of(int code)
{
        switch ((enum fault_code)code) {
        case FAULT_PARSE:
        case FAULT_INVALID_REQUEST:
        case FAULT_INVALID_PARAMS:
                return 400;
        case FAULT_UNAUTHENTICATED:
                return 401;
        case FAULT_FORBIDDEN:
                return 403;
        case FAULT_METHOD_NOT_FOUND:
        case FAULT_NOT_FOUND:
                return 404;
        case FAULT_CONFLICT:
                return 409;
        case FAULT_RATE_LIMITED:
                return 429;
        case FAULT_UNAVAILABLE:
                return 503;
        case FAULT_TOO_LARGE:
                return 413;
        case FAULT_EXPIRED:
                return 410;
        case FAULT_INTERNAL:
                break;
        }
        return 500;
}

struct fault request_fault(const struct request *q, const struct fault *fault)
{
        struct fault f = fault ? *fault : (struct fault){ 0 };

        f.has_request = true;
        f.request = q->id;
        return f;
}

static void write_error(int code, const struct fault *fault, struct buf *out)
{
        buf_text(out, "{\"error\":{\"code\":");
        buf_int(out, -code);
        buf_text(out, ",\"message\":\"");
        buf_text(out, fault_name(code));
        buf_text(out, "\",\"data\":");
        json_write(&fault_type, fault, out);
        buf_text(out, "}}\n");
}

static int64_t retry_after_s(const struct fault *f)
{
        return (f->retry_after_ms + 999) / 1000;
}

static void fail(struct request *q, int status, int code, const struct fault *fault)
{
        struct fault f = request_fault(q, fault);

        buf_clear(&q->out);
        write_error(code, &f, &q->out);
        if (f.has_retry_after_ms)
                request_add_header(q, "retry-after", arena_format(&q->arena, "%lld", (long long)retry_after_s(&f)));
        if (status == 401)
                request_add_header(q, "www-authenticate", STR("Bearer"));
        request_answer_json(q, status, buf_view(&q->out));
}

void request_write_refusal(struct gateway *g, int status, int code, const struct fault *fault, struct buf *out)
{
        struct fault f = fault ? *fault : (struct fault){ 0 };
        char id[ULID_TEXT + 1];
        struct buf body = { 0 };

        if (!status)
                status = status_of(code);
        g->answers[status / 100]++;
        ulid_text(ulid_new(clock_now_ms(g->service->clock)), id);
        f.has_request = true;
        f.request = str_of(id);
        write_error(code, &f, &body);
        buf_format(out, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                        "Content-Security-Policy: %s\r\nX-Request-Id: %s\r\n",
                   status, http_reason(status), body.n, nothing_allowed, id);
        if (f.has_retry_after_ms)
                buf_format(out, "Retry-After: %lld\r\n", (long long)retry_after_s(&f));
        if (status == 401)
                buf_text(out, "WWW-Authenticate: Bearer\r\n");
        buf_text(out, "\r\n");
        buf_str(out, buf_view(&body));
        buf_deinit(&body);
        log_debug("refused before it was a request (%s): %d", id, status);
}

void request_fail(struct request *q, int code, const struct fault *fault)
{
        fail(q, status_of(code), code, fault);
}

void request_refuse(struct request *q, int status, int code, const char *reason)
{
        fail(q, status, code, &(struct fault){ .has_reason = true, .reason = str_of(reason) });
}

/* ---- who ---- */

struct str bearer_token(struct str value)
{
        static const char scheme[] = "Bearer ";
        const size_t n = sizeof(scheme) - 1;

        if (value.n < n || strncasecmp(value.p, scheme, n) != 0)
                return (struct str){ 0 };
        return str_trim((struct str){ value.p + n, value.n - n });
}

struct str request_token(const struct request *q)
{
        return bearer_token(request_header(q, "authorization"));
}

struct identifying {
        struct request *request;
        request_known_fn *done;
};

static void on_known(void *data, int code, const struct fault *fault, struct visitor *visitor)
{
        struct identifying *i = data;
        struct request *q = i->request;

        if (!q->h2o) {
                request_end(q);
                return;
        }
        if (!code) {
                q->visitor = visitor_ref(visitor);
                connection_known(q->guard->connection, visitor);
        }
        i->done(q, code, fault);
}

void request_identify(struct request *q, struct str token, request_known_fn *done)
{
        struct identifying *i = ARENA_NEW(&q->arena, struct identifying);
        const struct visit visit = { .address = str_of(q->address), .device = str_of(q->device), .request = q->id,
                                     .last = q->guard->connection->visitor };
        const struct fault fault = { .has_reason = true, .reason = STR("a token is needed: Authorization: Bearer") };

        *i = (struct identifying){ .request = q, .done = done };
        if (token.n == 0)
                done(q, FAULT_UNAUTHENTICATED, &fault);
        else
                visitors_find(q->gateway->visitors, token, &visit, on_known, i);
}

int request_charge(struct request *q, const char *rate, struct fault *ret)
{
        const struct visitor *v = q->visitor;
        int64_t retry_after_ms;

        if (!*rate || !limits_take(q->gateway->limits, limits_class_of(rate), str_of(q->device), v && v->has_user ? &v->user : NULL,
                                   q->began_us, &retry_after_ms))
                return 0;
        *ret = (struct fault){ .has_reason = true, .reason = STR("too many requests"), .has_retry_after_ms = true,
                               .retry_after_ms = retry_after_ms };
        return FAULT_RATE_LIMITED;
}

int request_may(const struct request *q, const struct schema_method *method)
{
        if (q->visitor->role >= method->role)
                return 0;
        return q->visitor->role == SCHEMA_ROLE_STRANGER ? FAULT_UNAUTHENTICATED : FAULT_FORBIDDEN;
}

int request_call(struct request *q, const struct schema_method *method, const void *params, rpc_done_fn *done, void *data)
{
        struct rpc_request r = { .method = method, .params = params, .request = q->id, .client_request = q->client_id };

        if (q->visitor)
                r.caller = buf_view(&q->visitor->sealed);
        return rpc_call(gateway_client(q->gateway, method), &r, done, data);
}

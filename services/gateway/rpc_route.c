/* POST /rpc: each call goes to the one service that owns its method, all calls of a batch at once. */
#include "jsonrpc.h"
#include "openrpc.h"
#include "router.h"

#include <errno.h>
#include <string.h>

enum { BATCH_ANSWER_MAX = 4 * 1024 * 1024 };     /* of a batch's results together: fifty long pages would be 60 MiB */

static const char discover[] = "rpc.discover";

struct exchange;
struct one {
        struct exchange *of;
        const struct jsonrpc_call *call;
        const struct schema_method *method;
        struct str reply;
};

struct exchange {
        struct request *request;
        struct jsonrpc_request in;
        struct one *ones;
        size_t open;             /* not yet answered, and one for who still hands them out */
        size_t bytes;            /* of the replies that there are */
};

/* ---- one answer ---- */

static void note(const struct one *o, int code)
{
        const struct request *q = o->of->request;

        tally_note(&q->gateway->calls, code, clock_steady_us(q->gateway->service->clock) - q->began_us);
}

static void finish(struct exchange *x)
{
        struct request *q = x->request;
        bool any = false;

        if (--x->open > 0)
                return;
        buf_clear(&q->out);
        for (size_t i = 0; i < x->in.n; i++) {
                if (!x->ones[i].reply.n)
                        continue;
                if (x->in.batch)
                        buf_char(&q->out, any ? ',' : '[');
                buf_str(&q->out, x->ones[i].reply);
                any = true;
        }
        if (any && x->in.batch)
                buf_char(&q->out, ']');
        if (any)
                request_answer_json(q, 200, buf_view(&q->out));
        else
                request_answer(q, 204, NULL, (struct str){ 0 });
}

static void keep(struct one *o, struct buf *text)
{
        if (!o->call->notification)
                o->reply = arena_str(&o->of->request->arena, buf_view(text));
        o->of->bytes += o->reply.n;
        buf_clear(text);
        finish(o->of);
}

static void answer_fault(struct one *o, int code, const struct fault *fault)
{
        struct request *q = o->of->request;
        struct fault f = request_fault(q, fault);

        note(o, code);
        buf_clear(&q->out);
        jsonrpc_write_error(&q->out, o->call->id, code, &f);
        keep(o, &q->out);
}

/* A result that was written. What has changed something is told in any case. */
static void keep_result(struct one *o, struct buf *text)
{
        const struct exchange *x = o->of;

        if (x->in.batch && x->bytes + text->n > BATCH_ANSWER_MAX && !(o->method && o->method->mutates)) {
                answer_fault(o, FAULT_TOO_LARGE, &(struct fault){ .has_limit = true, .limit = BATCH_ANSWER_MAX, .has_reason = true,
                                                                  .reason = STR("a batch's results together; ask for this one alone") });
        } else {
                note(o, 0);
                keep(o, text);
        }
}

static void log_call(const struct one *o, int code)
{
        const struct request *q = o->of->request;
        struct log_context context = { .request = q->id, .client_request = q->client_id, .method = str_of(o->method->name),
                                       };
        int64_t us = clock_steady_us(q->gateway->service->clock) - q->began_us;
        bool slow = us > RPC_SLOW_US;
        enum log_level level = code || slow || o->method->mutates ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;

        if (!log_enabled(level))
                return;
        if (q->visitor)
                context.user = q->visitor->user;
        context.duration_us = us > 0 ? us : 1;
        log_context(&context);
        log_write(level, NULL, "%s: %s%s", o->method->name, code ? fault_name(code) : "ok", slow ? ", slowly" : "");
        log_context(NULL);
}

static void on_answer(void *data, const struct rpc_reply *reply)
{
        struct one *o = data;
        struct request *q = o->of->request;

        log_call(o, reply->code);
        if (!q->h2o) {          /* the client is gone, and the call's text with it */
                finish(o->of);
                return;
        }
        if (reply->code) {
                answer_fault(o, reply->code, reply->fault);
                return;
        }
        buf_clear(&q->out);
        if (!o->call->notification)
                jsonrpc_write_result(&q->out, o->call->id, o->method->result, reply->result);
        keep_result(o, &q->out);
}

static void answer_discover(struct one *o)
{
        struct request *q = o->of->request;
        struct gateway *g = q->gateway;

        if (!g->openrpc.n)
                openrpc_write(&g->openrpc);
        buf_clear(&q->out);
        buf_text(&q->out, "{\"jsonrpc\":\"2.0\",\"result\":");
        buf_str(&q->out, buf_view(&g->openrpc));
        buf_text(&q->out, ",\"id\":");
        buf_str(&q->out, o->call->id);
        buf_char(&q->out, '}');
        keep_result(o, &q->out);
}

/* ---- one call ---- */

static int decode(struct request *q, const struct schema_method *m, struct str params, void *ret, struct fault *fault)
{
        struct codec_error error = { 0 };
        int r;

        if (params.n && params.p[0] != '{') {
                *fault = (struct fault){ .has_reason = true, .reason = STR("params must be an object: parameters go by name") };
                return FAULT_INVALID_PARAMS;
        }
        r = json_read(m->params, params.n ? params : STR("{}"), &q->arena, ret, &error);
        if (r) {
                *fault = (struct fault){ .has_field = error.field[0] != '\0', .field = arena_str(&q->arena, str_of(error.field)),
                                         .has_reason = true, .reason = arena_str(&q->arena, str_of(error.reason)) };
                return FAULT_INVALID_PARAMS;
        }
        if (m->params_op_id >= 0) {
                const struct schema_field *f = &m->params->fields[m->params_op_id];
                bool *has = (bool *)((char *)ret + f->has_offset);

                if (!*has) {
                        *(struct ulid *)schema_at(f, ret) = ulid_new(clock_now_ms(q->gateway->service->clock));
                        *has = true;
                }
        }
        return 0;
}

static void call_one(struct one *o, int known, const struct fault *known_fault)
{
        struct request *q = o->of->request;
        bool is_discover = str_is(o->call->method, discover);
        struct fault fault = { 0 };
        bool refused;
        void *params;
        int r;

        if (o->call->code) {
                fault = (struct fault){ .has_reason = true, .reason = o->call->reason };
                answer_fault(o, o->call->code, &fault);
                return;
        }
        o->method = schema_method_find(o->call->method);
        if (!is_discover && (!o->method || !openrpc_is_public(o->method))) {
                answer_fault(o, FAULT_METHOD_NOT_FOUND, NULL);
                return;
        }
        if (known) {
                answer_fault(o, known, known_fault);
                return;
        }
        r = is_discover ? 0 : request_may(q, o->method);
        refused = r == FAULT_FORBIDDEN; /* its owner says so, and keeps that it was tried */
        if (!r || refused)
                r = request_charge(q, is_discover ? "read" : o->method->rate, &fault);
        if (r) {
                answer_fault(o, r, &fault);
                return;
        }
        if (is_discover) {
                answer_discover(o);
                return;
        }
        params = arena_zalloc(&q->arena, o->method->params->size);
        r = decode(q, o->method, o->call->params, params, &fault);
        if (r && refused) {
                r = FAULT_FORBIDDEN;
                fault = (struct fault){ 0 };
        }
        if (!r && request_call(q, o->method, params, on_answer, o))
                r = FAULT_TOO_LARGE;
        if (r)
                answer_fault(o, r, &fault);
}

static void on_known(struct request *q, int code, const struct fault *fault)
{
        struct exchange *x = ARENA_NEW(&q->arena, struct exchange);

        x->request = q;
        jsonrpc_read(request_body(q), &q->arena, &x->in);
        x->ones = arena_array(&q->arena, x->in.n, sizeof(*x->ones));
        x->open = x->in.n + 1;
        for (size_t i = 0; i < x->in.n; i++) {
                x->ones[i] = (struct one){ .of = x, .call = &x->in.calls[i] };
                call_one(&x->ones[i], code, fault);
        }
        finish(x);
}

void rpc_route(struct request *q)
{
        request_identify(q, request_token(q), on_known);
}

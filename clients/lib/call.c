/* JSON-RPC by descriptors. */
#include "private.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void give_op_id(const struct schema_method *method, void *params)
{
        const struct schema_field *f;

        if (method->params_op_id < 0)
                return;
        f = &method->params->fields[method->params_op_id];
        if (schema_presence(f, params) == SCHEMA_PRESENT)
                return;
        *(bool *)((char *)params + f->has_offset) = true;
        *(struct ulid *)schema_at(f, params) = ulid_new(clock_now_ms(&clock_system));
}

int assist_code(int64_t wire)
{
        return wire <= -32000 && wire >= -32768 ? (int)-wire : -EPROTO;
}

/* The fault in words. */
static int refused(struct assist *a, const struct rpc_error *e, struct arena *arena, int64_t *ret_retry_after_ms, struct assist_error *error)
{
        struct fault fault = { 0 };
        int code = assist_code(e->code);

        if (e->has_data && json_read(&fault_type, e->data, &a->arena, &fault, NULL))
                fault = (struct fault){ 0 };
        *ret_retry_after_ms = fault.has_retry_after_ms ? fault.retry_after_ms : 0;
        if (fault.has_field)
                assist_fail(error, code, "%.*s %.*s", STR_ARG(fault.field), STR_ARG(fault.reason));
        else if (fault.has_reason)
                assist_fail(error, code, "%.*s", STR_ARG(fault.reason));
        else
                assist_fail(error, code, "%.*s", STR_ARG(e->message));
        if (fault.has_field)
                snprintf(error->field, sizeof(error->field), "%.*s", STR_ARG(fault.field));
        if (fault.has_request)
                snprintf(error->request, sizeof(error->request), "%.*s", STR_ARG(fault.request));
        if (fault.has_newer)
                error->newer = arena_str(arena, fault.newer);
        return code;
}

static int answered(struct assist *a, const struct schema_method *method, const struct http_answer *answer, struct arena *arena, void *result,
                    int64_t *ret_retry_after_ms, struct assist_error *error)
{
        struct rpc_reply reply;

        *ret_retry_after_ms = answer->retry_after_ms;
        if (json_read(&schema_type_rpc_reply, answer->body, &a->arena, &reply, NULL))
                return assist_fail(error, answer->status / 100 == 5 ? FAULT_UNAVAILABLE : -EPROTO, "the desk answers HTTP %ld", answer->status);
        if (reply.error)
                return refused(a, reply.error, arena, ret_retry_after_ms, error);
        if (!reply.has_result || json_read(method->result, arena_str(arena, reply.result), arena, result, NULL))
                return assist_fail(error, -EPROTO, "the desk's answer to %s is not as its schema says; is this client too old?", method->name);
        return 0;
}

int assist_call(struct assist *a, const struct schema_method *method, void *params, struct arena *arena, void *result,
                struct assist_error *error)
{
        struct patience patience = patience_new(a);
        bool renewed = false;
        int64_t retry_after_ms;
        struct buf body = { 0 };
        int r;

        give_op_id(method, params);
        buf_format(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":", method->name);
        json_write(method->params, params, &body);
        buf_char(&body, '}');
        do {
                struct http_answer answer;

                arena_reset(&a->arena);
                r = session_open(a, error);
                if (r)
                        break;
                r = http_do(a, &(struct http_request){ .method = "POST", .path = "/rpc", .content_type = "application/json",
                                                       .body = buf_view(&body), .authorize = true, .fd = -1 }, &answer);
                retry_after_ms = 0;
                if (r)
                        assist_fail(error, r, "no answer from %s:%d: %s", a->address, a->port, strerror(-r));
                else
                        r = answered(a, method, &answer, arena, result, &retry_after_ms, error);
                if (r == FAULT_UNAUTHENTICATED && !renewed) {
                        renewed = true; /* the token may be stale: once more, with a new one */
                        a->token[0] = '\0';
                        continue;
                }
                if (r != -ECONNREFUSED && r != -EIO && r != -ETIMEDOUT && r != FAULT_UNAVAILABLE && r != FAULT_RATE_LIMITED)
                        break;
                if (!patience_wait(&patience, retry_after_ms))
                        break;
        } while (r);
        buf_deinit(&body);
        return r;
}

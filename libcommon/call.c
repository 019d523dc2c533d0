/* One call on its owner's side: running it, what it says where it fails, and what the log says of it. */
#include "call.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

static struct log_context context_of(const struct call *c)
{
        return (struct log_context){
                .request = c->request,
                .client_request = c->client_request,
                .method = c->method ? str_of(c->method->name) : (struct str){ 0 },
                .user = c->caller.user,
                .ticket = c->ticket,
        };
}

int call_execute(struct call *c)
{
        struct log_context context = context_of(c);
        int r;

        /* A parked call runs again: it begins as if for the first time. */
        memset(c->result, 0, c->method->result->size);
        c->fault = (struct fault){ 0 };
        log_context(&context);
        r = c->handler->call(c->slot->server->data, c, c->params, c->result);
        log_context(NULL);
        return r;
}

bool call_has_time(const struct call *c)
{
        return clock_steady_us(c->slot->server->clock) < c->deadline_us;
}

static int code_of(struct call *c, int r)
{
        if (r >= 0)
                return r;
        c->fault = (struct fault){ 0 };
        if (r == -ENOSPC || r == -EIO || r == -EBUSY)
                return call_unavailable(c, RPC_PARK_MS, "the service can't write or read just now");
        return FAULT_INTERNAL;
}

static void log_answer(struct call *c, int r, int code)
{
        struct log_context context = context_of(c);
        const char *name = c->method ? c->method->name : "?";
        int64_t us = c->slot->took_us;
        bool slow = us > RPC_SLOW_US && c->method && !c->method->follow;
        enum log_level level = code || slow || (c->method && c->method->mutates) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;

        if (r < 0)
                level = LOG_LEVEL_ERROR;
        if (!log_enabled(level))
                return;
        context.duration_us = us > 0 ? us : 1;
        log_context(&context);
        if (r < 0)
                log_write(level, NULL, "%s: %s: %s", name, fault_name(code), strerror(-r));
        else
                log_write(level, NULL, "%s: %s%s", name, code ? fault_name(code) : "ok", slow ? ", slowly" : "");
        log_context(NULL);
}

static void write_fault(struct call *c, int code, struct buf *out)
{
        c->fault.has_request = c->request.n > 0;
        c->fault.request = c->request;
        if (code == FAULT_UNAVAILABLE && c->method && c->method->mutates) {
                c->fault.has_op_id = true;
                c->fault.op_id = c->op_id;
        }
        buf_clear(out);
        rpc_reply_write_head(code, out);
        msgpack_write(&fault_type, &c->fault, out);
}

static void write_result(struct call *c, struct buf *out)
{
        if (c->method->result_op_id >= 0)
                memcpy(schema_at(&c->method->result->fields[c->method->result_op_id], c->result), &c->op_id, sizeof(c->op_id));
        buf_clear(out);
        rpc_reply_write_head(0, out);
        msgpack_write(c->method->result, c->result, out);
}

void call_write_reply(struct call *c, int r)
{
        struct buf *out = &c->slot->reply;
        int code;

        assert(r != CALL_PARKED);
        code = code_of(c, r);
        if (code == 0)
                write_result(c, out);
        else
                write_fault(c, code, out);
        if (out->n > RPC_MESSAGE_MAX) {
                r = -EMSGSIZE;
                code = code_of(c, r);
                write_fault(c, code, out);
        }
        c->slot->code = code;
        c->slot->took_us = clock_steady_us(c->slot->server->clock) - c->received_us;
        log_answer(c, r, code);
}

/* ---- what a handler can say instead of a result ---- */

enum { REASON_MAX = 1000 };     /* of fault_type */

static void set_reason(struct call *c, const char *format, va_list args)
{
        struct buf b = { 0 };
        struct str s;

        buf_vformat(&b, format, args);
        s = buf_view(&b);
        if (s.n > REASON_MAX)
                s.n = REASON_MAX;
        while (str_utf8_length(s) < 0 && s.n > 0)
                s.n--;          /* not in the middle of a character */
        c->fault.has_reason = true;
        c->fault.reason = arena_str(&c->arena, s);
        buf_deinit(&b);
}

static void set_reason_text(struct call *c, const char *reason)
{
        c->fault.has_reason = reason != NULL;
        if (reason)
                c->fault.reason = arena_str(&c->arena, str_of(reason));
}

int call_not_found(struct call *c)
{
        c->fault = (struct fault){ 0 };
        return FAULT_NOT_FOUND;
}

int call_forbidden(struct call *c, const char *reason)
{
        c->fault = (struct fault){ 0 };
        set_reason_text(c, reason);
        return FAULT_FORBIDDEN;
}

int call_invalid(struct call *c, const char *field, const char *format, ...)
{
        va_list args;

        c->fault = (struct fault){ .has_field = true, .field = arena_str(&c->arena, str_of(field)) };
        va_start(args, format);
        set_reason(c, format, args);
        va_end(args);
        return FAULT_INVALID_PARAMS;
}

int call_conflict(struct call *c, const char *format, ...)
{
        va_list args;

        c->fault = (struct fault){ 0 };
        va_start(args, format);
        set_reason(c, format, args);
        va_end(args);
        return FAULT_CONFLICT;
}

int call_conflict_newer(struct call *c, const struct schema_struct *type, const void *newer, const char *reason)
{
        struct buf json = { 0 };

        c->fault = (struct fault){ .has_newer = true };
        json_write(type, newer, &json);
        c->fault.newer = arena_str(&c->arena, buf_view(&json));
        buf_deinit(&json);
        set_reason_text(c, reason);
        return FAULT_CONFLICT;
}

int call_too_large(struct call *c, int64_t limit, const char *format, ...)
{
        va_list args;

        c->fault = (struct fault){ .has_limit = true, .limit = limit };
        va_start(args, format);
        set_reason(c, format, args);
        va_end(args);
        return FAULT_TOO_LARGE;
}

int call_rate_limited(struct call *c, int64_t retry_after_ms)
{
        c->fault = (struct fault){ .has_retry_after_ms = true, .retry_after_ms = retry_after_ms };
        return FAULT_RATE_LIMITED;
}

int call_expired(struct call *c, const char *reason)
{
        c->fault = (struct fault){ 0 };
        set_reason_text(c, reason);
        return FAULT_EXPIRED;
}

int call_unavailable(struct call *c, int64_t retry_after_ms, const char *reason)
{
        c->fault = (struct fault){ .has_retry_after_ms = true, .retry_after_ms = retry_after_ms };
        set_reason_text(c, reason);
        return FAULT_UNAVAILABLE;
}

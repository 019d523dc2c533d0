/* What stands between the wire and a handler: is it a call, of a method that is here, from one who may, with parameters that fit? */
#include "call.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct call *c, int code, const char *reason)
{
        c->fault = (struct fault){ .has_reason = true, .reason = str_of(reason) };
        return code;
}

static int compare(const void *name, const void *entry)
{
        const struct rpc_handler *const *h = entry;

        return str_cmp(*(const struct str *)name, str_of((*h)->method->name));
}

static const struct rpc_handler *find_handler(const struct rpc_server *s, struct str name)
{
        const struct rpc_handler *const *found = bsearch(&name, s->index, s->n_handlers, sizeof(s->index[0]), compare);

        return found ? *found : NULL;
}

static int open_caller(struct call *c, struct str sealed)
{
        const struct rpc_server *s = c->slot->server;
        int r;

        if (!s->caller_key)
                return refuse(c, FAULT_FORBIDDEN, "this service takes no calls in a user's name");
        r = caller_open(s->caller_key, sealed, clock_now_ms(s->clock), &c->caller);
        if (r)
                return refuse(c, FAULT_UNAUTHENTICATED, r == -ETIME ? "the caller's identity is over"
                                                                   : "the caller's identity was not sealed here");
        c->has_caller = true;
        return 0;
}

/* The gateway may call a method that has a role only in someone's name; another process that the method names, in its own. */
static int authorize(struct call *c, struct str sealed)
{
        const struct schema_method *m = c->method;
        unsigned as = c->from & m->from;
        int r;

        if (!as)
                return refuse(c, FAULT_FORBIDDEN, "this process may not call it");
        if (sealed.n > 0) {
                r = open_caller(c, sealed);
                if (r)
                        return r;
        }
        if (m->role == SCHEMA_ROLE_ANYONE || m->role == SCHEMA_ROLE_NOBODY)
                return 0;
        if (c->has_caller && c->caller.role >= m->role)
                return 0;
        if (c->has_caller && c->caller.role == SCHEMA_ROLE_STRANGER)
                return refuse(c, FAULT_UNAUTHENTICATED, "this device is nobody's yet: bind it first");
        if (c->has_caller)
                return refuse(c, FAULT_FORBIDDEN, "the caller's role may not call it");
        return as & ~(unsigned)SCHEMA_PEER_GATEWAY ? 0 : refuse(c, FAULT_UNAUTHENTICATED, "it is called in someone's name");
}

static void note_ticket(struct call *c)
{
        const struct schema_field *f = schema_field_find(c->method->params, "ticket");

        if (f && f->kind == SCHEMA_ULID && schema_presence(f, c->params) == SCHEMA_PRESENT)
                memcpy(&c->ticket, schema_at(f, c->params), sizeof(c->ticket));
}

static int read_params(struct call *c, struct str in)
{
        const struct schema_method *m = c->method;
        struct codec_error error;
        const struct schema_field *op_id;

        c->raw_params = in;
        c->params = arena_zalloc(&c->arena, m->params->size);
        if (msgpack_read_next(m->params, &in, &c->arena, c->params, &error))
                return call_invalid(c, error.field, "%s", error.reason);
        if (in.n > 0)
                return refuse(c, FAULT_INVALID_REQUEST, "nothing follows the parameters");
        note_ticket(c);
        if (m->params_op_id < 0)
                return 0;
        op_id = &m->params->fields[m->params_op_id];
        if (schema_presence(op_id, c->params) != SCHEMA_PRESENT)
                return call_invalid(c, op_id->name, "between services every mutation has its op id");
        memcpy(&c->op_id, schema_at(op_id, c->params), sizeof(c->op_id));
        if (ulid_is_zero(c->op_id))     /* what is made gets it as its id, and zero is nobody's */
                return call_invalid(c, op_id->name, "must not be zero");
        return 0;
}

int call_admit(struct call *c, unsigned from, struct str message)
{
        const struct rpc_server *s = c->slot->server;
        struct rpc_envelope e;
        const char *reason;
        int r;

        c->from = from;
        c->received_us = clock_steady_us(s->clock);
        r = rpc_envelope_read(message, &e, &reason);
        c->request = e.request;
        c->client_request = e.client_request;
        if (r)
                return refuse(c, FAULT_INVALID_REQUEST, reason);
        c->deadline_us = c->received_us + e.deadline_ms * 1000;
        c->handler = find_handler(s, e.method);
        if (!c->handler)
                return refuse(c, FAULT_METHOD_NOT_FOUND, "this service has no such method");
        c->method = c->handler->method;
        r = authorize(c, e.caller);
        if (r)
                return r;
        r = read_params(c, e.params);
        if (r)
                return r;
        c->result = arena_zalloc(&c->arena, c->method->result->size);
        return 0;
}

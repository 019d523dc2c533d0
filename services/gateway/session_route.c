/* POST /session/nonce and POST /session: identity's session.nonce and session.open, with the address as we see it. */
#include "router.h"
#include "schema/identity.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The method's parameters but for `address`, which is the first one: what a client says there is ignored. */
static struct schema_struct without_address(const struct schema_struct *params)
{
        struct schema_struct rest = *params;

        assert(strcmp(params->fields[0].name, "address") == 0);
        rest.fields++;
        rest.n_fields--;
        return rest;
}

struct asked {
        struct request *request;
        const struct schema_method *method;
};

static void on_answer(void *data, const struct rpc_reply *reply)
{
        struct asked *a = data;
        struct request *q = a->request;

        if (reply->code) {
                request_fail(q, reply->code, reply->fault);
                return;
        }
        buf_clear(&q->out);
        json_write(a->method->result, reply->result, &q->out);
        request_answer_json(q, 200, buf_view(&q->out));
}

static void pass_on(struct request *q, const struct schema_method *method)
{
        struct schema_struct type = without_address(method->params);
        void *params = arena_zalloc(&q->arena, method->params->size);
        struct str body = str_trim(request_body(q)), *address = schema_at(&method->params->fields[0], params);
        struct codec_error error;
        struct asked *a = ARENA_NEW(&q->arena, struct asked);
        struct fault fault;
        int r = request_charge(q, method->rate, &fault);

        if (r) {
                request_fail(q, r, &fault);
                return;
        }
        r = json_read(&type, body.n ? body : STR("{}"), &q->arena, params, &error);
        if (r) {
                fault = (struct fault){ .has_field = error.field[0] != '\0', .field = str_of(error.field), .has_reason = true,
                                        .reason = str_of(error.reason) };
                request_fail(q, r == -EBADMSG ? FAULT_PARSE : FAULT_INVALID_PARAMS, &fault);
                return;
        }
        *address = str_of(q->address);
        *a = (struct asked){ q, method };
        if (request_call(q, method, params, on_answer, a))
                request_fail(q, FAULT_TOO_LARGE, NULL);
}

void session_nonce_route(struct request *q)
{
        pass_on(q, &schema_method_session_nonce);
}

void session_open_route(struct request *q)
{
        pass_on(q, &schema_method_session_open);
}

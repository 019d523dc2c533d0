/* Any bytes as the body of POST /rpc: split into calls, each call's parameters read as its method has them, and answered. What goes
 * out is JSON to jansson, too, whatever came in; what goes on to a service is read there as it was written here. */
#include "services/gateway/jsonrpc.h"
#include "json_oracle.h"
#include "schema.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
        if (!truth)
                abort();
}

static void answered(struct str id, int code, const struct fault *fault)
{
        struct buf out = { 0 };

        jsonrpc_write_error(&out, id, code, fault);
        expect(json_oracle(buf_view(&out)) != REFUSED && str_utf8_length(buf_view(&out)) >= 0);
        buf_deinit(&out);
}

static void called(const struct jsonrpc_call *call, struct arena *arena)
{
        const struct schema_method *m = schema_method_find(call->method);
        struct codec_error error = { 0 };
        struct buf packed = { 0 };
        void *params;

        if (!m) {
                answered(call->id, FAULT_METHOD_NOT_FOUND, NULL);
                return;
        }
        params = arena_zalloc(arena, m->params->size);
        if (json_read(m->params, call->params.n ? call->params : STR("{}"), arena, params, &error)) {
                answered(call->id, FAULT_INVALID_PARAMS, &(struct fault){ .has_field = true, .field = str_of(error.field),
                                                                          .has_reason = true, .reason = str_of(error.reason) });
                return;
        }
        msgpack_write(m->params, params, &packed);
        expect(msgpack_read(m->params, buf_view(&packed), arena, arena_zalloc(arena, m->params->size), NULL) == 0);
        buf_deinit(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = { 0 };
        struct jsonrpc_request in;

        jsonrpc_read((struct str){ (const char *)data, size }, &arena, &in);
        expect(in.n >= 1 && in.n <= JSONRPC_BATCH_MAX);
        for (size_t i = 0; i < in.n; i++) {
                const struct jsonrpc_call *call = &in.calls[i];

                expect(call->id.n >= 1 && call->id.n <= JSONRPC_ID_MAX);
                if (call->code)
                        answered(call->id, call->code, &(struct fault){ .has_reason = true, .reason = call->reason });
                else
                        called(call, &arena);
        }
        arena_deinit(&arena);
        return 0;
}

/* JSON-RPC 2.0 (jsonrpc.org/specification): the envelope alone. It knows no method and no caller. */
#pragma once
#include "codec.h"
#include "fault.h"

enum { JSONRPC_BATCH_MAX = 50, JSONRPC_ID_MAX = 1024, JSONRPC_METHOD_MAX = 100 };

/* One call, or what was to be one. */
struct jsonrpc_call {
        struct str id;           /* verbatim; "null" where it can't be told */
        bool notification;       /* gets no reply, not even an error */
        struct str method;
        struct str params;       /* an object or array as text; empty where absent */
        int code;                /* not 0: answer this fault, with `reason` */
        struct str reason;
};

struct jsonrpc_request {
        struct jsonrpc_call *calls;
        size_t n;
        bool batch;
};

/* Never fails: a body that is no request becomes one call that says so. Everything points into the body or lies in the arena. */
void jsonrpc_read(struct str body, struct arena *arena, struct jsonrpc_request *ret);

/* The reply to one call; result is JSON text. A fault of NULL adds no data. */
void jsonrpc_write_result(struct buf *out, struct str id, const struct schema_struct *type, const void *result);
void jsonrpc_write_error(struct buf *out, struct str id, int code, const struct fault *fault);
const char *jsonrpc_message(int code);

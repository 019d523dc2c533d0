/* What a call can answer instead of a result. Codes are JSON-RPC's, positive here: -32003 on the wire is 32003 in C.
 * The schemas declare the same errors with their docs; a test holds the two together. */
#pragma once
#include "schema.h"

enum fault_code {
        FAULT_PARSE = 32700,
        FAULT_INVALID_REQUEST = 32600,
        FAULT_METHOD_NOT_FOUND = 32601,
        FAULT_INVALID_PARAMS = 32602,
        FAULT_INTERNAL = 32603,
        FAULT_UNAUTHENTICATED = 32001,
        FAULT_FORBIDDEN = 32002,
        FAULT_NOT_FOUND = 32003,
        FAULT_CONFLICT = 32004,
        FAULT_RATE_LIMITED = 32005,
        FAULT_UNAVAILABLE = 32006,
        FAULT_TOO_LARGE = 32007,
        FAULT_EXPIRED = 32008,
};

/* The error's `data`. Members that do not apply are absent. */
struct fault {
        bool has_field;
        struct str field;           /* 32602: which */
        bool has_reason;
        struct str reason;          /* what is wrong, and what would be right */
        bool has_retry_after_ms;
        int64_t retry_after_ms;
        bool has_limit;
        int64_t limit;
        bool has_op_id;
        struct ulid op_id;          /* 32006: retry with this one */
        bool has_newer;
        struct str newer;           /* 32004: what is newer, as JSON */
        bool has_request;
        struct str request;         /* the id to give to an operator */
};

extern const struct schema_struct fault_type; /* describes struct fault */
const char *fault_name(int code);             /* "NotFound"; "Error" for an unknown one */

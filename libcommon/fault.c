#include "fault.h"

#define MEMBER(member, type_kind, limit)                                                                        \
        { .name = #member, .doc = "", .kind = type_kind, .flags = SCHEMA_OPTIONAL,                              \
          .offset = offsetof(struct fault, member), .has_offset = offsetof(struct fault, has_##member),         \
          .size = sizeof(((struct fault *)0)->member), .min = 0, .max = limit }

static const struct schema_field members[] = {
        MEMBER(field, SCHEMA_STRING, 200),
        MEMBER(reason, SCHEMA_STRING, 1000),
        MEMBER(retry_after_ms, SCHEMA_UINT, (INT64_C(1) << 53) - 1),
        MEMBER(limit, SCHEMA_UINT, (INT64_C(1) << 53) - 1),
        MEMBER(op_id, SCHEMA_ULID, 0),
        MEMBER(newer, SCHEMA_JSON, 1048576),
        MEMBER(request, SCHEMA_STRING, 64),
};

const struct schema_struct fault_type = {
        .name = "Fault",
        .doc = "What an error says beside its code.",
        .fields = members,
        .n_fields = sizeof(members) / sizeof(members[0]),
        .size = sizeof(struct fault),
};

const char *fault_name(int code)
{
        switch ((enum fault_code)code) {
        case FAULT_PARSE:
                return "Parse";
        case FAULT_INVALID_REQUEST:
                return "InvalidRequest";
        case FAULT_METHOD_NOT_FOUND:
                return "MethodNotFound";
        case FAULT_INVALID_PARAMS:
                return "InvalidParams";
        case FAULT_INTERNAL:
                return "Internal";
        case FAULT_UNAUTHENTICATED:
                return "Unauthenticated";
        case FAULT_FORBIDDEN:
                return "Forbidden";
        case FAULT_NOT_FOUND:
                return "NotFound";
        case FAULT_CONFLICT:
                return "Conflict";
        case FAULT_RATE_LIMITED:
                return "RateLimited";
        case FAULT_UNAVAILABLE:
                return "Unavailable";
        case FAULT_TOO_LARGE:
                return "TooLarge";
        case FAULT_EXPIRED:
                return "Expired";
        }
        return "Error";
}

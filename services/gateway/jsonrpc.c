#include "jsonrpc.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct member {
        bool has_jsonrpc;
        struct str jsonrpc;
        bool has_method;
        struct str method;
        bool has_params;
        struct str params;
        bool has_id;
        struct str id;
};

#define MEMBER(of, kind_of, limit)                                                                              \
        { .name = #of, .doc = "", .kind = kind_of, .flags = SCHEMA_OPTIONAL, .offset = offsetof(struct member, of), \
          .has_offset = offsetof(struct member, has_##of), .size = sizeof(struct str), .min = 0, .max = limit }

static const struct schema_field members[] = {
        MEMBER(jsonrpc, SCHEMA_STRING, 10),
        MEMBER(method, SCHEMA_STRING, JSONRPC_METHOD_MAX),
        MEMBER(params, SCHEMA_JSON, 1024 * 1024),
        MEMBER(id, SCHEMA_JSON, JSONRPC_ID_MAX),
};
static const struct schema_struct member_type = { .name = "", .doc = "", .fields = members,
                                                  .n_fields = sizeof(members) / sizeof(members[0]), .size = sizeof(struct member) };

static const struct str null = { "null", 4 };

static struct jsonrpc_call wrong(int code, struct str id, struct str reason)
{
        return (struct jsonrpc_call){ .id = id, .code = code, .reason = reason };
}

static struct str because(struct arena *arena, const struct codec_error *e)
{
        if (!e->field[0])
                return arena_format(arena, "%s", e->reason);
        return arena_format(arena, "%s: %s", e->field, e->reason);
}

static bool begins_with(struct str json, const char *any_of)
{
        return json.n > 0 && strchr(any_of, json.p[0]);
}

static struct jsonrpc_call read_one(struct str text, struct arena *arena)
{
        struct codec_error error = { 0 };
        struct member m = { 0 };
        int r = json_read(&member_type, text, arena, &m, &error);
        struct str id;

        if (r)
                return wrong(r == -EBADMSG ? FAULT_PARSE : FAULT_INVALID_REQUEST, null, because(arena, &error));
        id = m.has_id ? m.id : null;
        if (m.has_id && !begins_with(m.id, "\"-0123456789n"))
                return wrong(FAULT_INVALID_REQUEST, null, STR("id must be a string, a number or null"));
        if (!m.has_jsonrpc || !str_is(m.jsonrpc, "2.0"))
                return wrong(FAULT_INVALID_REQUEST, id, STR("jsonrpc must be \"2.0\""));
        if (!m.has_method)
                return wrong(FAULT_INVALID_REQUEST, id, STR("method is missing"));
        if (m.has_params && !begins_with(m.params, "{["))
                return wrong(FAULT_INVALID_REQUEST, id, STR("params must be an object or an array"));
        return (struct jsonrpc_call){ .id = id, .notification = !m.has_id, .method = m.method, .params = m.params };
}

static void all_wrong(struct arena *arena, int code, struct str reason, struct jsonrpc_request *ret)
{
        *ret = (struct jsonrpc_request){ .calls = arena_array(arena, 1, sizeof(*ret->calls)), .n = 1 };
        ret->calls[0] = wrong(code, null, reason);
}

void jsonrpc_read(struct str body, struct arena *arena, struct jsonrpc_request *ret)
{
        struct codec_error error = { 0 };
        struct str *items;
        size_t n;
        int r;

        body = str_trim(body);
        if (!begins_with(body, "[")) {
                *ret = (struct jsonrpc_request){ .calls = arena_array(arena, 1, sizeof(*ret->calls)), .n = 1 };
                ret->calls[0] = read_one(body, arena);
                return;
        }
        r = json_split(body, arena, JSONRPC_BATCH_MAX, &items, &n, &error);
        if (r) {
                all_wrong(arena, r == -EBADMSG ? FAULT_PARSE : FAULT_INVALID_REQUEST, because(arena, &error), ret);
        } else if (n == 0) {
                all_wrong(arena, FAULT_INVALID_REQUEST, STR("an empty batch"), ret);
        } else {
                *ret = (struct jsonrpc_request){ .calls = arena_array(arena, n, sizeof(*ret->calls)), .n = n, .batch = true };
                for (size_t i = 0; i < n; i++)
                        ret->calls[i] = read_one(items[i], arena);
        }
}

void jsonrpc_write_result(struct buf *out, struct str id, const struct schema_struct *type, const void *result)
{
        buf_text(out, "{\"jsonrpc\":\"2.0\",\"result\":");
        json_write(type, result, out);
        buf_text(out, ",\"id\":");
        buf_str(out, id);
        buf_char(out, '}');
}

const char *jsonrpc_message(int code)
{
        switch (code) {
        case FAULT_PARSE:
                return "Parse error";
        case FAULT_INVALID_REQUEST:
                return "Invalid Request";
        case FAULT_METHOD_NOT_FOUND:
                return "Method not found";
        case FAULT_INVALID_PARAMS:
                return "Invalid params";
        case FAULT_INTERNAL:
                return "Internal error";
        default:
                return fault_name(code);
        }
}

void jsonrpc_write_error(struct buf *out, struct str id, int code, const struct fault *fault)
{
        buf_text(out, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":");
        buf_int(out, -code);
        buf_text(out, ",\"message\":\"");
        buf_text(out, jsonrpc_message(code));
        buf_char(out, '"');
        if (fault) {
                buf_text(out, ",\"data\":");
                json_write(&fault_type, fault, out);
        }
        buf_text(out, "},\"id\":");
        buf_str(out, id);
        buf_char(out, '}');
}

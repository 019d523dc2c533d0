#include "typescript.h"
#include "openrpc.h"
#include "schema.h"
#include <inttypes.h>
#include <string.h>

/* What is the same whatever the schemas say. */
static const char head[] =
        "// Made from schemas/*.schema: change those.\n"
        "\n"
        "/** 26 characters of Crockford's base32. */\n"
        "export type Ulid = string;\n"
        "/** ms since the Unix epoch. */\n"
        "export type Time = number;\n"
        "/** base64url without padding. */\n"
        "export type Bytes = string;\n"
        "/** What a reader renders. */\n"
        "export type Markdown = string;\n"
        "\n"
        "/** The bounds of a value, or of its length: a string's in code points, of bytes in bytes; of a list, its items' and how many. */\n"
        "export interface Limit {\n"
        "        readonly min?: number;\n"
        "        readonly max?: number;\n"
        "        readonly min_items?: number;\n"
        "        readonly max_items?: number;\n"
        "}\n";

/* ---- names ---- */

static char upper(char c)
{
        return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* "ticket.create" as TicketCreate */
static void put_camel(const char *name, struct buf *out)
{
        for (bool first = true; *name; name++) {
                if (*name == '.' || *name == '_') {
                        first = true;
                        continue;
                }
                buf_char(out, first ? upper(*name) : *name);
                first = false;
        }
}

/* "ticket.create" or TicketType as ticket_create, ticket_type */
static void put_snake(const char *name, struct buf *out)
{
        for (const char *p = name; *p; p++) {
                if (*p == '.') {
                        buf_char(out, '_');
                } else if (*p >= 'A' && *p <= 'Z') {
                        buf_text(out, p > name ? "_" : "");
                        buf_char(out, (char)(*p - 'A' + 'a'));
                } else {
                        buf_char(out, *p);
                }
        }
}

/* ---- docs ---- */

/* A comment may not end within itself. */
static void put_doc(const char *doc, const char *tag, const char *indent, struct buf *out)
{
        if (!*doc && !*tag)
                return;
        buf_format(out, "%s/** ", indent);
        for (; *doc; doc++) {
                if (doc[0] == '*' && doc[1] == '/')
                        buf_text(out, "*\\");
                else if (*doc == '\n')
                        buf_format(out, "\n%s *%s", indent, doc[1] == '\n' ? "" : " ");
                else
                        buf_char(out, *doc);
        }
        buf_format(out, "%s */\n", tag);
}

/* ---- types ---- */

static void put_value_type(const struct schema_field *f, struct buf *out)
{
        static const char *const types[] = {
                [SCHEMA_BOOL] = "boolean", [SCHEMA_UINT] = "number",   [SCHEMA_INT] = "number",  [SCHEMA_TIME] = "Time",
                [SCHEMA_ULID] = "Ulid",    [SCHEMA_STRING] = "string", [SCHEMA_BYTES] = "Bytes", [SCHEMA_JSON] = "unknown",
        };

        if (f->kind == SCHEMA_ENUM)
                buf_text(out, f->values->name);
        else if (f->kind == SCHEMA_STRUCT)
                buf_text(out, f->type->name);
        else
                buf_text(out, f->flags & SCHEMA_MARKDOWN ? "Markdown" : types[f->kind]);
}

/* Who answers always says what has a default; who asks need not. */
static void put_fields(const struct schema_field *fields, uint32_t n, bool asked, struct buf *out)
{
        for (uint32_t i = 0; i < n; i++) {
                const struct schema_field *f = &fields[i];
                bool absent = f->flags & SCHEMA_OPTIONAL || (asked && f->flags & SCHEMA_DEFAULT);

                put_doc(f->doc, "", "        ", out);
                buf_format(out, "        %s%s: ", f->name, absent ? "?" : "");
                put_value_type(f, out);
                buf_format(out, "%s%s;\n", f->flags & SCHEMA_LIST ? "[]" : "", f->flags & SCHEMA_NULLABLE ? " | null" : "");
        }
        buf_text(out, "}\n");
}

static void put_interface(const char *name, const char *suffix, const struct schema_struct *type, bool asked, struct buf *out)
{
        buf_text(out, "export interface ");
        put_camel(name, out);
        buf_format(out, "%s {\n", suffix);
        put_fields(type->fields, type->n_fields, asked, out);
}

static const struct schema_struct *type_find(const char *name)
{
        for (size_t i = 0; schema_types[i]; i++)
                if (strcmp(schema_types[i]->name, name) == 0)
                        return schema_types[i];
        return NULL;
}

/* Where the result is a type, its fields are the last ones. */
static void put_result(const struct schema_method *m, struct buf *out)
{
        const struct schema_struct *type = *m->result->name ? type_find(m->result->name) : NULL;
        uint32_t own = m->result->n_fields - (type ? type->n_fields : 0);

        if (!type) {
                put_interface(m->name, "Result", m->result, false, out);
                return;
        }
        buf_text(out, "export interface ");
        put_camel(m->name, out);
        buf_format(out, "Result extends %s {\n", type->name);
        put_fields(m->result->fields, own, false, out);
}

static void put_enums(struct buf *out)
{
        for (size_t i = 0; schema_enums[i]; i++) {
                const struct schema_enum *e = schema_enums[i];

                buf_char(out, '\n');
                put_doc(e->doc, "", "", out);
                buf_format(out, "export const %s = [\n", e->name);
                for (int j = 0; j < e->n; j++) {
                        put_doc(e->docs[j], "", "        ", out);
                        buf_format(out, "        \"%s\",\n", e->values[j]);
                }
                buf_format(out, "] as const;\nexport type %s = (typeof %s)[number];\n", e->name, e->name);
        }
}

/* ---- limits ---- */

#define EXACT_MAX ((INT64_C(1) << 53) - 1)  /* what JavaScript reads exactly bounds nothing */

static bool has_min(const struct schema_field *f)
{
        switch (f->kind) {
        case SCHEMA_UINT:
                return f->min > 0;
        case SCHEMA_INT:
                return f->min > -EXACT_MAX;
        default:
                return f->kind == SCHEMA_STRING || f->kind == SCHEMA_BYTES;
        }
}

static bool has_max(const struct schema_field *f)
{
        return f->kind == SCHEMA_UINT || f->kind == SCHEMA_INT ? f->max < EXACT_MAX : f->kind == SCHEMA_STRING || f->kind == SCHEMA_BYTES;
}

static void put_limit(const struct schema_field *f, struct buf *out)
{
        const char *glue = " ";

        buf_format(out, "        %s: {", f->name);
        if (has_min(f)) {
                buf_format(out, "%smin: %" PRId64, glue, f->min);
                glue = ", ";
        }
        if (has_max(f)) {
                buf_format(out, "%smax: %" PRId64, glue, f->max);
                glue = ", ";
        }
        if (f->flags & SCHEMA_LIST)
                buf_format(out, "%smin_items: %" PRIu32 ", max_items: %" PRIu32, glue, f->list_min, f->list_max);
        buf_text(out, " },\n");
}

/* A constant of its own for each, so that a bundle has those that it uses. */
static void put_limits(const char *name, const struct schema_struct *type, struct buf *out)
{
        bool any = false;

        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];

                if (!has_min(f) && !has_max(f) && !(f->flags & SCHEMA_LIST))
                        continue;
                if (!any) {
                        buf_text(out, "export const ");
                        put_snake(name, out);
                        buf_text(out, "_limits = {\n");
                        any = true;
                }
                put_limit(f, out);
        }
        buf_text(out, any ? "} as const satisfies Record<string, Limit>;\n" : "");
}

/* ---- methods, events, errors ---- */

static bool is_route(const struct schema_method *m)
{
        return m->role != SCHEMA_ROLE_NOBODY && !openrpc_is_public(m);
}

static void put_method(const struct schema_method *m, struct buf *out)
{
        buf_char(out, '\n');
        put_doc(m->doc, m->deprecated ? " @deprecated" : "", "", out);
        put_interface(m->name, "Params", m->params, true, out);
        put_result(m, out);
        put_limits(m->name, m->params, out);
}

static void put_methods(const char *title, const char *name, bool (*which)(const struct schema_method *m), struct buf *out)
{
        for (size_t i = 0; schema_methods[i]; i++)
                if (which(schema_methods[i]))
                        put_method(schema_methods[i], out);
        buf_format(out, "\n/** %s */\nexport interface %s {\n", title, name);
        for (size_t i = 0; schema_methods[i]; i++) {
                const struct schema_method *m = schema_methods[i];

                if (!which(m))
                        continue;
                buf_format(out, "        \"%s\": { params: ", m->name);
                put_camel(m->name, out);
                buf_text(out, "Params; result: ");
                put_camel(m->name, out);
                buf_text(out, "Result };\n");
        }
        buf_text(out, "}\n");
}

static bool is_mutation(const struct schema_method *m)
{
        return openrpc_is_public(m) && m->mutates;
}

static void put_method_tables(struct buf *out)
{
        buf_text(out, "export type MethodName = keyof Methods;\n\n/** The least that a caller must be. */\nexport const method_role = {\n");
        for (size_t i = 0; schema_methods[i]; i++)
                if (openrpc_is_public(schema_methods[i]))
                        buf_format(out, "        \"%s\": \"%s\",\n", schema_methods[i]->name, schema_role_name(schema_methods[i]->role));
        buf_text(out, "} as const satisfies Record<MethodName, string>;\n\n/** What takes an op_id: who is in doubt sends it again with the same one. */\n"
                 "export const mutations = [\n");
        for (size_t i = 0; schema_methods[i]; i++)
                if (is_mutation(schema_methods[i]))
                        buf_format(out, "        \"%s\",\n", schema_methods[i]->name);
        buf_text(out, "] as const satisfies readonly MethodName[];\nexport type Mutation = (typeof mutations)[number];\n");
}

static void put_events(struct buf *out)
{
        for (size_t i = 0; schema_events[i]; i++) {
                buf_char(out, '\n');
                put_doc(schema_events[i]->doc, "", "", out);
                put_interface(schema_events[i]->name, "Event", schema_events[i]->data, false, out);
        }
        buf_text(out, "\n/** The data of each event. */\nexport interface Events {\n");
        for (size_t i = 0; schema_events[i]; i++) {
                buf_format(out, "        \"%s\": ", schema_events[i]->name);
                put_camel(schema_events[i]->name, out);
                buf_text(out, "Event;\n");
        }
        buf_text(out, "}\nexport type EventName = keyof Events;\n\n"
                 "/** An event as a WebSocket carries it. Ephemeral ones have neither op_id nor actor. */\n"
                 "export type AnyEvent = {\n"
                 "        [N in EventName]: { type: N; data: Events[N]; at: Time; op_id?: Ulid; actor?: Ulid };\n"
                 "}[EventName];\n\n/** Those that are never logged, nor told again. */\nexport const ephemeral_events = [\n");
        for (size_t i = 0; schema_events[i]; i++)
                if (schema_events[i]->ephemeral)
                        buf_format(out, "        \"%s\",\n", schema_events[i]->name);
        buf_text(out, "] as const satisfies readonly EventName[];\n");
}

static void put_errors(struct buf *out)
{
        buf_text(out, "\nexport const error_code = {\n");
        for (size_t i = 0; schema_errors[i]; i++) {
                put_doc(schema_errors[i]->doc, "", "        ", out);
                buf_format(out, "        %s: -%d,\n", schema_errors[i]->name, schema_errors[i]->code);
        }
        buf_text(out, "} as const;\nexport type ErrorName = keyof typeof error_code;\n");
}

void typescript_write(struct buf *out)
{
        buf_text(out, head);
        put_enums(out);
        for (size_t i = 0; schema_types[i]; i++) {
                buf_char(out, '\n');
                put_doc(schema_types[i]->doc, "", "", out);
                put_interface(schema_types[i]->name, "", schema_types[i], false, out);
                put_limits(schema_types[i]->name, schema_types[i], out);
        }
        put_methods("What `POST /rpc` takes.", "Methods", openrpc_is_public, out);
        put_method_tables(out);
        put_methods("What has a route of its own; the desk itself fills in where a request is from.", "Routes", is_route, out);
        put_events(out);
        put_errors(out);
}

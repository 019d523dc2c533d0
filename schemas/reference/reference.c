#include "reference.h"
#include "field_text.h"
#include "openrpc.h"
#include <string.h>

static void put_link(const char *name, struct buf *out)
{
        buf_format(out, "[%s](types.md#", name);
        for (; *name; name++)
                buf_char(out, *name >= 'A' && *name <= 'Z' ? (char)(*name + 'a' - 'A') : *name);
        buf_char(out, ')');
}

/* Docs are plain text: '<' begins no HTML. In a table's cell a bar would end it and a line would end the row. */
static void put_plain(const char *doc, bool cell, struct buf *out)
{
        for (; *doc; doc++) {
                if (*doc == '<' || (cell && *doc == '|'))
                        buf_format(out, "\\%c", *doc);
                else
                        buf_char(out, cell && *doc == '\n' ? ' ' : *doc);
        }
}

static void put_cell(const char *doc, struct buf *out)
{
        put_plain(doc, true, out);
}

static void put_doc(const char *doc, struct buf *out)
{
        put_plain(doc, false, out);
        buf_text(out, *doc ? "\n\n" : "");
}

static void put_fields(const char *title, const struct schema_struct *type, struct buf *out)
{
        if (!type->n_fields)
                return;
        buf_format(out, "| %s | type | | |\n|---|---|---|---|\n", title);
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];

                buf_format(out, "| `%s` | ", f->name);
                field_type_text(f, put_link, out);
                buf_text(out, " | ");
                field_flags_text(f, out);
                buf_text(out, " | ");
                put_cell(f->doc, out);
                buf_text(out, " |\n");
        }
        buf_char(out, '\n');
}

static void put_callers(unsigned from, struct buf *out)
{
        static const char *const peers[] = { "store", "identity", "fanout", "gateway", "courier", "supervisor", "operator", "metrics" };
        const char *glue = "from ";

        for (int bit = 0; bit < 8; bit++) {
                if (!(from & 1U << bit))
                        continue;
                buf_format(out, "%s%s", glue, peers[bit]);
                glue = ", ";
        }
}

static void put_method(const struct schema_method *m, struct buf *out)
{
        buf_format(out, "### %s\n\n", m->name);
        put_doc(m->doc, out);
        buf_format(out, "%s", m->deprecated ? "**Deprecated.** " : "");
        if (m->role == SCHEMA_ROLE_NOBODY)
                put_callers(m->from, out);
        else
                buf_format(out, "For %s%s", m->role == SCHEMA_ROLE_ANYONE ? "anyone" : schema_role_name(m->role),
                           m->role > SCHEMA_ROLE_ANYONE && m->role < SCHEMA_ROLE_ADMIN ? " and above" : "");
        buf_format(out, " · answered by %s", m->service);
        if (strcmp(m->via, "rpc") != 0)
                buf_format(out, " · by `/%s`", m->via);
        if (*m->rate)
                buf_format(out, " · rate `%s`", m->rate);
        buf_text(out, m->mutates ? " · mutates" : "");
        buf_text(out, m->follow ? " · follow" : "");
        if (*m->since)
                buf_format(out, " · since %s", m->since);
        buf_text(out, "\n\n");
        put_fields("parameter", m->params, out);
        put_fields("result", m->result, out);
        for (uint32_t i = 0; i < m->n_errors; i++)
                buf_format(out, "%s[%s](errors.md)%s", i ? ", " : "Errors: ", m->errors[i]->name, i + 1 == m->n_errors ? "\n\n" : "");
}

/* Methods that clients may call, or those that only services may, by the part of the name before the dot. */
static void put_methods(bool internal, struct buf *out)
{
        struct str group = { 0 };

        for (size_t i = 0; schema_methods[i]; i++) {
                const struct schema_method *m = schema_methods[i];
                struct str of = { m->name, strcspn(m->name, ".") };

                if ((m->role == SCHEMA_ROLE_NOBODY) != internal)
                        continue;
                if (!str_eq(of, group))
                        buf_format(out, "## %.*s\n\n", STR_ARG(of));
                group = of;
                put_method(m, out);
        }
}

static void write_methods(struct buf *out)
{
        buf_text(out, "# Methods\n\nWhat clients call, with `POST /rpc` unless another route is named. Parameters that are neither optional nor "
                 "have a default\nmust be given. Beside the errors named, any method may answer InvalidParams, Unauthenticated, Forbidden,\n"
                 "RateLimited, Unavailable and Internal.\n\n");
        put_methods(false, out);
}

static void write_internal(struct buf *out)
{
        buf_text(out, "# Methods between services\n\nNo client reaches these: the owner's socket admits only the processes named.\n\n");
        put_methods(true, out);
}

static void write_types(struct buf *out)
{
        buf_text(out, "# Types\n\n");
        for (size_t i = 0; schema_types[i]; i++) {
                buf_format(out, "### %s\n\n", schema_types[i]->name);
                put_doc(schema_types[i]->doc, out);
                put_fields("field", schema_types[i], out);
        }
        buf_text(out, "# Enums\n\n");
        for (size_t i = 0; schema_enums[i]; i++) {
                const struct schema_enum *e = schema_enums[i];

                buf_format(out, "### %s\n\n", e->name);
                put_doc(e->doc, out);
                buf_text(out, "| value | |\n|---|---|\n");
                for (int j = 0; j < e->n; j++) {
                        buf_format(out, "| `%s` | ", e->values[j]);
                        put_cell(e->docs[j], out);
                        buf_text(out, " |\n");
                }
                buf_char(out, '\n');
        }
}

static const char *audience_text(enum schema_audience audience)
{
        static const char *const texts[] = { "who may see the ticket", "agents", "one user", "all" };

        return texts[audience];
}

static void write_events(struct buf *out)
{
        buf_text(out, "# Events\n\nWhat a WebSocket carries, each as `{\"type\": …, \"data\": …}`. Ephemeral ones are never logged and not "
                 "repeated\nafter a reconnect.\n\n");
        for (size_t i = 0; schema_events[i]; i++) {
                const struct schema_event *e = schema_events[i];

                buf_format(out, "### %s\n\n", e->name);
                put_doc(e->doc, out);
                buf_format(out, "For %s%s\n\n", audience_text(e->audience), e->ephemeral ? " · ephemeral" : "");
                put_fields("field", e->data, out);
        }
}

static void write_ops(struct buf *out)
{
        buf_text(out, "# Kinds of ops\n\nWhat the log holds, for ever. Of a personal field the body holds only a salted commitment.\n\n");
        for (size_t i = 0; schema_ops[i]; i++) {
                const struct schema_op *o = schema_ops[i];

                buf_format(out, "### %s\n\n", o->name);
                put_doc(o->doc, out);
                buf_format(out, "For %s\n\n", audience_text(o->audience));
                put_fields("field", o->body, out);
        }
}

static void write_errors(struct buf *out)
{
        buf_text(out, "# Errors\n\n| code | name | |\n|---|---|---|\n");
        for (size_t i = 0; schema_errors[i]; i++) {
                buf_format(out, "| -%d | %s | ", schema_errors[i]->code, schema_errors[i]->name);
                put_cell(schema_errors[i]->doc, out);
                buf_text(out, " |\n");
        }
}

static void write_contents(struct buf *out)
{
        buf_text(out, "# Reference\n\nMade from `schemas/*.schema` by `ninja -C build reference`; change those.\n\n"
                 "- [Methods](methods.md), and those [between services](internal.md)\n"
                 "- [Types and enums](types.md)\n- [Events](events.md)\n- [Kinds of ops](ops.md)\n- [Errors](errors.md)\n"
                 "- [The OpenRPC document](openrpc.json), which `rpc.discover` answers\n\n"
                 "| method | for | |\n|---|---|---|\n");
        for (size_t i = 0; schema_methods[i]; i++) {
                const struct schema_method *m = schema_methods[i];

                if (m->role == SCHEMA_ROLE_NOBODY)
                        continue;
                buf_format(out, "| [%s](methods.md#", m->name);
                for (const char *p = m->name; *p; p++)
                        if (*p != '.')
                                buf_char(out, *p);
                buf_format(out, ") | %s | ", schema_role_name(m->role));
                put_cell(m->doc, out);
                buf_text(out, " |\n");
        }
}

static void write_openrpc(struct buf *out)
{
        openrpc_write(out);
        buf_char(out, '\n');
}

const struct reference_page reference_pages[] = {
        { "README.md", write_contents }, { "methods.md", write_methods }, { "internal.md", write_internal },
        { "types.md", write_types },     { "events.md", write_events },   { "ops.md", write_ops },
        { "errors.md", write_errors },   { "openrpc.json", write_openrpc }, { NULL, NULL },
};

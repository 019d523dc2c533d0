#include "published.h"
#include "openrpc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- which types what is published speaks of ---- */

struct reached {
        bool *in, *out; /* by place in schema_types */
};

static void reach(bool *reached, const struct schema_struct *type)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                for (size_t j = 0; type->fields[i].kind == SCHEMA_STRUCT && schema_types[j]; j++) {
                        if (schema_types[j] != type->fields[i].type || reached[j])
                                continue;
                        reached[j] = true;
                        reach(reached, schema_types[j]);
                }
        }
}

/* ---- lines ---- */

static void put_field(const char *word, const struct schema_field *f, struct buf *out)
{
        static const char *const kinds[] = { "bool", "uint", "int", "time", "ulid", "string", "bytes", "", "", "json" };
        const unsigned ranged = 1U << SCHEMA_UINT | 1U << SCHEMA_INT | 1U << SCHEMA_STRING | 1U << SCHEMA_BYTES | 1U << SCHEMA_JSON;
        const char *name = f->kind == SCHEMA_ENUM ? f->values->name : f->kind == SCHEMA_STRUCT ? f->type->name : kinds[f->kind];

        if (f->flags & SCHEMA_MARKDOWN)
                name = "markdown";
        buf_format(out, "  %s %s ", word, f->name);
        if (f->flags & SCHEMA_LIST)
                buf_format(out, f->flags & SCHEMA_SET ? "set<%s>" : "list<%s>", name);
        else
                buf_text(out, name);
        if (1U << f->kind & ranged)
                buf_format(out, " range=%" PRId64 "..%" PRId64, f->min, f->max);
        if (f->flags & SCHEMA_LIST)
                buf_format(out, " items=%" PRIu32 "..%" PRIu32, f->list_min, f->list_max);
        if (f->flags & SCHEMA_DEFAULT && f->kind == SCHEMA_ENUM)
                buf_format(out, " default=%s", f->values->values[f->default_value]);
        else if (f->flags & SCHEMA_DEFAULT)
                buf_format(out, " default=%" PRId64, f->default_value);
        buf_text(out, f->flags & SCHEMA_NULLABLE ? " nullable" : f->flags & SCHEMA_OPTIONAL ? " optional" : "");
        buf_text(out, f->flags & SCHEMA_PERSONAL ? " personal" : "");
        buf_char(out, '\n');
}

static void put_fields(const char *word, const struct schema_struct *type, struct buf *out)
{
        for (uint32_t i = 0; i < type->n_fields; i++)
                put_field(word, &type->fields[i], out);
}

static void put_method(const struct schema_method *m, struct buf *out)
{
        buf_format(out, "method %s role=%s via=%s%s%s\n", m->name, schema_role_name(m->role), m->via, m->mutates ? " mutates" : "",
                   m->deprecated ? " deprecated" : "");
        put_fields("param", m->params, out);
        put_fields("result", m->result, out);
        for (uint32_t i = 0; i < m->n_errors; i++)
                buf_format(out, "  error %s\n", m->errors[i]->name);
}

static const char *audience_name(enum schema_audience audience)
{
        static const char *const names[] = { "ticket", "agents", "user", "all" };

        return names[audience];
}

void published_write(struct buf *out)
{
        struct reached reached = { 0 };
        size_t n = 0;

        while (schema_types[n])
                n++;
        reached.in = calloc(2 * n + 1, sizeof(bool));
        if (!reached.in)
                abort();
        reached.out = reached.in + n;

        for (size_t i = 0; schema_methods[i]; i++) {
                const struct schema_method *m = schema_methods[i];

                if (m->role == SCHEMA_ROLE_NOBODY)
                        continue;
                put_method(m, out);
                reach(reached.in, m->params);
                reach(reached.out, m->result);
        }
        for (size_t i = 0; schema_events[i]; i++) {
                buf_format(out, "event %s audience=%s\n", schema_events[i]->name, audience_name(schema_events[i]->audience));
                put_fields("field", schema_events[i]->data, out);
                reach(reached.out, schema_events[i]->data);
        }
        for (size_t i = 0; schema_ops[i]; i++) {
                buf_format(out, "op %s audience=%s\n", schema_ops[i]->name, audience_name(schema_ops[i]->audience));
                put_fields("field", schema_ops[i]->body, out);
                reach(reached.in, schema_ops[i]->body); /* written by one version, read by any later one */
                reach(reached.out, schema_ops[i]->body);
        }
        for (size_t i = 0; schema_types[i]; i++) {
                if (!reached.in[i] && !reached.out[i])
                        continue;
                buf_format(out, "type %s%s%s\n", schema_types[i]->name, reached.in[i] ? " in" : "", reached.out[i] ? " out" : "");
                put_fields("field", schema_types[i], out);
        }
        for (size_t i = 0; schema_enums[i]; i++) {
                buf_format(out, "enum %s\n", schema_enums[i]->name);
                for (int j = 0; j < schema_enums[i]->n; j++)
                        buf_format(out, "  value %s\n", schema_enums[i]->values[j]);
        }
        for (size_t i = 0; schema_errors[i]; i++)
                buf_format(out, "error %s %d\n", schema_errors[i]->name, schema_errors[i]->code);
        free(reached.in);
}

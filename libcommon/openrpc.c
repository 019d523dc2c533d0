#include "openrpc.h"
#include "codec.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OPENRPC_VERSION "1.3.2"

bool openrpc_is_public(const struct schema_method *method)
{
        return method->role != SCHEMA_ROLE_NOBODY && strcmp(method->via, "rpc") == 0;
}

const char *schema_role_name(enum schema_role role)
{
        static const char *const names[] = { "anyone", "stranger", "customer", "agent", "admin", "nobody" };

        return names[role];
}

static void put_text(struct buf *out, const char *text)
{
        json_string(out, str_of(text));
}

/* ,"name":"text" */
static void put_member(struct buf *out, const char *name, const char *text)
{
        buf_char(out, ',');
        put_text(out, name);
        buf_char(out, ':');
        put_text(out, text);
}

static void put_doc(struct buf *out, const char *doc)
{
        if (*doc)
                put_member(out, "description", doc);
}

static void put_ref(struct buf *out, const char *name)
{
        buf_format(out, "\"$ref\":\"#/components/schemas/%s\"", name);
}

/* ---- one value ---- */

static int64_t base64url_length(int64_t bytes)
{
        return (4 * bytes + 2) / 3;
}

/* The members of a JSON Schema, without braces and without what the whole field adds. */
static void put_value(const struct schema_field *f, struct buf *out)
{
        switch (f->kind) {
        case SCHEMA_BOOL:
                buf_text(out, "\"type\":\"boolean\"");
                return;
        case SCHEMA_UINT:
        case SCHEMA_INT:
        case SCHEMA_TIME:
                buf_format(out, "\"type\":\"integer\",\"minimum\":%" PRId64 ",\"maximum\":%" PRId64, f->min, f->max);
                return;
        case SCHEMA_ULID:
                buf_text(out, "\"type\":\"string\",\"pattern\":\"^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$\"");
                return;
        case SCHEMA_STRING:
                buf_format(out, "\"type\":\"string\",\"minLength\":%" PRId64 ",\"maxLength\":%" PRId64, f->min, f->max);
                if (f->flags & SCHEMA_MARKDOWN)
                        buf_text(out, ",\"contentMediaType\":\"text/markdown\"");
                return;
        case SCHEMA_BYTES:
                buf_format(out, "\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-]*$\",\"minLength\":%" PRId64 ",\"maxLength\":%" PRId64,
                           base64url_length(f->min), base64url_length(f->max));
                return;
        case SCHEMA_ENUM:
                put_ref(out, f->values->name);
                return;
        case SCHEMA_STRUCT:
                put_ref(out, f->type->name);
                return;
        case SCHEMA_JSON:
                buf_text(out, "\"title\":\"any value\"");
                return;
        }
}

/* A $ref hides what stands beside it, so where something does, or where null may stand instead, it moves inside. */
static void put_schema(const struct schema_field *f, bool with_doc, struct buf *out)
{
        bool doc = with_doc && *f->doc, list = f->flags & SCHEMA_LIST;
        bool ref = !list && (f->kind == SCHEMA_ENUM || f->kind == SCHEMA_STRUCT);
        bool beside = doc || f->flags & (SCHEMA_DEFAULT | SCHEMA_SECRET);
        const char *wrap = f->flags & SCHEMA_NULLABLE ? "anyOf" : ref && beside ? "allOf" : NULL;

        buf_char(out, '{');
        if (wrap)
                buf_format(out, "\"%s\":[{", wrap);
        if (list) {
                buf_format(out, "\"type\":\"array\",\"minItems\":%" PRIu32 ",\"maxItems\":%" PRIu32 ",\"items\":{", f->list_min, f->list_max);
                put_value(f, out);
                buf_text(out, f->flags & SCHEMA_SET ? "},\"uniqueItems\":true" : "}");
        } else {
                put_value(f, out);
        }
        if (f->flags & SCHEMA_NULLABLE)
                buf_text(out, "},{\"type\":\"null\"");
        if (wrap)
                buf_text(out, "}]");
        if (doc)
                put_doc(out, f->doc);
        if (f->flags & SCHEMA_DEFAULT) {
                buf_text(out, ",\"default\":");
                if (f->kind == SCHEMA_BOOL)
                        buf_text(out, f->default_value ? "true" : "false");
                else if (f->kind == SCHEMA_ENUM)
                        put_text(out, f->values->values[f->default_value]);
                else
                        buf_format(out, "%" PRId64, f->default_value);
        }
        if (f->flags & SCHEMA_SECRET)
                buf_text(out, ",\"x-secret\":true");
        buf_char(out, '}');
}

static bool is_required(const struct schema_field *f)
{
        return !(f->flags & (SCHEMA_OPTIONAL | SCHEMA_DEFAULT));
}

/* "type":"object", with the fields from first to n. A default is always given by whom we describe, if `written`. */
static void put_object(const struct schema_field *fields, uint32_t n, bool written, struct buf *out)
{
        const char *glue = "";

        buf_text(out, "\"type\":\"object\",\"properties\":{");
        for (uint32_t i = 0; i < n; i++) {
                buf_text(out, i ? "," : "");
                put_text(out, fields[i].name);
                buf_char(out, ':');
                put_schema(&fields[i], true, out);
        }
        buf_text(out, "},\"required\":[");
        for (uint32_t i = 0; i < n; i++) {
                if (!is_required(&fields[i]) && !(written && fields[i].flags & SCHEMA_DEFAULT))
                        continue;
                buf_text(out, glue);
                put_text(out, fields[i].name);
                glue = ",";
        }
        buf_char(out, ']');
}

/* ---- methods ---- */

static void put_params(const struct schema_struct *params, struct buf *out)
{
        buf_text(out, ",\"paramStructure\":\"by-name\",\"params\":[");
        for (uint32_t i = 0; i < params->n_fields; i++) {
                const struct schema_field *f = &params->fields[i];

                buf_text(out, i ? ",{\"name\":" : "{\"name\":");
                put_text(out, f->name);
                put_doc(out, f->doc);
                buf_format(out, ",\"required\":%s,\"schema\":", is_required(f) ? "true" : "false");
                put_schema(f, false, out);
                buf_char(out, '}');
        }
        buf_char(out, ']');
}

static const struct schema_struct *type_find(const char *name)
{
        for (size_t i = 0; schema_types[i]; i++)
                if (strcmp(schema_types[i]->name, name) == 0)
                        return schema_types[i];
        return NULL;
}

/* Where the result is a type, its fields are the last ones. */
static void put_result(const struct schema_struct *result, struct buf *out)
{
        const struct schema_struct *type = *result->name ? type_find(result->name) : NULL;
        uint32_t own = result->n_fields - (type ? type->n_fields : 0);

        buf_text(out, ",\"result\":{\"name\":\"result\",\"schema\":{");
        if (type && own)
                buf_text(out, "\"allOf\":[{");
        if (own || !type)
                put_object(result->fields, own, true, out);
        if (type && own)
                buf_text(out, "},{");
        if (type)
                put_ref(out, type->name);
        if (type && own)
                buf_text(out, "}]");
        buf_text(out, "}}");
}

/* The doc's first sentence. */
static struct str summary_of(const char *doc)
{
        size_t n = strcspn(doc, "\n");

        for (size_t i = 0; i + 1 < n; i++)
                if (doc[i] == '.' && doc[i + 1] == ' ')
                        n = i + 1;
        return (struct str){ doc, n };
}

static void put_method(const struct schema_method *m, struct buf *out)
{
        buf_text(out, "{\"name\":");
        put_text(out, m->name);
        if (*m->doc) {
                buf_text(out, ",\"summary\":");
                json_string(out, summary_of(m->doc));
                if (summary_of(m->doc).n < strlen(m->doc))
                        put_doc(out, m->doc);
        }
        put_params(m->params, out);
        put_result(m->result, out);
        buf_text(out, ",\"errors\":[");
        for (uint32_t i = 0; i < m->n_errors; i++)
                buf_format(out, "%s{\"$ref\":\"#/components/errors/%s\"}", i ? "," : "", m->errors[i]->name);
        buf_char(out, ']');
        if (m->deprecated)
                buf_text(out, ",\"deprecated\":true");
        put_member(out, "x-role", schema_role_name(m->role));
        if (*m->rate)
                put_member(out, "x-rate", m->rate);
        if (*m->since)
                put_member(out, "x-since", m->since);
        if (m->mutates)
                buf_text(out, ",\"x-mutates\":true");
        buf_char(out, '}');
}

/* ---- components ---- */

/* What public methods speak of, directly or through others. */
struct reached {
        bool *types, *enums;
};

static void reach(struct reached *reached, const struct schema_struct *type)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];

                for (size_t j = 0; f->kind == SCHEMA_ENUM && schema_enums[j]; j++)
                        reached->enums[j] |= schema_enums[j] == f->values;
                for (size_t j = 0; f->kind == SCHEMA_STRUCT && schema_types[j]; j++) {
                        if (schema_types[j] != f->type || reached->types[j])
                                continue;
                        reached->types[j] = true;
                        reach(reached, f->type);
                }
        }
}

static void reach_method(struct reached *reached, const struct schema_method *m)
{
        reach(reached, m->params);
        reach(reached, m->result);
        for (size_t i = 0; schema_types[i]; i++)
                reached->types[i] |= strcmp(m->result->name, schema_types[i]->name) == 0;
}

static void put_enum(const struct schema_enum *e, struct buf *out)
{
        buf_text(out, "\"type\":\"string\",\"enum\":[");
        for (int i = 0; i < e->n; i++) {
                buf_text(out, i ? "," : "");
                put_text(out, e->values[i]);
        }
        buf_text(out, "],\"x-values\":{");
        for (int i = 0; i < e->n; i++) {
                buf_text(out, i ? "," : "");
                put_text(out, e->values[i]);
                buf_char(out, ':');
                put_text(out, e->docs[i]);
        }
        buf_char(out, '}');
}

static void put_components(const struct reached *reached, struct buf *out)
{
        const char *glue = "";

        buf_text(out, "\"components\":{\"schemas\":{");
        for (size_t i = 0; schema_types[i]; i++) {
                if (!reached->types[i])
                        continue;
                buf_format(out, "%s\"%s\":{", glue, schema_types[i]->name);
                put_object(schema_types[i]->fields, schema_types[i]->n_fields, false, out);
                put_doc(out, schema_types[i]->doc);
                buf_char(out, '}');
                glue = ",";
        }
        for (size_t i = 0; schema_enums[i]; i++) {
                if (!reached->enums[i])
                        continue;
                buf_format(out, "%s\"%s\":{", glue, schema_enums[i]->name);
                put_enum(schema_enums[i], out);
                put_doc(out, schema_enums[i]->doc);
                buf_char(out, '}');
                glue = ",";
        }
        buf_text(out, "},\"errors\":{");
        for (size_t i = 0; schema_errors[i]; i++)
                buf_format(out, "%s\"%s\":{\"code\":%d,\"message\":\"%s\"}", i ? "," : "", schema_errors[i]->name, -schema_errors[i]->code,
                           schema_errors[i]->name);
        buf_text(out, "}}");
}

void openrpc_write(struct buf *out)
{
        struct reached reached = { 0 };
        size_t n_types = 0, n_enums = 0;
        const char *glue = "";

        while (schema_types[n_types])
                n_types++;
        while (schema_enums[n_enums])
                n_enums++;
        reached.types = calloc(n_types + n_enums + 1, sizeof(bool));
        if (!reached.types)
                abort();
        reached.enums = reached.types + n_types;

        buf_text(out, "{\"openrpc\":\"" OPENRPC_VERSION "\",\"info\":{\"title\":\"hero-assistance\",\"version\":\"" ASSIST_VERSION
                 "\",\"description\":\"A support desk that belongs to a project. Times are whole milliseconds since the Unix epoch.\"},"
                 "\"methods\":[");
        for (size_t i = 0; schema_methods[i]; i++) {
                if (!openrpc_is_public(schema_methods[i]))
                        continue;
                buf_text(out, glue);
                put_method(schema_methods[i], out);
                reach_method(&reached, schema_methods[i]);
                glue = ",";
        }
        buf_text(out, "],");
        put_components(&reached, out);
        buf_text(out, ",\"x-errors\":{");
        for (size_t i = 0; schema_errors[i]; i++) {
                buf_text(out, i ? "," : "");
                put_text(out, schema_errors[i]->name);
                buf_char(out, ':');
                put_text(out, schema_errors[i]->doc);
        }
        buf_text(out, "}}");
        free(reached.types);
}

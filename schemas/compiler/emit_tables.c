#include "emit.h"
#include <string.h>

static void emit_flags(unsigned flags, struct text *out)
{
        static const char *const names[] = { "OPTIONAL", "NULLABLE", "LIST", "SET", "PERSONAL", "MEANINGFUL", "DEFAULT", "SECRET",
                                             "MARKDOWN" };
        const char *glue = "";

        for (int bit = 0; bit < 9; bit++) {
                if (!(flags & 1U << bit))
                        continue;
                text_format(out, "%sSCHEMA_%s", glue, names[bit]);
                glue = " | ";
        }
}

static int64_t count(const struct value *values)
{
        int64_t n = 0;

        for (; values; values = values->next)
                n++;
        return n;
}

static void emit_field(struct program *program, const char *tag, const char *within, const struct field *f, struct text *out)
{
        static const char *const kinds[] = { "BOOL", "UINT", "INT", "TIME", "ULID", "STRING", "BYTES", "ENUM", "STRUCT", "JSON" };
        bool pointer = f->value.kind == KIND_STRUCT && !(f->flags & FLAG_LIST) && f->flags & FLAG_OPTIONAL;
        unsigned flags = f->flags | (f->flags & FLAG_NULLABLE ? FLAG_OPTIONAL : 0) | (f->value.markdown ? FLAG_MARKDOWN : 0);
        int64_t max = f->value.kind == KIND_ENUM ? count(f->value.of->values) - 1 : f->value.range.max;

        text_format(out, "        {\n                .name = \"%s\",\n                .doc = ", f->name);
        text_quoted(out, f->doc);
        text_format(out, ",\n                .kind = SCHEMA_%s,\n", kinds[f->value.kind]);
        if (flags) {
                text_put(out, "                .flags = ");
                emit_flags(flags, out);
                text_put(out, ",\n");
        }
        text_format(out, "                .offset = offsetof(struct %s, %s%s),\n", tag, within, f->name);
        if (flags & FLAG_OPTIONAL && !pointer)
                text_format(out, "                .has_offset = offsetof(struct %s, %shas_%s),\n", tag, within, f->name);
        text_format(out, "                .size = sizeof(%s),\n", emit_value_type(program, &f->value));
        if (f->value.range.min || max)
                text_format(out, "                .min = %lld,\n                .max = %lld,\n", (long long)f->value.range.min,
                            (long long)max);
        if (f->flags & FLAG_LIST)
                text_format(out, "                .list_min = %lld,\n                .list_max = %lld,\n", (long long)f->items.min,
                            (long long)f->items.max);
        if (f->flags & FLAG_DEFAULT)
                text_format(out, "                .default_value = %lld,\n", (long long)f->default_value);
        if (f->value.kind == KIND_STRUCT)
                text_format(out, "                .type = &schema_type_%s,\n", f->value.of->c_name);
        if (f->value.kind == KIND_ENUM)
                text_format(out, "                .values = &schema_enum_%s,\n", f->value.of->c_name);
        text_put(out, "        },\n");
}

/* The struct's own fields, and then those of `value`, which lie in a member of that name. */
static void emit_struct_table(struct program *program, const char *linkage, const char *variable, const char *tag, const char *name,
                              const char *doc, const struct declaration *value, const struct field *fields, struct text *out)
{
        int n = 0;

        if (value || fields) {
                text_format(out, "static const struct schema_field fields_of_%s[] = {\n", tag);
                for (const struct field *f = fields; f; f = f->next, n++)
                        emit_field(program, tag, "", f, out);
                for (const struct field *f = value ? value->fields : NULL; f; f = f->next, n++)
                        emit_field(program, tag, "value.", f, out);
                text_put(out, "};\n");
        }
        text_format(out, "%sconst struct schema_struct %s = {\n        .name = \"%s\",\n        .doc = ", linkage, variable, name);
        text_quoted(out, doc);
        if (n)
                text_format(out, ",\n        .fields = fields_of_%s,\n        .n_fields = %d", tag, n);
        text_format(out, ",\n        .size = sizeof(struct %s),\n};\n\n", tag);
}

static void emit_enum_table(const struct declaration *d, struct text *out)
{
        text_format(out, "static const char *const values_of_%s[] = {", d->c_name);
        for (const struct value *v = d->values; v; v = v->next)
                text_format(out, "%s \"%s\"", v == d->values ? "" : ",", v->name);
        text_format(out, " };\nstatic const char *const docs_of_%s[] = {\n", d->c_name);
        for (const struct value *v = d->values; v; v = v->next) {
                text_put(out, "        ");
                text_quoted(out, v->doc);
                text_put(out, ",\n");
        }
        text_format(out, "};\nconst struct schema_enum schema_enum_%s = {\n        .name = \"%s\",\n        .doc = ", d->c_name, d->name);
        text_quoted(out, d->doc);
        text_format(out, ",\n        .values = values_of_%s,\n        .docs = docs_of_%s,\n        .n = %lld,\n};\n\n", d->c_name, d->c_name,
                    (long long)count(d->values));
}

static void emit_from(unsigned from, struct text *out)
{
        static const char *const peers[] = { "STORE", "IDENTITY", "FANOUT", "GATEWAY", "COURIER", "SUPERVISOR", "OPERATOR", "METRICS" };
        const char *glue = "";

        for (int bit = 0; bit < 8; bit++) {
                if (!(from & 1U << bit))
                        continue;
                text_format(out, "%sSCHEMA_PEER_%s", glue, peers[bit]);
                glue = " | ";
        }
}

static void emit_method_table(struct program *program, const struct declaration *d, struct text *out)
{
        static const char *const roles[] = { "ANYONE", "STRANGER", "CUSTOMER", "AGENT", "ADMIN", "NOBODY" };
        const struct declaration *value = d->result_name ? d->result_name->of : NULL;
        const char *c_name = d->c_name;
        int errors = 0;

        emit_struct_table(program, "static ", pool_format(&program->pool, "struct_of_%s", c_name), c_name, "", "", NULL, d->fields, out);
        emit_struct_table(program, "static ", pool_format(&program->pool, "struct_of_%s_result", c_name),
                          pool_format(&program->pool, "%s_result", c_name), value ? value->name : "", value ? value->doc : "", value,
                          d->result, out);
        if (d->errors) {
                text_format(out, "static const struct schema_error *const errors_of_%s[] = {\n", c_name);
                for (const struct mention *e = d->errors; e; e = e->next, errors++)
                        text_format(out, "        &schema_error_%s,\n", e->of->c_name);
                text_put(out, "};\n");
        }
        text_format(out, "const struct schema_method schema_method_%s = {\n        .name = \"%s\",\n        .service = \"%s\",\n        .doc = ",
                    c_name, d->name, service_names[d->service]);
        text_quoted(out, d->doc);
        text_format(out, ",\n        .rate = \"%s\",\n        .via = \"%s\",\n        .role = SCHEMA_ROLE_%s,\n        .from = ", d->rate, d->via,
                    roles[d->role]);
        emit_from(d->from, out);
        text_put(out, ",\n");
        if (d->mutates)
                text_put(out, "        .mutates = true,\n");
        if (d->follow)
                text_put(out, "        .follow = true,\n");
        if (d->deprecated)
                text_put(out, "        .deprecated = true,\n");
        text_format(out, "        .since = \"%s\",\n        .params = &struct_of_%s,\n        .result = &struct_of_%s_result,\n", d->since, c_name,
                    c_name);
        text_format(out, "        .params_op_id = %d,\n        .result_op_id = %d,\n", d->mutates ? 0 : -1, d->mutates ? 0 : -1);
        if (errors)
                text_format(out, "        .errors = errors_of_%s,\n        .n_errors = %d,\n", c_name, errors);
        text_put(out, "};\n\n");
}

static void emit_news_table(struct program *program, const struct declaration *d, struct text *out)
{
        static const char *const audiences[] = { "TICKET", "AGENTS", "USER", "ALL" };
        const char *tag = emit_tag(program, d), *word = d->kind == DECLARE_OP ? "op" : "event";

        emit_struct_table(program, "static ", pool_format(&program->pool, "struct_of_%s", tag), tag, "", "", NULL, d->fields, out);
        text_format(out, "const struct schema_%s schema_%s = {\n        .name = \"%s\",\n        .doc = ", word, tag, d->name);
        text_quoted(out, d->doc);
        text_format(out, ",\n        .audience = SCHEMA_TO_%s,\n%s        .%s = &struct_of_%s,\n};\n\n", audiences[d->audience],
                    d->ephemeral ? "        .ephemeral = true,\n" : "", d->kind == DECLARE_OP ? "body" : "data", tag);
}

static void emit_error_table(const struct declaration *d, struct text *out)
{
        text_format(out, "const struct schema_error schema_error_%s = {\n        .name = \"%s\",\n        .doc = ", d->c_name, d->name);
        text_quoted(out, d->doc);
        text_format(out, ",\n        .code = %lld,\n};\n\n", (long long)d->code);
}

/* Files that declare errors which methods of this one answer, each once, in the order of the command line. */
static void include_errors(struct program *program, const struct file *file, struct text *out)
{
        for (const struct file *other = program->files; other; other = other->next) {
                bool needed = false;

                for (const struct declaration *d = file->declarations; d; d = d->next)
                        for (const struct mention *e = d->errors; e; e = e->next)
                                needed |= e->of->file == other;
                for (const struct mention *use = file->uses; use; use = use->next)
                        needed &= use->file != other;
                if (needed && other != file)
                        text_format(out, "#include \"schema/%s.h\"\n", other->stem);
        }
}

void emit_tables(struct program *program, const struct file *file, struct text *out)
{
        text_format(out, "/* Made from %s.schema. */\n#include \"schema/%s.h\"\n", file->stem, file->stem);
        include_errors(program, file, out);
        text_put(out, "#include <stddef.h>\n\n");
        for (const struct declaration *d = file->declarations; d; d = d->next) {
                switch (d->kind) {
                case DECLARE_ENUM:
                        emit_enum_table(d, out);
                        break;
                case DECLARE_ERROR:
                        emit_error_table(d, out);
                        break;
                case DECLARE_TYPE:
                        emit_struct_table(program, "", pool_format(&program->pool, "schema_type_%s", d->c_name), d->c_name, d->name, d->doc,
                                          NULL, d->fields, out);
                        break;
                case DECLARE_METHOD:
                        emit_method_table(program, d, out);
                        break;
                case DECLARE_EVENT:
                case DECLARE_OP:
                        emit_news_table(program, d, out);
                        break;
                default:
                        break;
                }
        }
}

void emit_index(struct program *program, struct text *out)
{
        static const struct {
                enum declaration_kind kind;
                const char *type, *all, *one;
        } tables[] = {
                { DECLARE_METHOD, "schema_method", "schema_methods", "schema_method" },
                { DECLARE_EVENT, "schema_event", "schema_events", "schema_event" },
                { DECLARE_OP, "schema_op", "schema_ops", "schema_op" },
                { DECLARE_ERROR, "schema_error", "schema_errors", "schema_error" },
                { DECLARE_TYPE, "schema_struct", "schema_types", "schema_type" },
                { DECLARE_ENUM, "schema_enum", "schema_enums", "schema_enum" },
        };

        text_put(out, "/* Made from all schemas: everything by name. */\n#include \"libcommon/schema.h\"\n");
        for (const struct file *f = program->files; f; f = f->next)
                text_format(out, "#include \"schema/%s.h\"\n", f->stem);
        for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
                const struct index *index = &program->by_kind[tables[i].kind];

                text_format(out, "\nconst struct %s *const %s[] = {\n", tables[i].type, tables[i].all);
                for (size_t j = 0; j < index->n; j++)
                        text_format(out, "        &%s_%s,\n", tables[i].one, index->items[j]->c_name);
                text_put(out, "        NULL,\n};\n");
        }
}

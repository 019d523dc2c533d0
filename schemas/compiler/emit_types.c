#include "emit.h"

const char *emit_tag(struct program *program, const struct declaration *d)
{
        const char *prefix = d->kind == DECLARE_EVENT ? "event_" : d->kind == DECLARE_OP ? "op_" : "";

        return pool_format(&program->pool, "%s%s", prefix, d->c_name);
}

const char *emit_value_type(struct program *program, const struct type_use *use)
{
        static const char *const types[] = {
                [KIND_BOOL] = "bool",           [KIND_UINT] = "int64_t",     [KIND_INT] = "int64_t",      [KIND_TIME] = "int64_t",
                [KIND_ULID] = "struct ulid",    [KIND_STRING] = "struct str", [KIND_BYTES] = "struct str", [KIND_ENUM] = "int",
                [KIND_JSON] = "struct str",
        };

        return use->kind == KIND_STRUCT ? pool_format(&program->pool, "struct %s", use->of->c_name) : types[use->kind];
}

static void emit_member(struct program *program, const struct field *f, struct text *out)
{
        const char *type = emit_value_type(program, &f->value);
        bool pointer = f->value.kind == KIND_STRUCT && !(f->flags & FLAG_LIST) && f->flags & FLAG_OPTIONAL;

        if (f->flags & FLAG_NULLABLE)
                text_format(out, "        int has_%s; /* enum schema_presence */\n", f->name);
        else if (f->flags & FLAG_OPTIONAL && !pointer)
                text_format(out, "        bool has_%s;\n", f->name);
        if (f->flags & FLAG_LIST)
                text_format(out, "        struct {\n                %s *items;\n                size_t n;\n        } %s;\n", type, f->name);
        else
                text_format(out, "        %s %s%s;\n", type, pointer ? "*" : "", f->name);
}

static void emit_struct(struct program *program, const char *tag, const struct declaration *value, const struct field *fields,
                        struct text *out)
{
        text_format(out, "struct %s {\n", tag);
        if (value)
                text_format(out, "        struct %s value;\n", value->c_name);
        for (const struct field *f = fields; f; f = f->next)
                emit_member(program, f, out);
        if (!value && !fields)
                text_put(out, "        char unused;\n");
        text_put(out, "};\n\n");
}

static void emit_enum(struct program *program, const struct declaration *d, struct text *out)
{
        text_format(out, "enum %s {\n", d->c_name);
        for (const struct value *v = d->values; v; v = v->next)
                text_format(out, "        %s_%s,\n", name_upper(&program->pool, d->name), name_upper(&program->pool, v->name));
        text_put(out, "};\n\n");
}

static void emit_calls(struct program *program, const struct declaration *d, struct text *out)
{
        emit_struct(program, emit_tag(program, d), NULL, d->fields, out);
        if (d->kind == DECLARE_METHOD)
                emit_struct(program, pool_format(&program->pool, "%s_result", d->c_name), d->result_name ? d->result_name->of : NULL,
                            d->result, out);
}

static void emit_externs(const struct file *file, struct text *out)
{
        static const char *const tables[DECLARE_KINDS] = {
                [DECLARE_ENUM] = "schema_enum schema_enum",       [DECLARE_ERROR] = "schema_error schema_error",
                [DECLARE_TYPE] = "schema_struct schema_type",     [DECLARE_METHOD] = "schema_method schema_method",
                [DECLARE_EVENT] = "schema_event schema_event",    [DECLARE_OP] = "schema_op schema_op",
        };

        for (const struct declaration *d = file->declarations; d; d = d->next)
                if (tables[d->kind])
                        text_format(out, "extern const struct %s_%s;\n", tables[d->kind], d->c_name);
}

void emit_types(struct program *program, const struct file *file, struct text *out)
{
        text_format(out, "/* Made from %s.schema. */\n#pragma once\n#include \"libcommon/schema.h\"\n", file->stem);
        for (const struct mention *use = file->uses; use; use = use->next)
                text_format(out, "#include \"schema/%s.h\"\n", use->name);
        text_put(out, "\n");
        for (const struct declaration *d = file->declarations; d; d = d->next)
                if (d->kind == DECLARE_ENUM)
                        emit_enum(program, d, out);
        for (const struct declaration *d = file->types; d; d = d->next_type)
                text_format(out, "struct %s;\n", d->c_name);
        if (file->types)
                text_put(out, "\n");
        for (const struct declaration *d = file->types; d; d = d->next_type)
                emit_struct(program, d->c_name, NULL, d->fields, out);
        for (const struct declaration *d = file->declarations; d; d = d->next)
                if (d->kind == DECLARE_METHOD || d->kind == DECLARE_EVENT || d->kind == DECLARE_OP)
                        emit_calls(program, d, out);
        emit_externs(file, out);
}

#include "codec_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t path_write(const struct codec_path *path, char *out, size_t size)
{
        size_t n = path->up ? path_write(path->up, out, size) : 0;
        int r;

        if (n >= size)
                return n;
        if (path->index >= 0)
                r = snprintf(out + n, size - n, "[%" PRId64 "]", path->index);
        else
                r = snprintf(out + n, size - n, "%s%s", n ? "." : "", path->name);
        return n + (r > 0 ? (size_t)r : 0);
}

void codec_locate(struct codec_error *error, const struct codec_path *path)
{
        if (!error)
                return;
        error->field[0] = '\0';
        if (path)
                path_write(path, error->field, sizeof(error->field));
}

int codec_fail(struct codec_error *error, const struct codec_path *path, const char *format, ...)
{
        va_list args;

        if (!error)
                return -EINVAL;
        codec_locate(error, path);
        va_start(args, format);
        vsnprintf(error->reason, sizeof(error->reason), format, args);
        va_end(args);
        return -EINVAL;
}

int codec_check_int(const struct schema_field *f, int64_t v, const struct codec_path *path, struct codec_error *error)
{
        if (v >= f->min && v <= f->max)
                return 0;
        return codec_fail(error, path, "is %" PRId64 "; must be %" PRId64 " to %" PRId64, v, f->min, f->max);
}

int codec_check_str(const struct schema_field *f, struct str s, const struct codec_path *path, struct codec_error *error)
{
        int64_t n = (int64_t)s.n;
        bool text = f->kind == SCHEMA_STRING;

        if (text) {
                n = str_utf8_length(s);
                if (n < 0)
                        return codec_fail(error, path, "is not valid UTF-8");
                if (s.n && memchr(s.p, '\0', s.n))
                        return codec_fail(error, path, "has a NUL character; leave it out");
        }
        if (n >= f->min && n <= f->max)
                return 0;
        return codec_fail(error, path, "has %" PRId64 " %s; must have %" PRId64 " to %" PRId64, n,
                          text ? "characters" : "bytes", f->min, f->max);
}

int codec_check_count(const struct schema_field *f, size_t n, const struct codec_path *path, struct codec_error *error)
{
        if (n >= f->list_min && n <= f->list_max)
                return 0;
        return codec_fail(error, path, "has %zu items; must have %u to %u", n, f->list_min, f->list_max);
}

int codec_unknown_value(const struct schema_field *f, struct str s, const struct codec_path *path, struct codec_error *error)
{
        char known[96];
        size_t at = 0;

        for (int i = 0; i < f->values->n && at < sizeof(known); i++)
                at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "", f->values->values[i]);
        if (s.n > 24 || str_utf8_length(s) < 0)
                return codec_fail(error, path, "must be one of %s", known);
        return codec_fail(error, path, "is \"%.*s\"; must be one of %s", STR_ARG(s), known);
}

void codec_set_presence(const struct schema_field *f, void *base, enum schema_presence presence)
{
        char *has = (char *)base + f->has_offset;

        if (f->flags & SCHEMA_NULLABLE)
                *(int *)has = presence;
        else if ((f->flags & SCHEMA_OPTIONAL) && (f->kind != SCHEMA_STRUCT || schema_is_list(f)))
                *(bool *)has = presence == SCHEMA_PRESENT;
}

int codec_absent(const struct schema_field *f, void *base, const struct codec_path *path, struct codec_error *error)
{
        if (f->flags & (SCHEMA_OPTIONAL | SCHEMA_NULLABLE)) {
                codec_set_presence(f, base, SCHEMA_ABSENT);
                return 0;
        }
        if (!(f->flags & SCHEMA_DEFAULT))
                return codec_fail(error, path, "is missing");
        if (f->kind == SCHEMA_BOOL)
                *(bool *)schema_at(f, base) = f->default_value;
        else if (f->kind == SCHEMA_ENUM)
                *(int *)schema_at(f, base) = (int)f->default_value;
        else
                *(int64_t *)schema_at(f, base) = f->default_value;
        return 0;
}

static int check_struct(const struct schema_struct *type, const void *base, const struct codec_path *up, struct codec_error *error);

static int check_one(const struct schema_field *f, const void *at, const struct codec_path *path, struct codec_error *error)
{
        switch (f->kind) {
        case SCHEMA_BOOL:
        case SCHEMA_ULID:
                return 0;
        case SCHEMA_UINT:
        case SCHEMA_INT:
        case SCHEMA_TIME:
                return codec_check_int(f, *(const int64_t *)at, path, error);
        case SCHEMA_ENUM:
                if (*(const int *)at >= 0 && *(const int *)at < f->values->n)
                        return 0;
                return codec_fail(error, path, "is not a value of %s", f->values->name);
        case SCHEMA_STRUCT:
                return check_struct(f->type, at, path, error);
        case SCHEMA_STRING:
        case SCHEMA_BYTES:
        case SCHEMA_JSON:
                break;
        }
        return codec_check_str(f, *(const struct str *)at, path, error);
}

static int check_struct(const struct schema_struct *type, const void *base, const struct codec_path *up, struct codec_error *error)
{
        int r;

        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];
                struct codec_path path = { up, f->name, -1 };
                const void *at = schema_at(f, base);

                if (schema_presence(f, base) != SCHEMA_PRESENT)
                        continue;
                if (schema_is_list(f)) {
                        const struct schema_list *list = at;

                        r = codec_check_count(f, list->n, &path, error);
                        for (size_t k = 0; !r && k < list->n; k++)
                                r = check_one(f, (const char *)list->items + k * f->size,
                                              &(struct codec_path){ &path, NULL, (int64_t)k }, error);
                } else if (f->kind == SCHEMA_STRUCT && (f->flags & SCHEMA_OPTIONAL)) {
                        r = check_one(f, *(void *const *)at, &path, error);
                } else {
                        r = check_one(f, at, &path, error);
                }
                if (r)
                        return r;
        }
        return 0;
}

int schema_check(const struct schema_struct *type, const void *value, struct codec_error *error)
{
        return check_struct(type, value, NULL, error);
}

#include "field_text.h"
#include <inttypes.h>

static bool is_ranged(const struct schema_field *f)
{
        static const int64_t all = (INT64_C(1) << 53) - 1;

        switch (f->kind) {
        case SCHEMA_UINT:
                return f->min > 0 || f->max < all;
        case SCHEMA_INT:
                return f->min > -all || f->max < all;
        case SCHEMA_STRING:
        case SCHEMA_BYTES:
                return true;
        case SCHEMA_JSON:
                return f->min > 2 || f->max < 1048576;
        default:
                return false;
        }
}

void field_type_text(const struct schema_field *f, void (*link)(const char *name, struct buf *out), struct buf *out)
{
        static const char *const kinds[] = { "bool", "uint", "int", "time", "ulid", "string", "bytes", "", "", "json" };

        if (f->flags & SCHEMA_LIST)
                buf_text(out, f->flags & SCHEMA_SET ? "set of " : "list of ");
        if (f->kind == SCHEMA_ENUM)
                link(f->values->name, out);
        else if (f->kind == SCHEMA_STRUCT)
                link(f->type->name, out);
        else
                buf_text(out, f->flags & SCHEMA_MARKDOWN ? "markdown" : kinds[f->kind]);
        if (is_ranged(f) && (f->kind == SCHEMA_UINT || f->kind == SCHEMA_INT) && f->max == (INT64_C(1) << 53) - 1)
                buf_format(out, " %" PRId64 "..", f->min);
        else if (is_ranged(f))
                buf_format(out, " %" PRId64 "..%" PRId64, f->min, f->max);
        if (f->flags & SCHEMA_LIST)
                buf_format(out, ", %" PRIu32 "..%" PRIu32 " items", f->list_min, f->list_max);
}

void field_flags_text(const struct schema_field *f, struct buf *out)
{
        static const struct {
                unsigned flag;
                const char *text;
        } flags[] = {
                { SCHEMA_PERSONAL, "personal" },
                { SCHEMA_MEANINGFUL, "meaningful" },
                { SCHEMA_SECRET, "secret" },
        };
        size_t start = out->n;

        if (f->flags & SCHEMA_NULLABLE)
                buf_text(out, "nullable");
        else if (f->flags & SCHEMA_OPTIONAL)
                buf_text(out, "optional");
        if (f->flags & SCHEMA_DEFAULT) {
                buf_text(out, "default ");
                if (f->kind == SCHEMA_BOOL)
                        buf_text(out, f->default_value ? "true" : "false");
                else if (f->kind == SCHEMA_ENUM)
                        buf_text(out, f->values->values[f->default_value]);
                else
                        buf_format(out, "%" PRId64, f->default_value);
        }
        for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
                if (f->flags & flags[i].flag)
                        buf_format(out, "%s%s", out->n > start ? ", " : "", flags[i].text);
}

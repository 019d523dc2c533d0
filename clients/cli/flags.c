#include "flags.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int wrong(struct flags_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct flags_error *error, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
        return -EINVAL;
}

static bool is_list(const struct schema_field *f)
{
        return f->flags & (SCHEMA_LIST | SCHEMA_SET);
}

/* "add-tags" is the field add_tags. */
static const struct schema_field *field_of(const struct schema_struct *type, struct str flag)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const char *name = type->fields[i].name;
                size_t k = 0;

                while (k < flag.n && name[k] && (name[k] == flag.p[k] || (name[k] == '_' && flag.p[k] == '-')))
                        k++;
                if (k == flag.n && !name[k])
                        return &type->fields[i];
        }
        return NULL;
}

static int read_stdin(struct arena *arena, struct str *ret)
{
        struct buf all = { 0 };
        ssize_t n;

        while ((n = read(STDIN_FILENO, buf_reserve(&all, 65536), 65536)) > 0)
                all.n += (size_t)n;
        *ret = arena_str(arena, buf_view(&all));
        buf_deinit(&all);
        return n < 0 ? -errno : 0;
}

/* The JSON of one value: the reader of all other callers' parameters checks it then. */
static void value_json(const struct schema_field *f, struct str value, struct buf *out)
{
        switch (f->kind) {
        case SCHEMA_BOOL:
                buf_text(out, str_is(value, "yes") ? "true" : str_is(value, "no") ? "false" : value.p);
                return;
        case SCHEMA_UINT:
        case SCHEMA_INT:
        case SCHEMA_TIME:
                if (strspn(value.p, "-0123456789") == value.n && value.n) {
                        buf_str(out, value);
                        return;
                }
                break;
        case SCHEMA_JSON:
        case SCHEMA_STRUCT:
                buf_str(out, value);
                return;
        default:
                break;
        }
        json_string(out, value);
}

/* What was given, by field: so that a list's items come together. */
struct given {
        struct str *values;
        size_t n;
};

static int give(const struct schema_field *f, struct given *g, struct str value, struct arena *arena, struct flags_error *error)
{
        if (g->n && !is_list(f))
                return wrong(error, "--%s is given twice", f->name);
        if (f->kind == SCHEMA_BOOL && !str_is(value, "true") && !str_is(value, "false") && !str_is(value, "yes") && !str_is(value, "no"))
                return wrong(error, "--%s is \"%.*s\"; must be yes or no", f->name, STR_ARG(value));
        if (f->kind == SCHEMA_STRING && str_is(value, "-") && read_stdin(arena, &value))
                return wrong(error, "standard input can't be read: %s", strerror(errno));
        if (g->n % 16 == 0) {
                struct str *more = arena_array(arena, g->n + 16, sizeof(*more));

                if (g->n)
                        memcpy(more, g->values, g->n * sizeof(*more));
                g->values = more;
        }
        g->values[g->n++] = value;
        return 0;
}

static void given_json(const struct schema_field *f, const struct given *g, struct buf *out)
{
        if ((f->flags & SCHEMA_NULLABLE) && str_is(g->values[0], "none")) {
                buf_text(out, "null");
                return;
        }
        if (is_list(f))
                buf_char(out, '[');
        for (size_t i = 0; i < g->n; i++) {
                if (i)
                        buf_char(out, ',');
                value_json(f, g->values[i], out);
        }
        if (is_list(f))
                buf_char(out, ']');
}

/* Names become the ids that they stand for. */
static int names_replace(const struct schema_field *f, struct given *g, const struct flags_names *names, struct arena *arena,
                         struct flags_error *error)
{
        char text[ULID_TEXT + 1];
        struct ulid id;
        int r;

        for (size_t i = 0; i < g->n; i++) {
                if (!ulid_parse(g->values[i], &id) || ((f->flags & SCHEMA_NULLABLE) && str_is(g->values[i], "none")))
                        continue;
                r = names->find(names->data, f, g->values[i], &id, error);
                if (r)
                        return r;
                ulid_text(id, text);
                g->values[i] = arena_str(arena, str_of(text));
        }
        return 0;
}

int flags_read(const struct schema_struct *type, int argc, char **argv, const char *const *positional, const struct flags_names *names,
               struct arena *arena, void *ret, struct flags_error *error)
{
        struct given *given = arena_array(arena, type->n_fields, sizeof(*given));
        struct codec_error what;
        struct buf json = { 0 };
        bool plain = false;
        int r = 0;

        for (int i = 0; i < argc && !r; i++) {
                struct str value, flag = str_of(argv[i]);
                const struct schema_field *f;
                const char *equals;

                if (!plain && str_is(flag, "--")) {
                        plain = true;
                        continue;
                }
                if (plain || !str_starts(flag, "--")) {
                        if (!positional || !*positional)
                                return wrong(error, "\"%s\" is one argument too many", argv[i]);
                        f = schema_field_find(type, *positional);
                        if (!is_list(f))
                                positional++;
                        r = give(f, &given[f - type->fields], flag, arena, error);
                        continue;
                }
                equals = strchr(argv[i], '=');
                flag = (struct str){ argv[i] + 2, (equals ? (size_t)(equals - argv[i]) : flag.n) - 2 };
                f = field_of(type, flag);
                if (!f)
                        return wrong(error, "there is no --%.*s; --help has what there is", STR_ARG(flag));
                if (equals)
                        value = str_of(equals + 1);
                else if (f->kind == SCHEMA_BOOL && (i + 1 == argc || str_starts(str_of(argv[i + 1]), "--")))
                        value = STR("true");
                else if (i + 1 < argc)
                        value = str_of(argv[++i]);
                else
                        return wrong(error, "--%s needs a value", f->name);
                r = give(f, &given[f - type->fields], value, arena, error);
        }
        for (uint32_t i = 0; names && i < type->n_fields && !r; i++)
                if (type->fields[i].kind == SCHEMA_ULID)
                        r = names_replace(&type->fields[i], &given[i], names, arena, error);
        if (r)
                return r;
        buf_char(&json, '{');
        for (uint32_t i = 0; i < type->n_fields; i++) {
                if (!given[i].n)
                        continue;
                if (json.n > 1)
                        buf_char(&json, ',');
                buf_format(&json, "\"%s\":", type->fields[i].name);
                given_json(&type->fields[i], &given[i], &json);
        }
        buf_char(&json, '}');
        r = json_read(type, arena_str(arena, buf_view(&json)), arena, ret, &what);
        buf_deinit(&json);
        if (!r)
                return 0;
        return what.field[0] ? wrong(error, "--%s %s", what.field, what.reason) : wrong(error, "%s", what.reason);
}

static void kind_help(const struct schema_field *f, struct buf *out)
{
        switch (f->kind) {
        case SCHEMA_BOOL:
                buf_text(out, " [yes|no]");
                return;
        case SCHEMA_UINT:
        case SCHEMA_INT:
                buf_text(out, " N");
                return;
        case SCHEMA_TIME:
                buf_text(out, " MS");
                return;
        case SCHEMA_ULID:
                buf_text(out, " ID");
                return;
        case SCHEMA_ENUM:
                for (int i = 0; i < f->values->n; i++)
                        buf_format(out, "%s%s", i ? "|" : " ", f->values->values[i]);
                return;
        case SCHEMA_BYTES:
                buf_text(out, " BASE64URL");
                return;
        case SCHEMA_JSON:
        case SCHEMA_STRUCT:
                buf_text(out, " JSON");
                return;
        case SCHEMA_STRING:
                buf_text(out, " TEXT");
                return;
        }
}

void flags_help(const struct schema_struct *type, struct buf *out)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];
                size_t start = out->n;

                buf_text(out, "  --");
                for (const char *p = f->name; *p; p++)
                        buf_char(out, *p == '_' ? '-' : *p);
                kind_help(f, out);
                if (is_list(f))
                        buf_text(out, " ...");
                while (out->n - start < 30)
                        buf_char(out, ' ');
                buf_format(out, " %s", f->doc && *f->doc ? f->doc : "");
                if (f->kind == SCHEMA_STRING && f->max)
                        buf_format(out, "%s%" PRId64 " to %" PRId64 " characters", f->doc && *f->doc ? "; " : "", f->min, f->max);
                if (!(f->flags & (SCHEMA_OPTIONAL | SCHEMA_NULLABLE | SCHEMA_DEFAULT)))
                        buf_text(out, " (required)");
                buf_char(out, '\n');
        }
}

int flags_words(const char *words, int argc, char **argv)
{
        struct str rest = str_of(words);
        int n = 0;

        while (rest.n) {
                struct str word = str_cut(&rest, ' ');

                if (n == argc || !str_is(word, argv[n]))
                        return 0;
                n++;
        }
        return n;
}

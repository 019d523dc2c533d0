#include "check.h"
#include <string.h>

static const struct {
        const char *name;
        enum kind kind;
} built_in[] = {
        { "bool", KIND_BOOL },     { "uint", KIND_UINT },       { "int", KIND_INT },     { "time", KIND_TIME }, { "ulid", KIND_ULID },
        { "string", KIND_STRING }, { "markdown", KIND_STRING }, { "bytes", KIND_BYTES }, { "json", KIND_JSON },
};
enum { BUILT_IN = sizeof(built_in) / sizeof(*built_in) };

/* What a field of each kind may hold, and whether a range says less. */
static const struct {
        bool ranged, needed, length;
        int64_t min, max;
} limits[] = {
        [KIND_BOOL] = { .max = 1 },
        [KIND_UINT] = { .ranged = true, .max = NUMBER_MAX },
        [KIND_INT] = { .ranged = true, .min = -NUMBER_MAX, .max = NUMBER_MAX },
        [KIND_TIME] = { .max = NUMBER_MAX },
        [KIND_ULID] = { .max = 0 },
        [KIND_STRING] = { .ranged = true, .needed = true, .length = true, .max = BYTES_MAX },
        [KIND_BYTES] = { .ranged = true, .needed = true, .length = true, .max = BYTES_MAX },
        [KIND_JSON] = { .ranged = true, .length = true, .min = 2, .max = BYTES_MAX },
        [KIND_ENUM] = { .max = 0 },
        [KIND_STRUCT] = { .max = 0 },
};

static void check_range(struct program *program, struct range *range, const char *of, int64_t min, int64_t max)
{
        if (range->open)
                range->max = max;
        if (range->min > range->max && !range->open)
                report(program, &range->at, "range %lld..%lld runs backwards; write %lld..%lld", (long long)range->min,
                       (long long)range->max, (long long)range->max, (long long)range->min);
        if (range->min < min || range->max > max || range->min > max)
                report(program, &range->at, "the range goes beyond what %s can hold; stay within %lld..%lld", of, (long long)min,
                       (long long)max);
}

static bool visible(const struct file *file, const struct declaration *d)
{
        if (d->file == file)
                return true;
        for (const struct mention *use = file->uses; use; use = use->next)
                if (use->file == d->file)
                        return true;
        return false;
}

static void report_unknown(struct program *program, const struct type_use *use)
{
        static const enum declaration_kind kinds[] = { DECLARE_TYPE, DECLARE_ENUM, DECLARE_ALIAS };
        struct nearest nearest = { .wanted = use->name };

        for (int i = 0; i < BUILT_IN; i++)
                nearest_try(&nearest, built_in[i].name);
        for (size_t k = 0; k < 3; k++)
                for (size_t i = 0; i < program->by_kind[kinds[k]].n; i++)
                        nearest_try(&nearest, program->by_kind[kinds[k]].items[i]->name);
        if (nearest.name)
                report(program, &use->at, "unknown type '%s'; write '%s'", use->name, nearest.name);
        else
                report(program, &use->at, "unknown type '%s'; declare it, or write bool, uint, int, time, ulid, string, markdown, bytes, "
                       "json, list<T> or set<T>", use->name);
}

static void resolve_alias(struct program *program, struct declaration *d);

/* Fills kind, of, markdown and the final range. */
static void resolve_type(struct program *program, const struct file *file, struct type_use *use)
{
        struct declaration *d = NULL;
        int i = 0;

        while (i < BUILT_IN && strcmp(use->name, built_in[i].name) != 0)
                i++;
        if (i < BUILT_IN) {
                use->kind = built_in[i].kind;
                use->markdown = strcmp(use->name, "markdown") == 0;
        } else {
                d = type_find(program, use->name);
                if (!d) {
                        report_unknown(program, use);
                        return;
                }
                if (!visible(file, d)) {
                        report(program, &use->at, "'%s' is declared in %s.schema; write 'use %s' at the top", use->name, d->file->stem,
                               d->file->stem);
                        return;
                }
        }
        if (d && d->kind == DECLARE_ALIAS) {
                resolve_alias(program, d);
                if (use->range.given)
                        report(program, &use->range.at, "'%s' has its own range; leave this one out, or write %s in its place", use->name,
                               d->alias.name);
                use->kind = d->alias.kind;
                use->markdown = d->alias.markdown;
                use->range = d->alias.range;
                return;
        }
        if (d) {
                use->kind = d->kind == DECLARE_ENUM ? KIND_ENUM : KIND_STRUCT;
                use->of = d;
        }
        if (use->range.given && !limits[use->kind].ranged)
                report(program, &use->range.at, "'%s' takes no range; remove it", use->name);
        if (use->range.given && use->range.open && limits[use->kind].length)
                report(program, &use->range.at, "'%s' needs an upper end; write it, as in '%s 1..200'", use->name, use->name);
        if (!use->range.given && limits[use->kind].needed)
                report(program, &use->at, "'%s' without a range; write its least and greatest length, as in '%s 1..200'", use->name,
                       use->name);
        if (use->range.given)
                check_range(program, &use->range, use->name, limits[use->kind].min, limits[use->kind].max);
        else
                use->range = (struct range){ .min = limits[use->kind].min, .max = limits[use->kind].max };
}

static void resolve_alias(struct program *program, struct declaration *d)
{
        const struct declaration *of;

        if (d->mark == MARK_DONE)
                return;
        of = type_find(program, d->alias.name);
        if (d->mark == MARK_OPEN)
                report(program, &d->at, "alias '%s' stands for itself; write a built-in type, as in 'alias %s string 1..40'",
                       d->name, d->name);
        else if (of && of->kind != DECLARE_ALIAS)
                report(program, &d->alias.at, "an alias for '%s'; write '%s' where it is meant, aliases are for built-in types", of->name,
                       of->name);
        if (program->error)
                return;
        d->mark = MARK_OPEN;
        resolve_type(program, d->file, &d->alias);
        d->mark = MARK_DONE;
}

/* ---- flags ---- */

static void refuse_flag(struct program *program, const struct field *f, int bit, const char *why)
{
        if (f->flags & 1U << bit)
                report(program, &f->flag_at[bit], "%s", why);
}

static void check_flags(struct program *program, const struct declaration *d, const struct field *f, bool result)
{
        enum { OPTIONAL, NULLABLE, PERSONAL = 4, MEANINGFUL, DEFAULT, SECRET };
        enum kind kind = f->value.kind;
        bool list = f->flags & FLAG_LIST, text = kind == KIND_STRING || kind == KIND_BYTES;
        bool default_kind = kind == KIND_BOOL || kind == KIND_UINT || kind == KIND_INT || kind == KIND_ENUM;

        if (f->flags & FLAG_OPTIONAL)
                refuse_flag(program, f, NULLABLE, "'nullable' is optional already; remove 'optional'");
        if (f->flags & (FLAG_OPTIONAL | FLAG_NULLABLE))
                refuse_flag(program, f, DEFAULT, "a default says what an absent field means; remove 'optional' or 'nullable'");
        if (list)
                refuse_flag(program, f, NULLABLE, "'nullable' on a list; an empty list says \"none\", write 'optional'");
        if (kind == KIND_STRUCT)
                refuse_flag(program, f, NULLABLE, "'nullable' on a type; write 'optional'");
        if (kind == KIND_BOOL) /* msgpack writes null as false */
                refuse_flag(program, f, NULLABLE, "'nullable' on a bool; write an enum of three values");
        if (list || !default_kind)
                refuse_flag(program, f, DEFAULT, "only bool, numbers and enums have a default; write 'optional'");
        if (d->kind != DECLARE_OP)
                refuse_flag(program, f, PERSONAL, "'personal' is for fields of ops, whose text is kept apart; remove it");
        if (list || !text)
                refuse_flag(program, f, PERSONAL, "'personal' is for string, markdown and bytes; remove it");
        if (list)
                refuse_flag(program, f, MEANINGFUL, "'meaningful' on a list; lists merge without conflict, remove it");
        if (d->kind != DECLARE_TYPE && d->kind != DECLARE_OP)
                refuse_flag(program, f, MEANINGFUL, result ? "'meaningful' is for fields of types and ops; write the result as a type"
                                                           : "'meaningful' is for fields of types and ops; remove it");
        if (d->kind == DECLARE_OP || d->kind == DECLARE_EVENT)
                refuse_flag(program, f, SECRET, "a secret in what is kept or sent to many; leave the field out");
}

static void check_default(struct program *program, struct field *f)
{
        int64_t i = 0;

        if (!(f->flags & FLAG_DEFAULT))
                return;
        switch (f->value.kind) {
        case KIND_BOOL:
                if (!f->default_name || (strcmp(f->default_name, "true") != 0 && strcmp(f->default_name, "false") != 0))
                        report(program, &f->default_at, "not a bool; write 'default true' or 'default false'");
                else
                        f->default_value = strcmp(f->default_name, "true") == 0;
                return;
        case KIND_ENUM: {
                struct nearest nearest = { .wanted = f->default_name ? f->default_name : "" };

                for (const struct value *v = f->value.of->values; v; v = v->next, i++) {
                        if (strcmp(nearest.wanted, v->name) == 0) {
                                f->default_value = i;
                                return;
                        }
                        nearest_try(&nearest, v->name);
                }
                report(program, &f->default_at, "not a value of %s; write 'default %s'", f->value.of->name,
                       nearest.name ? nearest.name : f->value.of->values->name);
                return;
        }
        default:
                if (f->default_name)
                        report(program, &f->default_at, "'%s' is no number; write one within %lld..%lld", f->default_name,
                               (long long)f->value.range.min, (long long)f->value.range.max);
                else if (f->default_value < f->value.range.min || f->default_value > f->value.range.max)
                        report(program, &f->default_at, "the default is out of range; write one within %lld..%lld",
                               (long long)f->value.range.min, (long long)f->value.range.max);
        }
}

/* ---- a field ---- */

static void check_list(struct program *program, struct field *f)
{
        const char *word = f->flags & FLAG_SET ? "set" : "list";

        if (!f->items.given)
                report(program, &f->value.at, "%s without a range; write how many items it has, as in '%s<%s> 0..10'", word, word,
                       f->value.name);
        if (f->items.open)
                report(program, &f->items.at, "a %s needs an upper end; write it, as in '%s<%s> 0..10'", word, word, f->value.name);
        check_range(program, &f->items, pool_format(&program->pool, "a %s", word), 0, ITEMS_MAX);
        if ((f->flags & FLAG_SET) && (f->value.kind == KIND_STRUCT || f->value.kind == KIND_JSON))
                report(program, &f->value.at, "a set of '%s', of which nothing says when two are the same; write a list", f->value.name);
}

static void check_c_name(struct program *program, struct field *fields, const struct field *f)
{
        /* C11's and gcc's own, what stdbool.h defines, and what gcc's preprocessor does. */
        static const char *const keywords[] = {
                "alignas", "alignof", "asm", "auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double",
                "else", "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int", "linux", "long", "register", "restrict",
                "return", "short", "signed", "sizeof", "static", "struct", "switch", "true", "typedef", "typeof", "union", "unix",
                "unsigned", "void", "volatile", "while",
        };

        for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
                if (strcmp(f->name, keywords[i]) == 0)
                        report(program, &f->at, "'%s' is a word of C; write another name", f->name);
        if (strncmp(f->name, "has_", 4) == 0) {
                const struct field *of = field_find(fields, f->name + 4);

                if (of && of->flags & (FLAG_OPTIONAL | FLAG_NULLABLE))
                        report(program, &f->at, "'%s' says in C whether '%s' is there; write another name", f->name, of->name);
        }
}

static void check_list_of_fields(struct program *program, const struct declaration *d, struct field *fields, bool result)
{
        for (struct field *f = fields; f && !program->error; f = f->next) {
                size_t n = strlen(f->name);

                check_c_name(program, fields, f);
                resolve_type(program, d->file, &f->value);
                if (program->error)
                        return;
                if (f->flags & FLAG_LIST)
                        check_list(program, f);
                if (f->value.kind == KIND_TIME && strcmp(f->name, "at") != 0 && (n < 4 || strcmp(f->name + n - 3, "_at") != 0))
                        report(program, &f->at, "a time's name ends in _at; write '%s_at'", f->name);
                check_flags(program, d, f, result);
                if (!program->error)
                        check_default(program, f);
        }
}

/* ---- types in types ---- */

/* Appends d to its file's types, after all those that lie in it without a pointer. */
static void order_type(struct program *program, struct declaration *d)
{
        d->mark = MARK_OPEN;
        for (struct field *f = d->fields; f && !program->error; f = f->next) {
                struct declaration *in;

                if (f->value.kind != KIND_STRUCT || f->flags & (FLAG_LIST | FLAG_OPTIONAL))
                        continue;
                in = type_find(program, f->value.name);
                if (in->mark == MARK_OPEN)
                        report(program, &f->value.at, "'%s' holds itself without end; write 'optional' or a list", in->name);
                else if (in->mark == MARK_NEW)
                        order_type(program, in);
        }
        d->mark = MARK_DONE;
        *d->file->last_type = d;
        d->file->last_type = &d->next_type;
}

void check_fields(struct program *program)
{
        const struct index *types = &program->by_kind[DECLARE_TYPE];

        for (struct file *file = program->files; file; file = file->next) {
                file->last_type = &file->types;
                for (struct declaration *d = file->declarations; d && !program->error; d = d->next) {
                        if (d->kind == DECLARE_ALIAS)
                                resolve_alias(program, d);
                        if (d->kind == DECLARE_ENUM && !d->values)
                                report(program, &d->at, "an enum without values; write at least one");
                        if (d->kind == DECLARE_TYPE && !d->fields)
                                report(program, &d->at, "a type without fields; write at least one");
                        check_list_of_fields(program, d, d->fields, false);
                        check_list_of_fields(program, d, d->result, true);
                }
        }
        for (size_t i = 0; i < types->n && !program->error; i++)
                if (types->items[i]->mark == MARK_NEW)
                        order_type(program, types->items[i]);
}

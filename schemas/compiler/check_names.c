/* Names once: as written, and as spelled in C, where "ticket.set_state" and "ticket_set.state" are the same. */
#include "check.h"
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
        const struct declaration *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

static const char *place(struct program *program, const struct declaration *d)
{
        return pool_format(&program->pool, "%s:%d:%d", d->file->path, d->at.line, d->at.column);
}

/* Names of types, enums and aliases stand in the same places, so they are one set. */
static enum declaration_kind set_of(enum declaration_kind kind)
{
        return kind == DECLARE_ENUM || kind == DECLARE_ALIAS ? DECLARE_TYPE : kind;
}

/* Fields' and values' names, which live in a scope of their own. */
static void check_members(struct program *program, const struct declaration *d)
{
        struct field *const lists[] = { d->fields, d->result };

        for (size_t i = 0; i < 2; i++)
                for (struct field *f = lists[i]; f; f = f->next)
                        if (field_find(lists[i], f->name) != f)
                                report(program, &f->at, "field '%s' twice; give one of them another name", f->name);
        for (struct value *v = d->values; v; v = v->next)
                for (struct value *other = d->values; other != v; other = other->next)
                        if (strcmp(v->name, other->name) == 0)
                                report(program, &v->at, "value '%s' twice; give one of them another name", v->name);
}

/* An identifier in C, and whose it is: of == NULL where libcommon has it. */
struct identifier {
        const char *name;
        const struct declaration *of;
        const struct position *at;
        size_t order;
};

struct identifiers {
        struct identifier *items;
        size_t n, capacity;
};

static void add_identifier(struct identifiers *all, const char *name, const struct declaration *of, const struct position *at)
{
        if (all->n == all->capacity) {
                all->capacity = 2 * all->capacity + 256;
                all->items = realloc(all->items, all->capacity * sizeof(*all->items));
                if (!all->items)
                        abort();
        }
        all->items[all->n] = (struct identifier){ name, of, at, all->n };
        all->n++;
}

static int by_identifier(const void *a, const void *b)
{
        const struct identifier *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void add_identifiers(struct program *program, struct identifiers *all, const struct declaration *d)
{
        struct pool *pool = &program->pool;

        switch (d->kind) {
        case DECLARE_ALIAS:
                return;
        case DECLARE_ERROR:
                add_identifier(all, pool_format(pool, "schema_error_%s", d->c_name), d, &d->at);
                return;
        case DECLARE_ENUM:
                add_identifier(all, pool_format(pool, "schema_enum_%s", d->c_name), d, &d->at);
                for (struct value *v = d->values; v; v = v->next)
                        add_identifier(all, pool_format(pool, "%s_%s", name_upper(pool, d->name), name_upper(pool, v->name)), d, &v->at);
                break;
        case DECLARE_METHOD:
                add_identifier(all, pool_format(pool, "%s_result", d->c_name), d, &d->at);
                break;
        case DECLARE_EVENT:
                add_identifier(all, pool_format(pool, "event_%s", d->c_name), d, &d->at);
                return;
        case DECLARE_OP:
                add_identifier(all, pool_format(pool, "op_%s", d->c_name), d, &d->at);
                return;
        default:
                break;
        }
        add_identifier(all, d->c_name, d, &d->at);
}

static void check_identifiers(struct program *program)
{
        /* What every handler sees through rpc.h, and the services' own. */
        static const char *const taken[] = {
                "arena", "buf", "call", "caller", "clock", "codec_commit", "codec_error", "fanout", "fault", "feed", "follower", "gateway",
                "identity", "log_context", "loop", "loop_io", "loop_timer", "loop_work", "schema_enum_find", "schema_error_by_code",
                "store", "str", "supervisor", "ulid",
        };
        struct identifiers all = { 0 };

        for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
                add_identifier(&all, taken[i], NULL, NULL);
        for (struct file *f = program->files; f; f = f->next)
                for (struct declaration *d = f->declarations; d; d = d->next)
                        add_identifiers(program, &all, d);
        qsort(all.items, all.n, sizeof(*all.items), by_identifier);
        for (size_t i = 0; i < all.n && !program->error; i++) {
                const struct identifier *one = &all.items[i], *other = i ? &all.items[i - 1] : NULL;

                if (one->of && one->name == one->of->c_name && strncmp(one->name, "schema_", 7) == 0)
                        report(program, one->at, "'%s' is '%s' in C, and schema_ is the compiler's own; write another name", one->of->name,
                               one->name);
                if (!other || strcmp(one->name, other->name) != 0)
                        continue;
                if (!other->of)
                        report(program, one->at, "'%s' is '%s' in C, which is taken there; write another name", one->of->name, one->name);
                else
                        report(program, one->at, "'%s' is '%s' in C, as '%s' (%s) is; give one of them another name", one->of->name,
                               one->name, other->of->name, place(program, other->of));
        }
        free(all.items);
}

static void fill_index(struct program *program)
{
        size_t n = 0, each[DECLARE_KINDS] = { 0 };

        for (struct file *f = program->files; f; f = f->next) {
                for (struct declaration *d = f->declarations; d; d = d->next) {
                        each[d->kind]++;
                        if (++n > DECLARATIONS_MAX)
                                report(program, &d->at, "more than %d declarations; there is no room for this one", DECLARATIONS_MAX);
                }
        }
        for (int kind = 0; kind < DECLARE_KINDS; kind++)
                program->by_kind[kind].items = pool_new(&program->pool, (each[kind] + 1) * sizeof(struct declaration *));
        for (struct file *f = program->files; f; f = f->next)
                for (struct declaration *d = f->declarations; d; d = d->next)
                        program->by_kind[d->kind].items[program->by_kind[d->kind].n++] = d;
        for (int kind = 0; kind < DECLARE_KINDS; kind++)
                qsort(program->by_kind[kind].items, program->by_kind[kind].n, sizeof(struct declaration *), by_name);
}

/* The first declaration of a name, in the order of the files. */
static const struct declaration *first_of(const struct program *program, const struct declaration *of)
{
        for (struct file *f = program->files; f; f = f->next)
                for (struct declaration *d = f->declarations; d; d = d->next)
                        if (set_of(d->kind) == set_of(of->kind) && strcmp(d->name, of->name) == 0)
                                return d;
        return of;
}

static void check_once(struct program *program)
{
        for (struct file *f = program->files; f; f = f->next) {
                for (struct declaration *d = f->declarations; d && !program->error; d = d->next) {
                        const struct declaration *first = first_of(program, d);

                        if (first != d)
                                report(program, &d->at, "'%s' is declared twice, first at %s; give one of them another name", d->name,
                                       place(program, first));
                }
        }
}

void check_names(struct program *program)
{
        fill_index(program);
        if (!program->error)
                check_once(program);
        for (struct file *f = program->files; f && !program->error; f = f->next)
                for (struct declaration *d = f->declarations; d; d = d->next)
                        check_members(program, d);
        if (!program->error)
                check_identifiers(program);
}

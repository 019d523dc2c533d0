/* Errors, methods, events and ops: who calls, who sees, what is answered. */
#include "check.h"
#include <string.h>

static void check_errors(struct program *program)
{
        const struct index *errors = &program->by_kind[DECLARE_ERROR];

        for (size_t i = 0; i < errors->n; i++) {
                const struct declaration *d = errors->items[i];

                if (d->code < 32000 || d->code > 32768)
                        report(program, &d->at, "code %lld; write one within 32000..32768, which JSON-RPC leaves to us or defines",
                               (long long)d->code);
                for (size_t j = 0; j < i; j++)
                        if (errors->items[j]->code == d->code)
                                report(program, &d->at, "'%s' has code %lld too; write another", errors->items[j]->name,
                                       (long long)d->code);
        }
}

static void resolve_errors(struct program *program, struct declaration *d)
{
        const struct index *errors = &program->by_kind[DECLARE_ERROR];

        for (struct mention *e = d->errors; e; e = e->next) {
                struct nearest nearest = { .wanted = e->name };

                for (struct mention *other = d->errors; other != e; other = other->next)
                        if (strcmp(e->name, other->name) == 0)
                                report(program, &e->at, "error '%s' twice; write it once", e->name);
                e->of = index_find(errors, e->name);
                if (e->of)
                        continue;
                for (size_t i = 0; i < errors->n; i++)
                        nearest_try(&nearest, errors->items[i]->name);
                if (nearest.name)
                        report(program, &e->at, "unknown error '%s'; write '%s'", e->name, nearest.name);
                else
                        report(program, &e->at, "unknown error '%s'; declare it, as in 'error %s 32042'", e->name, e->name);
        }
}

static void resolve_result(struct program *program, struct declaration *d)
{
        const struct declaration *of = type_find(program, d->result_name->name);
        struct nearest nearest = { .wanted = d->result_name->name };
        bool used = of && of->file == d->file;

        for (const struct mention *use = d->file->uses; of && use; use = use->next)
                used |= use->file == of->file;
        if (of && of->kind != DECLARE_TYPE)
                report(program, &d->result_name->at, "'%s' is no type; write a type, or fields in '{' and '}'", of->name);
        else if (of && !used)
                report(program, &d->result_name->at, "'%s' is declared in %s.schema; write 'use %s' at the top", of->name, of->file->stem,
                       of->file->stem);
        d->result_name->of = of;
        if (of)
                return;
        for (size_t i = 0; i < program->by_kind[DECLARE_TYPE].n; i++)
                nearest_try(&nearest, program->by_kind[DECLARE_TYPE].items[i]->name);
        if (nearest.name)
                report(program, &d->result_name->at, "unknown type '%s'; write '%s'", d->result_name->name, nearest.name);
        else
                report(program, &d->result_name->at, "unknown type '%s'; declare it, or write fields in '{' and '}'", d->result_name->name);
}

/* A field that no schema wrote. */
static struct field *own_field(struct program *program, const struct position *at, const char *name, enum kind kind, unsigned flags,
                               int64_t max, const char *doc)
{
        struct field *f = pool_new(&program->pool, sizeof(*f));

        *f = (struct field){ .name = name, .doc = doc, .at = *at, .flags = flags, .value = { .kind = kind, .range = { .max = max } } };
        return f;
}

static void prepend_own(struct program *program, struct field **fields, struct field *own)
{
        struct field *same = field_find(*fields, own->name);

        if (same)
                report(program, &same->at, "'mutates' adds '%s' by itself; remove this field", own->name);
        own->next = *fields;
        *fields = own;
}

/* First, so that parameters and results may be added at the end. */
static void add_mutation(struct program *program, struct declaration *d)
{
        struct position at = d->result_name ? d->result_name->at : d->mutates_at;
        const struct field *fields = d->result_name ? d->result_name->of->fields : NULL;

        for (const struct field *f = fields; f; f = f->next)
                if (strcmp(f->name, "op_id") == 0 || strcmp(f->name, "cursor") == 0)
                        report(program, &at, "'mutates' adds '%s' by itself, and '%s' has one; write the result's fields in place", f->name,
                               d->result_name->name);
        prepend_own(program, &d->fields, own_field(program, &at, "op_id", KIND_ULID, FLAG_OPTIONAL, 0,
                                                   "Made by the client, and the same when it tries again: then it acts once."));
        prepend_own(program, &d->result, own_field(program, &at, "cursor", KIND_STRING, FLAG_OPTIONAL, 128,
                                                   "Where the command's events end."));
        prepend_own(program, &d->result, own_field(program, &at, "op_id", KIND_ULID, 0, 0, "The command's id, as it is in the log."));
}

static void check_method(struct program *program, struct declaration *d)
{
        if (!d->has_service)
                report(program, &d->at, "method '%s' without a service; write 'service store' or another", d->name);
        if (!d->has_role && !d->from)
                report(program, &d->at, "nobody may call '%s'; write 'role' with the least role, 'from' with services, or both", d->name);
        if (d->has_role)
                d->from |= PEER_GATEWAY;
        else
                d->role = ROLE_NOBODY;
        if (d->follow && d->mutates)
                report(program, &d->follow_at, "a method that both mutates and follows; write one of them");
        if (d->result_name)
                resolve_result(program, d);
        resolve_errors(program, d);
        if (d->mutates && !program->error)
                add_mutation(program, d);
}

static bool names(const struct declaration *d, const char *field)
{
        const struct field *f = field_find(d->fields, field);

        return f && f->value.kind == KIND_ULID && !(f->flags & (FLAG_LIST | FLAG_OPTIONAL | FLAG_NULLABLE));
}

static void check_audience(struct program *program, const struct declaration *d)
{
        if (!d->has_audience)
                report(program, &d->at, "%s '%s' without an audience; write 'audience' and ticket, agents, user or all",
                       d->kind == DECLARE_OP ? "op" : "event", d->name);
        if (d->kind == DECLARE_EVENT) /* the server knows what it is about */
                return;
        if (d->audience == AUDIENCE_TICKET && !names(d, "ticket") && strcmp(d->name, "ticket.create") != 0) /* whose op_id it is */
                report(program, &d->at, "audience ticket, but of which; write a field 'ticket ulid'");
        if (d->audience == AUDIENCE_USER && !names(d, "user"))
                report(program, &d->at, "audience user, but who; write a field 'user ulid'");
}

void check_calls(struct program *program)
{
        check_errors(program);
        for (struct file *file = program->files; file; file = file->next) {
                for (struct declaration *d = file->declarations; d && !program->error; d = d->next) {
                        if (d->kind == DECLARE_METHOD)
                                check_method(program, d);
                        if (d->kind == DECLARE_EVENT || d->kind == DECLARE_OP)
                                check_audience(program, d);
                }
        }
}

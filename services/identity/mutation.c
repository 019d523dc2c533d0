#include "mutation.h"

static int begin(struct mutation *m, struct identity *d, struct call *c, struct str actor)
{
        int r;

        *m = (struct mutation){ .d = d, .done = { .op_id = c->op_id, .actor = actor } };
        done_hash(str_of(c->method->name), c->raw_params, m->done.request);
        r = done_find(d->db, &m->done, &m->entity);
        if (r == FAULT_CONFLICT)
                return call_conflict(c, "this op id was used for something else");
        if (r == 0)
                m->repeated = true;
        else if (r == FAULT_NOT_FOUND)
                r = db_begin(d->db);
        return r;
}

int mutation_begin(struct mutation *m, struct identity *d, struct call *c)
{
        char user[ULID_TEXT + 1];

        if (!c->has_caller)
                return begin(m, d, c, STR("operator"));
        ulid_text(c->caller.user, user);
        return begin(m, d, c, arena_format(&c->arena, "user:%s", user));
}

int mutation_begin_by_device(struct mutation *m, struct identity *d, struct call *c)
{
        return begin(m, d, c, arena_format(&c->arena, "device:%.*s", STR_ARG(c->caller.device)));
}

int mutation_end(struct mutation *m, int r)
{
        if (r == 0)
                r = done_put(m->d->db, &m->done, m->entity);
        if (r == 0)
                r = db_commit(m->d->db);
        if (r)
                db_rollback(m->d->db);
        return r;
}

int mutation_refuse(struct mutation *m, int r)
{
        int failed = db_commit(m->d->db);

        if (failed)
                db_rollback(m->d->db);
        return failed ? failed : r;
}

#include "demotions.h"

#include <stdlib.h>

static struct demotion *find(const struct demotions *d, struct ulid user)
{
        struct demotion *found;

        HASH_FIND(hh, d->all, &user, sizeof(user), found);
        return found;
}

static void drop(struct demotions *d, struct demotion *demotion)
{
        HASH_DEL(d->all, demotion);
        free(demotion);
}

bool demotions_have(const struct demotions *d, struct ulid user)
{
        return find(d, user);
}

void demotions_note(struct demotions *d, struct ulid user, bool agent)
{
        struct demotion *demotion = find(d, user);

        if (agent && demotion)
                drop(d, demotion);
        if (agent || demotion)
                return;
        demotion = calloc(1, sizeof(*demotion));
        if (!demotion)
                abort();
        demotion->user = user;
        HASH_ADD(hh, d->all, user, sizeof(demotion->user), demotion);
}

void demotions_deinit(struct demotions *d)
{
        while (d->all)
                drop(d, d->all);
}

#include "losses.h"

#include <stdlib.h>

static struct loss *loss_find(const struct losses *l, struct ulid user, struct ulid ticket)
{
        const struct loss wanted = { .key = { user, ticket } };
        struct loss *found = NULL;

        HASH_FIND(hh, l->all, &wanted.key, sizeof(wanted.key), found);
        return found;
}

static void drop(struct losses *l, struct loss *loss)
{
        HASH_DEL(l->all, loss);
        free(loss);
}

void losses_regain(struct losses *l, struct ulid user, struct ulid ticket)
{
        struct loss *loss = loss_find(l, user, ticket);

        if (loss)
                drop(l, loss);
}

void losses_note(struct losses *l, struct ulid user, struct ulid ticket, int64_t at_ms)
{
        struct loss *loss;

        losses_regain(l, user, ticket);
        while (l->all && l->all->at + LOSS_DOUBT_MS + GRANT_MS < at_ms)
                drop(l, l->all);
        loss = calloc(1, sizeof(*loss));
        if (!loss)
                abort();
        *loss = (struct loss){ .key = { user, ticket }, .at = at_ms };
        HASH_ADD(hh, l->all, key, sizeof(loss->key), loss);
}

bool losses_void(const struct losses *l, const struct grant *grant)
{
        const struct loss *loss = loss_find(l, grant->user, grant->ticket);
        int64_t given_at = grant->expires_at - GRANT_MS;

        return !grant->agent && (given_at < l->since || (loss && given_at <= loss->at + LOSS_DOUBT_MS));
}

void losses_deinit(struct losses *l)
{
        while (l->all)
                drop(l, l->all);
}

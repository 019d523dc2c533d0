/* Who has ceased to be an agent, as the log says. A gateway hears it from identity; until it has, what it says of a caller is older
 * than the log. */
#pragma once
#include "ulid.h"
#include <stdbool.h>
#include <uthash.h>

struct demotion {
        struct ulid user;            /* the key */
        UT_hash_handle hh;
};

struct demotions {
        struct demotion *all;        /* as many as there are such users, at most */
};
void demotions_deinit(struct demotions *d);
/* In the log's order. */
void demotions_note(struct demotions *d, struct ulid user, bool agent);
bool demotions_have(const struct demotions *d, struct ulid user);

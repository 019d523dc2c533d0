/* Who lost access to a ticket as a customer lately: a customer's grant from before that is void, however long it would have been good. */
#pragma once
#include "grant.h"
#include <uthash.h>

struct loss {
        struct {
                struct ulid user, ticket;
        } key;
        int64_t at;                  /* ms */
        UT_hash_handle hh;
};

struct losses {
        struct loss *all;            /* the oldest first; none that is older than any grant */
};
void losses_deinit(struct losses *l);
/* In the log's order: at_ms never goes back. */
void losses_note(struct losses *l, struct ulid user, struct ulid ticket, int64_t at_ms);
bool losses_void(const struct losses *l, const struct grant *grant);

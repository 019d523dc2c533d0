/* Who lost access to a ticket as a customer lately, and did not get it again: a customer's grant from before that is void, however long
 * it would have been good. So is one from just after it: until a loss is committed, store gives grants as if it were not. */
#pragma once
#include "grant.h"
#include <uthash.h>

enum { LOSS_DOUBT_MS = 60 * 1000 };  /* no commit takes so long */

struct loss {
        struct {
                struct ulid user, ticket;
        } key;
        int64_t at;                  /* ms */
        UT_hash_handle hh;
};

struct losses {
        struct loss *all;            /* the oldest first; none that is older than any grant */
        int64_t since;               /* ms: what was lost before is not known, and a grant from before is as good as void */
};
void losses_deinit(struct losses *l);
/* In the log's order: at_ms never goes back. */
void losses_note(struct losses *l, struct ulid user, struct ulid ticket, int64_t at_ms);
void losses_regain(struct losses *l, struct ulid user, struct ulid ticket);
bool losses_void(const struct losses *l, const struct grant *grant);

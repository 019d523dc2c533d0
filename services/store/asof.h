/* A ticket as it was: its own ops up to a position or a time, folded as ever, in memory. What was redacted since stays so; who may see it is
 * who may see the ticket now. For agents, since it shows what was taken back. On the past thread. */
#pragma once
#include "ticket.h"

/* What a method's parameters say; nothing, where the present is asked for. */
struct asof {
        bool has_at, has_cursor;
        int64_t at_ms;          /* ops by their own times, this millisecond included */
        struct str cursor;
};

static inline bool asof_asked(const struct asof *when)
{
        return when->has_at || when->has_cursor;
}

/* *ret: where the ticket is as it was, until asof_end, which is called in any case. 0, a fault (NotFound: it was not yet there, or not for
 * this caller), or an error. */
int asof_begin(struct store *s, struct call *c, const struct caller *caller, struct ulid ticket, const struct asof *when, struct db **ret);
void asof_end(struct store *s);

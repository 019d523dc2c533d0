/* What shows on a ticket: what was written on it, on the tickets merged into it, and so on, and what was moved to it; without what was moved away.
 *
 * Nothing but pointers says so (ticket.merged_into, comment.moved), so undoing one of them brings back what was, whatever was written meanwhile.
 * A comment is seen by those who see the ticket that it was written on. To who may not see where something went, it has not gone. */
#pragma once
#include "ticket.h"

enum { THREAD_TICKETS_MAX = 256 };      /* that are merged into one, directly or by others */

/* SQL: ?1 the ticket, ?2 the caller. sees: one of the two below. */
#define THREAD_SEES_ALL(x) "(?2 = ?2)"
#define THREAD_SEES_OWN(x)                                                                                             \
        "(" x " IN (SELECT id FROM ticket WHERE requester = ?2 UNION SELECT ticket FROM member WHERE kind = 2 AND element = ?2" \
        " AND added AND NOT removed))"
#define THREAD_OF(sees)                                                                                                \
        "WITH RECURSIVE thread(id) AS (SELECT ?1 UNION SELECT t.id FROM thread CROSS JOIN ticket t ON t.merged_into = thread.id" \
        " WHERE NOT t.hidden AND " sees("t.id") ") "
#define THREAD_ROWS(columns, table, sees)                                                                              \
        "SELECT " columns " FROM " table " WHERE ticket IN thread AND NOT hidden AND (moved IS NULL OR NOT " sees("moved") ")" \
        " UNION ALL SELECT " columns " FROM " table " WHERE moved IN thread AND NOT hidden AND " sees("ticket")

/* Whether more or less may show on it than what was written on it. */
int thread_branched(struct db *db, struct ulid ticket, bool *ret);

struct thread_sum {
        int64_t comments, notes;        /* not deleted */
        bool has_newest;
        struct ulid newest;             /* public */
};
int thread_sum(struct db *db, const struct caller *caller, struct ulid ticket, struct thread_sum *ret);

/* Whether a comment or note shows on a branched ticket. */
int thread_has(struct db *db, const struct caller *caller, struct ulid ticket, bool internal, struct ulid comment, bool *ret);

/* The ticket that work on this one goes on at: where its pointer leads to, over all pointers. Of a circle, which two instances can make, the one with
 * the smallest id. */
int thread_root(struct db *db, struct ulid ticket, struct ulid *ret);
/* How many tickets' threads show on it, its own among them. */
int thread_tickets(struct db *db, struct ulid ticket, int64_t *ret);

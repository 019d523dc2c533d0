/* Where a ticket stands: its category, the project's own name for it, and of a pending one when it wakes. They must agree, so they are one
 * register. */
#pragma once
#include "change.h"

enum { STATE_WAKE_MAX_DAYS = 5 * 365 + 1 };

struct state {
        int category;            /* enum ticket_state */
        bool has_wake;
        int64_t wake_at;         /* ms */
        bool has_label;
        struct ulid label;       /* label.h */
};

/* Folds an op: the register, and what is derived from it: the ticket's columns and its timer. */
int state_fold(struct db *db, const struct op *op, const struct op_ticket_state *body);

/* What a ticket.set says of it: 0, or a fault that names the field, or an error of the database. */
int state_change(struct change *h);

/* Opens a pending ticket whose time has come; nothing where it does not wait for this time any more. */
int state_wake(struct store *s, struct ulid ticket, int64_t at_ms);

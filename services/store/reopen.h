/* What becomes of a ticket that is over when a customer writes on it: it reopens, or, long after it was closed, a follow-up of it is filed. */
#pragma once
#include "change.h"

enum { REOPEN_DAYS = 14 };

/* Whether a ticket was closed REOPEN_DAYS ago or longer: to the millisecond, by the stamp of the state that shows. */
int reopen_is_late(struct store *s, const struct ticket_row *row, bool *ret);

/* Where a customer's reply on *row belongs: there, or on a follow-up, which is filed where there is none yet that they see and that is not
 * over as long itself. *row is that ticket then. Those who saw the one see the other. 0, a fault, or an error of the database. */
int reopen_place(struct tx *tx, struct call *c, struct ticket_row *row);

/* The comment with which the command under way, as it was accepted before, filed a follow-up: 0, or -ENOENT where it filed none. */
int reopen_reply(struct tx *tx, struct ulid *ret);

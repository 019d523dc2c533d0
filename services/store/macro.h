/* Macros: what must hold of a ticket, and what is then done to it. And canned replies. */
#pragma once
#include "schema/macro.h"
#include "ticket.h"

/* Which one runs: 0, or InvalidParams of field `macro`, or an error. */
int macro_find(struct db *db, struct call *c, struct ulid id, struct op_macro_set *ret);
/* What does not hold of the ticket, in words that follow "is for tickets"; NULL where all does. */
int macro_misfit(struct db *db, const struct op_macro_set *macro, const struct ticket_row *row, struct arena *arena, const char **ret);

/* What it sets, of a ticket.set by this agent. */
struct ticket_set macro_changes(const struct op_macro_set *macro, struct ulid ticket, struct ulid agent);

/* Does it, as effects of the command under way. seen, seen_comment: of ticket.set and comment.add, or NULL. 0, or a fault that names
 * `macro`, or an error; then the command is to be given up. */
int macro_do(struct tx *tx, struct call *c, const struct op_macro_set *macro, struct ulid ticket, const struct str *seen, const struct ulid *seen_comment);

/* People who are named in comments and notes. */
#pragma once
#include "ticket.h"

/* Tells those whom a text names by @ and their whole name, and who may see it; not its writer, and nobody twice for one comment. */
int mention_write(struct tx *tx, struct ulid ticket, struct ulid comment, bool internal, struct str body);

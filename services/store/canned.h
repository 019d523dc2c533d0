/* Canned replies, and what placeholders stand for on a ticket. */
#pragma once
#include "schema/macro.h"
#include "ticket.h"

enum { CANNED_BYTES_MAX = 512 * 1024 };   /* of all their texts: a list of them fits into a message */

/* InvalidParams of the field where a placeholder is unknown. */
int canned_check(struct call *c, const char *field, struct str text);
/* The text with its placeholders filled in, as agent writes it on the ticket; in the arena. TooLarge where it becomes too long for a comment. */
int canned_fill(struct db *db, struct call *c, struct ulid agent, const struct ticket_row *row, struct str text, struct str *ret);

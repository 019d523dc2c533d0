/* Links between tickets: an OR-set of the ticket that a link is written on, seen from its other end by an index.
 *
 * Each is kept in one direction, as one of the kinds up to follow_up; the other names are how the other end sees it. */
#pragma once
#include "schema/link.h"
#include "tx.h"

enum { LINKS_MAX = 64, LINKS_SHOWN_MAX = 256 };   /* of a ticket, both directions together; what the desk itself links is not refused */
enum { LINK_ELEMENT_BYTES = 1 + 16 };

/* The element of a ticket's set that stands for a link: kind ‖ other, in bytes. */
struct str link_element(int kind, struct ulid other, uint8_t bytes[LINK_ELEMENT_BYTES]);

/* A ticket's links as the caller sees them, in the arena. */
int link_list(struct db *db, const struct caller *caller, struct ulid ticket, struct arena *arena, struct link **ret, size_t *ret_n);

/* Appends a link whose ends the desk itself chose: kind is one up to follow_up. */
int link_append(struct tx *tx, int kind, struct ulid ticket, struct ulid other);

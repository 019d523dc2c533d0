/* Changes of a ticket: what a caller may set, and the effects that it has. */
#pragma once
#include "registers.h"
#include "ticket.h"

enum { TICKET_TAGS_MAX = 64, TICKET_WATCHERS_MAX = 256 };

/* A ticket.set under way, or the part of a reply that is one. */
struct change {
        struct tx *tx;
        struct call *c;
        const struct ticket_set *in;
        struct ticket_row row;
        int64_t seen;       /* the log's position that the writer had seen; -1: all of it */
};

/* Writes a register of the ticket. A value that is there already is no change, unless it settles a conflict, or the writer had not seen
 * what is there. */
int change_register(struct change *h, enum register_field field, bool same, const struct schema_op *kind, const void *body);

/* Each: 0, or a fault that names the field, or an error of the database. In this order. */
int change_allowed(struct change *h);
int change_registers(struct change *h);
int change_tags(struct change *h);
int change_watchers(struct change *h);

/* All that a ticket.set says, as effects of the command under way. */
int ticket_change(struct tx *tx, struct call *c, const struct ticket_set *in);

int tag_append(struct tx *tx, struct ulid ticket, struct str tag);
/* Tags are compared as they are; a comma would make lists of them ambiguous. */
int tags_check(struct call *c, const char *field, const struct str *tags, size_t n);

/* What a `seen` cursor says: -1 where there is none. */
int seen_position(struct store *s, struct call *c, bool has_seen, struct str seen, int64_t *ret);

/* FAULT_NOT_FOUND needs no words; the rest passes. */
static inline int found(struct call *c, int r)
{
        return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
}

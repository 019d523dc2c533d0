/* One value that is replaced as a whole: a ticket's state, its assignee, a comment's body.
 *
 * The state is a set: for each stamp, whether its write arrived and whether a write covered it (named it as its base). All else is
 * derived, so any order and any repetition of the same writes gives the same register. A base that is not smaller than its
 * write's own stamp is ignored: so nothing covers itself, and the greatest write is never covered.
 *
 * A store may keep the entries as rows: register_apply is then "set written on the row of its stamp, set covered on the
 * rows of its bases, make those that are missing". */
#pragma once
#include "arena.h"
#include "hlc.h"
#include "stamp.h"

struct register_entry {
        struct stamp stamp;
        bool written;
        bool covered;
        struct str value; /* the caller's bytes; empty until written */
};

struct register_state {
        struct register_entry *entries; /* by stamp, ascending; in the caller's arena */
        size_t n, capacity;
};

/* bases and value are copied into the arena. */
void register_apply(struct register_state *r, struct arena *arena, struct stamp stamp, const struct stamp *base, size_t n_base,
                    struct str value);

/* What people see: the write with the greatest stamp. NULL where nothing was written. */
const struct register_entry *register_shown(const struct register_state *r);

/* The writes that no other one covers, greatest first: at most max of them are filled in, all are counted. More than
 * one on a meaningful register is an open conflict; a write with all of them as its base resolves it. */
size_t register_heads(const struct register_state *r, const struct register_entry **ret_heads, size_t max);

/* Whether what was written with this stamp may be undone: only while the register still bears it. */
bool register_may_undo(const struct register_state *r, struct stamp undone);

/* The hlc of an accepted write. shown: the register's stamp now, NULL where it was never written; base: what its writer
 * had seen; client: the writer's own hlc, 0 where unknown.
 * If the base holds the shown stamp (or there is none), the write was made knowing it: it gets an hlc past that, and wins. Otherwise it
 * was concurrent, and gets the client's, clamped to what lies past its bases and not after now: it may lose. One op
 * has one hlc: a command that writes several registers makes an effect for each that is concurrent. */
uint64_t register_accept(struct hlc *hlc, const struct clock *clock, const struct stamp *shown, const struct stamp *base, size_t n_base,
                         uint64_t client, bool *ret_concurrent);

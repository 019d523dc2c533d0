/* A set that many may change at once (Shapiro et al., "A comprehensive study of CRDTs", 2011: the observed-remove set): tags,
 * watchers, links.
 *
 * An add is known by its op_id, a remove names the adds that its writer had seen. An element is present while an add of it is not named
 * by any remove, so an add that a remove did not know of survives it. The state is a set of (element, add) with two marks,
 * so any order and any repetition gives the same, a remove before its add included. */
#pragma once
#include "arena.h"
#include "ulid.h"

struct orset_entry {
        struct str element;
        struct ulid add;
        bool added;
        bool removed;
};

struct orset {
        struct orset_entry *entries; /* by element, then by add; in the caller's arena */
        size_t n, capacity;
};

void orset_add(struct orset *s, struct arena *arena, struct str element, struct ulid op_id);
void orset_remove(struct orset *s, struct arena *arena, struct str element, const struct ulid *adds, size_t n);
bool orset_has(const struct orset *s, struct str element);

/* The adds that keep the element: what a remove has to name. At most max are filled in, all are counted. */
size_t orset_adds(const struct orset *s, struct str element, struct ulid *ret_adds, size_t max);
/* The elements that are present, each once, bytewise ascending; likewise. */
size_t orset_elements(const struct orset *s, struct str *ret_elements, size_t max);

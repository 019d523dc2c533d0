/* One mutation: its transaction and its op id. */
#pragma once
#include "identity.h"

struct mutation {
        struct identity *d;
        struct done done;
        struct ulid entity;     /* what it is about: set by the handler before mutation_end, or found where it was done before */
        bool repeated;          /* nothing is to be done: answer with the entity */
};

/* 0; then either `repeated`, or a transaction is open until mutation_end. A fault (with its reason) or negative errno: answer that. The actor is the
 * user, the operator, or, for strangers and whoever enrolls, the device. */
int mutation_begin(struct mutation *m, struct identity *d, struct call *c);
int mutation_begin_by_device(struct mutation *m, struct identity *d, struct call *c);

/* Commits where r is 0; else rolls back and returns r. */
int mutation_end(struct mutation *m, int r);

/* Commits, though it was refused with r, and does not remember the op id. Returns r, or an errno. */
int mutation_refuse(struct mutation *m, int r);

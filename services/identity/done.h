/* Op ids of mutations that were done, for ever: the same request again changes nothing and is answered; another one, or another
 * actor's, is a conflict. Refusals are not remembered. */
#pragma once
#include "arena.h"
#include "db.h"

enum { DONE_REQUEST_BYTES = 32 };

struct done {
        struct ulid op_id;
        struct str actor;       /* "user:01J…", "device:loopback:127.0.0.2", "operator" */
        uint8_t request[DONE_REQUEST_BYTES];
};

/* The hash of a request: its method, and its parameters as they came (the op id is among them). */
void done_hash(struct str method, struct str raw_params, uint8_t ret_request[DONE_REQUEST_BYTES]);

/* 0: done before, and *ret_entity is what it was about. FAULT_NOT_FOUND: not yet. FAULT_CONFLICT. */
int done_find(struct db *db, const struct done *done, struct ulid *ret_entity);
int done_put(struct db *db, const struct done *done, struct ulid entity);

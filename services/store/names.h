/* What ops repeat, each by a number of its own: who acted, by which device, of which kind. Table op_name; a number is never another name's.
 * A connection keeps those that it met in memory, up to NAMES_KEPT of them. */
#pragma once
#include "db.h"
#include "schema.h"

enum { NAMES_KEPT = 16 * 1024 };

struct name {
        int64_t number;
        struct str bytes;
        const struct schema_op *kind;   /* the op kind of this name; NULL where there is none */
};

/* Makes the number where there is none, in the transaction under way. 0 is the empty name's. */
int name_number(struct db *db, struct str bytes, int64_t *ret);
/* -ENOENT where no name has it. *ret is valid until the next name is asked for on this connection. */
int name_find(struct db *db, int64_t number, const struct name **ret);

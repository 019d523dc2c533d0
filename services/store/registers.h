/* Registers as rows: replica/register.h has the rules. The write that came with the entity's creation has no row. */
#pragma once
#include "tx.h"

enum register_field { REGISTER_STATE = 1, REGISTER_PRIORITY, REGISTER_ASSIGNEE, REGISTER_SUBJECT, REGISTER_BODY, REGISTER_TYPE, REGISTER_TEAM, REGISTER_FIELD,
                      REGISTER_MERGED, REGISTER_MOVED };
enum { REGISTER_BASE_MAX = 8 };

const char *register_name(enum register_field field); /* as op_base and Ticket.conflicts name it */

/* Folds a write. value is bound by its letter: 'i' int64_t, 'U' const struct ulid *, 'n' none (the text lies apart). */
int registers_write(struct db *db, struct ulid entity, enum register_field field, const struct op *op, char letter, int64_t number,
                    const struct ulid *id);
int registers_write_bytes(struct db *db, struct ulid entity, enum register_field field, const struct op *op, struct str value);

/* The write that shows: 0, or -ENOENT where only the creation's does. *ret_value stays valid until the next step: q is the caller's
 * to db_done. */
int registers_shown(struct db *db, struct ulid entity, enum register_field field, struct stamp *ret_stamp, sqlite3_stmt **ret_q);

/* Whether people must settle concurrent values; and of which fields: bit 1 << field. */
int registers_conflict(struct db *db, struct ulid entity, enum register_field field, bool *ret);
int registers_conflicts(struct db *db, struct ulid entity, unsigned *ret);

/* Accepts a write: which hlc it gets and what it covers. created: the stamp of the entity's creation. seen_seq: the position up to
 * which the writer had seen the log, -1 for all of it; the writer's own ops count as seen. client_ms: when it was made, 0 for now. */
struct accepted {
        uint64_t hlc;
        struct op_base base[REGISTER_BASE_MAX];
        size_t n_base;
        bool concurrent;
};
int registers_accept(struct tx *tx, struct ulid entity, enum register_field field, struct stamp created, int64_t seen_seq,
                     int64_t client_ms, struct accepted *ret);

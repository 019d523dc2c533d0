/* A command in the writer's transaction: its op id checked, its effects appended to the log and folded. */
#pragma once
#include "store.h"

struct tx {
        struct store *store;
        struct db *db;
        struct arena *arena;
        struct caller actor;
        struct ulid op_id;
        struct ulid on_behalf_of;
        struct ulid *ticket;      /* of the call, for its line in the log; NULL where there is none */
        uint32_t n;               /* effects so far */
        uint64_t hlc;             /* of the last one */
        uint8_t request[32];      /* hash of the command */
        bool has_request;
        struct buf body, record;  /* of the effect being written; the memory is kept from command to command */
};

/* Begins what the call asks. *ret_again: this very command was accepted before, so only answer what it made, as the caller may see
 * it now. Conflict where the op id is another command's or another actor's, of which nothing is told. */
int tx_begin(struct store *s, struct call *c, struct tx **ret, bool *ret_again);
/* Begins what no caller asked for. -EEXIST where op_id was accepted before. */
int tx_begin_system(struct store *s, struct arena *arena, struct ulid op_id, struct tx **ret);

/* Appends one effect and folds it. body: the kind's struct; its salts are made here. audience: the ticket or user that the
 * kind's scope asks for, NULL for the others. hlc: 0 for now. ret_id, where not NULL: the id of what it creates. */
struct effect {
        const struct schema_op *kind;
        const void *body;
        struct ulid target;
        const struct ulid *audience;
        const struct op_base *base;
        size_t n_base;
        uint64_t hlc;
};
int tx_append(struct tx *tx, const struct effect *effect);
/* The id of what the next effect will create. Conflict is for the caller to find: ids may be taken. */
struct ulid tx_next_id(const struct tx *tx);

/* The position after this command, in the arena. */
struct str tx_cursor(struct tx *tx);

/* ---- reading the log ---- */

struct log_entry {
        int64_t seq;
        int scope;
        struct ulid audience;
        struct op op;             /* decoded; points into the arena */
        const struct schema_op *kind; /* NULL: unknown, from a newer instance */
};
/* A row of "SELECT seq, scope, audience, record FROM op ...". -EBADMSG for a damaged record. */
int log_entry_read(sqlite3_stmt *q, struct arena *arena, struct log_entry *ret);
int log_entry_at(struct db *db, int64_t seq, struct arena *arena, struct log_entry *ret); /* -ENOENT where there is none */
/* The body with its texts, as far as they were not redacted; without any where db is NULL. ret: the kind's struct. */
int log_entry_body(struct db *db, const struct log_entry *e, struct arena *arena, void *ret);
/* Where it lies in op_text, beside the op's place in the log: by both, a text is found without an index of its own. In SQL, op is the alias of
 * a row of op, and field a number or value. */
enum { LOG_TEXT_FIELDS = 64 };
#define LOG_TEXT_ID(op, field) "(" op ".seq << 6 | " field ")"
static inline int64_t log_text_id(int64_t seq, unsigned field)
{
        return seq * LOG_TEXT_FIELDS | field;
}
/* The text of an op's personal field: 0, or -ENOENT where it was redacted. In the arena. */
int log_text(struct db *db, struct ulid op_id, uint32_t n, unsigned field, struct arena *arena, struct str *ret);
int log_text_at(struct db *db, int64_t seq, unsigned field, struct arena *arena, struct str *ret);
/* To where an op is folded again: what the fold finds its texts by, but no record. */
int log_place(struct db *to, const struct log_entry *e);
/* The texts of n ops as they are now: what was redacted is not there to be copied. */
int log_texts_copy(struct db *from, struct db *to, int64_t seq, int64_t n);

/* Puts an op and its record in the log; fold_apply does the rest. request: the hash of its command, or NULL. */
int log_insert(struct db *db, const struct log_entry *e, struct str record, const struct str *request);

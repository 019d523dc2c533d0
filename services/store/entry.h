/* The log as table op has it, and the texts beside it. */
#pragma once
#include "db.h"
#include "replica/op.h"
#include "schema.h"

struct log_entry {
        int64_t seq;
        int scope;
        struct ulid audience;
        struct op op;             /* points into the arena; of the hashes, the first CURSOR_HASH_BYTES of its own alone are sure to be there */
        const struct schema_op *kind; /* NULL: unknown, from a newer instance */
};
/* A row of "SELECT " LOG_COLUMNS " FROM op ...". -EBADMSG for a damaged record. Where the body commits to a text, there are zeros; _whole fills
 * the commitments in, of the texts as they are. */
#define LOG_COLUMNS "op.seq, op.op_id, op.n, op.scope, op.audience, op.record"
enum { LOG_COLUMN_RECORD = 5 };
int log_entry_read(struct db *db, sqlite3_stmt *q, struct arena *arena, struct log_entry *ret);
int log_entry_read_whole(struct db *db, sqlite3_stmt *q, struct arena *arena, struct log_entry *ret);
int log_entry_at(struct db *db, int64_t seq, struct arena *arena, struct log_entry *ret); /* -ENOENT where there is none */
int log_entry_of(struct db *db, struct ulid op_id, uint32_t n, struct arena *arena, struct log_entry *ret); /* likewise */
/* The body with its texts, as far as they were not redacted; without any where db is NULL. ret: the kind's struct. */
int log_entry_body(struct db *db, const struct log_entry *e, struct arena *arena, void *ret);
/* Where it lies in op_text, beside the op's place in the log: by both, a text is found without an index of its own. In SQL, op is the alias of
 * a row that has its seq, and field a number or value. */
enum { LOG_TEXT_FIELDS = 64 };
#define LOG_TEXT_ID(op, field) "(" op ".seq << 6 | " field ")"
static inline int64_t log_text_id(int64_t seq, unsigned field)
{
        return seq * LOG_TEXT_FIELDS | field;
}
/* The text of an op's personal field: 0, or -ENOENT where it was redacted. In the arena. */
int log_text(struct db *db, struct ulid op_id, uint32_t n, unsigned field, struct arena *arena, struct str *ret);
int log_text_at(struct db *db, int64_t seq, unsigned field, struct arena *arena, struct str *ret);
/* What an op commits to where it has this text: of the text as it is, with its salt. ret_text, where not NULL: in the arena. -ENOENT where it was
 * redacted, -EBADMSG where its salt has another length. */
int log_commitment(struct db *db, int64_t seq, unsigned field, struct arena *arena, struct str *ret_text, uint8_t ret[OP_HASH_BYTES]);
/* To where an op is folded again: what the fold finds its texts by, but no record. */
int log_place(struct db *to, const struct log_entry *e);
/* The texts of n ops as they are now: what was redacted is not there to be copied. */
int log_texts_copy(struct db *from, struct db *to, int64_t seq, int64_t n);

#include "entry.h"

#include "codec.h"
#include "record.h"

#include <errno.h>

static int row_read(struct db *db, sqlite3_stmt *q, bool whole, struct arena *arena, struct log_entry *ret)
{
        struct str record = db_column_str(q, LOG_COLUMN_RECORD);

        ret->seq = db_column_int(q, 0);
        ret->op.op_id = db_column_ulid(q, 1);
        ret->op.n = (uint32_t)db_column_int(q, 2);
        ret->scope = (int)db_column_int(q, 3);
        ret->audience = db_column_ulid(q, 4);
        return record_unpack(db, record, whole, arena, ret);
}

int log_entry_read(struct db *db, sqlite3_stmt *q, struct arena *arena, struct log_entry *ret)
{
        return row_read(db, q, false, arena, ret);
}

int log_entry_read_whole(struct db *db, sqlite3_stmt *q, struct arena *arena, struct log_entry *ret)
{
        return row_read(db, q, true, arena, ret);
}

/* At the first row, if there is one. */
static int first_read(struct db *db, sqlite3_stmt *q, struct arena *arena, struct log_entry *ret)
{
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        r = log_entry_read(db, q, arena, ret);
        db_done(q);
        return r;
}

int log_entry_at(struct db *db, int64_t seq, struct arena *arena, struct log_entry *ret)
{
        return first_read(db, db_query(db, "SELECT " LOG_COLUMNS " FROM op WHERE seq = ?1", "i", seq), arena, ret);
}

int log_entry_of(struct db *db, struct ulid op_id, uint32_t n, struct arena *arena, struct log_entry *ret)
{
        return first_read(db, db_query(db, "SELECT " LOG_COLUMNS " FROM op WHERE op_id = ?1 AND n = ?2", "ui", op_id, (int64_t)n), arena, ret);
}

/* Row of "SELECT text ...". */
static int text_read(struct db *db, sqlite3_stmt *q, struct arena *arena, struct str *ret)
{
        int r = db_step(db, q);

        if (r < 0)
                return r;
        if (r == 0)
                return -ENOENT;
        *ret = arena_str(arena, db_column_str(q, 0));
        db_done(q);
        return 0;
}

int log_text(struct db *db, struct ulid op_id, uint32_t n, unsigned field, struct arena *arena, struct str *ret)
{
        return text_read(db, db_query(db, "SELECT t.text FROM op o CROSS JOIN op_text t ON t.id = " LOG_TEXT_ID("o", "?3")
                                          " WHERE o.op_id = ?1 AND o.n = ?2", "uii", op_id, (int64_t)n, (int64_t)field), arena, ret);
}

int log_text_at(struct db *db, int64_t seq, unsigned field, struct arena *arena, struct str *ret)
{
        return text_read(db, db_query(db, "SELECT text FROM op_text WHERE id = ?1", "i", log_text_id(seq, field)), arena, ret);
}

int log_commitment(struct db *db, int64_t seq, unsigned field, struct arena *arena, struct str *ret_text, uint8_t ret[OP_HASH_BYTES])
{
        sqlite3_stmt *q = db_query(db, "SELECT salt, text FROM op_text WHERE id = ?1", "i", log_text_id(seq, field));
        int r = db_step(db, q);
        struct str salt;

        if (r <= 0)
                return r ? r : -ENOENT;
        salt = db_column_str(q, 0);
        r = salt.n == OP_SALT_BYTES ? 0 : -EBADMSG;
        if (!r)
                op_commitment((const uint8_t *)salt.p, db_column_str(q, 1), ret);
        if (ret_text)
                *ret_text = arena_str(arena, db_column_str(q, 1));
        db_done(q);
        return r;
}

struct text_source {
        struct db *db;
        const struct log_entry *entry;
        struct arena *arena;
};

static int text_find(void *data, unsigned field, const uint8_t commitment[32], struct str *ret)
{
        struct text_source *source = data;

        (void)commitment; /* verify.c compares them; here the row's key is enough */
        return !source->db ? -ENOENT : log_text_at(source->db, source->entry->seq, field, source->arena, ret);
}

int log_entry_body(struct db *db, const struct log_entry *e, struct arena *arena, void *ret)
{
        struct text_source source = { db, e, arena };
        struct codec_commit commit = { .text = text_find, .data = &source };

        return msgpack_read_committed(e->kind->body, e->op.body, &commit, arena, ret, NULL);
}

int log_place(struct db *to, const struct log_entry *e)
{
        return db_do(to, "INSERT INTO op(seq, op_id, n, scope, record) VALUES(?1, ?2, ?3, ?4, x'')", "iuii", e->seq, e->op.op_id, (int64_t)e->op.n,
                     (int64_t)e->scope);
}

int log_texts_copy(struct db *from, struct db *to, int64_t seq, int64_t n)
{
        sqlite3_stmt *q = db_query(from, "SELECT id, salt, text FROM op_text WHERE id >= ?1 AND id < ?2", "ii", log_text_id(seq, 0),
                                   log_text_id(seq + n, 0));
        int r;

        while ((r = db_step(from, q)) > 0) {
                r = db_do(to, "INSERT INTO op_text(id, salt, text) VALUES(?1, ?2, ?3)", "ibb", db_column_int(q, 0), db_column_str(q, 1), db_column_str(q, 2));
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        return r;
}

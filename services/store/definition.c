#include "definition.h"

#include <errno.h>
#include <string.h>

static struct ulid *id_of(const void *body)
{
        return (struct ulid *)(uintptr_t)body; /* the first member */
}

static const void *member(const struct schema_op *kind, const char *name, const void *body)
{
        return schema_at(schema_field_find(kind->body, name), body);
}

static struct str name_of(const struct schema_op *kind, const void *body)
{
        return *(const struct str *)member(kind, "name", body);
}

/* Whose it is: NULL for the project's. */
static struct ulid *owner_of(const struct schema_op *kind, const void *body)
{
        return kind->audience == SCHEMA_TO_USER ? schema_at(schema_field_find(kind->body, "user"), body) : NULL;
}

static bool is_retired(const struct schema_op *kind, const void *body)
{
        return *(const bool *)member(kind, "retired", body);
}

int definition_fold(struct db *db, const struct schema_op *kind, const struct op *op, const void *body)
{
        uint8_t bytes[STAMP_BYTES];

        stamp_pack(op_stamp(op), bytes);
        return db_do(db, "INSERT INTO definition(kind, id, stamp, name, retired, op_id, n, owner) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                         " ON CONFLICT DO UPDATE SET stamp = excluded.stamp, name = excluded.name, retired = excluded.retired,"
                         " op_id = excluded.op_id, n = excluded.n WHERE excluded.stamp > definition.stamp",
                     "tubtiuiU", str_of(kind->name), *id_of(body), (struct str){ (const char *)bytes, sizeof(bytes) }, name_of(kind, body),
                     (int64_t)is_retired(kind, body), op->op_id, (int64_t)op->n, owner_of(kind, body));
}

/* The body of the write at a row of "SELECT " LOG_COLUMNS " ...". */
static int body_read(struct db *db, sqlite3_stmt *q, struct arena *arena, void *ret)
{
        struct log_entry e;
        int r = log_entry_read(db, q, arena, &e);

        return r ? r : log_entry_body(db, &e, arena, ret);
}

int definition_find(struct db *db, const struct schema_op *kind, struct ulid id, struct arena *arena, void *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT " LOG_COLUMNS " FROM definition d JOIN op ON op.op_id = d.op_id AND op.n = d.n"
                                       " WHERE d.kind = ?1 AND d.id = ?2",
                                   "tu", str_of(kind->name), id);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        r = body_read(db, q, arena, ret);
        db_done(q);
        return r;
}

int definition_usable(struct db *db, const struct schema_op *kind, struct ulid id, bool *ret)
{
        int64_t retired;
        int r = db_int(db, &retired, "SELECT retired FROM definition WHERE kind = ?1 AND id = ?2", "tu", str_of(kind->name), id);

        if (r && r != -ENOENT)
                return r;
        *ret = !r && !retired;
        return 0;
}

int definition_named(struct db *db, const struct schema_op *kind, const struct ulid *owner, struct str name, struct ulid *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT id FROM definition WHERE kind = ?1 AND owner IS ?2 AND name = ?3"
                                       " ORDER BY retired, id LIMIT 1",
                                   "tUt", str_of(kind->name), owner, name);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = db_column_ulid(q, 0);
        db_done(q);
        return 0;
}

int definition_list(struct db *db, const struct schema_op *kind, const struct ulid *owner, struct arena *arena, struct schema_list *ret)
{
        size_t size = kind->body->size;
        int64_t n;
        sqlite3_stmt *q;
        int r;

        r = db_int(db, &n, "SELECT count(*) FROM definition WHERE kind = ?1 AND owner IS ?2", "tU", str_of(kind->name), owner);
        if (r)
                return r;
        ret->items = arena_zalloc(arena, (size_t)n * size);
        ret->n = 0;
        q = db_query(db, "SELECT " LOG_COLUMNS " FROM definition d JOIN op ON op.op_id = d.op_id AND op.n = d.n"
                         " WHERE d.kind = ?1 AND d.owner IS ?2 ORDER BY d.name, d.id",
                     "tU", str_of(kind->name), owner);
        while ((r = db_step(db, q)) > 0) {
                r = ret->n < (size_t)n ? body_read(db, q, arena, (char *)ret->items + ret->n * size) : -EIO;
                if (r) {
                        db_done(q);
                        return r;
                }
                ret->n++;
        }
        return r;
}

static int name_check(struct tx *tx, struct call *c, const struct schema_op *kind, const void *body)
{
        struct str name = name_of(kind, body);
        struct ulid taken;
        bool usable;
        int r;

        if (!name.n || str_trim(name).n != name.n)
                return call_invalid(c, "name", "has white space at an end; leave it out");
        if (is_retired(kind, body))
                return 0;
        r = definition_named(tx->db, kind, owner_of(kind, body), name, &taken);
        if (r || ulid_eq(taken, *id_of(body)))
                return r == -ENOENT ? 0 : r;
        r = definition_usable(tx->db, kind, taken, &usable);
        return r || !usable ? r : call_conflict(c, "the name is another one's; choose a new one, or retire that one first");
}

int definition_save(struct tx *tx, struct call *c, const struct schema_op *kind, const struct ulid *id, void *body)
{
        struct ulid *own = id_of(body), *owner = owner_of(kind, body);
        int64_t n;
        int r;

        *own = id ? *id : tx_next_id(tx);
        if (owner)
                *owner = tx->actor.user;
        r = db_int(tx->db, &n, "SELECT count(*) FROM definition WHERE kind = ?1 AND id = ?2 AND (?3 IS NULL OR owner = ?3)", "tuU",
                   str_of(kind->name), *own, id ? owner : NULL);
        if (!r && id && !n)
                return call_not_found(c);
        if (!r && !id && n)
                return call_conflict(c, "this op_id cannot be used; make a new one");
        if (!r && !id)
                r = db_int(tx->db, &n, "SELECT count(*) FROM definition WHERE kind = ?1 AND owner IS ?2", "tU", str_of(kind->name), owner);
        if (!r && !id && n >= DEFINITIONS_MAX)
                return call_too_large(c, DEFINITIONS_MAX, "there are %d already; change one that is retired", DEFINITIONS_MAX);
        if (!r)
                r = name_check(tx, c, kind, body);
        return r ? r : tx_append(tx, &(struct effect){ .kind = kind, .body = body, .target = *own, .audience = owner });
}

int definition_check(struct tx *tx, struct call *c, const char *field, const struct schema_op *kind, struct ulid id)
{
        int noun = (int)strcspn(kind->name, ".");
        bool usable;
        int r = definition_usable(tx->db, kind, id, &usable);

        return r || usable ? r : call_invalid(c, field, "must be a %.*s that is not retired; %.*s.list has them", noun, kind->name, noun, kind->name);
}

int definition_handle(struct store *s, struct call *c, const struct definition_saving *saving, void *ret, bool *ret_has_cursor, struct str *ret_cursor)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again && saving->check)
                r = saving->check(tx, c, c->params, saving->body);
        if (!r && !again)
                r = definition_save(tx, c, saving->kind, saving->id, saving->body);
        if (!r)
                r = definition_find(tx->db, saving->kind, saving->id ? *saving->id : tx->op_id, tx->arena, ret);
        if (r)
                return r;
        *ret_has_cursor = true;
        *ret_cursor = tx_cursor(tx);
        return 0;
}

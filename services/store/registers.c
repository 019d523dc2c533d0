#include "registers.h"

#include "replica/register.h"

#include <errno.h>

const char *register_name(enum register_field field)
{
        static const char *const names[] = { "", "state", "priority", "assignee", "subject", "body", "type", "team", "field", "merged_into", "moved_to" };

        return names[field];
}

static struct str packed(struct stamp stamp, uint8_t bytes[STAMP_BYTES])
{
        stamp_pack(stamp, bytes);
        return (struct str){ (const char *)bytes, STAMP_BYTES };
}

/* The writes that this one names are covered. */
static int cover(struct db *db, struct ulid entity, enum register_field field, const struct op *op)
{
        uint8_t bytes[STAMP_BYTES];
        int r = 0;

        for (size_t i = 0; i < op->n_base && !r; i++) {
                const struct op_base *base = &op->base[i];

                if (!str_is(base->field, register_name(field)) || stamp_cmp(base->stamp, op_stamp(op)) >= 0 ||
                    ulid_eq(op_entity(base->stamp.op_id, base->stamp.n), entity))
                        continue;
                r = db_do(db, "INSERT INTO register(entity, field, stamp, written, covered) VALUES(?1, ?2, ?3, 0, 1)"
                              " ON CONFLICT DO UPDATE SET covered = 1",
                          "uib", entity, (int64_t)field, packed(base->stamp, bytes));
        }
        return r;
}

int registers_write(struct db *db, struct ulid entity, enum register_field field, const struct op *op, char letter, int64_t number,
                    const struct ulid *id)
{
        uint8_t bytes[STAMP_BYTES];
        struct str stamp = packed(op_stamp(op), bytes);
        int r;

        if (letter == 'i')
                r = db_do(db, "INSERT INTO register(entity, field, stamp, written, covered, value) VALUES(?1, ?2, ?3, 1, 0, ?4)"
                              " ON CONFLICT DO UPDATE SET written = 1, value = excluded.value",
                          "uibi", entity, (int64_t)field, stamp, number);
        else
                r = db_do(db, "INSERT INTO register(entity, field, stamp, written, covered, value) VALUES(?1, ?2, ?3, 1, 0, ?4)"
                              " ON CONFLICT DO UPDATE SET written = 1, value = excluded.value",
                          "uibU", entity, (int64_t)field, stamp, letter == 'U' ? id : NULL);
        return r ? r : cover(db, entity, field, op);
}

int registers_write_bytes(struct db *db, struct ulid entity, enum register_field field, const struct op *op, struct str value)
{
        uint8_t bytes[STAMP_BYTES];
        int r = db_do(db, "INSERT INTO register(entity, field, stamp, written, covered, value) VALUES(?1, ?2, ?3, 1, 0, ?4)"
                          " ON CONFLICT DO UPDATE SET written = 1, value = excluded.value",
                      "uibb", entity, (int64_t)field, packed(op_stamp(op), bytes), value);

        return r ? r : cover(db, entity, field, op);
}

int registers_shown(struct db *db, struct ulid entity, enum register_field field, struct stamp *ret_stamp, sqlite3_stmt **ret_q)
{
        sqlite3_stmt *q = db_query(db, "SELECT value, stamp FROM register WHERE entity = ?1 AND field = ?2 AND written"
                                       " ORDER BY stamp DESC LIMIT 1",
                                   "ui", entity, (int64_t)field);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        r = stamp_unpack(db_column_str(q, 1), ret_stamp);
        if (r) {
                db_done(q);
                return r;
        }
        *ret_q = q;
        return 0;
}

int registers_conflict(struct db *db, struct ulid entity, enum register_field field, bool *ret)
{
        int64_t n;
        int r = db_int(db, &n, "SELECT count(*) FROM register WHERE entity = ?1 AND field = ?2 AND written AND NOT covered", "ui",
                       entity, (int64_t)field);

        if (r)
                return r;
        *ret = n > 1;
        return 0;
}

int registers_conflicts(struct db *db, struct ulid entity, unsigned *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT field FROM register WHERE entity = ?1 AND written AND NOT covered GROUP BY field HAVING count(*) > 1", "u", entity);
        int r;

        *ret = 0;
        while ((r = db_step(db, q)) > 0)
                *ret |= 1u << db_column_int(q, 0);
        return r;
}

/* Whether the writer of the command under way had seen the write with this stamp: it came before, or was their own. */
static int was_seen(struct tx *tx, struct stamp stamp, int64_t seen_seq, bool *ret)
{
        struct log_entry e;
        int r = log_entry_of(tx->db, stamp.op_id, stamp.n, tx->arena, &e);

        *ret = !r && (e.seq <= seen_seq || ulid_eq(e.op.actor, tx->actor.user));
        return r == -ENOENT ? -EBADMSG : r;
}

int registers_accept(struct tx *tx, struct ulid entity, enum register_field field, struct stamp created, int64_t seen_seq,
                     int64_t client_ms, struct accepted *ret)
{
        struct store *s = tx->store;
        struct stamp shown = created, base[REGISTER_BASE_MAX];
        sqlite3_stmt *q;
        bool first = true;
        size_t n = 0;
        int r;

        /* Newest first: of what the writer had seen, their write covers the newest and whatever nothing else covers. */
        q = db_query(tx->db, "SELECT stamp, covered FROM register WHERE entity = ?1 AND field = ?2 AND written ORDER BY stamp DESC", "ui",
                     entity, (int64_t)field);
        while ((r = db_step(tx->db, q)) > 0 && n < REGISTER_BASE_MAX) {
                struct stamp stamp;
                bool seen = true;

                r = stamp_unpack(db_column_str(q, 0), &stamp);
                if (!r && seen_seq >= 0)
                        r = was_seen(tx, stamp, seen_seq, &seen);
                if (r)
                        break;
                if (first)
                        shown = stamp;
                first = false;
                if (seen && (n == 0 || !db_column_int(q, 1)))
                        base[n++] = stamp;
        }
        db_done(q);
        if (r < 0)
                return r;
        if (!n)
                base[n++] = created;
        ret->hlc = register_accept(&s->hlc, s->service->clock, &shown, base, n, client_ms ? hlc_of(client_ms, 0) : 0, &ret->concurrent);
        ret->n_base = n;
        for (size_t i = 0; i < n; i++)
                ret->base[i] = (struct op_base){ .field = str_of(register_name(field)), .stamp = base[i] };
        return 0;
}

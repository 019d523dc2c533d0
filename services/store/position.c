#include "position.h"

#include "record.h"

#include <errno.h>

struct str position_cursor(struct store *s, int64_t seq, const uint8_t hash[CURSOR_HASH_BYTES], struct arena *arena)
{
        struct cursor cursor = { .seq = seq };
        char *text = arena_alloc(arena, CURSOR_TEXT);

        memcpy(cursor.instance, s->origin, sizeof(cursor.instance));
        memcpy(cursor.hash, hash, sizeof(cursor.hash));
        cursor_write(&s->cursor_key, &cursor, text);
        return (struct str){ text, CURSOR_TEXT };
}

/* What whoever wrote the first op began with. Of the first versions' logs the key may not be known: then the first op says it. */
static int genesis_of(struct db *db, const struct op *first, uint8_t ret[CURSOR_HASH_BYTES])
{
        sqlite3_stmt *q = db_query(db, "SELECT public_key FROM instance WHERE origin = ?1", "b", (struct str){ (const char *)first->origin, OP_ORIGIN_BYTES });
        int r = db_step(db, q);
        struct chain fresh;

        if (r < 0)
                return r;
        memcpy(ret, first->prev_hash, CURSOR_HASH_BYTES);
        if (r && db_column_str(q, 0).n == CHAIN_PUBLIC_KEY_BYTES) {
                chain_init(&fresh, (const uint8_t *)db_column_str(q, 0).p);
                memcpy(ret, fresh.head, CURSOR_HASH_BYTES);
        }
        db_done(q);
        return 0;
}

static int hash_before_all(struct store *s, struct db *db, uint8_t ret[CURSOR_HASH_BYTES])
{
        struct arena arena = { 0 };
        struct log_entry first;
        struct chain ours;
        int r = log_entry_at(db, 1, &arena, &first);

        chain_init(&ours, s->public_key);
        if (r == -ENOENT)
                memcpy(ret, ours.head, CURSOR_HASH_BYTES);
        else if (!r)
                r = genesis_of(db, &first.op, ret);
        arena_deinit(&arena);
        return r == -ENOENT ? 0 : r;
}

int position_hash(struct store *s, struct db *db, int64_t seq, uint8_t ret[CURSOR_HASH_BYTES])
{
        sqlite3_stmt *q;
        int r;

        if (seq == 0)
                return hash_before_all(s, db, ret);
        q = db_query(db, "SELECT record FROM op WHERE seq = ?1", "i", seq);
        r = db_step(db, q);
        if (r <= 0)
                return r ? r : -ENOENT;
        record_hash(db_column_str(q, 0), ret);
        db_done(q);
        return 0;
}

int position_read(struct store *s, struct db *db, struct str cursor, int64_t *ret_seq)
{
        uint8_t hash[CURSOR_HASH_BYTES];
        struct cursor c;
        int r;

        if (cursor_parse(&s->cursor_key, cursor, &c))
                return POSITION_FORGED;
        r = position_hash(s, db, c.seq, hash);
        if (r == -ENOENT || (!r && memcmp(c.hash, hash, sizeof(c.hash))))
                return POSITION_LOST;
        if (r)
                return r;
        *ret_seq = c.seq;
        return POSITION_GOOD;
}

bool position_is_ours(const struct store *s, struct str cursor)
{
        struct cursor c;

        return !cursor_parse(&s->cursor_key, cursor, &c) && memcmp(c.instance, s->origin, sizeof(c.instance)) == 0;
}

int position_cursor_at(struct store *s, struct db *db, int64_t seq, struct arena *arena, struct str *ret)
{
        uint8_t hash[CURSOR_HASH_BYTES];
        int r = position_hash(s, db, seq, hash);

        if (r)
                return r;
        *ret = position_cursor(s, seq, hash, arena);
        return 0;
}

int position_cursor_now(struct store *s, struct db *db, struct arena *arena, struct str *ret)
{
        int64_t seq;
        int r = db_int(db, &seq, "SELECT coalesce(max(seq), 0) FROM op", "");

        return r ? r : position_cursor_at(s, db, seq, arena, ret);
}

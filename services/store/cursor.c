#include "cursor.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { SIV = 16, INSIDE = 24 };

void cursor_init(struct store *s)
{
        crypto_generichash(s->cursor_mac, 32, (const uint8_t *)"cursor mac", 10, s->cursor_key, 32);
        crypto_generichash(s->cursor_stream, 32, (const uint8_t *)"cursor stream", 13, s->cursor_key, 32);
}

static void crypt(const struct store *s, const uint8_t siv[SIV], const uint8_t in[INSIDE], uint8_t out[INSIDE])
{
        uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES] = { 0 };

        memcpy(nonce, siv, SIV);
        crypto_stream_xchacha20_xor(out, in, INSIDE, nonce, s->cursor_stream);
}

struct str cursor_make(struct store *s, int64_t seq, const uint8_t hash[OP_HASH_BYTES], struct arena *arena)
{
        uint8_t inside[INSIDE], outside[SIV + INSIDE];
        size_t room = sizeof(outside) * 4 / 3 + 4;
        struct buf text = { .p = arena_alloc(arena, room), .capacity = room }; /* it has room for all, so it stays in the arena */

        memcpy(inside, s->origin, 8);
        for (int i = 0; i < 8; i++)
                inside[8 + i] = (uint8_t)(seq >> (56 - 8 * i));
        memcpy(inside + 16, hash, 8);
        crypto_generichash(outside, SIV, inside, INSIDE, s->cursor_mac, 32);
        crypt(s, outside, inside, outside + SIV);
        buf_base64url(&text, outside, sizeof(outside));
        return buf_view(&text);
}

/* The hash that the op at seq has; before the first op, the one that the first op names as its predecessor. */
static int hash_at(struct store *s, struct db *db, int64_t seq, uint8_t ret[OP_HASH_BYTES])
{
        struct chain fresh;
        sqlite3_stmt *q;
        int r;

        if (seq == 0) {
                chain_init(&fresh, s->public_key);
                memcpy(ret, fresh.head, OP_HASH_BYTES);
                return 0;
        }
        q = db_query(db, "SELECT record FROM op WHERE seq = ?1", "i", seq);
        r = db_step(db, q);
        if (r <= 0)
                return r ? r : -ENOENT;
        op_hash(db_column_str(q, 0), ret);
        db_done(q);
        return 0;
}

int cursor_read(struct store *s, struct db *db, struct str text, int64_t *ret_seq)
{
        uint8_t outside[SIV + INSIDE], inside[INSIDE], siv[SIV], hash[OP_HASH_BYTES];
        int64_t seq = 0;
        size_t n;
        int r;

        if (text.n != CURSOR_TEXT || str_from_base64url(text, outside, sizeof(outside), &n) || n != sizeof(outside))
                return CURSOR_FORGED;
        crypt(s, outside, outside + SIV, inside);
        crypto_generichash(siv, SIV, inside, INSIDE, s->cursor_mac, 32);
        if (sodium_memcmp(siv, outside, SIV))
                return CURSOR_FORGED;
        if (memcmp(inside, s->origin, 8))
                return CURSOR_ELSEWHERE;
        for (int i = 0; i < 8; i++)
                seq = (int64_t)((uint64_t)seq << 8 | inside[8 + i]);
        r = hash_at(s, db, seq, hash);
        if (r == -ENOENT || (!r && memcmp(inside + 16, hash, 8)))
                return CURSOR_LOST;
        if (r)
                return r;
        *ret_seq = seq;
        return CURSOR_GOOD;
}

int cursor_at(struct store *s, struct db *db, int64_t seq, struct arena *arena, struct str *ret)
{
        uint8_t hash[OP_HASH_BYTES];
        int r = hash_at(s, db, seq, hash);

        if (r)
                return r;
        *ret = cursor_make(s, seq, hash, arena);
        return 0;
}

int cursor_now(struct store *s, struct db *db, struct arena *arena, struct str *ret)
{
        int64_t seq;
        int r = db_int(db, &seq, "SELECT coalesce(max(seq), 0) FROM op", "");

        return r ? r : cursor_at(s, db, seq, arena, ret);
}

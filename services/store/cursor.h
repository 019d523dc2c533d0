/* A cursor: a position in this instance's log, as clients hold it. Inside: 8 bytes of the instance, the seq, and 8 bytes of that
 * op's hash; encrypted deterministically (a keyed BLAKE2b of the content is the nonce and the authenticator: SIV, Rogaway and
 * Shrimpton 2006, with XChaCha20), so that equal positions have equal cursors, and that they tell nothing of the traffic. */
#pragma once
#include "store.h"

enum { CURSOR_TEXT = 54 };

/* Two keys from the one secret: for the authenticator and for the stream. */
void cursor_init(struct store *s);

struct str cursor_make(struct store *s, int64_t seq, const uint8_t hash[OP_HASH_BYTES], struct arena *arena);

enum cursor_verdict {
        CURSOR_GOOD,
        CURSOR_FORGED,       /* not made by this project */
        CURSOR_ELSEWHERE,    /* of another instance */
        CURSOR_LOST,         /* of a future that a restore undid */
};
/* ret_seq is set where good. -errno for a database error, else the verdict. */
int cursor_read(struct store *s, struct db *db, struct str text, int64_t *ret_seq);

/* The cursor of a position that is in the log, 0 included. */
int cursor_at(struct store *s, struct db *db, int64_t seq, struct arena *arena, struct str *ret);
/* The cursor of all that this connection's transaction sees. */
int cursor_now(struct store *s, struct db *db, struct arena *arena, struct str *ret);

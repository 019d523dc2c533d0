/* Where a client's cursor stands in this log. */
#pragma once
#include "store.h"

enum position_verdict {
        POSITION_GOOD,
        POSITION_FORGED,       /* the cursor was not made by this project */
        POSITION_LOST,         /* of a future that a restore undid */
};
/* ret_seq is set where good, whichever instance made it: an op's hash stands for all that is before it in the log (instance.h), so where the op
 * is, the client's log and ours are the same up to there. -errno for a database error, else the verdict. */
int position_read(struct store *s, struct db *db, struct str cursor, int64_t *ret_seq);
/* Whether a good one was made since the log was restored last. */
bool position_is_ours(const struct store *s, struct str cursor);

/* The hash that the op at seq has; before the first op, the one that the first op names as its predecessor. 0, -ENOENT, or an error. */
int position_hash(struct store *s, struct db *db, int64_t seq, uint8_t ret[CURSOR_HASH_BYTES]);

struct str position_cursor(struct store *s, int64_t seq, const uint8_t hash[CURSOR_HASH_BYTES], struct arena *arena);
/* The cursor of a position that is in the log, 0 included. */
int position_cursor_at(struct store *s, struct db *db, int64_t seq, struct arena *arena, struct str *ret);
/* The cursor of all that this connection's transaction sees. */
int position_cursor_now(struct store *s, struct db *db, struct arena *arena, struct str *ret);

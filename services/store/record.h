/* How an op's record (docs/log.md) lies in table op: packed, without what its row, its texts and table op_name say anyway, so that it takes 40 bytes
 * where it has 200. It comes back bit by bit; only what vouches for the ops before it, prev_hash, is the hash of the op before of that origin, which
 * whoever reads from a whole hash on finds.
 *
 *   0x01  hash of the whole record: its first RECORD_HASH_BYTES, of each RECORD_HASH_EVERYth seq all of it
 *   origin: number of a name   seq - origin_seq: signed   hlc: ms after the op_id's, signed; its counter
 *   actor, device: numbers of names   device_seq   on_behalf_of, kind: numbers of names
 *   target: enum place; 16 bytes behind PLACE_NONE
 *   how many bases; each: field: number of a name   stamp: hlc; op_id: 16 bytes; n
 *   how many gaps; each: bytes of the body before it   what fills it: enum place, or PLACE_TEXT + the field of a text whose commitment it is
 *   the body, without what fills the gaps
 *
 * Numbers are LEB128, signed ones zigzag. The row's seq, op_id, n and audience stay for ever what they were when it was packed.
 * A record that begins with another byte is whole, as the first versions stored it. */
#pragma once
#include "cursor.h"
#include "entry.h"

enum { RECORD_PACKED = 1, RECORD_HASH_BYTES = 8, RECORD_HASH_EVERY = 16 };
_Static_assert((int)RECORD_HASH_BYTES == (int)CURSOR_HASH_BYTES, "what each record tells is what a cursor names");

/* The texts that a body commits to, and that lie in op_text. */
struct record_texts {
        size_t n;
        struct record_text {
                unsigned field;
                uint8_t commitment[OP_HASH_BYTES];
        } items[LOG_TEXT_FIELDS];
};

/* Appends it. Names are numbered in the transaction under way. */
int record_pack(struct db *db, const struct log_entry *e, const struct record_texts *texts, struct buf *out);

/* Fills ret->op but for what the row says, which is there already: seq, audience, op.op_id, op.n. `whole`: with the commitments, of the texts
 * as they are; else there are zeros in their place. Where it was packed, op.prev_hash is zero, and
 * op.hash as far as it was stored. Points into the arena. -EBADMSG: it is damaged. */
int record_unpack(struct db *db, struct str record, bool whole, struct arena *arena, struct log_entry *ret);

/* Before its texts are deleted: the record names their commitments itself. Where a text is lost already, it stays as it is. */
int record_redact(struct db *db, int64_t seq);

bool record_is_packed(struct str record);
/* How many bytes of its op's hash a packed record has. */
static inline size_t record_hash_bytes(int64_t seq)
{
        return seq % RECORD_HASH_EVERY ? (size_t)RECORD_HASH_BYTES : (size_t)OP_HASH_BYTES;
}
/* What every record tells of its hash. */
void record_hash(struct str record, uint8_t ret[RECORD_HASH_BYTES]);

/* How an op's record (docs/log.md) lies in table op: packed, without what its row, its texts and table op_name say anyway, so that it takes 60 bytes
 * where it has 200. It comes back bit by bit; only what vouches for the ops before it, prev_hash, is the hash in the row before of that origin.
 *
 *   0x01  hash: 32 bytes, of the whole record
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
#include "entry.h"

enum { RECORD_PACKED = 1 };

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
 * as they are; else there are zeros in their place. op.prev_hash is zero where it was packed. Points into the arena. -EBADMSG: it is damaged. */
int record_unpack(struct db *db, struct str record, bool whole, struct arena *arena, struct log_entry *ret);

/* Before its texts are deleted: the record names their commitments itself. */
int record_redact(struct db *db, int64_t seq);

bool record_is_packed(struct str record);
/* Its hash, as it was stored or as it is. */
void record_hash(struct str record, uint8_t ret[OP_HASH_BYTES]);

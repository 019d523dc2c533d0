/* The chain of one origin: each op holds the hash of the one before, the first one a hash of the origin's public key; and
 * checkpoints, in which the origin signs how far its chain has come. */
#pragma once
#include "op.h"

enum { CHAIN_PUBLIC_KEY_BYTES = 32, CHAIN_SECRET_KEY_BYTES = 64, CHAIN_SIGNATURE_BYTES = 64 }; /* Ed25519, as libsodium has them */

struct chain {
        uint8_t origin[OP_ORIGIN_BYTES];
        int64_t seq;                    /* of the newest op; 0 before the first */
        uint8_t head[OP_HASH_BYTES];    /* its hash; before the first: the genesis hash */
};

/* Before its first op. To go on from a stored position, set seq and head afterwards. */
void chain_init(struct chain *chain, const uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES]);

/* Makes op the next one: fills its origin, origin_seq, prev_hash and hash, appends its record to *record, moves on.
 * To take it back (a transaction that failed), restore a copy of the chain. */
void chain_append(struct chain *chain, struct op *op, struct buf *record);

/* Whether an op that was read is the next one, then moves on. -EILSEQ: not this one's turn, or a broken chain. */
int chain_next(struct chain *chain, const struct op *op);
/* The same of a record. -EBADMSG: not a record. *ret is the op, as op_decode has it. */
int chain_follow(struct chain *chain, struct str record, struct arena *arena, struct op *ret);

struct checkpoint {
        uint8_t origin[OP_ORIGIN_BYTES];
        int64_t seq;
        uint8_t head[OP_HASH_BYTES];
        int64_t at; /* ms since the Unix epoch */
        uint8_t signature[CHAIN_SIGNATURE_BYTES];
};

void checkpoint_sign(const struct chain *chain, int64_t at, const uint8_t secret_key[CHAIN_SECRET_KEY_BYTES], struct checkpoint *ret);
/* Whether it is of the origin with this key; the caller compares seq and head with the log. -EBADMSG where not. */
int checkpoint_verify(const struct checkpoint *c, const uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES]);

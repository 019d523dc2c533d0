#include "replica/chain.h"
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

static const char checkpoint_context[] = "assist-checkpoint-1"; /* signed with its final NUL */
enum { CHECKPOINT_BYTES = sizeof(checkpoint_context) + OP_ORIGIN_BYTES + 8 + OP_HASH_BYTES + 8 };

static void key_hash(const char personal[16], const uint8_t *public_key, void *ret_hash, size_t n)
{
        int r = crypto_generichash_blake2b_salt_personal(ret_hash, n, public_key, CHAIN_PUBLIC_KEY_BYTES, NULL, 0, NULL,
                                                         (const uint8_t *)personal);

        assert(r == 0);
        (void)r;
}

void chain_init(struct chain *chain, const uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES])
{
        /* The personalization is 16 bytes without a NUL of its own. */
        static const char genesis[] = "assist-genesis-1";

        *chain = (struct chain){ 0 };
        key_hash("assist-origin-1", public_key, chain->origin, OP_ORIGIN_BYTES);
        key_hash(genesis, public_key, chain->head, OP_HASH_BYTES);
}

void chain_append(struct chain *chain, struct op *op, struct buf *record)
{
        size_t start = record->n;

        memcpy(op->origin, chain->origin, OP_ORIGIN_BYTES);
        memcpy(op->prev_hash, chain->head, OP_HASH_BYTES);
        op->origin_seq = chain->seq + 1;
        op_encode(op, record);
        op_hash((struct str){ record->p + start, record->n - start }, op->hash);
        memcpy(chain->head, op->hash, OP_HASH_BYTES);
        chain->seq = op->origin_seq;
}

int chain_next(struct chain *chain, const struct op *op)
{
        if (memcmp(op->origin, chain->origin, OP_ORIGIN_BYTES) != 0 || op->origin_seq != chain->seq + 1 ||
            memcmp(op->prev_hash, chain->head, OP_HASH_BYTES) != 0)
                return -EILSEQ;
        memcpy(chain->head, op->hash, OP_HASH_BYTES);
        chain->seq = op->origin_seq;
        return 0;
}

int chain_follow(struct chain *chain, struct str record, struct arena *arena, struct op *ret)
{
        struct op op;
        int r;

        r = op_decode(record, arena, &op);
        if (!r)
                r = chain_next(chain, &op);
        if (!r)
                *ret = op;
        return r;
}

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
        for (int i = 0; i < 8; i++)
                *p++ = (uint8_t)(v >> (56 - 8 * i));
        return p;
}

static void checkpoint_bytes(const struct checkpoint *c, uint8_t ret_bytes[CHECKPOINT_BYTES])
{
        uint8_t *p = ret_bytes;

        p = mempcpy(p, checkpoint_context, sizeof(checkpoint_context));
        p = mempcpy(p, c->origin, OP_ORIGIN_BYTES);
        p = put_u64(p, (uint64_t)c->seq);
        p = mempcpy(p, c->head, OP_HASH_BYTES);
        put_u64(p, (uint64_t)c->at);
}

void checkpoint_sign(const struct chain *chain, int64_t at, const uint8_t secret_key[CHAIN_SECRET_KEY_BYTES], struct checkpoint *ret)
{
        struct checkpoint c = { .seq = chain->seq, .at = at };
        uint8_t bytes[CHECKPOINT_BYTES];

        memcpy(c.origin, chain->origin, OP_ORIGIN_BYTES);
        memcpy(c.head, chain->head, OP_HASH_BYTES);
        checkpoint_bytes(&c, bytes);
        crypto_sign_detached(c.signature, NULL, bytes, sizeof(bytes), secret_key);
        *ret = c;
}

int checkpoint_verify(const struct checkpoint *c, const uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES])
{
        uint8_t bytes[CHECKPOINT_BYTES];
        struct chain genesis;

        chain_init(&genesis, public_key);
        checkpoint_bytes(c, bytes);
        if (memcmp(c->origin, genesis.origin, OP_ORIGIN_BYTES) != 0 ||
            crypto_sign_verify_detached(c->signature, bytes, sizeof(bytes), public_key) != 0)
                return -EBADMSG;
        return 0;
}

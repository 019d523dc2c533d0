#include "replica/op.h"
#include "codec.h"
#include "replica/hlc.h"
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { RECORD_FIELDS = 15, SEQ_BITS = 53 };
#define SEQ_MAX (((int64_t)1 << SEQ_BITS) - 1) /* what JavaScript reads exactly */

/* Each use of the hash has a personalization of its own, so that no value made for one use means anything in another. */
static void blake2b(const char personal[16], const uint8_t *key, size_t key_n, struct str in, uint8_t ret_hash[OP_HASH_BYTES])
{
        int r = crypto_generichash_blake2b_salt_personal(ret_hash, OP_HASH_BYTES, (const uint8_t *)in.p, in.n, key, key_n, NULL,
                                                         (const uint8_t *)personal);

        assert(r == 0);
        (void)r;
}

void op_hash(struct str record, uint8_t ret_hash[OP_HASH_BYTES])
{
        blake2b("assist-op-1\0\0\0\0", NULL, 0, record, ret_hash);
}

void op_commitment(const uint8_t salt[OP_SALT_BYTES], struct str text, uint8_t ret_commitment[OP_HASH_BYTES])
{
        blake2b("assist-commit-1", salt, OP_SALT_BYTES, text, ret_commitment);
}

struct ulid op_entity(struct ulid op_id, uint32_t n)
{
        uint8_t in[20], hash[OP_HASH_BYTES];

        if (n == 0)
                return op_id;
        memcpy(in, op_id.b, 16);
        for (int i = 0; i < 4; i++)
                in[16 + i] = (uint8_t)(n >> (24 - 8 * i));
        blake2b("assist-entity-1", NULL, 0, (struct str){ (const char *)in, sizeof(in) }, hash);
        return ulid_of(ulid_time_ms(op_id), hash);
}

/* Kinds and fields are names of the schemas: lower case letters, digits, underscores and dots. */
static bool is_name(struct str s)
{
        if (s.n < 1 || s.n > OP_NAME_MAX)
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_' || s.p[i] == '.'))
                        return false;
        return true;
}

static bool is_device(struct str s)
{
        if (s.n > OP_DEVICE_MAX)
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < 0x21 || s.p[i] > 0x7e)
                        return false;
        return true;
}

bool op_is_valid(const struct op *op)
{
        if (op->origin_seq < 1 || op->origin_seq > SEQ_MAX || op->device_seq < 0 || op->device_seq > SEQ_MAX)
                return false;
        if (op->n > OP_N_MAX || op->hlc > HLC_MAX || op->n_base > OP_BASE_MAX || op->body.n > OP_BODY_MAX)
                return false;
        if (!is_name(op->kind) || !is_device(op->device))
                return false;
        for (size_t i = 0; i < op->n_base; i++)
                if (!is_name(op->base[i].field) || op->base[i].stamp.hlc > HLC_MAX)
                        return false;
        return true;
}

static int base_cmp(const struct op_base *a, const struct op_base *b)
{
        int r = str_cmp(a->field, b->field);

        return r ? r : stamp_cmp(a->stamp, b->stamp);
}

uint32_t op_base_sort(const struct op *op, const struct op_base *ret_sorted[OP_BASE_MAX])
{
        uint32_t n = 0;

        for (size_t i = 0; i < op->n_base; i++) {
                uint32_t at = n;
                int r = 1;

                while (at > 0 && (r = base_cmp(ret_sorted[at - 1], &op->base[i])) > 0)
                        at--;
                if (at > 0 && r == 0)
                        continue;
                memmove(ret_sorted + at + 1, ret_sorted + at, (n - at) * sizeof(*ret_sorted));
                ret_sorted[at] = &op->base[i];
                n++;
        }
        return n;
}

static void put_id(struct buf *out, struct ulid id)
{
        if (ulid_is_zero(id))
                msgpack_put_nil(out);
        else
                msgpack_put_bin(out, id.b, sizeof(id.b));
}

void op_encode(const struct op *op, struct buf *out)
{
        const struct op_base *base[OP_BASE_MAX];
        uint8_t packed[STAMP_BYTES];
        uint32_t n_base;

        assert(op_is_valid(op));
        n_base = op_base_sort(op, base);

        msgpack_put_array(out, RECORD_FIELDS);
        msgpack_put_int(out, OP_VERSION);
        msgpack_put_bin(out, op->origin, OP_ORIGIN_BYTES);
        msgpack_put_int(out, op->origin_seq);
        msgpack_put_bin(out, op->op_id.b, sizeof(op->op_id.b));
        msgpack_put_int(out, op->n);
        msgpack_put_int(out, (int64_t)op->hlc);
        msgpack_put_array(out, n_base);
        for (uint32_t i = 0; i < n_base; i++) {
                stamp_pack(base[i]->stamp, packed);
                msgpack_put_array(out, 2);
                msgpack_put_str(out, base[i]->field);
                msgpack_put_bin(out, packed, sizeof(packed));
        }
        put_id(out, op->actor);
        msgpack_put_str(out, op->device);
        msgpack_put_int(out, op->device_seq);
        put_id(out, op->on_behalf_of);
        msgpack_put_str(out, op->kind);
        put_id(out, op->target);
        msgpack_put_bin(out, op->prev_hash, OP_HASH_BYTES);
        msgpack_put_bin(out, op->body.p, op->body.n);
}

static int get_bytes(struct str *in, void *ret_bytes, size_t n)
{
        struct str s;

        if (msgpack_get_bin(in, &s) < 0 || s.n != n)
                return -EBADMSG;
        memcpy(ret_bytes, s.p, n);
        return 0;
}

static int get_id(struct str *in, struct ulid *ret)
{
        if (msgpack_get_nil(in)) {
                *ret = (struct ulid){ 0 };
                return 0;
        }
        return get_bytes(in, ret->b, sizeof(ret->b));
}

static int get_base(struct str *in, struct arena *arena, struct op *op)
{
        struct op_base *base;
        uint32_t n, pair;
        struct str packed;

        if (msgpack_get_array(in, &n) < 0 || n > OP_BASE_MAX)
                return -EBADMSG;
        base = arena_array(arena, n, sizeof(*base));
        for (uint32_t i = 0; i < n; i++) {
                if (msgpack_get_array(in, &pair) < 0 || pair != 2 || msgpack_get_str(in, &base[i].field) < 0 ||
                    msgpack_get_bin(in, &packed) < 0 || stamp_unpack(packed, &base[i].stamp) < 0)
                        return -EBADMSG;
        }
        op->base = base;
        op->n_base = n;
        return 0;
}

/* msgpack writes one value in several ways, and readers take them all: only the record that we would have written is one. */
static bool is_canonical(const struct op *op, struct str record)
{
        struct buf again = { 0 };
        bool same;

        op_encode(op, &again);
        same = again.n == record.n && memcmp(again.p, record.p, record.n) == 0;
        buf_deinit(&again);
        return same;
}

int op_decode(struct str record, struct arena *arena, struct op *ret)
{
        struct op op = { 0 };
        struct str in = record;
        int64_t version, n, hlc;
        uint32_t fields;

        if (msgpack_get_array(&in, &fields) < 0 || fields != RECORD_FIELDS || msgpack_get_int(&in, &version) < 0 || version != OP_VERSION)
                return -EBADMSG;
        if (get_bytes(&in, op.origin, OP_ORIGIN_BYTES) < 0 || msgpack_get_int(&in, &op.origin_seq) < 0 ||
            get_bytes(&in, op.op_id.b, sizeof(op.op_id.b)) < 0 || msgpack_get_int(&in, &n) < 0 || n < 0 || n > OP_N_MAX ||
            msgpack_get_int(&in, &hlc) < 0 || hlc < 0)
                return -EBADMSG;
        op.n = (uint32_t)n;
        op.hlc = (uint64_t)hlc;
        if (get_base(&in, arena, &op) < 0 || get_id(&in, &op.actor) < 0 || msgpack_get_str(&in, &op.device) < 0 ||
            msgpack_get_int(&in, &op.device_seq) < 0 || get_id(&in, &op.on_behalf_of) < 0 || msgpack_get_str(&in, &op.kind) < 0 ||
            get_id(&in, &op.target) < 0 || get_bytes(&in, op.prev_hash, OP_HASH_BYTES) < 0 || msgpack_get_bin(&in, &op.body) < 0)
                return -EBADMSG;
        if (in.n > 0 || !op_is_valid(&op) || !is_canonical(&op, record))
                return -EBADMSG;
        op_hash(record, op.hash);
        *ret = op;
        return 0;
}

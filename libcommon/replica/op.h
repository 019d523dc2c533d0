/* One accepted op, and the bytes that it is for ever: docs/log.md has the format, byte by byte.
 *
 * seq and audience are this instance's own, and neither in the record nor in its hash. A decoded op points into its record. */
#pragma once
#include "arena.h"
#include "stamp.h"

enum {
        OP_VERSION = 1,
        OP_ORIGIN_BYTES = 16,
        OP_HASH_BYTES = 32,
        OP_SALT_BYTES = 32,
        OP_DEVICE_MAX = 64,
        OP_NAME_MAX = 64,           /* of a kind, of a register's field */
        OP_BASE_MAX = 64,
        OP_BODY_MAX = 1024 * 1024,
        OP_N_MAX = 65535,
};

/* The writer of the register `field` had seen this stamp. A field stands there more than once where one write covers
 * several: a resolved conflict. */
struct op_base {
        struct str field;
        struct stamp stamp;
};

struct op {
        int64_t seq;                /* position here; not in the record */
        struct str audience;        /* not in the record */
        uint8_t origin[OP_ORIGIN_BYTES];
        int64_t origin_seq;         /* 1.. without gaps */
        struct ulid op_id;
        uint32_t n;                 /* which effect of that command, 0.. */
        uint64_t hlc;
        const struct op_base *base;
        size_t n_base;
        struct ulid actor;          /* zero: the system itself */
        struct str device;          /* may be empty */
        int64_t device_seq;         /* the device's own count of its ops; 0 where it keeps none */
        struct ulid on_behalf_of;   /* zero: nobody else */
        struct str kind;
        struct ulid target;         /* zero: the project */
        struct str body;
        uint8_t prev_hash[OP_HASH_BYTES];
        uint8_t hash[OP_HASH_BYTES]; /* of the record; op_decode computes it, op_encode does not look at it. What else reads ops says how much it has of both */
};

static inline struct stamp op_stamp(const struct op *op)
{
        return (struct stamp){ .hlc = op->hlc, .op_id = op->op_id, .n = op->n };
}

/* Whether it is within the limits above. */
bool op_is_valid(const struct op *op);
/* Its bases as the record has them: ascending, each once. Returns how many. */
uint32_t op_base_sort(const struct op *op, const struct op_base *ret_sorted[OP_BASE_MAX]);

/* Appends the record. The op is valid: this is asserted. */
void op_encode(const struct op *op, struct buf *out);

/* 0, or -EBADMSG for anything that op_encode would not have written: every length, count, range and the one way to
 * write each value are checked, so a record has one meaning and a meaning has one record. *ret points into record and arena; its
 * hash is filled, its seq is 0 and its audience is empty. */
int op_decode(struct str record, struct arena *arena, struct op *ret);

void op_hash(struct str record, uint8_t ret_hash[OP_HASH_BYTES]);

/* The id of what the n-th effect of a command creates: op_id itself for 0, else one derived with the same time. */
struct ulid op_entity(struct ulid op_id, uint32_t n);

/* What an op body holds in place of a personal text. Without the salt nothing can be learnt of the text, not even by guessing it. */
void op_commitment(const uint8_t salt[OP_SALT_BYTES], struct str text, uint8_t ret_commitment[OP_HASH_BYTES]);

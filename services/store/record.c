#include "record.h"

#include "names.h"
#include "replica/hlc.h"

#include <errno.h>
#include <sodium.h>

enum { GAPS_MAX = 32, HLC_COUNTER_BITS = 16, BIN_HEAD = 2 };

/* What else says what an id is. */
enum place { PLACE_ZERO, PLACE_NONE, PLACE_AUDIENCE, PLACE_COMMAND, PLACE_ENTITY, PLACE_ACTOR, PLACE_TARGET, PLACES, PLACE_TEXT = 16 };

static struct ulid id_at(const struct log_entry *e, enum place place)
{
        switch (place) {
        case PLACE_AUDIENCE:
                return e->audience;
        case PLACE_COMMAND:
                return e->op.op_id;
        case PLACE_ENTITY:
                return op_entity(e->op.op_id, e->op.n);
        case PLACE_ACTOR:
                return e->op.actor;
        case PLACE_TARGET:
                return e->op.target;
        default:
                return (struct ulid){ 0 };
        }
}

/* ---- packing ---- */

static void put_number(struct buf *out, uint64_t v)
{
        for (; v >= 0x80; v >>= 7)
                buf_char(out, (char)(v | 0x80));
        buf_char(out, (char)v);
}

static void put_signed(struct buf *out, int64_t v)
{
        put_number(out, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static int put_name(struct db *db, struct str name, struct buf *out)
{
        int64_t number;
        int r = name_number(db, name, &number);

        put_number(out, (uint64_t)number);
        return r;
}

static int put_id(struct db *db, struct ulid id, struct buf *out)
{
        struct str name = { (const char *)id.b, ulid_is_zero(id) ? 0 : sizeof(id.b) };

        return put_name(db, name, out);
}

static void put_hlc(uint64_t hlc, struct ulid near, struct buf *out)
{
        put_signed(out, (int64_t)(hlc >> HLC_COUNTER_BITS) - (int64_t)ulid_time_ms(near));
        put_number(out, hlc & ((1 << HLC_COUNTER_BITS) - 1));
}

static void put_target(const struct log_entry *e, struct buf *out)
{
        enum place place = ulid_is_zero(e->op.target) ? PLACE_ZERO : PLACE_AUDIENCE;

        while (place >= PLACE_AUDIENCE && place < PLACE_TARGET && !ulid_eq(e->op.target, id_at(e, place)))
                place++;
        if (place == PLACE_TARGET)
                place = PLACE_NONE;
        put_number(out, place);
        if (place == PLACE_NONE)
                buf_add(out, e->op.target.b, sizeof(e->op.target.b));
}

static int put_bases(struct db *db, const struct op *op, struct buf *out)
{
        const struct op_base *base[OP_BASE_MAX];
        uint32_t n = op_base_sort(op, base);
        int r = 0;

        put_number(out, n);
        for (uint32_t i = 0; i < n && !r; i++) {
                r = put_name(db, base[i]->field, out);
                put_number(out, base[i]->stamp.hlc);
                buf_add(out, base[i]->stamp.op_id.b, sizeof(base[i]->stamp.op_id.b));
                put_number(out, base[i]->stamp.n);
        }
        return r;
}

struct gap {
        size_t at, n;
        unsigned fills;
};

/* Whether a msgpack bin in the body is one that is known. */
static bool gap_find(const struct str ids[PLACES], const struct record_texts *texts, struct str in, struct gap *ret)
{
        if (in.n >= BIN_HEAD + OP_HASH_BYTES && in.p[1] == OP_HASH_BYTES) {
                for (size_t i = 0; i < texts->n; i++) {
                        if (memcmp(in.p + BIN_HEAD, texts->items[i].commitment, OP_HASH_BYTES) == 0) {
                                ret->n = BIN_HEAD + OP_HASH_BYTES;
                                ret->fills = PLACE_TEXT + texts->items[i].field;
                                return true;
                        }
                }
        }
        if (in.n >= BIN_HEAD + sizeof(struct ulid) && in.p[1] == sizeof(struct ulid)) {
                for (unsigned place = PLACE_AUDIENCE; place < PLACES; place++) {
                        if (memcmp(in.p + BIN_HEAD, ids[place].p, ids[place].n) == 0) {
                                ret->n = BIN_HEAD + sizeof(struct ulid);
                                ret->fills = place;
                                return true;
                        }
                }
        }
        return false;
}

static void put_body(const struct log_entry *e, const struct record_texts *texts, struct buf *out)
{
        struct str body = e->op.body, ids[PLACES];
        struct ulid known[PLACES];
        struct gap gaps[GAPS_MAX];
        size_t n = 0, at = 0;

        for (unsigned place = 0; place < PLACES; place++) {
                known[place] = id_at(e, place);
                ids[place] = (struct str){ (const char *)known[place].b, sizeof(known[place].b) };
        }
        while (at < body.n && n < GAPS_MAX) {
                const char *bin = memchr(body.p + at, 0xc4, body.n - at);

                if (!bin)
                        break;
                at = (size_t)(bin - body.p);
                gaps[n].at = at;
                at += gap_find(ids, texts, (struct str){ bin, body.n - at }, &gaps[n]) ? gaps[n++].n : 1;
        }
        put_number(out, n);
        at = 0;
        for (size_t i = 0; i < n; i++) {
                put_number(out, gaps[i].at - at);
                put_number(out, gaps[i].fills);
                at = gaps[i].at + gaps[i].n;
        }
        at = 0;
        for (size_t i = 0; i < n; i++) {
                buf_add(out, body.p + at, gaps[i].at - at);
                at = gaps[i].at + gaps[i].n;
        }
        buf_add(out, body.p + at, body.n - at);
}

int record_pack(struct db *db, const struct log_entry *e, const struct record_texts *texts, struct buf *out)
{
        const struct op *op = &e->op;
        int r;

        buf_char(out, RECORD_PACKED);
        buf_add(out, op->hash, record_hash_bytes(e->seq));
        r = put_name(db, (struct str){ (const char *)op->origin, sizeof(op->origin) }, out);
        put_signed(out, e->seq - op->origin_seq);
        put_hlc(op->hlc, op->op_id, out);
        if (!r)
                r = put_id(db, op->actor, out);
        if (!r)
                r = put_name(db, op->device, out);
        put_number(out, (uint64_t)op->device_seq);
        if (!r)
                r = put_id(db, op->on_behalf_of, out);
        if (!r)
                r = put_name(db, op->kind, out);
        put_target(e, out);
        if (!r)
                r = put_bases(db, op, out);
        put_body(e, texts, out);
        return r;
}

/* ---- unpacking ---- */

struct reader {
        struct db *db;
        struct str in;
        int r;                  /* the first error */
};

static const char *get_bytes(struct reader *r, size_t n)
{
        const char *p = r->in.p;

        if (r->r || r->in.n < n) {
                r->r = r->r ? r->r : -EBADMSG;
                return NULL;
        }
        r->in.p += n;
        r->in.n -= n;
        return p;
}

static uint64_t get_number(struct reader *r)
{
        uint64_t v = 0;

        for (unsigned shift = 0; shift < 64; shift += 7) {
                const char *p = get_bytes(r, 1);

                if (!p)
                        return 0;
                v |= (uint64_t)(*p & 0x7f) << shift;
                if (!(*p & 0x80))
                        return v;
        }
        r->r = -EBADMSG;
        return 0;
}

static int64_t get_signed(struct reader *r)
{
        uint64_t v = get_number(r);

        return (int64_t)(v >> 1 ^ -(v & 1));
}

static const struct name *get_name(struct reader *r)
{
        uint64_t number = get_number(r);
        const struct name *name = NULL;

        if (!r->r) {
                r->r = name_find(r->db, (int64_t)number, &name);
                r->r = r->r == -ENOENT ? -EBADMSG : r->r;
        }
        return r->r ? NULL : name;
}

static void get_text(struct reader *r, struct arena *arena, struct str *ret)
{
        const struct name *name = get_name(r);

        *ret = name ? arena_str(arena, name->bytes) : STR("");
}

static void copy(struct reader *r, const char *from, size_t n, void *ret, size_t size)
{
        if (from && n == size)
                memcpy(ret, from, size);
        else if (!r->r)
                r->r = -EBADMSG;
}

static void get_id(struct reader *r, struct ulid *ret)
{
        const struct name *name = get_name(r);

        *ret = (struct ulid){ 0 };
        if (name && name->bytes.n)
                copy(r, name->bytes.p, name->bytes.n, ret->b, sizeof(ret->b));
}

static void get_ulid(struct reader *r, struct ulid *ret)
{
        copy(r, get_bytes(r, sizeof(ret->b)), sizeof(ret->b), ret->b, sizeof(ret->b));
}

static void get_origin(struct reader *r, uint8_t ret[OP_ORIGIN_BYTES])
{
        const struct name *name = get_name(r);

        copy(r, name ? name->bytes.p : NULL, name ? name->bytes.n : 0, ret, OP_ORIGIN_BYTES);
}

static void get_kind(struct reader *r, struct arena *arena, struct log_entry *ret)
{
        const struct name *name = get_name(r);

        ret->kind = name ? name->kind : NULL;
        ret->op.kind = ret->kind ? str_of(ret->kind->name) : name ? arena_str(arena, name->bytes) : STR("");
}

static uint64_t get_hlc(struct reader *r, struct ulid near)
{
        int64_t ms = (int64_t)((uint64_t)ulid_time_ms(near) + (uint64_t)get_signed(r));
        uint64_t counter = get_number(r);

        if (ms < 0 || ms > (int64_t)(HLC_MAX >> HLC_COUNTER_BITS) || counter >> HLC_COUNTER_BITS)
                r->r = r->r ? r->r : -EBADMSG;
        return r->r ? 0 : (uint64_t)ms << HLC_COUNTER_BITS | counter;
}

static void get_target(struct reader *r, struct log_entry *ret)
{
        uint64_t place = get_number(r);

        if (place == PLACE_NONE)
                get_ulid(r, &ret->op.target);
        else if (place < PLACE_TARGET)
                ret->op.target = id_at(ret, (enum place)place);
        else
                r->r = -EBADMSG;
}

static void get_bases(struct reader *r, struct arena *arena, struct op *ret)
{
        uint64_t n = get_number(r);
        struct op_base *base;

        if (r->r || n > OP_BASE_MAX) {
                r->r = r->r ? r->r : -EBADMSG;
                return;
        }
        base = arena_array(arena, n, sizeof(*base));
        for (uint64_t i = 0; i < n && !r->r; i++) {
                get_text(r, arena, &base[i].field);
                base[i].stamp.hlc = get_number(r);
                get_ulid(r, &base[i].stamp.op_id);
                base[i].stamp.n = (uint32_t)get_number(r);
        }
        ret->base = base;
        ret->n_base = n;
}

static size_t gap_bytes(unsigned fills)
{
        return BIN_HEAD + (fills < PLACE_TEXT ? sizeof(struct ulid) : (size_t)OP_HASH_BYTES);
}

static int gap_fill(struct db *db, const struct log_entry *e, unsigned fills, bool whole, char *ret)
{
        struct ulid id;
        int r;

        ret[0] = (char)0xc4;
        ret[1] = (char)(gap_bytes(fills) - BIN_HEAD);
        if (fills < PLACE_TEXT) {
                id = id_at(e, (enum place)fills);
                memcpy(ret + BIN_HEAD, id.b, sizeof(id.b));
                return 0;
        }
        if (whole) {
                r = log_commitment(db, e->seq, fills - PLACE_TEXT, NULL, NULL, (uint8_t *)ret + BIN_HEAD);
                return r == -ENOENT ? -EBADMSG : r;
        }
        memset(ret + BIN_HEAD, 0, OP_HASH_BYTES);
        return 0;
}

static void get_gaps(struct reader *r, struct gap gaps[GAPS_MAX], size_t *ret_n, size_t *ret_bytes)
{
        uint64_t n = get_number(r);

        *ret_n = *ret_bytes = 0;
        if (n > GAPS_MAX)
                r->r = -EBADMSG;
        for (uint64_t i = 0; i < n && !r->r; i++) {
                uint64_t before = get_number(r), fills = get_number(r);

                if (before > OP_BODY_MAX || !(fills < PLACES ? fills >= PLACE_AUDIENCE : fills >= PLACE_TEXT && fills < PLACE_TEXT + LOG_TEXT_FIELDS)) {
                        r->r = r->r ? r->r : -EBADMSG;
                        return;
                }
                gaps[i] = (struct gap){ .n = before, .fills = (unsigned)fills };
                *ret_bytes += gap_bytes((unsigned)fills);
        }
        *ret_n = r->r ? 0 : n;
}

static void get_body(struct reader *r, bool whole, struct arena *arena, struct log_entry *ret)
{
        struct gap gaps[GAPS_MAX];
        size_t n, filled;
        char *at;

        get_gaps(r, gaps, &n, &filled);
        if (r->r || r->in.n + filled > OP_BODY_MAX) {
                r->r = r->r ? r->r : -EBADMSG;
                return;
        }
        ret->op.body.n = r->in.n + filled;
        ret->op.body.p = at = arena_alloc(arena, ret->op.body.n + 1);
        for (size_t i = 0; i < n && !r->r; i++) {
                const char *before = get_bytes(r, gaps[i].n);

                if (!before)
                        return;
                memcpy(at, before, gaps[i].n);
                at += gaps[i].n;
                r->r = gap_fill(r->db, ret, gaps[i].fills, whole, at);
                at += gap_bytes(gaps[i].fills);
        }
        if (!r->r)
                memcpy(at, r->in.p, r->in.n);
}

static int packed_read(struct db *db, struct str record, bool whole, struct arena *arena, struct log_entry *ret)
{
        struct reader r = { .db = db, .in = record };
        size_t n_hash = record_hash_bytes(ret->seq);
        struct op *op = &ret->op;

        get_bytes(&r, 1);
        copy(&r, get_bytes(&r, n_hash), n_hash, op->hash, n_hash);
        get_origin(&r, op->origin);
        op->origin_seq = (int64_t)((uint64_t)ret->seq - (uint64_t)get_signed(&r));
        op->hlc = get_hlc(&r, op->op_id);
        get_id(&r, &op->actor);
        get_text(&r, arena, &op->device);
        op->device_seq = (int64_t)get_number(&r);
        get_id(&r, &op->on_behalf_of);
        get_kind(&r, arena, ret);
        get_target(&r, ret);
        get_bases(&r, arena, op);
        get_body(&r, whole, arena, ret);
        return r.r ? r.r : op_is_valid(op) ? 0 : -EBADMSG;
}

bool record_is_packed(struct str record)
{
        return record.n > RECORD_HASH_BYTES && record.p[0] == RECORD_PACKED;
}

int record_unpack(struct db *db, struct str record, bool whole, struct arena *arena, struct log_entry *ret)
{
        int r;

        if (record_is_packed(record)) {
                ret->op = (struct op){ .op_id = ret->op.op_id, .n = ret->op.n };
                r = packed_read(db, record, whole, arena, ret);
        } else {
                r = op_decode(arena_str(arena, record), arena, &ret->op);
                if (!r)
                        ret->kind = schema_op_find(ret->op.kind);
        }
        ret->op.seq = ret->seq;
        return r;
}

void record_hash(struct str record, uint8_t ret[RECORD_HASH_BYTES])
{
        uint8_t whole[OP_HASH_BYTES];

        if (!record_is_packed(record))
                op_hash(record, whole);
        memcpy(ret, record_is_packed(record) ? record.p + 1 : (const char *)whole, RECORD_HASH_BYTES);
}

int record_redact(struct db *db, int64_t seq)
{
        static const struct record_texts none;
        struct arena arena = { 0 };
        struct buf again = { 0 };
        struct log_entry e;
        sqlite3_stmt *q = db_query(db, "SELECT " LOG_COLUMNS " FROM op WHERE seq = ?1", "i", seq);
        int r = db_step(db, q);
        bool packed = r > 0 && record_is_packed(db_column_str(q, LOG_COLUMN_RECORD));

        if (packed)
                r = log_entry_read_whole(db, q, &arena, &e);
        db_done(q);
        if (packed && r == -EBADMSG) { /* a text is lost, as verify says; the others are to go all the same */
                packed = false;
                r = 0;
        }
        if (packed && !r)
                r = record_pack(db, &e, &none, &again);
        if (packed && !r)
                r = db_do(db, "UPDATE op SET record = ?2 WHERE seq = ?1", "ib", seq, buf_view(&again));
        buf_deinit(&again);
        arena_deinit(&arena);
        return r < 0 ? r : 0;
}

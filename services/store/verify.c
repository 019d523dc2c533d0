/* What the log says of itself: the hashes of the chains of all who wrote it, their signed checkpoints, and that the texts are what was committed to. */
#include "audit.h"
#include "record.h"
#include "schema/log.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* An instance that wrote the log: this one, or one before a restore. */
struct instance {
        struct chain chain;
        uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES];
        char name[2 * CURSOR_INSTANCE_BYTES + 1];       /* for people */
};

struct verify {
        struct job *job;
        struct db *db;
        struct report *report;
        struct arena arena;
        struct instance *instances;      /* in the job's arena */
        size_t n_instances;
        int64_t seq;                     /* as far as it was looked at */
        uint8_t head[OP_HASH_BYTES];     /* the hash of the op there */
        bool head_lost;                  /* which is not known */
        struct log_entry entry;          /* that is looked at */
        bool lost;                       /* something was not as it was written: what the chain has come to is not known up to the next whole hash */
        struct buf record;
        struct verified *ret;
};

static void name_of(const uint8_t origin[OP_ORIGIN_BYTES], char ret[2 * CURSOR_INSTANCE_BYTES + 1])
{
        sodium_bin2hex(ret, 2 * CURSOR_INSTANCE_BYTES + 1, origin, CURSOR_INSTANCE_BYTES);
}

/* An origin is a hash of its key, so no other key can stand in for it. */
static int instances_load(struct verify *v)
{
        sqlite3_stmt *q;
        int64_t n;
        int r = db_int(v->db, &n, "SELECT count(*) FROM instance", "");

        if (r)
                return r;
        v->instances = arena_array(&v->job->arena, (size_t)n, sizeof(*v->instances));
        q = db_query(v->db, "SELECT public_key FROM instance ORDER BY n LIMIT ?1", "i", n);
        while ((r = db_step(v->db, q)) > 0) {
                struct instance *by = &v->instances[v->n_instances];

                if (db_column_str(q, 0).n != sizeof(by->public_key))
                        continue;
                memcpy(by->public_key, db_column_str(q, 0).p, sizeof(by->public_key));
                chain_init(&by->chain, by->public_key);
                name_of(by->chain.origin, by->name);
                v->n_instances++;
        }
        return r;
}

static struct instance *instance_of(const struct verify *v, const uint8_t origin[OP_ORIGIN_BYTES])
{
        for (size_t i = 0; i < v->n_instances; i++)
                if (memcmp(v->instances[i].chain.origin, origin, OP_ORIGIN_BYTES) == 0)
                        return &v->instances[i];
        return NULL;
}

static int text_verify(void *data, unsigned field, const uint8_t commitment[32], struct str *ret)
{
        struct verify *v = data;
        int64_t seq = v->entry.seq;
        uint8_t actual[OP_HASH_BYTES];
        int r = log_commitment(v->db, seq, field, &v->arena, ret, actual);

        if (r == -EBADMSG)
                report_add(v->report, "op %lld: the salt of field %u has not %d bytes", (long long)seq, field, OP_SALT_BYTES);
        else if (!r && memcmp(actual, commitment, OP_HASH_BYTES) != 0)
                report_add(v->report, "op %lld: the text of field %u is not what was committed to", (long long)seq, field);
        return r == -EBADMSG ? 0 : r;
}

static struct str origin_of(const struct instance *by)
{
        return (struct str){ (const char *)by->chain.origin, OP_ORIGIN_BYTES };
}

/* Of the op that the chain has come to, where there is one. */
static int checkpoint_check(struct verify *v, const struct instance *by)
{
        sqlite3_stmt *q = db_query(v->db, "SELECT head, at, signature FROM checkpoint WHERE origin = ?1 AND seq = ?2", "bi", origin_of(by), by->chain.seq);
        struct checkpoint checkpoint = { .seq = by->chain.seq };
        int r = db_step(v->db, q);
        bool good;

        if (r <= 0)
                return r;
        good = db_column_str(q, 0).n == OP_HASH_BYTES && db_column_str(q, 2).n == CHAIN_SIGNATURE_BYTES;
        if (good) {
                memcpy(checkpoint.origin, by->chain.origin, sizeof(checkpoint.origin));
                memcpy(checkpoint.head, db_column_str(q, 0).p, OP_HASH_BYTES);
                checkpoint.at = db_column_int(q, 1);
                memcpy(checkpoint.signature, db_column_str(q, 2).p, CHAIN_SIGNATURE_BYTES);
                good = !checkpoint_verify(&checkpoint, by->public_key) && memcmp(checkpoint.head, by->chain.head, OP_HASH_BYTES) == 0;
        }
        db_done(q);
        if (!good) {
                report_add(v->report, "op %lld: its checkpoint's signature is not good", (long long)v->seq);
                return 0;
        }
        v->ret->checkpoints++;
        v->ret->signed_ops = v->seq;
        return 0;
}

/* What else says how far a chain goes. */
static int chain_end_check(struct verify *v, const struct instance *by)
{
        struct str head = { (const char *)by->chain.head, OP_HASH_BYTES };
        sqlite3_stmt *q = db_query(v->db, "SELECT seq, head FROM chain WHERE origin = ?1", "b", origin_of(by));
        int64_t beyond;
        int r = db_step(v->db, q);

        if (r > 0 && (db_column_int(q, 0) != by->chain.seq || !str_eq(db_column_str(q, 1), head)))
                report_add(v->report, "instance %s: the log ends with its op %lld, its chain with %lld, or another hash", by->name,
                           (long long)by->chain.seq, (long long)db_column_int(q, 0));
        db_done(q);
        if (r < 0)
                return r;
        r = db_int(v->db, &beyond, "SELECT coalesce(max(seq), 0) FROM checkpoint WHERE origin = ?1", "b", origin_of(by));
        if (!r && beyond > by->chain.seq)
                report_add(v->report, "instance %s: the log ends with its op %lld, but a checkpoint vouches for %lld", by->name,
                           (long long)by->chain.seq, (long long)beyond);
        return r;
}

static int end_check(struct verify *v)
{
        int64_t chained;
        int r = 0;

        for (size_t i = 0; i < v->n_instances && !r; i++)
                r = chain_end_check(v, &v->instances[i]);
        if (!r)
                r = db_int(v->db, &chained, "SELECT coalesce(sum(seq), 0) FROM chain", "");
        if (!r && chained != v->seq)
                report_add(v->report, "op %lld: the log ends here, by its chains at %lld", (long long)v->seq, (long long)chained);
        return r;
}

/* Whether a packed record is as it was written behind what its chain has come to; its hash then is whole. */
static bool is_as_written(struct verify *v, const struct instance *by, struct op *op)
{
        struct op whole = *op;
        uint8_t hash[OP_HASH_BYTES];

        buf_clear(&v->record);
        memcpy(whole.prev_hash, by->chain.head, OP_HASH_BYTES);
        op_encode(&whole, &v->record);
        op_hash(buf_view(&v->record), hash);
        if (memcmp(hash, op->hash, record_hash_bytes(op->seq)) != 0)
                return false;
        memcpy(op->hash, hash, OP_HASH_BYTES);
        return true;
}

/* The entry at the row, with the commitments of its texts; with zeros in their place where one is lost. */
static int row_read(struct verify *v, sqlite3_stmt *q, bool *ret_zeros)
{
        struct log_entry *e = &v->entry;
        int r = log_entry_read_whole(v->db, q, &v->arena, e);

        *ret_zeros = false;
        if (r == -EBADMSG && !log_entry_read(v->db, q, &v->arena, e)) {
                report_add(v->report, "op %lld: a text that it committed to is lost", (long long)e->seq);
                v->lost = *ret_zeros = true;
                r = 0;
        } else if (r == -EBADMSG) {
                report_add(v->report, "op %lld: its record is damaged", (long long)e->seq);
        }
        return r;
}

/* Whose op it is, in its turn and in its place; NULL where it is nobody's, so that nothing behind can be looked at. */
static struct instance *row_place(struct verify *v, bool packed)
{
        struct log_entry *e = &v->entry;
        struct instance *by = instance_of(v, e->op.origin);
        char name[2 * CURSOR_INSTANCE_BYTES + 1];

        if (!by) {
                name_of(e->op.origin, name);
                report_add(v->report, "op %lld: the key of the instance that wrote it, %s, is not known", (long long)e->seq, name);
                return NULL;
        }
        if (packed && !v->lost && !is_as_written(v, by, &e->op)) {
                report_add(v->report, "op %lld: its record, or a text of it, is not what its hash says", (long long)e->seq);
                v->lost = true;
        }
        if (packed)
                memcpy(e->op.prev_hash, by->chain.head, OP_HASH_BYTES);
        if (!packed || record_hash_bytes(e->seq) == OP_HASH_BYTES)
                v->lost = false;
        if (chain_next(&by->chain, &e->op)) {
                report_add(v->report, "op %lld: the chain breaks here", (long long)e->seq);
                return NULL;
        }
        if (e->seq != v->seq + 1) {
                report_add(v->report, "op %lld: is not where its number says", (long long)e->seq);
                return NULL;
        }
        return by;
}

/* A chain that begins behind another one's ops names the last of those: by this it vouches for them. */
static void begin_check(struct verify *v, const void *body)
{
        const struct op_instance_begin *begin = v->entry.kind == &schema_op_instance_begin ? body : NULL;

        if (!begin || begin->head.n != sizeof(v->head) || memcmp(begin->head.p, v->head, sizeof(v->head)) != 0)
                report_add(v->report, "op %lld: another instance begins here, and does not name the op before", (long long)v->entry.seq);
}

/* A commitment that a packed record left to the text was made of it; one that it names itself may be another's. */
static void body_verify(struct verify *v, bool zeros, void *ret)
{
        struct codec_commit commit = { .text = text_verify, .data = v };
        const struct log_entry *e = &v->entry;
        int r = zeros ? log_entry_body(NULL, e, &v->arena, ret)
                      : msgpack_read_committed(e->kind->body, e->op.body, &commit, &v->arena, ret, NULL);

        if (r)
                report_add(v->report, "op %lld: its body is not a %s", (long long)e->seq, e->kind->name);
}

/* 1: the chain breaks, so nothing behind is looked at. */
static int row_verify(struct verify *v, sqlite3_stmt *q)
{
        bool packed = record_is_packed(db_column_str(q, LOG_COLUMN_RECORD));
        struct log_entry *e = &v->entry;
        const struct instance *by;
        void *body = NULL;
        bool zeros;
        int r;

        r = row_read(v, q, &zeros);
        if (r)
                return r == -EBADMSG ? 1 : r;
        by = row_place(v, packed);
        if (!by)
                return 1;
        if (e->kind) {
                body = arena_zalloc(&v->arena, e->kind->body->size);
                body_verify(v, zeros, body);
        }
        if (by->chain.seq == 1 && v->seq > 0 && !v->head_lost)
                begin_check(v, body);
        v->seq = e->seq;
        v->head_lost = v->lost;
        memcpy(v->head, e->op.hash, sizeof(v->head));
        return v->lost ? 0 : checkpoint_check(v, by);
}

/* A slice, of one state; *ret_last: there was nothing behind it, and it was compared with what else says so. */
static int slice_verify(struct verify *v, bool *ret_last)
{
        int64_t n = 0;
        sqlite3_stmt *q = db_query(v->db, "SELECT " LOG_COLUMNS " FROM op WHERE seq > ?1 ORDER BY seq LIMIT ?2", "ii", v->seq,
                                   (int64_t)JOB_SLICE_OPS);
        int r;

        *ret_last = false;
        while ((r = db_step(v->db, q)) > 0) {
                r = row_verify(v, q);
                arena_reset(&v->arena);
                if (r) {
                        db_done(q);
                        *ret_last = true;
                        return r < 0 ? r : 0;
                }
                n++;
                v->job->ops = ++v->ret->ops;
        }
        *ret_last = n < JOB_SLICE_OPS;
        return r < 0 || !*ret_last || v->report->n ? r : end_check(v);
}

int verify_run(struct job *job, struct db *db, struct verified *ret)
{
        struct report report;
        struct verify v = { .job = job, .db = db, .report = &report, .ret = ret };
        bool last = false;
        int r;

        report_init(&report, &job->arena);
        r = instances_load(&v);
        while (!r && !last) {
                r = job_goes_on(job);
                if (!r)
                        r = db_run(db, "BEGIN");
                if (!r)
                        r = slice_verify(&v, &last);
                if (!r)
                        r = db_run(db, "COMMIT");
        }
        arena_deinit(&v.arena);
        buf_deinit(&v.record);
        ret->sound = report.n == 0;
        ret->problems.items = report.items;
        ret->problems.n = report.n;
        return r;
}

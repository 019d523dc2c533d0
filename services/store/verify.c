/* What the log says of itself: the chain's hashes, the signed checkpoints, and that the texts are what was committed to. */
#include "audit.h"

#include <errno.h>
#include <string.h>

struct verify {
        struct job *job;
        struct db *db;
        struct report *report;
        struct arena arena;
        struct chain chain;
        struct log_entry entry;          /* whose texts are looked at */
        struct verified *ret;
};

static int text_verify(void *data, unsigned field, const uint8_t commitment[32], struct str *ret)
{
        struct verify *v = data;
        int64_t seq = v->entry.seq;
        sqlite3_stmt *q = db_query(v->db, "SELECT salt, text FROM op_text WHERE id = ?1", "i", log_text_id(seq, field));
        int r = db_step(v->db, q);
        uint8_t actual[32];

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = arena_str(&v->arena, db_column_str(q, 1));
        if (db_column_str(q, 0).n != OP_SALT_BYTES) {
                report_add(v->report, "op %lld: the salt of field %u has not %d bytes", (long long)seq, field, OP_SALT_BYTES);
        } else {
                op_commitment((const uint8_t *)db_column_str(q, 0).p, *ret, actual);
                if (memcmp(actual, commitment, 32))
                        report_add(v->report, "op %lld: the text of field %u is not what was committed to", (long long)seq, field);
        }
        db_done(q);
        return 0;
}

/* Of the op that the chain has come to, where there is one. */
static int checkpoint_check(struct verify *v)
{
        const struct store *s = v->job->store;
        sqlite3_stmt *q = db_query(v->db, "SELECT head, at, signature FROM checkpoint WHERE origin = ?1 AND seq = ?2", "bi",
                                   (struct str){ (const char *)s->origin, sizeof(s->origin) }, v->chain.seq);
        struct checkpoint checkpoint = { .seq = v->chain.seq };
        int r = db_step(v->db, q);
        bool good;

        if (r <= 0)
                return r;
        good = db_column_str(q, 0).n == OP_HASH_BYTES && db_column_str(q, 2).n == CHAIN_SIGNATURE_BYTES;
        if (good) {
                memcpy(checkpoint.origin, s->origin, sizeof(checkpoint.origin));
                memcpy(checkpoint.head, db_column_str(q, 0).p, OP_HASH_BYTES);
                checkpoint.at = db_column_int(q, 1);
                memcpy(checkpoint.signature, db_column_str(q, 2).p, CHAIN_SIGNATURE_BYTES);
                good = !checkpoint_verify(&checkpoint, s->public_key) && memcmp(checkpoint.head, v->chain.head, OP_HASH_BYTES) == 0;
        }
        db_done(q);
        if (!good) {
                report_add(v->report, "op %lld: its checkpoint's signature is not good", (long long)v->chain.seq);
                return 0;
        }
        v->ret->checkpoints++;
        v->ret->signed_ops = v->chain.seq;
        return 0;
}

/* What else says how far the log goes. */
static int end_check(struct verify *v)
{
        const struct store *s = v->job->store;
        struct str origin = { (const char *)s->origin, sizeof(s->origin) }, head = { (const char *)v->chain.head, OP_HASH_BYTES };
        sqlite3_stmt *q = db_query(v->db, "SELECT seq, head FROM chain WHERE origin = ?1", "b", origin);
        int64_t beyond;
        int r = db_step(v->db, q);

        if (r > 0 && (db_column_int(q, 0) != v->chain.seq || !str_eq(db_column_str(q, 1), head)))
                report_add(v->report, "op %lld: the log ends here, its chain at %lld, or another hash", (long long)v->chain.seq,
                           (long long)db_column_int(q, 0));
        db_done(q);
        if (r < 0)
                return r;
        r = db_int(v->db, &beyond, "SELECT coalesce(max(seq), 0) FROM checkpoint WHERE origin = ?1", "b", origin);
        if (!r && beyond > v->chain.seq)
                report_add(v->report, "op %lld: the log ends here, but a checkpoint vouches for %lld", (long long)v->chain.seq, (long long)beyond);
        return r;
}

/* 1: the chain breaks, so nothing behind is looked at. */
static int row_verify(struct verify *v, sqlite3_stmt *q)
{
        struct codec_commit commit = { .text = text_verify, .data = v };
        struct log_entry *e = &v->entry;
        int r;

        *e = (struct log_entry){ .seq = db_column_int(q, 0) };
        r = chain_follow(&v->chain, arena_str(&v->arena, db_column_str(q, 3)), &v->arena, &e->op);
        if (r || e->seq != v->chain.seq) {
                report_add(v->report, "op %lld: %s", (long long)e->seq,
                           r == -EILSEQ ? "the chain breaks here" : r ? "its record is damaged" : "is not where its number says");
                return 1;
        }
        e->op.seq = e->seq;
        e->kind = schema_op_find(e->op.kind);
        if (e->kind && msgpack_read_committed(e->kind->body, e->op.body, &commit, &v->arena, arena_zalloc(&v->arena, e->kind->body->size), NULL))
                report_add(v->report, "op %lld: its body is not a %s", (long long)e->seq, e->kind->name);
        return checkpoint_check(v);
}

/* A slice, of one state; *ret_last: there was nothing behind it, and it was compared with what else says so. */
static int slice_verify(struct verify *v, bool *ret_last)
{
        int64_t n = 0;
        sqlite3_stmt *q = db_query(v->db, "SELECT seq, scope, audience, record FROM op WHERE seq > ?1 ORDER BY seq LIMIT ?2", "ii", v->chain.seq,
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
        int r = 0;

        report_init(&report, &job->arena);
        chain_init(&v.chain, job->store->public_key);
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
        ret->sound = report.n == 0;
        ret->problems.items = report.items;
        ret->problems.n = report.n;
        return r;
}

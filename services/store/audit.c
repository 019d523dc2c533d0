/* The proof of "one truth": rebuild folds the log into a fresh database and compares; verify checks what the log says of itself. */
#include "audit.h"

#include "fold.h"
#include "search.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLDS_PER_COMMIT = 1024 };

void report_init(struct report *report, struct arena *arena)
{
        *report = (struct report){ .arena = arena, .items = arena_array(arena, ROWS_REPORTED_MAX, sizeof(struct str)) };
}

static void report_add(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void report_add(struct report *report, const char *format, ...)
{
        char line[400];
        va_list args;

        if (report->n == ROWS_REPORTED_MAX)
                return;
        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        report->items[report->n++] = arena_str(report->arena, str_of(line));
}

/* ---- rebuild ---- */

/* Texts as they are now: what was redacted is not there to be copied. */
static int texts_copy(struct db *from, struct db *to)
{
        sqlite3_stmt *q = db_query(from, "SELECT op_id, n, field, salt, text FROM op_text", "");
        int r;

        while ((r = db_step(from, q)) > 0) {
                r = db_do(to, "INSERT INTO op_text(op_id, n, field, salt, text) VALUES(?1, ?2, ?3, ?4, ?5)", "uiibb", db_column_ulid(q, 0),
                          db_column_int(q, 1), db_column_int(q, 2), db_column_str(q, 3), db_column_str(q, 4));
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        return r;
}

/* The index of texts is made at the position up to which ours goes, of the tables as they were then. */
static int log_fold(struct db *from, struct db *to, int64_t indexed, int64_t *ret_ops)
{
        sqlite3_stmt *q = db_query(from, "SELECT seq, scope, audience, record, request FROM op ORDER BY seq", "");
        struct arena arena = { 0 };
        int r;

        while ((r = db_step(from, q)) > 0) {
                struct str request = arena_str(&arena, db_column_str(q, 4));
                struct log_entry e;
                void *body;

                r = log_entry_read(q, &arena, &e);
                if (!r)
                        r = log_insert(to, &e, db_column_str(q, 3), request.n ? &request : NULL);
                if (!r && e.kind) {
                        body = arena_zalloc(&arena, e.kind->body->size);
                        r = log_entry_body(from, &e, &arena, body);
                        if (!r)
                                r = fold_apply(to, &e, body);
                }
                if (!r && e.seq == indexed)
                        r = search_index(to, &arena, INT64_MAX, &(int64_t){ 0 });
                arena_reset(&arena);
                if (!r && ++*ret_ops % FOLDS_PER_COMMIT == 0) {
                        r = db_commit(to);
                        if (!r)
                                r = db_begin(to);
                }
                if (r)
                        break;
        }
        db_done(q);
        arena_deinit(&arena);
        return r;
}

static bool columns_equal(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
        if (sqlite3_column_type(a, column) != sqlite3_column_type(b, column))
                return false;
        if (sqlite3_column_type(a, column) == SQLITE_INTEGER)
                return db_column_int(a, column) == db_column_int(b, column);
        return str_eq(db_column_str(a, column), db_column_str(b, column));
}

static void row_report(struct report *report, const char *table, const char *what, sqlite3_stmt *q)
{
        struct buf key = { 0 };

        if (sqlite3_column_type(q, 0) == SQLITE_BLOB)
                buf_hex(&key, db_column_str(q, 0).p, db_column_str(q, 0).n);
        else
                buf_str(&key, db_column_str(q, 0));
        report_add(report, "%s %s: %s", table, buf_z(&key), what);
        buf_deinit(&key);
}

/* Both in the order of their keys: the first difference in each table is reported, and then how many rows it has on each side. */
static int table_compare(struct db *mine, struct db *fresh, const char *table, const char *sql, struct report *report)
{
        sqlite3_stmt *a = db_query(mine, sql, ""), *b = db_query(fresh, sql, "");
        int ra, rb;

        for (;;) {
                ra = db_step(mine, a);
                rb = db_step(fresh, b);
                if (ra < 0 || rb < 0 || (!ra && !rb))
                        break;
                if (ra != rb) {
                        row_report(report, table, ra ? "is not in the log" : "is in the log, and missing here", ra ? a : b);
                        break;
                }
                for (int i = 0; i < sqlite3_column_count(a); i++) {
                        char what[96];

                        if (columns_equal(a, b, i))
                                continue;
                        snprintf(what, sizeof(what), "%s is not what the log says", sqlite3_column_name(a, i));
                        row_report(report, table, what, a);
                        ra = 0;
                        break;
                }
                if (!ra)
                        break;
        }
        db_done(a);
        db_done(b);
        return ra < 0 ? ra : rb < 0 ? rb : 0;
}

static int search_compare(struct db *mine, struct db *fresh, struct report *report)
{
        int r = table_compare(mine, fresh, "search_text", "SELECT * FROM search_text ORDER BY id", report);

        if (!r)
                r = table_compare(mine, fresh, "search_public", "SELECT term, doc, col, offset FROM search_public_words", report);
        return r ? r : table_compare(mine, fresh, "search_notes", "SELECT term, doc, col, offset FROM search_notes_words", report);
}

int tables_compare(struct db *mine, struct db *fresh, struct report *report)
{
        static const struct {
                const char *table, *sql;
        } tables[] = {
                { "ticket", "SELECT * FROM ticket ORDER BY id" },
                { "register", "SELECT * FROM register ORDER BY entity, field, stamp" },
                { "member", "SELECT * FROM member ORDER BY ticket, kind, element, adder" },
                { "comment", "SELECT * FROM comment ORDER BY id" },
                { "note", "SELECT * FROM note ORDER BY id" },
                { "attachment", "SELECT * FROM attachment ORDER BY id" },
                { "person", "SELECT * FROM person ORDER BY id" },
                { "project", "SELECT * FROM project" },
                { "field_value", "SELECT * FROM field_value ORDER BY ticket, field" },
                { "ticket_count", "SELECT * FROM ticket_count ORDER BY state, priority, assignee, type, team" },
                { "mention", "SELECT * FROM mention ORDER BY user, comment" },
                { "definition", "SELECT * FROM definition ORDER BY kind, id" },
                { "due", "SELECT * FROM due WHERE kind = 1 ORDER BY target" },
                { "op_text", "SELECT op_id, n, field FROM op_text ORDER BY op_id, n, field" },
        };
        static const char counts[] = "SELECT id, comments, notes FROM ticket WHERE"
                                     " comments <> (SELECT count(*) FROM comment WHERE ticket = ticket.id AND NOT comment.hidden AND NOT deleted)"
                                     " OR notes <> (SELECT count(*) FROM note WHERE ticket = ticket.id AND NOT note.hidden AND NOT deleted)";
        sqlite3_stmt *q;
        int r = 0;

        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !r; i++)
                r = table_compare(mine, fresh, tables[i].table, tables[i].sql, report);
        if (r)
                return r;
        q = db_query(mine, counts, "");
        while ((r = db_step(mine, q)) > 0)
                row_report(report, "ticket", "a count is not what it counts", q);
        return r;
}

static void fresh_remove(const char *path)
{
        static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
        char file[600];

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
                unlink(file);
        }
}

int store_on_store_rebuild(struct store *s, struct call *c, const struct store_rebuild *in, struct store_rebuild_result *ret)
{
        const char *path = arena_format(&c->arena, "%s.rebuild", s->path).p;
        struct report report;
        struct db *fresh;
        int64_t indexed;
        int r;

        (void)in;
        report_init(&report, &c->arena);
        fresh_remove(path);
        r = db_open(path, DB_FLEETING, NULL, &store_migrations, &fresh);
        if (r)
                return r;
        r = db_begin(fresh);
        if (!r)
                r = texts_copy(s->audit.db, fresh);
        if (!r)
                r = search_position(s->audit.db, &indexed);
        if (!r)
                r = log_fold(s->audit.db, fresh, indexed, &ret->ops);
        if (!r)
                r = db_commit(fresh);
        if (!r)
                r = tables_compare(s->audit.db, fresh, &report);
        if (!r)
                r = search_compare(s->audit.db, fresh, &report);
        db_close(fresh);
        fresh_remove(path);
        ret->equal = report.n == 0;
        ret->differences.items = report.items;
        ret->differences.n = report.n;
        return r;
}

/* ---- verify ---- */

struct verifying {
        struct db *db;
        struct report *report;
        const struct log_entry *entry;
        struct arena *arena;
};

static int text_verify(void *data, unsigned field, const uint8_t commitment[32], struct str *ret)
{
        struct verifying *v = data;
        const struct op *op = &v->entry->op;
        sqlite3_stmt *q = db_query(v->db, "SELECT salt, text FROM op_text WHERE op_id = ?1 AND n = ?2 AND field = ?3", "uii", op->op_id,
                                   (int64_t)op->n, (int64_t)field);
        int r = db_step(v->db, q);
        uint8_t actual[32];

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = arena_str(v->arena, db_column_str(q, 1));
        if (db_column_str(q, 0).n != OP_SALT_BYTES) {
                report_add(v->report, "op %lld: the salt of field %u has not %d bytes", (long long)op->seq, field, OP_SALT_BYTES);
        } else {
                op_commitment((const uint8_t *)db_column_str(q, 0).p, *ret, actual);
                if (memcmp(actual, commitment, 32))
                        report_add(v->report, "op %lld: the text of field %u is not what was committed to", (long long)op->seq, field);
        }
        db_done(q);
        return 0;
}

/* Of the op that the chain has come to, where there is one. */
static int checkpoint_check(struct store *s, struct db *db, const struct chain *chain, struct report *report, struct store_verify_result *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT head, at, signature FROM checkpoint WHERE origin = ?1 AND seq = ?2", "bi",
                                   (struct str){ (const char *)s->origin, sizeof(s->origin) }, chain->seq);
        struct checkpoint checkpoint = { .seq = chain->seq };
        int r = db_step(db, q);
        bool good;

        if (r <= 0)
                return r;
        good = db_column_str(q, 0).n == OP_HASH_BYTES && db_column_str(q, 2).n == CHAIN_SIGNATURE_BYTES;
        if (good) {
                memcpy(checkpoint.origin, s->origin, sizeof(checkpoint.origin));
                memcpy(checkpoint.head, db_column_str(q, 0).p, OP_HASH_BYTES);
                checkpoint.at = db_column_int(q, 1);
                memcpy(checkpoint.signature, db_column_str(q, 2).p, CHAIN_SIGNATURE_BYTES);
                good = !checkpoint_verify(&checkpoint, s->public_key) && memcmp(checkpoint.head, chain->head, OP_HASH_BYTES) == 0;
        }
        db_done(q);
        if (!good) {
                report_add(report, "op %lld: its checkpoint's signature is not good", (long long)chain->seq);
                return 0;
        }
        ret->checkpoints++;
        ret->signed_ops = chain->seq;
        return 0;
}

/* What else says how far the log goes. */
static int end_verify(struct store *s, struct db *db, const struct chain *chain, struct report *report)
{
        struct str origin = { (const char *)s->origin, sizeof(s->origin) };
        sqlite3_stmt *q = db_query(db, "SELECT seq, head FROM chain WHERE origin = ?1", "b", origin);
        int64_t beyond;
        int r = db_step(db, q);

        if (r > 0 && (db_column_int(q, 0) != chain->seq || !str_eq(db_column_str(q, 1), (struct str){ (const char *)chain->head, OP_HASH_BYTES })))
                report_add(report, "op %lld: the log ends here, its chain at %lld, or another hash", (long long)chain->seq, (long long)db_column_int(q, 0));
        db_done(q);
        if (r < 0)
                return r;
        r = db_int(db, &beyond, "SELECT coalesce(max(seq), 0) FROM checkpoint WHERE origin = ?1", "b", origin);
        if (!r && beyond > chain->seq)
                report_add(report, "op %lld: the log ends here, but a checkpoint vouches for %lld", (long long)chain->seq, (long long)beyond);
        return r;
}

static int chain_verify(struct store *s, struct db *db, struct report *report, struct store_verify_result *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT seq, scope, audience, record FROM op ORDER BY seq", "");
        struct arena arena = { 0 };
        struct chain chain;
        int r;

        chain_init(&chain, s->public_key);
        while ((r = db_step(db, q)) > 0) {
                struct verifying v = { db, report, NULL, &arena };
                struct codec_commit commit = { .text = text_verify, .data = &v };
                struct log_entry e = { .seq = db_column_int(q, 0) };

                r = chain_follow(&chain, arena_str(&arena, db_column_str(q, 3)), &arena, &e.op);
                if (r || e.seq != chain.seq) {
                        report_add(report, "op %lld: %s", (long long)e.seq,
                                   r == -EILSEQ ? "the chain breaks here" : r ? "its record is damaged" : "is not where its number says");
                        r = 0;
                        break;
                }
                e.op.seq = e.seq;
                e.kind = schema_op_find(e.op.kind);
                v.entry = &e;
                if (e.kind && msgpack_read_committed(e.kind->body, e.op.body, &commit, &arena, arena_zalloc(&arena, e.kind->body->size), NULL))
                        report_add(report, "op %lld: its body is not a %s", (long long)e.seq, e.kind->name);
                r = checkpoint_check(s, db, &chain, report, ret);
                if (r)
                        break;
                arena_reset(&arena);
                ret->ops++;
        }
        db_done(q);
        arena_deinit(&arena);
        return r < 0 || report->n ? r : end_verify(s, db, &chain, report);
}

int store_on_store_verify(struct store *s, struct call *c, const struct store_verify *in, struct store_verify_result *ret)
{
        struct report report;
        int r;

        (void)in;
        report_init(&report, &c->arena);
        r = chain_verify(s, s->audit.db, &report, ret);
        ret->sound = report.n == 0;
        ret->problems.items = report.items;
        ret->problems.n = report.n;
        return r;
}

/* How comments and notes are folded: ops of the same shape, in tables of their own, so that no query for customers can meet a note. */
#include "fold_step.h"

#include "record.h"
#include "registers.h"
#include "schema/comment.h"
#include "search.h"

#include <errno.h>

_Static_assert(sizeof(struct op_note_add) == sizeof(struct op_comment_add) && sizeof(struct op_note_edit) == sizeof(struct op_comment_edit) &&
               sizeof(struct op_note_delete) == sizeof(struct op_comment_delete) && sizeof(struct op_note_redact) == sizeof(struct op_comment_redact) &&
               sizeof(struct op_note_attachment_add) == sizeof(struct op_attachment_add), "a note's op has the shape of a comment's");

struct comment_sql {
        const char *insert, *fill, *stub, *counted, *discount, *remove, *body, *redact, *redacted;
};
#define COMMENT_SQL(table, counter)                                                                                               \
        {                                                                                                                         \
                .insert = "INSERT OR IGNORE INTO " table "(id, ticket, author, created, hidden, seq, deleted, redacted,"          \
                          " attachments, body_op, body_n, edited) VALUES(?1, ?2, ?3, ?4, 0, ?5, 0, NULL, ?6, NULL, 0, 0)",        \
                .fill = "UPDATE " table " SET ticket = ?2, author = ?3, created = ?4, hidden = 0, seq = ?5,"                      \
                        " attachments = ?6 WHERE id = ?1 AND hidden",                                                             \
                .stub = "INSERT OR IGNORE INTO " table "(id, ticket, author, created, hidden, seq, deleted, redacted,"            \
                        " attachments, body_op, body_n, edited) VALUES(?1, ?2, NULL, 0, 1, 0, 0, NULL, 0, NULL, 0, 0)",           \
                .counted = "SELECT 1 FROM " table " WHERE id = ?1 AND NOT hidden AND NOT deleted",                                \
                .discount = "UPDATE ticket SET " counter " = " counter " - 1 WHERE id = ?1",                                      \
                .remove = "UPDATE " table " SET deleted = 1 WHERE id = ?1",                                                       \
                .body = "UPDATE " table " SET body_op = ?2, body_n = ?3, edited = max(edited, ?4) WHERE id = ?1",                 \
                .redact = "UPDATE " table " SET redacted = max(coalesce(redacted, x''), ?2) WHERE id = ?1",                       \
                .redacted = "SELECT redacted, seq FROM " table " WHERE id = ?1",                                                  \
        }
static const struct comment_sql comment_sql[2] = { COMMENT_SQL("comment", "comments"), COMMENT_SQL("note", "notes") };

static int texts_delete(struct fold *f, int64_t seq)
{
        int r = record_redact(f->db, seq);

        return r ? r : db_do(f->db, "DELETE FROM op_text WHERE id >= ?1 AND id < ?2", "ii", log_text_id(seq, 0), log_text_id(seq + 1, 0));
}

static int text_delete(struct fold *f, int64_t seq)
{
        int r = search_forget(f->db, seq);

        return r ? r : texts_delete(f, seq);
}

/* The text of the write with this stamp, where that has arrived. */
static int written_delete(struct fold *f, struct stamp stamp)
{
        int64_t seq;
        int r = db_int(f->db, &seq, "SELECT seq FROM op WHERE op_id = ?1 AND n = ?2", "ui", stamp.op_id, (int64_t)stamp.n);

        return r == -ENOENT ? 0 : r ? r : text_delete(f, seq);
}

/* The stamp up to which the comment's texts are redacted: 0, or -ENOENT. */
static int redaction(struct fold *f, struct ulid comment, struct stamp *ret)
{
        sqlite3_stmt *q = db_query(f->db, comment_sql[f->internal].redacted, "u", comment);
        int r = db_step(f->db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        r = db_column_is_null(q, 0) ? -ENOENT : stamp_unpack(db_column_str(q, 0), ret);
        db_done(q);
        return r;
}

static int names_delete(struct fold *f, struct ulid comment)
{
        sqlite3_stmt *q = db_query(f->db, "SELECT o.seq FROM attachment a CROSS JOIN op o ON o.op_id = a.op_id AND o.n = a.n WHERE a.comment = ?1", "u",
                                   comment);
        int r;

        while ((r = db_step(f->db, q)) > 0) {
                r = texts_delete(f, db_column_int(q, 0));
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        return r;
}

/* An op's text that arrives after the redaction of what it belongs to. */
static int redact_late(struct fold *f, struct ulid comment)
{
        struct stamp until;
        int r = redaction(f, comment, &until);

        if (r)
                return r == -ENOENT ? 0 : r;
        return stamp_cmp(op_stamp(f->op), until) < 0 ? text_delete(f, f->op->seq) : 0;
}

/* The ticket of a comment that appeared, all in one: what ticket_touch does, its count, and which one is the newest. */
static int ticket_gain(struct fold *f, struct ulid ticket, struct ulid comment, bool counts)
{
        static const char public[] = "UPDATE ticket SET touched = max(touched, ?2), changed = max(changed, ?2), comments = comments + ?3,"
                                     " newest_comment = CASE WHEN newest_at < ?2 OR (newest_at = ?2 AND newest_comment < ?4) THEN ?4"
                                     "   ELSE newest_comment END,"
                                     " newest_at = max(newest_at, ?2) WHERE id = ?1";
        static const char note[] = "UPDATE ticket SET touched = max(touched, ?2), notes = notes + ?3 WHERE id = ?1";
        int64_t hlc = (int64_t)f->op->hlc;
        int r = 0;

        for (int again = 0; again < 2; again++) {
                r = f->internal ? db_do(f->db, note, "uii", ticket, hlc, (int64_t)counts)
                                : db_do(f->db, public, "uiiu", ticket, hlc, (int64_t)counts, comment);
                if (r || sqlite3_changes(db_handle(f->db)))
                        return r;
                r = fold_ticket_stub(f, ticket);
                if (r)
                        return r;
        }
        return r;
}

int fold_comment_add(struct fold *f, const void *body)
{
        const struct comment_sql *sql = &comment_sql[f->internal];
        const struct op_comment_add *b = body;
        struct ulid id = op_entity(f->op->op_id, f->op->n);
        const struct op *op = f->op;
        bool counts = true;
        int64_t one;
        int r;

        r = db_do(f->db, sql->insert, "uuuiii", id, b->ticket, op->actor, (int64_t)op->hlc, op->seq, b->attachments);
        if (r)
                return r;
        if (!sqlite3_changes(db_handle(f->db))) { /* it was a stub */
                r = db_do(f->db, sql->fill, "uuuiii", id, b->ticket, op->actor, (int64_t)op->hlc, op->seq, b->attachments);
                if (!r && !sqlite3_changes(db_handle(f->db)))
                        return fold_ticket_touch(f, b->ticket); /* a repetition */
                if (!r)
                        r = redact_late(f, id);
                if (!r)
                        r = db_int(f->db, &one, sql->counted, "u", id);
                counts = r != -ENOENT; /* else it was deleted before it appeared */
                r = counts ? r : 0;
        }
        return r ? r : ticket_gain(f, b->ticket, id, counts);
}

int fold_comment_stub(struct fold *f, bool note, struct ulid ticket, struct ulid comment)
{
        return db_do(f->db, comment_sql[note].stub, "uu", comment, ticket);
}

static int comment_touch(struct fold *f, struct ulid ticket, struct ulid comment)
{
        int r = fold_ticket_touch(f, ticket);

        return r ? r : fold_comment_stub(f, f->internal, ticket, comment);
}

int fold_comment_edit(struct fold *f, const void *body)
{
        const struct op_comment_edit *b = body;
        struct stamp shown;
        sqlite3_stmt *q;
        int r;

        r = comment_touch(f, b->ticket, b->comment);
        if (!r)
                r = registers_write(f->db, b->comment, REGISTER_BODY, f->op, 'n', 0, NULL);
        if (!r)
                r = registers_shown(f->db, b->comment, REGISTER_BODY, &shown, &q);
        if (r)
                return r;
        db_done(q);
        r = db_do(f->db, comment_sql[f->internal].body, "uuii", b->comment, shown.op_id, (int64_t)shown.n, (int64_t)f->op->hlc);
        return r ? r : redact_late(f, b->comment);
}

int fold_comment_delete(struct fold *f, const void *body)
{
        const struct comment_sql *sql = &comment_sql[f->internal];
        const struct op_comment_delete *b = body;
        int64_t counted;
        int r, was;

        r = comment_touch(f, b->ticket, b->comment);
        if (r)
                return r;
        was = db_int(f->db, &counted, sql->counted, "u", b->comment);
        if (was && was != -ENOENT)
                return was;
        r = db_do(f->db, sql->remove, "u", b->comment);
        if (!r && was == 0)
                r = db_do(f->db, sql->discount, "u", b->ticket);
        return r;
}

int fold_attachment_add(struct fold *f, const void *body)
{
        const struct op_attachment_add *b = body;
        struct str blob = b->blob;
        struct stamp until;
        int r = comment_touch(f, b->ticket, b->comment);

        if (!r)
                r = redaction(f, b->comment, &until);
        if (r && r != -ENOENT)
                return r;
        if (!r && stamp_cmp(op_stamp(f->op), until) < 0) {
                blob.n = 0;
                r = text_delete(f, f->op->seq);
                if (r)
                        return r;
        }
        return db_do(f->db, "INSERT OR IGNORE INTO attachment(id, ticket, comment, internal, op_id, n, size, type, blob)"
                            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                     "uuuiuiitB", b->upload, b->ticket, b->comment, (int64_t)f->internal, f->op->op_id, (int64_t)f->op->n, b->size, b->type,
                     blob.n ? &blob : NULL);
}

/* Every text written before goes: of the comment, of each version that covered it or lost to it, and of its attachments. */
int fold_comment_redact(struct fold *f, const void *body)
{
        const struct op_comment_redact *b = body;
        uint8_t bytes[STAMP_BYTES];
        struct str until = { (const char *)bytes, sizeof(bytes) };
        sqlite3_stmt *q;
        int r;

        stamp_pack(op_stamp(f->op), bytes);
        r = comment_touch(f, b->ticket, b->comment);
        if (!r)
                r = db_do(f->db, comment_sql[f->internal].redact, "ub", b->comment, until);
        if (r)
                return r;
        q = db_query(f->db, comment_sql[f->internal].redacted, "u", b->comment);
        r = db_step(f->db, q);
        if (r > 0) {
                int64_t seq = db_column_int(q, 1);

                db_done(q);
                r = seq ? text_delete(f, seq) : 0; /* it is yet to arrive */
        }
        if (r)
                return r;
        q = db_query(f->db, "SELECT stamp FROM register WHERE entity = ?1 AND field = ?2 AND written AND stamp < ?3", "uib", b->comment,
                     (int64_t)REGISTER_BODY, until);
        while ((r = db_step(f->db, q)) > 0) {
                struct stamp stamp;

                r = stamp_unpack(db_column_str(q, 0), &stamp);
                if (!r)
                        r = written_delete(f, stamp);
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        if (!r)
                r = names_delete(f, b->comment);
        if (!r)
                r = db_do(f->db, "UPDATE attachment SET blob = NULL WHERE comment = ?1", "u", b->comment);
        return r ? r : search_stain(f->db, f->internal);
}

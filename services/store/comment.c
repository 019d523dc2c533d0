#include "comment.h"

#include "mention.h"
#include "registers.h"
#include "snooze.h"
#include "thread.h"
#include "ticket.h"
#include "upload.h"

#include <errno.h>
#include <string.h>

/* Where a personal text stands in its op's body; schema_test.c holds them to the schema. */
enum { COMMENT_ADD_BODY_FIELD = 1, COMMENT_EDIT_BODY_FIELD = 2, ATTACHMENT_NAME_FIELD = 3 };

/* Of the texts on a page: with the comment that passes it, and as JSON, it still fits into a message, and into what a client takes. */
enum { PAGE_TEXT_BYTES = 512 * 1024 };

#define COLUMNS "id, ticket, author, created, seq, deleted, redacted, attachments, body_op, body_n, edited"
#define FIND(table) "SELECT " COLUMNS " FROM " table " WHERE id = ?1 AND NOT hidden"
#define PAGE(table)                                                                                                         \
        "SELECT " COLUMNS " FROM " table " WHERE ticket = ?1 AND (created, id) > (?2, ?3) AND NOT hidden ORDER BY created, id LIMIT ?4"

#define BRANCHED_PAGE(table, sees)                                                                                          \
        THREAD_OF(sees) "SELECT * FROM (" THREAD_ROWS(COLUMNS, table, sees) ") WHERE (created, id) > (?3, ?4) ORDER BY created, id LIMIT ?5"

static void row_read(sqlite3_stmt *q, bool internal, struct comment_row *ret)
{
        *ret = (struct comment_row){
                .internal = internal,
                .id = db_column_ulid(q, 0),
                .ticket = db_column_ulid(q, 1),
                .author = db_column_ulid(q, 2),
                .created = (uint64_t)db_column_int(q, 3),
                .seq = db_column_int(q, 4),
                .deleted = db_column_int(q, 5),
                .redacted = !db_column_is_null(q, 6),
                .attachments = db_column_int(q, 7),
                .has_body_op = !db_column_is_null(q, 8),
                .body_op = db_column_ulid(q, 8),
                .body_n = (uint32_t)db_column_int(q, 9),
                .edited = (uint64_t)db_column_int(q, 10),
        };
}

int comment_find(struct db *db, bool internal, struct ulid id, struct comment_row *ret)
{
        static const char *const sql[] = { FIND("comment"), FIND("note") };
        sqlite3_stmt *q = db_query(db, sql[internal], "u", id);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        row_read(q, internal, ret);
        db_done(q);
        return 0;
}

int comment_find_visible(struct db *db, const struct caller *caller, bool internal, struct ulid id, struct comment_row *ret)
{
        bool visible;
        int r;

        if (internal && !caller_is_agent(caller))
                return FAULT_NOT_FOUND;
        r = comment_find(db, internal, id, ret);
        if (!r)
                r = ticket_visible(db, caller, ret->ticket, &visible);
        if (r)
                return r == -ENOENT ? FAULT_NOT_FOUND : r;
        return visible ? 0 : FAULT_NOT_FOUND;
}

int comment_moved_to(struct db *db, bool internal, struct ulid id, bool *ret_has, struct ulid *ret)
{
        static const char *const sql[] = { "SELECT moved FROM comment WHERE id = ?1", "SELECT moved FROM note WHERE id = ?1" };
        sqlite3_stmt *q = db_query(db, sql[internal], "u", id);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret_has = !db_column_is_null(q, 0);
        *ret = db_column_ulid(q, 0);
        db_done(q);
        return 0;
}

int comment_created_stamp(struct db *db, const struct comment_row *row, struct stamp *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT op_id, n FROM op WHERE seq = ?1", "i", row->seq);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -EBADMSG;
        *ret = (struct stamp){ .hlc = row->created, .op_id = db_column_ulid(q, 0), .n = (uint32_t)db_column_int(q, 1) };
        db_done(q);
        return 0;
}

static int attachments_view(struct db *db, const struct comment_row *row, struct arena *arena, struct comment *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT id, op_id, n, size, type FROM attachment WHERE comment = ?1 ORDER BY n LIMIT 10", "u", row->id);
        int r;

        ret->attachments.items = arena_array(arena, 10, sizeof(*ret->attachments.items));
        while ((r = db_step(db, q)) > 0) {
                struct attachment *a = &ret->attachments.items[ret->attachments.n++];

                a->id = db_column_ulid(q, 0);
                a->size = db_column_int(q, 3);
                a->type = arena_str(arena, db_column_str(q, 4));
                r = log_text(db, db_column_ulid(q, 1), (uint32_t)db_column_int(q, 2), ATTACHMENT_NAME_FIELD, arena, &a->name);
                if (r && r != -ENOENT) {
                        db_done(q);
                        return r;
                }
        }
        return r;
}

int comment_view(struct db *db, const struct comment_row *row, struct arena *arena, struct comment *ret)
{
        int r;

        *ret = (struct comment){
                .id = row->id,
                .ticket = row->ticket,
                .author = row->author,
                .created_at = hlc_ms(row->created),
                .has_edited_at = row->edited != 0,
                .edited_at = hlc_ms(row->edited),
                .deleted = row->deleted,
                .redacted = row->redacted,
        };
        if (row->deleted)
                return 0;
        if (row->has_body_op)
                r = log_text(db, row->body_op, row->body_n, COMMENT_EDIT_BODY_FIELD, arena, &ret->body);
        else
                r = log_text_at(db, row->seq, COMMENT_ADD_BODY_FIELD, arena, &ret->body);
        if (r == -ENOENT)
                r = 0;
        if (!r && row->has_body_op)
                r = registers_conflict(db, row->id, REGISTER_BODY, &ret->conflict);
        if (!r && row->attachments)
                r = attachments_view(db, row, arena, ret);
        return r;
}

static size_t text_bytes(const struct comment *comment)
{
        size_t n = comment->body.n;

        for (size_t i = 0; i < comment->attachments.n; i++)
                n += comment->attachments.items[i].name.n + comment->attachments.items[i].type.n;
        return n;
}

static sqlite3_stmt *page_query(struct db *db, const struct caller *caller, bool internal, const struct ticket_row *ticket, const struct page *after,
                                int64_t limit)
{
        static const char *const own[] = { PAGE("comment"), PAGE("note") };
        static const char *const shown[2][2] = { { BRANCHED_PAGE("comment", THREAD_SEES_OWN), BRANCHED_PAGE("comment", THREAD_SEES_ALL) },
                                                 { BRANCHED_PAGE("note", THREAD_SEES_OWN), BRANCHED_PAGE("note", THREAD_SEES_ALL) } };

        if (ticket->branched)
                return db_query(db, shown[internal][caller_is_agent(caller)], "uuiui", ticket->id, caller->user, (int64_t)after->hlc, after->id, limit);
        return db_query(db, own[internal], "uiui", ticket->id, (int64_t)after->hlc, after->id, limit);
}

int comment_page(struct db *db, const struct caller *caller, bool internal, const struct ticket_row *ticket, const struct page *after,
                 int64_t limit, struct arena *arena, struct comment **ret_items, size_t *ret_n, struct str *ret_next)
{
        struct comment *items = arena_array(arena, (size_t)limit, sizeof(*items));
        sqlite3_stmt *q = page_query(db, caller, internal, ticket, after, limit + 1);
        struct comment_row row;
        struct page last = *after;
        size_t n = 0, bytes = 0;
        int r;

        *ret_next = (struct str){ 0 };
        while ((r = db_step(db, q)) > 0) {
                if (n == (size_t)limit || bytes >= PAGE_TEXT_BYTES) {
                        *ret_next = page_text(last, arena);
                        db_done(q);
                        r = 0;
                        break;
                }
                row_read(q, internal, &row);
                r = comment_view(db, &row, arena, &items[n]);
                if (r) {
                        db_done(q);
                        break;
                }
                bytes += text_bytes(&items[n++]);
                last = (struct page){ row.created, row.id };
        }
        if (r)
                return r;
        *ret_items = items;
        *ret_n = n;
        return 0;
}

/* The ids of a command's later effects are hashes, so somebody may make one of them the op_id of a comment, or of a note.
 * *ret_stub: ops that came before the comment itself await it. */
static int id_check(struct tx *tx, struct call *c, struct ulid id, bool *ret_stub)
{
        sqlite3_stmt *q = db_query(tx->db, "SELECT hidden FROM comment WHERE id = ?1 UNION ALL SELECT hidden FROM note WHERE id = ?1", "u", id);
        int r;

        *ret_stub = false;
        while ((r = db_step(tx->db, q)) > 0) {
                *ret_stub = true;
                if (!db_column_int(q, 0)) {
                        db_done(q);
                        return call_conflict(c, "this op_id cannot be used; make a new one");
                }
        }
        return r;
}

void comment_as_written(struct tx *tx, const struct comment_new *new, struct ulid id, struct comment *ret)
{
        *ret = (struct comment){ .id = id, .ticket = new->ticket, .author = tx->actor.user, .created_at = hlc_ms(tx->hlc), .body = new->body };
        fresh_show(&tx->store->fresh, store_position(tx->store), ret);
}

static int comment_put(struct tx *tx, struct call *c, const struct comment_new *new, struct comment *ret)
{
        struct op_comment_add comment = { .ticket = new->ticket, .body = new->body, .attachments = (int64_t)new->n_uploads };
        struct op_note_add note = { .ticket = new->ticket, .body = new->body, .attachments = (int64_t)new->n_uploads };
        struct ulid id = tx_next_id(tx);
        struct comment_row row;
        bool stub;
        int r;

        r = id_check(tx, c, id, &stub);
        if (r)
                return r;
        r = tx_append(tx, &(struct effect){ .kind = new->internal ? &schema_op_note_add : &schema_op_comment_add,
                                            .body = new->internal ? (const void *)&note : &comment,
                                            .target = id,
                                            .audience = new->internal ? NULL : &new->ticket });
        if (!r && !new->internal)
                r = snooze_reply(tx->store, new->ticket, tx->actor.user);
        for (size_t i = 0; i < new->n_uploads && !r; i++)
                r = upload_attach(tx, c, new->uploads[i], new->internal, new->ticket, id);
        if (r)
                return r;
        if (stub || new->n_uploads) {
                r = comment_find(tx->db, new->internal, id, &row);
                return r ? r : comment_view(tx->db, &row, tx->arena, ret);
        }
        comment_as_written(tx, new, id, ret);
        return 0;
}

int comment_write(struct tx *tx, struct call *c, const struct comment_new *new, struct comment *ret)
{
        struct ulid id = tx_next_id(tx);
        int r = comment_put(tx, c, new, ret);

        return r ? r : mention_write(tx, new->ticket, id, new->internal, new->body);
}

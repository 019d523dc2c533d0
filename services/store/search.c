#include "search.h"

#include "db.h"
#include "schema/comment.h"
#include "schema/field.h"
#include "schema/ticket.h"
#include "tx.h"

#include <errno.h>

/* ---- the index ---- */

int search_position(struct db *db, int64_t *ret)
{
        int r = db_int(db, ret, "SELECT after FROM position WHERE name = 'search'", "");

        if (r == -ENOENT)
                *ret = 0;
        return r == -ENOENT ? 0 : r;
}

/* The text that stands for an entity now: its id in the index, its ticket, where it lies in op_text, and whether it is to be found. */
#define COMMENT_TEXT(table)                                                                                            \
        "SELECT c.seq, c.ticket, CASE WHEN c.body_op IS NULL THEN " LOG_TEXT_ID("c", "1")                              \
        "   ELSE (SELECT " LOG_TEXT_ID("e", "2") " FROM op e WHERE e.op_id = c.body_op AND e.n = c.body_n) END, NOT c.deleted"     \
        " FROM " table " c WHERE c.id = ?1 AND NOT c.hidden"
static const char *const text_sql[] = {
        [SEARCH_SUBJECT] = "SELECT o.seq, t.id, " LOG_TEXT_ID("s", "1") ", 1 FROM ticket t JOIN op o ON o.op_id = t.id AND o.n = 0"
                           " JOIN op s ON s.op_id = t.subject_op AND s.n = t.subject_n WHERE t.id = ?1 AND NOT t.hidden",
        [SEARCH_COMMENT] = COMMENT_TEXT("comment"),
        [SEARCH_NOTE] = COMMENT_TEXT("note"),
};

#define REMOVE(table) "DELETE FROM " table " WHERE rowid = ?1"
#define ADD(table) "INSERT INTO " table "(rowid, text, ticket) SELECT id, text, ticket FROM search_content WHERE id = ?1"
static const char *const remove_sql[] = { REMOVE("search_public"), REMOVE("search_public"), REMOVE("search_notes"), REMOVE("search_public"),
                                          REMOVE("search_notes") };
static const char *const add_sql[] = { ADD("search_public"), ADD("search_public"), ADD("search_notes"), ADD("search_public"), ADD("search_notes") };
/* All texts behind a position at once: FTS5 writes what it holds in memory at the end of each statement, so one a text would cost most of the time. */
#define ADD_BEHIND(table, sources)                                                                                     \
        "INSERT INTO " table "(rowid, text, ticket) SELECT c.id, c.text, c.ticket FROM search_text s JOIN search_content c ON c.id = s.id"   \
        " WHERE s.id > ?1 AND s.source " sources
static const char *const add_behind_sql[] = { ADD_BEHIND("search_public", "IN (0, 1, 3)"), ADD_BEHIND("search_notes", "IN (2, 4)") };
_Static_assert(SEARCH_NOTE == 2 && SEARCH_FIELD == 3 && SEARCH_INNER_FIELD == 4, "as the SQL says");

struct indexed {
        int64_t id, text;
        struct ulid ticket;
        const struct ulid *field;       /* the custom one that it is a value of */
        bool found;
};

/* The index finds the words to remove where they came from: the row and its text must still be there. */
static int text_remove(struct db *db, enum search_source source, int64_t id)
{
        int r = db_do(db, remove_sql[source], "i", id);

        return r ? r : db_do(db, "DELETE FROM search_text WHERE id = ?1", "i", id);
}

/* What came behind `behind` is left to add_behind_sql. */
static int text_put(struct db *db, enum search_source source, const struct indexed *text, int64_t behind)
{
        int64_t same;
        int r = db_int(db, &same, "SELECT text = ?2 FROM search_text WHERE id = ?1", "ii", text->id, text->text);

        if (r && r != -ENOENT)
                return r;
        if (!r && same && text->found)
                return 0;
        if (!r)
                r = text_remove(db, source, text->id);
        if ((r && r != -ENOENT) || !text->found)
                return r == -ENOENT ? 0 : r;
        r = db_do(db, "INSERT INTO search_text(id, source, ticket, field, text) SELECT ?1, ?2, ?3, ?4, id FROM op_text WHERE id = ?5", "iiuUi", text->id,
                  (int64_t)source, text->ticket, text->field, text->text);
        if (r || !sqlite3_changes(db_handle(db))) /* it was redacted */
                return r;
        return text->id > behind ? 0 : db_do(db, add_sql[source], "i", text->id);
}

static int entity_index(struct db *db, enum search_source source, struct ulid entity, int64_t behind)
{
        sqlite3_stmt *q = db_query(db, text_sql[source], "u", entity);
        struct indexed text;
        int r = db_step(db, q);

        if (r <= 0)
                return r;
        text = (struct indexed){ .id = db_column_int(q, 0), .ticket = db_column_ulid(q, 1), .text = db_column_int(q, 2), .found = db_column_int(q, 3) };
        db_done(q);
        return text_put(db, source, &text, behind);
}

/* The value of a field has the id of the write that shows, so it changes with each. */
static int field_drop(struct db *db, struct ulid ticket, struct ulid field, int64_t text, bool *ret_same)
{
        sqlite3_stmt *q = db_query(db, "SELECT id, source, text = ?3 FROM search_text WHERE ticket = ?1 AND field = ?2", "uui", ticket, field, text);
        int r = db_step(db, q);
        enum search_source source;
        int64_t id;

        *ret_same = false;
        if (r <= 0)
                return r;
        id = db_column_int(q, 0);
        source = (enum search_source)db_column_int(q, 1);
        *ret_same = db_column_int(q, 2);
        db_done(q);
        return *ret_same ? 0 : text_remove(db, source, id);
}

static int field_index(struct db *db, const struct log_entry *e, struct arena *arena, int64_t behind)
{
        struct op_ticket_field body = { 0 };
        struct indexed text = { .field = &body.field };
        enum search_source source;
        sqlite3_stmt *q;
        bool same;
        int r = log_entry_body(NULL, e, arena, &body);

        if (r)
                return r;
        q = db_query(db, "SELECT o.seq, " LOG_TEXT_ID("o", "2") ", v.internal, v.value IS NULL AND length(t.text) > 0 FROM field_value v"
                         " JOIN op o ON o.op_id = v.op_id AND o.n = v.n LEFT JOIN op_text t ON t.id = " LOG_TEXT_ID("o", "2")
                         " WHERE v.ticket = ?1 AND v.field = ?2",
                     "uu", body.ticket, body.field);
        r = db_step(db, q);
        if (r <= 0)
                return r;
        text.id = db_column_int(q, 0);
        text.text = db_column_int(q, 1);
        text.ticket = body.ticket;
        source = db_column_int(q, 2) ? SEARCH_INNER_FIELD : SEARCH_FIELD;
        text.found = db_column_int(q, 3);
        db_done(q);
        r = field_drop(db, body.ticket, body.field, text.text, &same);
        return r || same || !text.found ? r : text_put(db, source, &text, behind);
}

/* What an op is about is its target. A redaction is not among them: it has done its work by itself. */
static int entry_index(struct db *db, const struct log_entry *e, struct arena *arena, int64_t behind)
{
        static const struct {
                const struct schema_op *kind;
                enum search_source source;
        } kinds[] = {
                { &schema_op_ticket_create, SEARCH_SUBJECT }, { &schema_op_ticket_subject, SEARCH_SUBJECT },
                { &schema_op_comment_add, SEARCH_COMMENT },   { &schema_op_comment_edit, SEARCH_COMMENT },
                { &schema_op_comment_delete, SEARCH_COMMENT }, { &schema_op_note_add, SEARCH_NOTE },
                { &schema_op_note_edit, SEARCH_NOTE },        { &schema_op_note_delete, SEARCH_NOTE },
        };

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (kinds[i].kind == e->kind)
                        return entity_index(db, kinds[i].source, e->op.target, behind);
        if (e->kind == &schema_op_ticket_field || e->kind == &schema_op_ticket_inner_field)
                return field_index(db, e, arena, behind);
        return 0;
}

int search_index(struct db *db, struct db *log, struct arena *arena, int64_t max_ops, int64_t *ret_seq)
{
        sqlite3_stmt *q;
        int64_t seq, behind;
        int r = search_position(db, &seq);

        if (r)
                return r;
        behind = seq;
        q = db_query(log, "SELECT " LOG_COLUMNS " FROM op WHERE seq > ?1 ORDER BY seq LIMIT ?2", "ii", seq, max_ops);
        while ((r = db_step(log, q)) > 0) {
                struct log_entry e;

                r = log_entry_read(log, q, arena, &e);
                if (!r)
                        r = entry_index(db, &e, arena, behind);
                arena_reset(arena);
                if (r) {
                        db_done(q);
                        return r;
                }
                seq = e.seq;
        }
        for (size_t i = 0; i < sizeof(add_behind_sql) / sizeof(add_behind_sql[0]) && !r; i++)
                r = db_do(db, add_behind_sql[i], "i", behind);
        if (!r)
                r = db_do(db, "INSERT INTO position(name, after) VALUES('search', ?1) ON CONFLICT DO UPDATE SET after = excluded.after", "i", seq);
        if (!r)
                *ret_seq = seq;
        return r;
}

int search_forget(struct db *db, int64_t seq)
{
        sqlite3_stmt *q = db_query(db, "SELECT id, source FROM search_text WHERE id = ?1 AND text >> 6 = id UNION ALL"
                                       " SELECT id, source FROM search_text WHERE text >> 6 = ?1 AND text >> 6 <> id", "i", seq);
        enum search_source source;
        int64_t id;
        int r = db_step(db, q);

        if (r <= 0)
                return r;
        id = db_column_int(q, 0);
        source = (enum search_source)db_column_int(q, 1);
        db_done(q);
        return text_remove(db, source, id);
}

/* ---- scrubbing ---- */

static const struct {
        const char *find, *add, *drop, *merge;
} stains[] = {
#define STAIN(table)                                                                                                   \
        {                                                                                                              \
                .find = "SELECT after FROM position WHERE name = 'scrub " table "'",                                   \
                .add = "INSERT OR IGNORE INTO position(name, after) VALUES('scrub " table "', 1)",                     \
                .drop = "DELETE FROM position WHERE name = 'scrub " table "'",                                         \
                /* negative: all segments are to become one, whatever their sizes */                                   \
                .merge = "INSERT INTO " table "(" table ", rank) VALUES('merge', -?1)",                                \
        }
        STAIN("search_public"), STAIN("search_notes"),
};

int search_stain(struct db *db, bool notes)
{
        return db_do(db, stains[notes].add, "");
}

int search_scrub(struct db *db, int64_t pages, bool *ret_clean)
{
        for (size_t i = 0; i < sizeof(stains) / sizeof(stains[0]); i++) {
                int64_t one, before;
                int r = db_int(db, &one, stains[i].find, "");

                if (r == -ENOENT)
                        continue;
                if (r)
                        return r;
                before = sqlite3_total_changes64(db_handle(db));
                r = db_do(db, stains[i].merge, "i", pages);
                if (r)
                        return r;
                if (sqlite3_total_changes64(db_handle(db)) - before >= 2) {  /* FTS5's word that it did something */
                        *ret_clean = false;
                        return 0;
                }
                r = db_do(db, stains[i].drop, "");
                if (r)
                        return r;
        }
        *ret_clean = true;
        return 0;
}

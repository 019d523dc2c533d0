#include "read.h"

#include "comment.h"
#include "personal.h"
#include "registers.h"
#include "thread.h"
#include "ticket.h"

#include <errno.h>

#define SHOWN(columns, sees) THREAD_OF(sees) "SELECT * FROM (" columns ") ORDER BY 1 DESC, 2 DESC"
#define ROWS(table, sees) THREAD_ROWS("created, id, author, deleted", table, sees)
static const char shown_public[] = SHOWN(ROWS("comment", THREAD_SEES_OWN), THREAD_SEES_OWN);
static const char shown_all[] = SHOWN(ROWS("comment", THREAD_SEES_ALL) " UNION ALL " ROWS("note", THREAD_SEES_ALL), THREAD_SEES_ALL);
#define WRITTEN(table) "SELECT created, id, author, deleted FROM " table " WHERE ticket = ?1 AND NOT hidden"
static const char written_public[] = WRITTEN("comment") " ORDER BY 1 DESC, 2 DESC";
static const char written_all[] = WRITTEN("comment") " UNION ALL " WRITTEN("note") " ORDER BY 1 DESC, 2 DESC";

/* A place between comments; before all of them where there is no mark, or where it is on a note and the user no agent any more. */
static int mark_place(struct db *db, const struct caller *user, struct ulid ticket, struct page *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT created, comment FROM read_mark WHERE user = ?1 AND ticket = ?2 AND (?3 OR NOT internal)", "uui",
                                   user->user, ticket, (int64_t)caller_is_agent(user));
        int r = db_step(db, q);

        *ret = (struct page){ 0 };
        if (r <= 0)
                return r;
        *ret = (struct page){ .hlc = (uint64_t)db_column_int(q, 0), .id = db_column_ulid(q, 1) };
        db_done(q);
        return 0;
}

static bool is_behind(struct page a, struct page b)
{
        return a.hlc != b.hlc ? a.hlc > b.hlc : ulid_cmp(a.id, b.id) > 0;
}

/* From the newest back to what was read: mostly none or a few. */
int read_unread(struct db *db, const struct caller *user, struct ulid ticket, int64_t *ret)
{
        struct page mark;
        bool branched;
        sqlite3_stmt *q;
        int64_t n = 0;
        int r;

        r = mark_place(db, user, ticket, &mark);
        if (!r)
                r = thread_branched(db, ticket, &branched);
        if (r)
                return r;
        if (branched)
                q = db_query(db, caller_is_agent(user) ? shown_all : shown_public, "uu", ticket, user->user);
        else
                q = db_query(db, caller_is_agent(user) ? written_all : written_public, "u", ticket);
        while (n < READ_UNREAD_MAX && (r = db_step(db, q)) > 0) {
                if (!is_behind((struct page){ (uint64_t)db_column_int(q, 0), db_column_ulid(q, 1) }, mark) ||
                    ulid_eq(db_column_ulid(q, 2), user->user))
                        break;
                n += !db_column_int(q, 3);
        }
        db_done(q);
        if (r < 0)
                return r;
        *ret = n;
        return 0;
}

static int mark_write(struct store *s, struct ulid user, struct ulid ticket, const struct comment_row *row)
{
        int64_t before, seq;
        int r;

        r = db_int(s->writer.db, &before, "SELECT coalesce(max(version), 0) FROM read_mark WHERE user = ?1", "u", user);
        if (!r)
                r = personal_next(s, &seq);
        if (r)
                return r;
        return db_do(s->writer.db, "INSERT INTO read_mark(user, ticket, comment, created, internal, version, seq) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                   " ON CONFLICT DO UPDATE SET comment = excluded.comment, created = excluded.created, internal = excluded.internal,"
                                   " version = excluded.version, seq = excluded.seq",
                     "uuuiiii", user, ticket, row->id, (int64_t)row->created, (int64_t)row->internal, personal_version(s, before), seq);
}

/* A row of "SELECT ticket, comment, version FROM read_mark". */
static int mark_view(struct db *db, sqlite3_stmt *q, const struct caller *user, struct mark *ret)
{
        *ret = (struct mark){ .ticket = db_column_ulid(q, 0), .comment = db_column_ulid(q, 1), .version = db_column_int(q, 2) };
        return read_unread(db, user, ret->ticket, &ret->unread);
}

int store_on_read_mark(struct store *s, struct call *c, const struct read_mark *in, struct read_mark_result *ret)
{
        struct caller user = store_actor(c);
        struct db *db = s->writer.db;
        struct comment_row row;
        bool branched, there = false;
        struct page mark;
        sqlite3_stmt *q;
        int r;

        r = comment_find_visible(db, &user, false, in->comment, &row);
        if (r == FAULT_NOT_FOUND)
                r = comment_find_visible(db, &user, true, in->comment, &row);
        if (!r)
                r = thread_branched(db, in->ticket, &branched);
        if (!r && branched)
                r = thread_has(db, &user, in->ticket, row.internal, row.id, &there);
        else if (!r)
                there = ulid_eq(row.ticket, in->ticket);
        if (!r && there)
                r = ticket_visible(db, &user, in->ticket, &there);
        if (r || !there)
                return r < 0 ? r : call_not_found(c);
        r = mark_place(db, &user, in->ticket, &mark);
        if (!r && is_behind((struct page){ row.created, row.id }, mark))
                r = mark_write(s, user.user, in->ticket, &row);
        if (r)
                return r;
        q = db_query(db, "SELECT ticket, comment, version FROM read_mark WHERE user = ?1 AND ticket = ?2", "uu", user.user, in->ticket);
        r = db_step(db, q);
        if (r > 0)
                r = mark_view(db, q, &user, &ret->mark);
        db_done(q);
        return r;
}

int store_on_read_list(struct store *s, struct call *c, const struct read_list *in, struct read_list_result *ret)
{
        struct caller user = store_actor(c);
        struct db *db = store_db(s, c);
        sqlite3_stmt *q;
        int r;

        ret->items.items = arena_array(&c->arena, (size_t)in->limit, sizeof(*ret->items.items));
        ret->version = in->has_after ? in->after : 0;
        q = db_query(db, "SELECT ticket, comment, version, internal FROM read_mark WHERE user = ?1 AND version > ?2 ORDER BY version", "ui",
                     user.user, ret->version);
        while ((r = db_step(db, q)) > 0) {
                bool visible;

                if (ret->items.n == (size_t)in->limit) {
                        ret->more = true;
                        break;
                }
                r = ticket_visible(db, &user, db_column_ulid(q, 0), &visible);
                if (!r && visible && (!db_column_int(q, 3) || caller_is_agent(&user)))
                        r = mark_view(db, q, &user, &ret->items.items[ret->items.n++]);
                if (r)
                        break;
                ret->version = db_column_int(q, 2);
        }
        db_done(q);
        return r < 0 ? r : 0;
}

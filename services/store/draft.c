#include "draft.h"

#include "change.h"
#include "personal.h"
#include "ticket.h"

#include <errno.h>

/* A draft has a row as long as it is not too old; an empty body says that it was discarded, and keeps the version that was. */

static int draft_find(struct db *db, struct ulid user, struct ulid ticket, bool note, struct arena *arena, struct draft *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT body, version, saved FROM draft WHERE user = ?1 AND ticket = ?2 AND note = ?3", "uui", user, ticket,
                                   (int64_t)note);
        int r = db_step(db, q);

        *ret = (struct draft){ .ticket = ticket, .note = note, .has_body = true };
        if (r <= 0)
                return r;
        ret->body = arena_str(arena, db_column_str(q, 0));
        ret->version = db_column_int(q, 1);
        ret->saved_at = db_column_int(q, 2);
        db_done(q);
        return 0;
}

/* The user's draft, or none; NotFound where they may not see what it is on: a note is none for a customer. */
static int draft_open(struct db *db, struct call *c, const struct caller *user, struct ulid ticket, bool note, struct draft *ret)
{
        struct ticket_row row;
        int r = found(c, ticket_find_visible(db, user, ticket, &row));

        if (r)
                return r;
        if (note && !caller_is_agent(user))
                return call_not_found(c);
        return draft_find(db, user->user, ticket, note, &c->arena, ret);
}

static int room_for_one(struct db *db, struct call *c, struct ulid user)
{
        int64_t n;
        int r = db_int(db, &n, "SELECT count(*) FROM draft WHERE user = ?1 AND body <> ''", "u", user);

        return r || n < DRAFT_MAX ? r : call_too_large(c, DRAFT_MAX, "%d drafts are kept for you; discard one first", DRAFT_MAX);
}

/* What is there becomes the body; ret: what is there then. */
static int draft_write(struct store *s, struct call *c, struct ulid user, struct str body, struct draft *ret)
{
        int64_t seq;
        int r = 0;

        if (str_eq(body, ret->body)) /* a repetition, or nothing to discard */
                return 0;
        if (!ret->body.n)
                r = room_for_one(s->writer.db, c, user);
        if (!r)
                r = personal_next(s, &seq);
        if (r)
                return r;
        ret->body = body;
        ret->version = personal_version(s, ret->version);
        ret->saved_at = clock_now_ms(s->service->clock);
        return db_do(s->writer.db, "INSERT INTO draft(user, ticket, note, body, version, saved, seq) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                   " ON CONFLICT DO UPDATE SET body = excluded.body, version = excluded.version, saved = excluded.saved,"
                                   " seq = excluded.seq",
                     "uuitiii", user, ret->ticket, (int64_t)ret->note, body, ret->version, ret->saved_at, seq);
}

int store_on_draft_save(struct store *s, struct call *c, const struct draft_save *in, struct draft_save_result *ret)
{
        struct caller user = store_actor(c);
        struct draft *draft = &ret->draft;
        int r = draft_open(s->writer.db, c, &user, in->ticket, in->note, draft);

        if (r)
                return r;
        if (!str_eq(in->body, draft->body) && (in->has_version ? draft->version && in->version != draft->version : draft->body.n > 0))
                return call_conflict_newer(c, &schema_type_draft, draft, "another device has saved meanwhile; look at it, then save with its version");
        r = draft_write(s, c, user.user, in->body, draft);
        draft->has_body = false;
        return r;
}

int store_on_draft_discard(struct store *s, struct call *c, const struct draft_discard *in, struct draft_discard_result *ret)
{
        struct caller user = store_actor(c);
        struct draft *draft = &ret->draft;
        int r = draft_open(s->writer.db, c, &user, in->ticket, in->note, draft);

        if (r)
                return r;
        if (in->has_version && draft->body.n && in->version != draft->version)
                return call_conflict_newer(c, &schema_type_draft, draft, "another device has saved meanwhile; look at it, then discard its version");
        r = draft_write(s, c, user.user, STR(""), draft);
        draft->has_body = false;
        return r;
}

int store_on_draft_get(struct store *s, struct call *c, const struct draft_get *in, struct draft_get_result *ret)
{
        struct caller user = store_actor(c);
        int r = draft_open(store_db(s, c), c, &user, in->ticket, in->note, &ret->draft);

        return r || ret->draft.body.n ? r : call_not_found(c);
}

int store_on_draft_list(struct store *s, struct call *c, const struct draft_list *in, struct draft_list_result *ret)
{
        struct caller user = store_actor(c);
        struct db *db = store_db(s, c);
        sqlite3_stmt *q;
        int r = 0;

        (void)in;
        ret->items.items = arena_array(&c->arena, DRAFT_MAX, sizeof(*ret->items.items));
        q = db_query(db, "SELECT ticket, note, version, saved FROM draft WHERE user = ?1 AND body <> '' ORDER BY saved DESC", "u", user.user);
        while (ret->items.n < DRAFT_MAX && (r = db_step(db, q)) > 0) {
                struct draft draft = { .ticket = db_column_ulid(q, 0), .note = db_column_int(q, 1), .version = db_column_int(q, 2),
                                       .saved_at = db_column_int(q, 3) };
                bool visible;

                r = ticket_visible(db, &user, draft.ticket, &visible);
                if (r)
                        break;
                if (visible && (!draft.note || caller_is_agent(&user)))
                        ret->items.items[ret->items.n++] = draft;
        }
        db_done(q);
        return r < 0 ? r : 0;
}

int draft_sweep(struct db *db, int64_t now_ms)
{
        return db_do(db, "DELETE FROM draft WHERE saved < ?1", "i", now_ms - DRAFT_KEPT_MS);
}

int draft_forget(struct db *db, struct ulid user)
{
        return db_do(db, "DELETE FROM draft WHERE user = ?1", "u", user);
}

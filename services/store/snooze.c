#include "snooze.h"

#include "change.h"
#include "personal.h"
#include "state.h"

#include <errno.h>
#include <string.h>

/* A row stays for a while after it ended, so that the user's other devices hear of it. */
struct row {
        struct ulid user, ticket;
        bool active, has_until;
        int64_t until, version;
};

static struct str due_target(const struct row *row, uint8_t bytes[2 * sizeof(struct ulid)])
{
        memcpy(bytes, row->user.b, sizeof(row->user.b));
        memcpy(bytes + sizeof(row->user.b), row->ticket.b, sizeof(row->ticket.b));
        return (struct str){ (const char *)bytes, 2 * sizeof(struct ulid) };
}

static int row_find(struct db *db, struct ulid user, struct ulid ticket, struct row *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT active, until, version FROM snooze WHERE user = ?1 AND ticket = ?2", "uu", user, ticket);
        int r = db_step(db, q);

        *ret = (struct row){ .user = user, .ticket = ticket };
        if (r <= 0)
                return r;
        ret->active = db_column_int(q, 0);
        ret->has_until = !db_column_is_null(q, 1);
        ret->until = db_column_int(q, 1);
        ret->version = db_column_int(q, 2);
        db_done(q);
        return 0;
}

static int row_write(struct store *s, struct row *row)
{
        uint8_t target[2 * sizeof(struct ulid)];
        struct db *db = s->writer.db;
        int64_t seq;
        int r = personal_next(s, &seq);

        if (row->active)
                s->snoozes = SNOOZES_SOME;
        row->version = personal_version(s, row->version);
        if (!r)
                r = db_do(db, "INSERT INTO snooze(user, ticket, active, until, version, seq) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                              " ON CONFLICT DO UPDATE SET active = excluded.active, until = excluded.until, version = excluded.version, seq = excluded.seq",
                          "uuiIii", row->user, row->ticket, (int64_t)row->active, row->has_until ? &row->until : NULL, row->version, seq);
        return r ? r : due_set(db, DUE_SNOOZE, due_target(row, target), row->active && row->has_until ? &row->until : NULL);
}

static int row_end(struct store *s, struct ulid user, struct ulid ticket)
{
        struct row row;
        int r = row_find(s->writer.db, user, ticket, &row);

        if (r || !row.active)
                return r;
        row.active = row.has_until = false;
        return row_write(s, &row);
}

int snooze_wake(struct store *s, struct str target, int64_t at_ms)
{
        struct ulid user, ticket;
        struct row row;
        int r;

        memcpy(user.b, target.p, sizeof(user.b));
        memcpy(ticket.b, target.p + sizeof(user.b), sizeof(ticket.b));
        r = row_find(s->writer.db, user, ticket, &row);
        return r || !row.active || !row.has_until || row.until != at_ms ? r : row_end(s, user, ticket);
}

/* So that the replies of a desk where nobody puts anything aside cost nothing more. */
static int any_aside(struct store *s, bool *ret)
{
        int64_t one;
        int r = s->snoozes == SNOOZES_UNKNOWN ? db_int(s->writer.db, &one, "SELECT 1 FROM snooze WHERE active LIMIT 1", "") : 0;

        if (r && r != -ENOENT)
                return r;
        if (s->snoozes == SNOOZES_UNKNOWN)
                s->snoozes = r ? SNOOZES_NONE : SNOOZES_SOME;
        *ret = s->snoozes == SNOOZES_SOME;
        return 0;
}

int snooze_reply(struct store *s, struct ulid ticket, struct ulid author)
{
        bool any;
        int r = any_aside(s, &any);

        if (r || !any)
                return r;
        for (;;) {
                sqlite3_stmt *q = db_query(s->writer.db, "SELECT user FROM snooze WHERE ticket = ?1 AND active AND user <> ?2 LIMIT 1", "uu", ticket, author);
                struct ulid user;

                r = db_step(s->writer.db, q);
                if (r <= 0)
                        return r;
                user = db_column_ulid(q, 0);
                db_done(q);
                r = row_end(s, user, ticket);
                if (r)
                        return r;
        }
}

int snooze_sweep(struct db *db, int64_t now_ms)
{
        return db_do(db, "DELETE FROM snooze WHERE NOT active AND version < ?1", "i", now_ms - SNOOZE_KEPT_MS);
}

int snooze_forget(struct db *db, struct ulid user)
{
        struct row last = { .user = user };
        uint8_t bytes[2 * sizeof(struct ulid)];
        int r;

        memset(last.ticket.b, 0xff, sizeof(last.ticket.b));
        r = db_do(db, "DELETE FROM due WHERE kind = ?1 AND target >= ?2 AND target <= ?3", "iub", (int64_t)DUE_SNOOZE, user, due_target(&last, bytes));
        return r ? r : db_do(db, "DELETE FROM snooze WHERE user = ?1", "u", user);
}

/* ---- methods ---- */

static int time_check(struct store *s, struct call *c, const struct snooze_set *in)
{
        int64_t now = clock_now_ms(s->service->clock);

        if (in->has_until_at && in->until_at <= now)
                return call_invalid(c, "until_at", "must be in the future");
        if (in->has_until_at && in->until_at > now + (int64_t)STATE_WAKE_MAX_DAYS * 24 * 60 * 60 * 1000)
                return call_invalid(c, "until_at", "must be within 5 years");
        return 0;
}

static int room_for_one(struct db *db, struct call *c, struct ulid user)
{
        int64_t n;
        int r = db_int(db, &n, "SELECT count(*) FROM snooze WHERE user = ?1 AND active", "u", user);

        return r || n < SNOOZE_MAX ? r : call_too_large(c, SNOOZE_MAX, "you have put aside %d tickets; take one up first", SNOOZE_MAX);
}

static struct snooze view(const struct row *row)
{
        return (struct snooze){ .ticket = row->ticket, .has_until_at = row->has_until, .until_at = row->until, .version = row->version };
}

int store_on_snooze_set(struct store *s, struct call *c, const struct snooze_set *in, struct snooze_set_result *ret)
{
        struct caller user = store_actor(c);
        struct ticket_row ticket;
        struct row row;
        int r;

        if (ulid_is_zero(user.user))
                return call_invalid(c, "ticket", "is put aside by somebody, not by the operator");
        r = found(c, ticket_find_visible(s->writer.db, &user, in->ticket, &ticket));
        if (!r)
                r = time_check(s, c, in);
        if (!r)
                r = row_find(s->writer.db, user.user, in->ticket, &row);
        if (!r && !row.active)
                r = room_for_one(s->writer.db, c, user.user);
        if (!r && (!row.active || row.has_until != in->has_until_at || (row.has_until && row.until != in->until_at))) {
                row.active = true;
                row.has_until = in->has_until_at;
                row.until = in->until_at;
                r = row_write(s, &row);
        }
        if (!r)
                ret->snooze = view(&row);
        return r;
}

int store_on_snooze_end(struct store *s, struct call *c, const struct snooze_end *in, struct snooze_end_result *ret)
{
        struct caller user = store_actor(c);
        struct ticket_row ticket;
        int r = found(c, ticket_find_visible(s->writer.db, &user, in->ticket, &ticket));

        ret->ticket = in->ticket;
        return r ? r : row_end(s, user.user, in->ticket);
}

int store_on_snooze_list(struct store *s, struct call *c, const struct snooze_list *in, struct snooze_list_result *ret)
{
        struct caller user = store_actor(c);
        struct db *db = store_db(s, c);
        sqlite3_stmt *q;
        int r;

        (void)in;
        ret->items.items = arena_array(&c->arena, SNOOZE_MAX, sizeof(*ret->items.items));
        q = db_query(db, "SELECT ticket, until, version FROM snooze WHERE user = ?1 AND active ORDER BY until IS NULL, until, version", "u", user.user);
        while ((r = db_step(db, q)) > 0 && ret->items.n < SNOOZE_MAX)
                ret->items.items[ret->items.n++] = (struct snooze){ .ticket = db_column_ulid(q, 0), .has_until_at = !db_column_is_null(q, 1),
                                                                    .until_at = db_column_int(q, 1), .version = db_column_int(q, 2) };
        db_done(q);
        return r < 0 ? r : 0;
}

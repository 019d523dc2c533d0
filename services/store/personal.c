#include "personal.h"

#include "draft.h"
#include "person.h"
#include "read.h"
#include "schema/draft.h"
#include "schema/personal.h"
#include "schema/read.h"
#include "schema/snooze.h"
#include "ticket.h"

#include <errno.h>

enum { PERSONAL_RECENT_MS = 60 * 1000, PERSONAL_ITEMS_MAX = 4096, ITEM_BYTES = 300 };

int personal_next(struct store *s, int64_t *ret_seq)
{
        *ret_seq = ++s->personal_seq;
        return db_do(s->writer.db, "INSERT INTO position(name, after) VALUES('personal', ?1) ON CONFLICT DO UPDATE SET after = excluded.after",
                     "i", *ret_seq);
}

int personal_load(struct store *s)
{
        int r = db_int(s->writer.db, &s->personal_seq, "SELECT after FROM position WHERE name = 'personal'", "");

        s->personal_head = s->personal_seq;
        return r == -ENOENT ? 0 : r;
}

/* Were they given out a second time, those that followed up to one of them in the future that is lost would pass over what it is now. That one
 * had less than one change a millisecond, and each restore is at a time of its own. */
int personal_restored(struct store *s)
{
        int64_t now = clock_now_ms(s->service->clock), seq;

        if (s->personal_seq < now)
                s->personal_seq = now;
        return personal_next(s, &seq);
}

int64_t personal_version(struct store *s, int64_t before)
{
        int64_t now = clock_now_ms(s->service->clock);

        return now > before ? now : before + 1;
}

/* ---- followed by fanout ---- */

enum change_kind { MARK, DRAFT, SNOOZE };
static const char changes[] = "SELECT seq, user, ticket, 0, internal, comment, version, NULL, NULL FROM read_mark WHERE seq > ?1 AND seq <= ?2"
                              " UNION ALL"
                              " SELECT seq, user, ticket, 1, note, NULL, version, NULL, NULL FROM draft WHERE seq > ?1 AND seq <= ?2"
                              " UNION ALL"
                              " SELECT seq, user, ticket, 2, 1, NULL, version, active, until FROM snooze WHERE seq > ?1 AND seq <= ?2"
                              " ORDER BY 1 LIMIT ?3";
/* Where to begin without a position. Both counts and times grow, so a page from the end is enough to look at. */
static const char recent[] = "SELECT coalesce(min(seq), ?1 + 1) - 1 FROM ("
                             "  SELECT seq, version FROM (SELECT seq, version FROM read_mark ORDER BY seq DESC LIMIT 4096) UNION ALL"
                             "  SELECT seq, version FROM (SELECT seq, version FROM draft ORDER BY seq DESC LIMIT 4096) UNION ALL"
                             "  SELECT seq, version FROM (SELECT seq, version FROM snooze ORDER BY seq DESC LIMIT 4096)) WHERE version > ?2";

static void say(const struct schema_event *type, const void *data, int64_t at, struct arena *arena, struct event *ret)
{
        struct buf json = { 0 };

        json_write(type->data, data, &json);
        *ret = (struct event){ .type = str_of(type->name), .at = at, .data = arena_str(arena, buf_view(&json)) };
        buf_deinit(&json);
}

/* 1: told; 0: its user may not see the ticket, or what is internal, any more. */
static int change_tell(struct db *db, sqlite3_stmt *q, struct arena *arena, struct personal_item *ret)
{
        struct ulid ticket = db_column_ulid(q, 2);
        bool internal = db_column_int(q, 4), visible = false;
        int64_t version = db_column_int(q, 6);
        struct caller user;
        int r;

        r = person_caller(db, db_column_ulid(q, 1), &user);
        if (!r)
                r = ticket_visible(db, &user, ticket, &visible);
        if (r || !visible || (internal && !caller_is_agent(&user)))
                return r == -ENOENT ? 0 : r;
        ret->user = user.user;
        ret->as_agent = caller_is_agent(&user); /* counts and tickets are an agent's */
        if (db_column_int(q, 3) == MARK) {
                struct event_read_marked data = { .ticket = ticket, .comment = db_column_ulid(q, 5) };

                r = read_unread(db, &user, ticket, &data.unread);
                if (r)
                        return r;
                say(&schema_event_read_marked, &data, version, arena, &ret->event);
        } else if (db_column_int(q, 3) == SNOOZE) {
                struct event_snooze_changed data = { .ticket = ticket, .snoozed = db_column_int(q, 7), .has_until_at = !db_column_is_null(q, 8),
                                                     .until_at = db_column_int(q, 8), .version = version };

                say(&schema_event_snooze_changed, &data, version, arena, &ret->event);
        } else {
                struct event_draft_changed data = { .ticket = ticket, .note = internal, .version = version };

                say(&schema_event_draft_changed, &data, version, arena, &ret->event);
        }
        return 1;
}

static int changes_tell(struct store *s, struct call *c, int64_t after, int64_t head, int64_t max_bytes, struct personal_follow_result *ret)
{
        int64_t max = head - after < PERSONAL_ITEMS_MAX ? head - after : PERSONAL_ITEMS_MAX, n = 0;
        sqlite3_stmt *q;
        int r;

        ret->items.items = arena_array(&c->arena, (size_t)max, sizeof(*ret->items.items));
        q = db_query(s->follow_db, changes, "iii", after, head, max);
        while ((r = db_step(s->follow_db, q)) > 0) {
                r = change_tell(s->follow_db, q, &c->arena, &ret->items.items[ret->items.n]);
                if (r < 0) {
                        db_done(q);
                        return r;
                }
                ret->items.n += (size_t)r;
                ret->head = db_column_int(q, 0);
                if (++n * ITEM_BYTES >= max_bytes || n == max) {
                        db_done(q);
                        return 0;
                }
        }
        if (!r)
                ret->head = head; /* the counts between were taken again since */
        return r;
}

/* On the loop, like ops.follow. */
int store_on_personal_follow(struct store *s, struct call *c, const struct personal_follow *in, struct personal_follow_result *ret)
{
        int64_t head = s->personal_head, after = in->after;
        int r = 0;

        if (!in->has_after)
                r = db_int(s->follow_db, &after, recent, "ii", head, clock_now_ms(s->service->clock) - PERSONAL_RECENT_MS);
        else if (after == head)
                r = feed_park(&s->personal_feed, c);
        if (r)
                return r;
        ret->head = head;
        return after < head ? changes_tell(s, c, after, head, in->max_bytes, ret) : 0;
}

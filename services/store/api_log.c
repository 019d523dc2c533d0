/* Reading on in the log: op.since for clients, ops.follow for services. */
#include "event.h"
#include "position.h"
#include "schema/person.h"
#include "ticket.h"

#include <errno.h>
#include <string.h>

enum { SINCE_EVENTS_MAX = 4096, SINCE_RESET_OPS = 10000, FOLLOW_ITEMS_MAX = 4096 };

/* Room for as many as there are: a whole page would be cleared, and given back, for each few ops. */
static size_t items_max(int64_t there, size_t max)
{
        return there <= 0 ? 0 : there < (int64_t)max ? (size_t)there : max;
}

static int since_reset(struct store *s, struct call *c, struct db *db, const char *reason, struct str from, struct op_since_result *ret)
{
        ret->mode = SINCE_MODE_RESET;
        ret->reason = str_of(reason);
        ret->from = from;
        return position_cursor_now(s, db, &c->arena, &ret->to);
}

/* Where a replay may start; *ret_reset where it can't, and a reset was answered. */
static int since_start(struct store *s, struct call *c, struct db *db, struct str cursor, int64_t *ret_seq, bool *ret_reset,
                       struct op_since_result *ret)
{
        int r = position_read(s, db, cursor, ret_seq);

        /* Of before a restore: where the op is still there, too. What its client fetched and what is their own (read marks, drafts, snoozes) may be
         * newer than their cursor, and of the future that is lost; no event would ever take it back. */
        *ret_reset = r == POSITION_LOST || (r == POSITION_GOOD && !position_is_ours(s, cursor));
        if (r == POSITION_FORGED)
                return call_invalid(c, "cursor", "must be a cursor that this server gave");
        return *ret_reset ? since_reset(s, c, db, "the server was restored from a backup", cursor, ret) : r;
}

/* Each audience is a range of op_by_audience; SQLite merges them by seq. */
static const char since_agent[] = "SELECT " LOG_COLUMNS " FROM op WHERE seq > ?1 AND seq <= ?2"
                                  " AND (scope <> 2 OR audience = ?3) ORDER BY seq";
static const char since_customer[] = "SELECT " LOG_COLUMNS " FROM op WHERE seq IN ("
                                     "  SELECT seq FROM op WHERE scope = 0 AND seq > ?1 AND seq <= ?2 AND audience IN ("
                                     "    SELECT id FROM ticket WHERE requester = ?3 UNION"
                                     "    SELECT ticket FROM member WHERE kind = 2 AND element = ?3 AND added AND NOT removed)"
                                     "  UNION SELECT seq FROM op WHERE scope = 2 AND audience = ?3 AND seq > ?1 AND seq <= ?2"
                                     "  UNION SELECT seq FROM op WHERE scope = 3 AND audience IS NULL AND seq > ?1 AND seq <= ?2)"
                                     " ORDER BY seq";

_Static_assert(SCHEMA_TO_TICKET == 0 && SCHEMA_TO_AGENTS == 1 && SCHEMA_TO_USER == 2 && SCHEMA_TO_ALL == 3, "the SQL above says so");

int store_on_op_since(struct store *s, struct call *c, const struct op_since *in, struct op_since_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        int64_t from, until, last, bytes = 0;
        sqlite3_stmt *q;
        bool reset;
        int r;

        r = since_start(s, c, db, in->cursor, &from, &reset, ret);
        if (r || reset)
                return r;
        r = db_int(db, &until, "SELECT coalesce(max(seq), 0) FROM op", "");
        if (!r && in->has_until) {
                r = position_read(s, db, in->until, &until);
                if (r > 0)
                        return call_invalid(c, "until", "must be a cursor that this server gave");
        }
        if (r)
                return r;
        if (until - from > SINCE_RESET_OPS)
                return since_reset(s, c, db, "too far behind: fetching anew is cheaper", in->cursor, ret);
        last = until > from ? until : from;
        ret->events.items = arena_array(&c->arena, items_max(until - from, SINCE_EVENTS_MAX), sizeof(*ret->events.items));
        q = db_query(db, caller_is_agent(&caller) ? since_agent : since_customer, "iiu", from, until, caller.user);
        while ((r = db_step(db, q)) > 0) {
                struct event *event = &ret->events.items[ret->events.n];
                struct log_entry e;

                if (ret->events.n == SINCE_EVENTS_MAX || bytes >= in->max_bytes) {
                        ret->more = true;
                        break;
                }
                r = log_entry_read(db, q, &c->arena, &e);
                if (r)
                        break;
                last = e.seq;
                if (e.kind == &schema_op_role_set && ulid_eq(e.audience, caller.user)) {
                        db_done(q);
                        return since_reset(s, c, db, "your role has changed", in->cursor, ret);
                }
                r = event_of(db, &e, &c->arena, event);
                if (r > 0 && !caller_is_agent(&caller)) {
                        bool hidden;

                        r = event_as_agent(db, &e, &c->arena, &hidden);
                        r = r ? r : !hidden;
                }
                if (r < 0)
                        break;
                if (r) {
                        ret->events.n++;
                        bytes += (int64_t)event->data.n + 100;
                }
        }
        db_done(q);
        if (r < 0)
                return r;
        ret->mode = SINCE_MODE_REPLAY;
        ret->reason = STR("");
        ret->from = in->cursor;
        if (!ret->more)
                last = until > from ? until : from;
        return position_cursor_at(s, db, last, &c->arena, &ret->to);
}

/* Who may see a ticket: of the one before, which is the same one more often than not. */
struct readers {
        struct ulid ticket;
        struct ulid *users;
        size_t n;
};

/* 1: it has an event, the log's or a fresh comment's. */
static int follow_event(struct store *s, struct db *db, int64_t seq, struct arena *arena, struct log_entry *ret_entry, struct event *ret)
{
        struct comment comment;
        int r;

        if (fresh_find(&s->fresh, seq, arena, ret_entry, &comment)) {
                event_of_added(ret_entry, &comment, arena, ret);
                return 1;
        }
        r = log_entry_at(db, seq, arena, ret_entry);
        return r ? r : event_of(db, ret_entry, arena, ret);
}

static int follow_item(struct store *s, struct db *db, int64_t seq, struct arena *arena, struct readers *last, struct log_item *ret)
{
        struct log_entry e;
        struct event event;
        int r = follow_event(s, db, seq, arena, &e, &event);

        if (r < 0)
                return r;
        *ret = (struct log_item){
                .seq = seq,
                .hash = arena_bytes(arena, e.op.hash, CURSOR_HASH_BYTES),
                .audience = (int)e.scope,
                .target = e.audience,
                .redacts = e.kind == &schema_op_comment_redact || e.kind == &schema_op_note_redact,
        };
        if (!r)
                return 0;
        ret->event = ARENA_NEW(arena, struct event);
        *ret->event = event;
        if (e.scope != SCHEMA_TO_TICKET)
                return event_as_agent(db, &e, arena, &ret->as_agent);
        if (!ulid_eq(last->ticket, e.audience)) {
                r = ticket_audience(db, e.audience, arena, &last->users, &last->n);
                if (r)
                        return r;
                last->ticket = e.audience;
        }
        ret->users.items = last->users;
        ret->users.n = last->n;
        return 0;
}

static int follow_items(struct store *s, struct call *c, const struct ops_follow *in, int64_t head, struct ops_follow_result *ret)
{
        size_t max = items_max(head - in->after, FOLLOW_ITEMS_MAX);
        struct readers last = { 0 };
        int64_t bytes = 0;
        int r;

        ret->items.items = arena_array(&c->arena, max, sizeof(*ret->items.items));
        r = db_do(s->follow_db, "BEGIN", "");
        if (r)
                return r;
        while (ret->items.n < max && bytes < in->max_bytes) {
                struct log_item *item = &ret->items.items[ret->items.n];

                r = follow_item(s, s->follow_db, in->after + 1 + (int64_t)ret->items.n, &c->arena, &last, item);
                if (r)
                        break;
                ret->items.n++;
                ret->head = item->seq;
                ret->head_hash = item->hash;
                bytes += (int64_t)((item->event ? item->event->data.n : 0) + 16 * item->users.n) + 200;
        }
        db_do(s->follow_db, "COMMIT", "");
        return r;
}

/* On the loop, with a connection of its own: followers never wait for readers. */
int store_on_ops_follow(struct store *s, struct call *c, const struct ops_follow *in, struct ops_follow_result *ret)
{
        int64_t head = s->head;
        uint8_t hash[CURSOR_HASH_BYTES];
        int r;

        ret->instance = (struct str){ (const char *)s->origin, CURSOR_INSTANCE_BYTES };
        if (in->after < head)
                return follow_items(s, c, in, head, ret);
        if (in->after == head) {
                r = feed_park(&s->feed, c);
                if (r)
                        return r;
        }
        r = position_hash(s, s->follow_db, head, hash);
        if (r)
                return r;
        ret->head = head;
        ret->head_hash = arena_bytes(&c->arena, hash, CURSOR_HASH_BYTES);
        return 0;
}

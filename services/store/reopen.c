#include "reopen.h"

#include "link.h"
#include "person.h"

#include <errno.h>
#include <string.h>

enum { FOLLOW_UPS_MAX = 16 }; /* one of one of one: looked through for a reply */

int reopen_is_late(struct store *s, const struct ticket_row *row, bool *ret)
{
        struct stamp closed;
        sqlite3_stmt *q;
        int r;

        *ret = false;
        if (row->state != TICKET_STATE_CLOSED)
                return 0;
        r = registers_shown(s->writer.db, row->id, REGISTER_STATE, &closed, &q);
        if (r)
                return r;
        db_done(q);
        *ret = clock_now_ms(s->service->clock) - hlc_ms(closed.hlc) >= (int64_t)REOPEN_DAYS * 24 * 60 * 60 * 1000;
        return 0;
}

/* The newest follow-up: 0, or -ENOENT, also where the writer does not see it. */
static int follow_up_find(struct tx *tx, struct ulid ticket, struct ticket_row *ret)
{
        uint8_t bytes[LINK_ELEMENT_BYTES];
        sqlite3_stmt *q = db_query(tx->db, "SELECT t.id FROM member m CROSS JOIN ticket t ON t.id = m.ticket WHERE m.kind = ?1 AND m.element = ?2"
                                           " AND m.added AND NOT m.removed AND NOT t.hidden ORDER BY t.created DESC LIMIT 1",
                                   "ib", (int64_t)MEMBER_LINK, link_element(LINK_KIND_FOLLOW_UP, ticket, bytes));
        struct ulid id;
        int r = db_step(tx->db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        id = db_column_ulid(q, 0);
        db_done(q);
        r = ticket_find_visible(tx->db, &tx->actor, id, ret);
        return r == FAULT_NOT_FOUND ? -ENOENT : r;
}

/* Those who watch the one, as far as they are still here, watch the other. */
static int watchers_take_over(struct tx *tx, struct call *c, struct ulid from, const struct ticket_row *to)
{
        struct ticket_set set = { .ticket = to->id, .has_add_watchers = true };
        struct str *watchers;
        size_t n;
        int r = member_list(tx->db, from, MEMBER_WATCHER, tx->arena, &watchers, &n);

        if (r)
                return r;
        set.add_watchers.items = arena_array(tx->arena, n, sizeof(*set.add_watchers.items));
        for (size_t i = 0; i < n && !r; i++) {
                struct ulid user;
                bool active;

                memcpy(user.b, watchers[i].p, sizeof(user.b));
                r = person_may(tx->db, user, SCHEMA_ROLE_CUSTOMER, &active);
                if (!r && active)
                        set.add_watchers.items[set.add_watchers.n++] = user;
        }
        return r ? r : change_watchers(&(struct change){ .tx = tx, .c = c, .in = &set, .row = *to, .seen = -1 });
}

static int follow_up_file(struct tx *tx, struct call *c, const struct ticket_row *old, struct ticket_row *ret)
{
        struct op_ticket_create body = { .requester = old->requester, .priority = PRIORITY_NORMAL };
        struct ulid id = tx_next_id(tx);
        int r = ticket_find(tx->db, id, ret);

        if (r != -ENOENT)
                return r ? r : call_conflict(c, "this op_id cannot be used; make a new one");
        r = ticket_subject_text(tx->db, old, tx->arena, &body.subject);
        if (!r && !body.subject.n) /* it was redacted */
                body.subject = arena_format(tx->arena, "#%lld", (long long)old->number);
        if (!r)
                r = ticket_number_next(tx->db, &body.number);
        if (!r)
                r = tx_append(tx, &(struct effect){ .kind = &schema_op_ticket_create, .body = &body, .target = id, .audience = &id });
        if (!r)
                r = link_append(tx, LINK_KIND_FOLLOW_UP, id, old->id);
        if (!r)
                r = ticket_find(tx->db, id, ret);
        return r ? r : watchers_take_over(tx, c, old->id, ret);
}

int reopen_place(struct tx *tx, struct call *c, struct ticket_row *row)
{
        struct ticket_row next;
        bool late;
        int r = 0;

        for (int i = 0; i < FOLLOW_UPS_MAX; i++) {
                r = reopen_is_late(tx->store, row, &late);
                if (r || !late)
                        return r;
                r = follow_up_find(tx, row->id, &next);
                if (r)
                        break;
                *row = next;
        }
        if (r && r != -ENOENT)
                return r;
        r = follow_up_file(tx, c, row, &next);
        if (!r)
                *row = next;
        return r;
}

int reopen_reply(struct tx *tx, struct ulid *ret)
{
        sqlite3_stmt *q = db_query(tx->db, "SELECT c.id FROM comment c CROSS JOIN op o ON o.seq = c.seq WHERE c.ticket = ?1 AND o.op_id = ?1 LIMIT 1", "u",
                                   tx->op_id);
        int r = db_step(tx->db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = db_column_ulid(q, 0);
        db_done(q);
        return 0;
}

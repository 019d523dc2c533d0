#include "link.h"

#include "change.h"
#include "position.h"
#include "undo.h"

#include <errno.h>
#include <string.h>

enum { KINDS = LINK_KIND_FOLLOW_UP + 1 };       /* that are kept; as many other names follow, but relates' own */

static const int inverse[] = {
        [LINK_KIND_PARENT] = LINK_KIND_CHILD,
        [LINK_KIND_BLOCKS] = LINK_KIND_BLOCKED_BY,
        [LINK_KIND_DUPLICATE_OF] = LINK_KIND_DUPLICATED_BY,
        [LINK_KIND_RELATES] = LINK_KIND_RELATES,
        [LINK_KIND_FOLLOW_UP] = LINK_KIND_FOLLOWED_UP_BY,
        [LINK_KIND_CHILD] = LINK_KIND_PARENT,
        [LINK_KIND_BLOCKED_BY] = LINK_KIND_BLOCKS,
        [LINK_KIND_DUPLICATED_BY] = LINK_KIND_DUPLICATE_OF,
        [LINK_KIND_FOLLOWED_UP_BY] = LINK_KIND_FOLLOW_UP,
};

struct ends {
        int kind;               /* one that is kept */
        struct ulid ticket, other;
};

struct str link_element(int kind, struct ulid other, uint8_t bytes[LINK_ELEMENT_BYTES])
{
        bytes[0] = (uint8_t)kind;
        memcpy(bytes + 1, other.b, sizeof(other.b));
        return (struct str){ (const char *)bytes, LINK_ELEMENT_BYTES };
}

static struct ends ends_of(int kind, struct ulid ticket, struct ulid other)
{
        return kind < KINDS ? (struct ends){ kind, ticket, other } : (struct ends){ inverse[kind], other, ticket };
}

/* ---- reading ---- */

struct listing {
        struct db *db;
        const struct caller *caller;
        struct arena *arena;
        struct link *items;
        size_t n;
};

/* One more, unless the caller may not see its other end, or it is there already: two tickets may relate in both directions. */
static int listing_add(struct listing *l, int kind, struct ulid other)
{
        struct ticket_row row;
        struct link *link;
        int r;

        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].kind == kind && ulid_eq(l->items[i].ticket, other))
                        return 0;
        if (l->n == LINKS_SHOWN_MAX)
                return 0;
        r = ticket_find_visible(l->db, l->caller, other, &row);
        if (r)
                return r == FAULT_NOT_FOUND ? 0 : r;
        link = &l->items[l->n++];
        *link = (struct link){ .kind = kind, .ticket = other, .number = row.number, .state = row.state };
        return ticket_subject_text(l->db, &row, l->arena, &link->subject);
}

static int list_own(struct listing *l, struct ulid ticket)
{
        struct str *elements;
        size_t n;
        int r = member_list(l->db, ticket, MEMBER_LINK, l->arena, &elements, &n);

        for (size_t i = 0; i < n && !r; i++) {
                struct ulid other;

                memcpy(other.b, elements[i].p + 1, sizeof(other.b));
                r = listing_add(l, (uint8_t)elements[i].p[0], other);
        }
        return r;
}

static int list_others(struct listing *l, int kind, struct ulid ticket)
{
        struct ulid others[LINKS_SHOWN_MAX];
        uint8_t bytes[LINK_ELEMENT_BYTES];
        sqlite3_stmt *q = db_query(l->db, "SELECT DISTINCT ticket FROM member WHERE kind = ?1 AND element = ?2 AND added AND NOT removed"
                                          " ORDER BY ticket LIMIT ?3",
                                   "ibi", (int64_t)MEMBER_LINK, link_element(kind, ticket, bytes), (int64_t)LINKS_SHOWN_MAX);
        size_t n = 0;
        int r;

        while ((r = db_step(l->db, q)) > 0)
                others[n++] = db_column_ulid(q, 0);
        for (size_t i = 0; i < n && !r; i++)
                r = listing_add(l, inverse[kind], others[i]);
        return r;
}

int link_list(struct db *db, const struct caller *caller, struct ulid ticket, struct arena *arena, struct link **ret, size_t *ret_n)
{
        struct listing l = { db, caller, arena, arena_array(arena, LINKS_SHOWN_MAX, sizeof(struct link)), 0 };
        int r = list_own(&l, ticket);

        for (int kind = 0; kind < KINDS && !r; kind++)
                r = list_others(&l, kind, ticket);
        *ret = l.items;
        *ret_n = l.n;
        return r;
}

/* ---- writing ---- */

int link_append(struct tx *tx, int kind, struct ulid ticket, struct ulid other)
{
        struct op_link_add body = { .ticket = ticket, .kind = kind, .other = other };

        return tx_append(tx, &(struct effect){ .kind = &schema_op_link_add, .body = &body, .target = ticket });
}

static int room_check(struct tx *tx, struct call *c, const char *field, struct ulid ticket)
{
        struct link *links;
        size_t n;
        int r = link_list(tx->db, &tx->actor, ticket, tx->arena, &links, &n);

        if (r || n < LINKS_MAX)
                return r;
        return call_too_large(c, LINKS_MAX, "`%s` has %d links, which is all that a ticket has", field, LINKS_MAX);
}

/* Up from the other end: whether the ticket is among those that the other one is a part of. */
static int circle_check(struct tx *tx, struct call *c, const struct ends *ends)
{
        int64_t one;
        int r;

        if (ends->kind != LINK_KIND_PARENT)
                return 0;
        _Static_assert(LINK_KIND_PARENT == 0, "the SQL below says so");
        r = db_int(tx->db, &one, "WITH RECURSIVE up(id) AS (SELECT ?1 UNION SELECT substr(m.element, 2) FROM up CROSS JOIN member m ON m.ticket = up.id"
                                 "   AND m.kind = ?3 AND m.element >= x'00' AND m.element < x'01' AND m.added AND NOT m.removed)"
                                 " SELECT 1 FROM up WHERE id = ?2 LIMIT 1",
                   "uui", ends->other, ends->ticket, (int64_t)MEMBER_LINK);
        if (r)
                return r == -ENOENT ? 0 : r;
        return call_conflict(c, "the parent is a part of its child, directly or by others; unlink that first");
}

/* What both methods ask of their ends. */
static int ends_check(struct tx *tx, struct call *c, int kind, struct ulid ticket, struct ulid other)
{
        struct ticket_row row;
        int r = found(c, ticket_find_visible(tx->db, &tx->actor, ticket, &row));

        if (!r)
                r = found(c, ticket_find_visible(tx->db, &tx->actor, other, &row));
        if (!r && ulid_eq(ticket, other))
                r = call_invalid(c, "other", "is the ticket itself; it must be another one");
        if (!r && (kind == LINK_KIND_FOLLOW_UP || kind == LINK_KIND_FOLLOWED_UP_BY))
                r = call_invalid(c, "kind", "is for the desk itself to set; take relates");
        return r;
}

/* Who added it, in the direction in which it is kept. */
static int adders_find(struct tx *tx, const struct ends *ends, struct ulid **ret, size_t *ret_n)
{
        uint8_t bytes[LINK_ELEMENT_BYTES];

        return member_adders(tx->db, ends->ticket, MEMBER_LINK, link_element(ends->kind, ends->other, bytes), tx->arena, ret, ret_n);
}

static int link_make(struct tx *tx, struct call *c, const struct link_add *in)
{
        struct ends ends = ends_of(in->kind, in->ticket, in->other);
        struct ulid *adders;
        size_t n = 0;
        int r = ends_check(tx, c, in->kind, in->ticket, in->other);

        if (!r)
                r = adders_find(tx, &ends, &adders, &n);
        if (!r && !n && ends.kind == LINK_KIND_RELATES)
                r = adders_find(tx, &(struct ends){ ends.kind, ends.other, ends.ticket }, &adders, &n);
        if (r || n)
                return r;
        r = room_check(tx, c, "ticket", in->ticket);
        if (!r)
                r = room_check(tx, c, "other", in->other);
        if (!r)
                r = circle_check(tx, c, &ends);
        return r ? r : link_append(tx, ends.kind, ends.ticket, ends.other);
}

static int link_cut(struct tx *tx, struct ends ends)
{
        struct op_link_remove body = { .ticket = ends.ticket, .kind = ends.kind, .other = ends.other };
        int r = adders_find(tx, &ends, &body.saw.items, &body.saw.n);

        if (r || !body.saw.n)
                return r;
        return tx_append(tx, &(struct effect){ .kind = &schema_op_link_remove, .body = &body, .target = ends.ticket });
}

int store_on_link_add(struct store *s, struct call *c, const struct link_add *in, struct link_add_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = link_make(tx, c, in);
        if (!r && !again)
                r = undo_remember(tx);
        if (!r)
                r = link_list(tx->db, &tx->actor, in->ticket, tx->arena, &ret->links.items, &ret->links.n);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

int store_on_link_remove(struct store *s, struct call *c, const struct link_remove *in, struct link_remove_result *ret)
{
        struct ends ends = ends_of(in->kind, in->ticket, in->other);
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = ends_check(tx, c, in->kind, in->ticket, in->other);
        if (!r && !again)
                r = link_cut(tx, ends);
        if (!r && !again && ends.kind == LINK_KIND_RELATES)
                r = link_cut(tx, (struct ends){ ends.kind, ends.other, ends.ticket });
        if (!r && !again)
                r = undo_remember(tx);
        if (!r)
                r = link_list(tx->db, &tx->actor, in->ticket, tx->arena, &ret->links.items, &ret->links.n);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

int store_on_link_list(struct store *s, struct call *c, const struct link_list *in, struct link_list_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct ticket_row row;
        int r = found(c, ticket_find_visible(db, &caller, in->ticket, &row));

        if (!r)
                r = link_list(db, &caller, in->ticket, &c->arena, &ret->links.items, &ret->links.n);
        return r ? r : position_cursor_now(s, db, &c->arena, &ret->cursor);
}

/* The ticket methods: who may do what, and what it becomes in the log. */
#include "asof.h"
#include "change.h"
#include "comment.h"
#include "field.h"
#include "listing.h"
#include "person.h"
#include "position.h"
#include "undo.h"
#include "view.h"

#include <errno.h>

static int ticket_answer(struct db *db, struct call *c, const struct caller *caller, struct ulid id, struct ticket *ret)
{
        struct ticket_row row;
        int r = found(c, ticket_find_visible(db, caller, id, &row));

        return r ? r : ticket_view(db, caller, &row, &c->arena, ret);
}

/* The type of a ticket that was just filed, and what follows from it. */
static int type_give(struct tx *tx, struct call *c, struct ulid ticket, struct ulid type)
{
        struct change h = { .tx = tx, .c = c, .in = &(struct ticket_set){ .ticket = ticket, .has_type = SCHEMA_PRESENT, .type = type }, .seen = -1 };
        int r = ticket_find(tx->db, ticket, &h.row);

        return r ? r : change_registers(&h);
}

/* The custom fields of a ticket that was just filed. */
static int fields_file(struct tx *tx, struct call *c, struct ulid ticket, const struct ticket_create *in)
{
        struct field_change *changes = arena_array(&c->arena, in->fields.n, sizeof(*changes));
        struct ticket_row row;
        int r = ticket_find(tx->db, ticket, &row);

        for (size_t i = 0; i < in->fields.n; i++)
                changes[i] = (struct field_change){ in->fields.items[i].field, SCHEMA_PRESENT, in->fields.items[i].value };
        return r ? r : fields_change(tx, c, &row, -1, changes, in->fields.n);
}

static int ticket_file(struct tx *tx, struct call *c, const struct ticket_create *in)
{
        struct ulid ticket = tx_next_id(tx);
        struct op_ticket_create body = { .subject = in->subject, .requester = in->has_requester ? in->requester : tx->actor.user,
                                         .priority = in->has_priority ? in->priority : PRIORITY_NORMAL };
        struct ticket_row taken;
        struct comment comment;
        bool known;
        int r;

        if (!caller_is_agent(&tx->actor) && (in->has_requester || in->has_priority || in->has_tags))
                return call_invalid(c, in->has_requester ? "requester" : in->has_priority ? "priority" : "tags",
                                    "may be given by agents only; leave it out");
        if (ulid_is_zero(body.requester))
                return call_invalid(c, "requester", "is missing: a ticket needs somebody whose question it is");
        r = person_may(tx->db, body.requester, SCHEMA_ROLE_CUSTOMER, &known);
        if (!r && !known && in->has_requester)
                r = call_invalid(c, "requester", "is nobody who is active here; person.list has those who are");
        if (!r && in->has_tags)
                r = tags_check(c, "tags", in->tags.items, in->tags.n);
        if (!r)
                r = ticket_find(tx->db, ticket, &taken);
        if (r != -ENOENT)
                return r ? r : call_conflict(c, "this op_id cannot be used; make a new one");
        r = ticket_number_next(tx->db, &body.number);
        if (!r)
                r = tx_append(tx, &(struct effect){ .kind = &schema_op_ticket_create, .body = &body, .target = ticket, .audience = &ticket });
        if (!r)
                r = comment_write(tx, c, &(struct comment_new){ .ticket = ticket, .body = in->body, .uploads = in->attachments.items,
                                                                .n_uploads = in->has_attachments ? in->attachments.n : 0 },
                                  &comment);
        for (size_t i = 0; in->has_tags && i < in->tags.n && !r; i++)
                r = tag_append(tx, ticket, in->tags.items[i]);
        if (!r && in->has_type)
                r = type_give(tx, c, ticket, in->type);
        return r || !in->has_fields ? r : fields_file(tx, c, ticket, in);
}

int store_on_ticket_create(struct store *s, struct call *c, const struct ticket_create *in, struct ticket_create_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = ticket_file(tx, c, in);
        if (!r)
                r = ticket_answer(tx->db, c, &tx->actor, tx->op_id, &ret->value);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

static struct str ticket_grant(struct store *s, const struct caller *caller, struct ulid ticket, struct arena *arena)
{
        struct grant grant = { .user = caller->user, .ticket = ticket, .agent = caller_is_agent(caller),
                               .expires_at = clock_now_ms(s->service->clock) + GRANT_MS };
        char *text = arena_alloc(arena, GRANT_TEXT);

        grant_write(&s->grant_key, &grant, text);
        return (struct str){ text, GRANT_TEXT };
}

/* As it was: what the caller has not read is of now alone. */
static int ticket_past(struct store *s, struct call *c, const struct caller *caller, struct ulid id, const struct asof *when, struct ticket *ret)
{
        struct db *past;
        int r = asof_begin(s, c, caller, id, when, &past);

        if (!r)
                r = ticket_answer(past, c, caller, id, ret);
        ret->has_unread = false;
        asof_end(s);
        return r;
}

int store_on_ticket_get(struct store *s, struct call *c, const struct ticket_get *in, struct ticket_get_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct asof when = { in->has_at, in->has_at_cursor, in->at, in->at_cursor };
        struct ulid id = in->ticket;
        int r;

        if (in->has_ticket == in->has_number)
                return call_invalid(c, "ticket", "must be given, or else number, not both");
        if (in->has_number) {
                r = ticket_find_number(db, in->number, &id);
                if (r)
                        return r == -ENOENT ? call_not_found(c) : r;
                c->ticket = id;
        }
        r = asof_asked(&when) ? ticket_past(s, c, &caller, id, &when, &ret->ticket) : ticket_answer(db, c, &caller, id, &ret->ticket);
        if (r)
                return r;
        access_viewed(s, c, &caller, id);
        ret->grant = ticket_grant(s, &caller, id, &c->arena);
        return position_cursor_now(s, db, &c->arena, &ret->cursor);
}

/* One statement for agents, who see all, and one for customers, who see theirs; filters that are not given are NULL. */
#define FILTERS                                                                                                             \
        " AND NOT hidden AND (?4 IS NULL OR state = ?4) AND (?5 IS NULL OR assignee = ?5)"                                  \
        " AND (?6 IS NULL OR requester = ?6) AND (?9 IS NULL OR type = ?9) AND (?10 IS NULL OR team = ?10)"                 \
        " AND (?7 IS NULL OR EXISTS (SELECT 1 FROM member WHERE ticket = id AND kind = 1"                                   \
        "   AND element = ?7 AND added AND NOT removed))"
static const char list_agent[] = "SELECT id, touched FROM ticket WHERE (touched, id) < (?2, ?3) AND (?1 = ?1)" FILTERS
                                 " AND (?11 OR merged_into IS NULL)"
                                 " ORDER BY touched DESC, id DESC LIMIT ?8";
static const char list_customer[] = "SELECT id, changed FROM ticket WHERE (changed, id) < (?2, ?3)"
                                    " AND id IN (SELECT id FROM ticket WHERE requester = ?1 UNION SELECT ticket FROM member WHERE kind = 2"
                                    "   AND element = ?1 AND added AND NOT removed)" FILTERS
                                    " AND (?11 OR merged_into IS NULL OR merged_into NOT IN (SELECT id FROM ticket WHERE requester = ?1"
                                    "   UNION SELECT ticket FROM member WHERE kind = 2 AND element = ?1 AND added AND NOT removed))"
                                    " ORDER BY changed DESC, id DESC LIMIT ?8";

/* What filters find: limit and one more, where there is. */
static int list_filtered(struct db *db, struct call *c, const struct caller *caller, const struct ticket_list *in, struct page *ret, size_t *ret_n)
{
        struct page after = { .hlc = HLC_MAX };
        int64_t state = in->state;
        struct str tag = in->tag;
        sqlite3_stmt *q;
        size_t n = 0;
        int r = 0;

        if (in->has_order)
                return call_invalid(c, "order", "is for a view or a query; leave it out");
        if (in->has_team && !caller_is_agent(caller))
                return call_invalid(c, "team", "may be given by agents only; leave it out");
        if (in->has_after)
                r = page_parse(c, in->after, &after);
        if (r)
                return r;
        q = db_query(db, caller_is_agent(caller) ? list_agent : list_customer, "uiuIUUBiUUi", caller->user, (int64_t)after.hlc, after.id,
                     in->has_state ? &state : NULL, in->has_assignee ? &in->assignee : NULL, in->has_requester ? &in->requester : NULL,
                     in->has_tag ? &tag : NULL, in->limit + 1, in->has_type ? &in->type : NULL,
                     in->has_team ? &in->team : NULL, (int64_t)in->merged);
        while ((r = db_step(db, q)) > 0)
                ret[n++] = (struct page){ .hlc = (uint64_t)db_column_int(q, 1), .id = db_column_ulid(q, 0) };
        *ret_n = n;
        return r;
}

/* What a view or a query has. */
static int list_viewed(struct db *db, struct call *c, const struct caller *caller, const struct ticket_list *in, struct page *ret, size_t *ret_n)
{
        const char *field = in->has_view ? "view" : "query";
        struct view view = { .query = in->query, .order = VIEW_ORDER_CHANGED };
        struct listing listing;
        struct page after;
        int r = 0;

        if (!caller_is_agent(caller))
                return call_invalid(c, field, "may be given by agents only; leave it out");
        if (in->has_view && in->has_query)
                return call_invalid(c, "query", "can't be given with a view; leave one of them out");
        if (in->has_state || in->has_assignee || in->has_requester || in->has_tag || in->has_type || in->has_team || in->merged)
                return call_invalid(c, field, "can't be given with other filters; put them into a query");
        if (in->has_view)
                r = view_find(db, caller, in->view, &c->arena, &view);
        if (r)
                return r == -ENOENT ? call_not_found(c) : r;
        r = listing_init(db, c, caller, view.query, (enum view_order)(in->has_order ? in->order : view.order), &listing);
        if (r)
                return r;
        after = listing_begin(listing.order);
        if (in->has_after)
                r = page_parse(c, in->after, &after);
        return r ? r : listing_page(db, &listing, after, (size_t)in->limit + 1, &c->arena, ret, ret_n);
}

int store_on_ticket_list(struct store *s, struct call *c, const struct ticket_list *in, struct ticket_list_result *ret)
{
        struct page *pages = arena_array(&c->arena, (size_t)in->limit + 1, sizeof(*pages));
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        size_t n = 0;
        int r;

        r = in->has_view || in->has_query ? list_viewed(db, c, &caller, in, pages, &n) : list_filtered(db, c, &caller, in, pages, &n);
        if (r)
                return r;
        if (n > (size_t)in->limit) {
                n = (size_t)in->limit;
                ret->has_next = true;
                ret->next = page_text(pages[n - 1], &c->arena);
        }
        ret->items.items = arena_array(&c->arena, n, sizeof(*ret->items.items));
        for (size_t i = 0; i < n && !r; i++) {
                struct ticket_row row;

                r = ticket_find(db, pages[i].id, &row);
                if (!r)
                        r = ticket_view(db, &caller, &row, &c->arena, &ret->items.items[ret->items.n++]);
        }
        return r ? r : position_cursor_now(s, db, &c->arena, &ret->cursor);
}

int store_on_ticket_set(struct store *s, struct call *c, const struct ticket_set *in, struct ticket_set_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = ticket_change(tx, c, in);
        if (!r && !again)
                r = undo_remember(tx);
        if (!r)
                r = ticket_answer(tx->db, c, &tx->actor, in->ticket, &ret->value);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

/* One change of many tickets: what it would do, and doing it. */
#include "change.h"
#include "listing.h"
#include "macro.h"
#include "position.h"
#include "undo.h"
#include "view.h"
#include "schema/bulk.h"

#include <errno.h>

enum { TICKETS_MAX = 500 };

/* What both methods say of it. */
struct bulk {
        struct call *c;
        struct db *db;
        struct caller caller;
        bool has_macro;
        struct op_macro_set macro;
        struct ticket_set set;      /* else */
        int64_t seen;               /* the log's position that the caller had seen */
};

#define CHANGES_OF(in)                                                                                                 \
        (struct ticket_set)                                                                                            \
        {                                                                                                              \
                .has_state = (in)->has_state, .state = (in)->state, .has_label = (in)->has_label ? SCHEMA_PRESENT : SCHEMA_ABSENT, \
                .label = (in)->label, .has_priority = (in)->has_priority, .priority = (in)->priority,                  \
                .has_assignee = (in)->has_assignee, .assignee = (in)->assignee, .has_type = (in)->has_type,            \
                .type = (in)->type, .has_team = (in)->has_team, .team = (in)->team, .has_add_tags = (in)->has_add_tags, \
                .add_tags = { (in)->add_tags.items, (in)->add_tags.n }, .has_remove_tags = (in)->has_remove_tags,      \
                .remove_tags = { (in)->remove_tags.items, (in)->remove_tags.n },                                       \
        }

static int bulk_init(struct bulk *b, bool has_macro, struct ulid macro)
{
        bool some = b->set.has_state || b->set.has_label || b->set.has_priority || b->set.has_assignee || b->set.has_type || b->set.has_team ||
                    b->set.has_add_tags || b->set.has_remove_tags;

        b->has_macro = has_macro;
        if (has_macro == some)
                return call_invalid(b->c, "macro", some ? "can't be given with other changes; leave one of them out" : "or a change must be given");
        return has_macro ? macro_find(b->db, b->c, macro, &b->macro) : 0;
}

/* ---- which tickets are left as they are ---- */

static int changed_since(struct bulk *b, struct ulid ticket, bool *ret)
{
        sqlite3_stmt *q = db_query(b->db, "SELECT " LOG_COLUMNS " FROM op WHERE scope IN (0, 1) AND audience = ?1 AND seq > ?2", "ui", ticket, b->seen);
        int r;

        *ret = false;
        while (!*ret && (r = db_step(b->db, q)) > 0) {
                struct log_entry e;

                r = log_entry_read(b->db, q, &b->c->arena, &e);
                if (r)
                        break;
                *ret = !ulid_eq(e.op.actor, b->caller.user);
        }
        db_done(q);
        return *ret ? 0 : r;
}

_Static_assert(SCHEMA_TO_TICKET == 0 && SCHEMA_TO_AGENTS == 1, "the SQL above says so");

/* *ret: why, NULL for one that is to be changed. */
static int skip_check(struct bulk *b, const struct ticket_row *row, const char **ret)
{
        const char *misfit = NULL;
        bool changed;
        int r = changed_since(b, row->id, &changed);

        if (!r && b->has_macro)
                r = macro_misfit(b->db, &b->macro, row, &b->c->arena, &misfit);
        *ret = changed           ? "somebody changed it or wrote on it meanwhile"
               : row->has_merged ? "it is merged into another one"
               : misfit          ? arena_format(&b->c->arena, "the macro is for tickets %s", misfit).p
                                 : NULL;
        return r;
}

/* ---- what it would do ---- */

static bool id_differs(enum schema_presence wanted, struct ulid id, bool has, struct ulid is)
{
        if (wanted == SCHEMA_ABSENT)
                return false;
        return (wanted == SCHEMA_PRESENT) != has || (has && !ulid_eq(id, is));
}

static int tags_differ(struct bulk *b, const struct ticket_set *set, struct ulid ticket, bool *ret)
{
        size_t n_add = set->has_add_tags ? set->add_tags.n : 0, n_remove = set->has_remove_tags ? set->remove_tags.n : 0;
        int r = 0;

        *ret = false;
        for (size_t i = 0; i < n_add + n_remove && !r && !*ret; i++) {
                struct str tag = i < n_add ? set->add_tags.items[i] : set->remove_tags.items[i - n_add];
                struct ulid *adders;
                size_t n;

                r = member_adders(b->db, ticket, MEMBER_TAG, tag, &b->c->arena, &adders, &n);
                *ret = (n > 0) != (i < n_add);
        }
        return r;
}

static int changes_tell(struct bulk *b, const struct ticket_row *row, struct bulk_item *ret)
{
        struct ticket_set set = b->has_macro ? macro_changes(&b->macro, row->id, b->caller.user) : b->set;
        bool tags;
        int r = tags_differ(b, &set, row->id, &tags);
        const struct {
                bool differs;
                const char *name;
        } members[] = {
                { set.has_state && set.state != row->state, "state" },
                { id_differs(set.has_label, set.label, row->has_label, row->label), "label" },
                { set.has_priority && set.priority != row->priority, "priority" },
                { id_differs(set.has_assignee, set.assignee, row->has_assignee, row->assignee), "assignee" },
                { id_differs(set.has_type, set.type, row->has_type, row->type), "type" },
                { id_differs(set.has_team, set.team, row->has_team, row->team), "team" },
                { tags, "tags" },
                { b->has_macro && b->macro.has_note, "note" },
                { b->has_macro && b->macro.has_reply, "reply" },
        };

        ret->changes.items = arena_array(&b->c->arena, sizeof(members) / sizeof(members[0]), sizeof(*ret->changes.items));
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                if (members[i].differs)
                        ret->changes.items[ret->changes.n++] = str_of(members[i].name);
        return r;
}

static int item_make(struct bulk *b, struct ulid ticket, struct bulk_item *ret)
{
        struct ticket_row row;
        const char *skipped;
        int r = found(b->c, ticket_find_visible(b->db, &b->caller, ticket, &row));

        if (!r)
                r = skip_check(b, &row, &skipped);
        if (r)
                return r;
        *ret = (struct bulk_item){ .ticket = ticket, .number = row.number, .has_skipped = skipped != NULL };
        if (skipped)
                ret->skipped = str_of(skipped);
        r = ticket_subject_text(b->db, &row, &b->c->arena, &ret->subject);
        return r || skipped ? r : changes_tell(b, &row, ret);
}

/* Those that are given, or that a query or view finds. */
static int tickets_find(struct bulk *b, const struct bulk_preview *in, struct ulid **ret, size_t *ret_n, bool *ret_more)
{
        struct view view = { .query = in->query, .order = VIEW_ORDER_CHANGED };
        struct page *pages = arena_array(&b->c->arena, TICKETS_MAX + 1, sizeof(*pages));
        struct listing listing;
        size_t n = 0;
        int r = 0;

        if (in->has_tickets + in->has_query + in->has_view != 1)
                return call_invalid(b->c, "tickets", "or query, or view, must be given: one of them");
        if (in->has_tickets) {
                *ret = in->tickets.items;
                *ret_n = in->tickets.n;
                return 0;
        }
        if (in->has_view)
                r = view_find(b->db, &b->caller, in->view, &b->c->arena, &view);
        if (r)
                return r == -ENOENT ? call_not_found(b->c) : r;
        r = listing_init(b->db, b->c, &b->caller, view.query, (enum view_order)view.order, &listing);
        if (!r)
                r = listing_page(b->db, &listing, listing_begin(listing.order), TICKETS_MAX + 1, &b->c->arena, pages, &n);
        *ret_more = n > TICKETS_MAX;
        *ret_n = *ret_more ? TICKETS_MAX : n;
        *ret = arena_array(&b->c->arena, *ret_n, sizeof(**ret));
        for (size_t i = 0; i < *ret_n; i++)
                (*ret)[i] = pages[i].id;
        return r;
}

int store_on_bulk_preview(struct store *s, struct call *c, const struct bulk_preview *in, struct bulk_preview_result *ret)
{
        struct bulk b = { .c = c, .db = store_db(s, c), .caller = store_actor(c), .set = CHANGES_OF(in), .seen = INT64_MAX };
        struct ulid *tickets = NULL;
        size_t n = 0;
        int r = bulk_init(&b, in->has_macro, in->macro);

        if (!r)
                r = tickets_find(&b, in, &tickets, &n, &ret->more);
        ret->items.items = arena_zalloc(&c->arena, n * sizeof(*ret->items.items));
        for (size_t i = 0; i < n && !r; i++) {
                struct bulk_item *item = &ret->items.items[ret->items.n++];

                r = item_make(&b, tickets[i], item);
                ret->changed += !r && item->changes.n;
        }
        return r ? r : position_cursor_now(s, b.db, &c->arena, &ret->seen);
}

/* ---- doing it ---- */

static int ticket_do(struct bulk *b, struct tx *tx, struct ulid ticket, struct bulk_run_result *ret)
{
        struct ticket_row row;
        const char *skipped;
        uint32_t before = tx->n;
        int r = found(b->c, ticket_find_visible(b->db, &b->caller, ticket, &row));

        if (!r)
                r = skip_check(b, &row, &skipped);
        if (r)
                return r;
        if (skipped) {
                ret->skipped.items[ret->skipped.n++] = (struct bulk_skip){ ticket, str_of(skipped) };
                return 0;
        }
        b->set.ticket = ticket;
        r = b->has_macro ? macro_do(tx, b->c, &b->macro, ticket, NULL, NULL) : ticket_change(tx, b->c, &b->set);
        if (!r && tx->n > before)
                ret->changed.items[ret->changed.n++] = ticket;
        return r;
}

static int run(struct bulk *b, struct tx *tx, const struct bulk_run *in, struct bulk_run_result *ret)
{
        int r = bulk_init(b, in->has_macro, in->macro);

        if (!r)
                r = seen_position(tx->store, b->c, true, in->seen, &b->seen);
        for (size_t i = 0; i < in->tickets.n && !r; i++) {
                for (size_t k = 0; k < i; k++)
                        if (ulid_eq(in->tickets.items[k], in->tickets.items[i]))
                                return call_invalid(b->c, "tickets", "item %zu is there twice; leave it out", i + 1);
                r = ticket_do(b, tx, in->tickets.items[i], ret);
        }
        return r ? r : undo_remember(tx);
}

/* What a command that was accepted before changed. */
static int run_again(struct tx *tx, const struct bulk_run *in, struct bulk_run_result *ret)
{
        int r = 0;

        for (size_t i = 0; i < in->tickets.n; i++) {
                struct ulid ticket = in->tickets.items[i];
                int64_t one;

                r = db_int(tx->db, &one, "SELECT 1 FROM op WHERE scope IN (0, 1) AND audience = ?1 AND op_id = ?2 LIMIT 1", "uu", ticket, tx->op_id);
                if (r && r != -ENOENT)
                        return r;
                if (!r)
                        ret->changed.items[ret->changed.n++] = ticket;
                else
                        ret->skipped.items[ret->skipped.n++] = (struct bulk_skip){ ticket, STR("it was not changed") };
        }
        return 0;
}

int store_on_bulk_run(struct store *s, struct call *c, const struct bulk_run *in, struct bulk_run_result *ret)
{
        struct bulk b = { .c = c, .set = CHANGES_OF(in) };
        struct tx *tx;
        bool again;
        int r;

        ret->changed.items = arena_array(&c->arena, in->tickets.n, sizeof(*ret->changed.items));
        ret->skipped.items = arena_array(&c->arena, in->tickets.n, sizeof(*ret->skipped.items));
        r = tx_begin(s, c, &tx, &again);
        if (r)
                return r;
        b.db = tx->db;
        b.caller = tx->actor;
        r = again ? run_again(tx, in, ret) : run(&b, tx, in, ret);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

#include "view.h"

#include "definition.h"
#include "listing.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/* The same view; one's own has its owner behind. */
_Static_assert(sizeof(struct view) == sizeof(struct op_view_set) && offsetof(struct op_own_view_set, user) >= offsetof(struct view, retired),
               "a view looks as its ops do");

static void own_view(const struct op_own_view_set *own, struct view *ret)
{
        *ret = (struct view){ .view = own->view, .name = own->name, .query = own->query, .order = own->order,
                              .columns = { own->columns.items, own->columns.n }, .shared = own->shared, .retired = own->retired };
}

int view_find(struct db *db, const struct caller *caller, struct ulid id, struct arena *arena, struct view *ret)
{
        struct op_own_view_set own = { 0 };
        int r = definition_find(db, &schema_op_view_set, id, arena, ret);

        if (r != -ENOENT)
                return r;
        r = definition_find(db, &schema_op_own_view_set, id, arena, &own);
        if (r || !ulid_eq(own.user, caller->user))
                return r ? r : -ENOENT;
        own_view(&own, ret);
        return 0;
}

static int columns_check(struct call *c, const struct view_save *in)
{
        for (size_t i = 0; in->has_columns && i < in->columns.n; i++) {
                struct str name = in->columns.items[i], rest = name;
                bool field = str_is(str_cut(&rest, '.'), "field") && rest.n;

                if (!field && !schema_field_find(&schema_type_ticket, arena_str(&c->arena, name).p))
                        return call_invalid(c, "columns", "item %zu must be the name of a member of Ticket, or field.KEY", i + 1);
        }
        return 0;
}

static int view_write(struct tx *tx, struct call *c, const struct view_save *in)
{
        struct op_own_view_set own = { .name = in->name, .query = in->query, .order = in->order, .shared = in->shared, .retired = in->retired };
        struct op_view_set shared = { .name = in->name, .query = in->query, .order = in->order, .shared = in->shared, .retired = in->retired };
        const struct ulid *id = in->has_view ? &in->view : NULL;
        struct listing listing;
        struct view was;
        int r;

        r = columns_check(c, in);
        if (!r)
                r = listing_init(tx->db, c, &tx->actor, in->query, (enum view_order)in->order, &listing);
        if (!r && id) {
                r = view_find(tx->db, &tx->actor, *id, tx->arena, &was);
                if (r)
                        return r == -ENOENT ? call_not_found(c) : r;
                if (was.shared != in->shared)
                        return call_invalid(c, "shared", "must stay %s: make another view", was.shared ? "true" : "false");
        }
        if (!r && in->shared && !caller_is_admin(&tx->actor))
                r = call_invalid(c, "shared", "may be true for admins only; leave it out");
        if (in->has_columns) {
                own.columns.items = shared.columns.items = in->columns.items;
                own.columns.n = shared.columns.n = in->columns.n;
        }
        if (r)
                return r;
        return in->shared ? definition_save(tx, c, &schema_op_view_set, id, &shared) : definition_save(tx, c, &schema_op_own_view_set, id, &own);
}

int store_on_view_save(struct store *s, struct call *c, const struct view_save *in, struct view_save_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = view_write(tx, c, in);
        if (!r)
                r = view_find(tx->db, &tx->actor, in->has_view ? in->view : tx->op_id, tx->arena, &ret->view);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

static int by_name(const void *a, const void *b)
{
        const struct view *x = a, *y = b;
        size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
        int r = strncasecmp(x->name.p, y->name.p, n);

        return r ? r : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

int store_on_view_list(struct store *s, struct call *c, const struct view_list *in, struct view_list_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct schema_list shared, owned;
        int r;

        (void)in;
        r = definition_list(db, &schema_op_view_set, NULL, &c->arena, &shared);
        if (!r)
                r = definition_list(db, &schema_op_own_view_set, &caller.user, &c->arena, &owned);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, shared.n + owned.n, sizeof(*ret->items.items));
        for (size_t i = 0; i < shared.n; i++) {
                const struct view *view = (struct view *)shared.items + i;

                if (!view->retired)
                        ret->items.items[ret->items.n++] = *view;
        }
        for (size_t i = 0; i < owned.n; i++) {
                const struct op_own_view_set *own = (struct op_own_view_set *)owned.items + i;

                if (!own->retired)
                        own_view(own, &ret->items.items[ret->items.n++]);
        }
        if (ret->items.n)
                qsort(ret->items.items, ret->items.n, sizeof(*ret->items.items), by_name);
        return 0;
}

static int view_tally(struct db *db, struct call *c, const struct caller *caller, struct ulid id, struct view_tally *ret)
{
        struct listing listing;
        struct view view;
        int r = view_find(db, caller, id, &c->arena, &view);

        if (r)
                return r == -ENOENT ? call_not_found(c) : r;
        r = listing_init(db, c, caller, view.query, (enum view_order)view.order, &listing);
        ret->view = id;
        return r ? r : listing_count(db, &listing, &c->arena, &ret->count, &ret->more);
}

int store_on_view_count(struct store *s, struct call *c, const struct view_count *in, struct view_count_result *ret)
{
        struct caller caller = store_actor(c);
        int r = 0;

        ret->items.items = arena_array(&c->arena, in->views.n, sizeof(*ret->items.items));
        for (size_t i = 0; i < in->views.n && !r; i++)
                r = view_tally(store_db(s, c), c, &caller, in->views.items[i], &ret->items.items[ret->items.n++]);
        return r;
}

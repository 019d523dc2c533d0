/* The methods that search. */
#include "comment.h"
#include "position.h"
#include "schema/search.h"
#include "search_find.h"
#include "ticket.h"

#include <errno.h>

/* `next`: the cursor of a place; behind it the one of how far newer texts were looked at, where some were. */
static int after_read(struct store *s, struct db *db, struct call *c, const struct ticket_search *in, struct search_place *ret)
{
        struct str below = in->after, newer = { 0 };
        int r = POSITION_GOOD;

        *ret = SEARCH_BEGIN;
        if (!in->has_after)
                return 0;
        if (below.n == 2 * (size_t)CURSOR_TEXT) {
                newer = (struct str){ below.p + CURSOR_TEXT, CURSOR_TEXT };
                below.n = CURSOR_TEXT;
                r = position_read(s, db, newer, &ret->newer_below);
        }
        if (!r)
                r = position_read(s, db, below, &ret->below);
        return r > POSITION_GOOD ? call_invalid(c, "after", "must be the `next` of the page before") : r;
}

static int next_write(struct store *s, struct db *db, const struct search_place *next, struct arena *arena, struct str *ret)
{
        struct str newer;
        int r = position_cursor_at(s, db, next->below, arena, ret);

        if (r || next->newer_below == INT64_MAX)
                return r;
        r = position_cursor_at(s, db, next->newer_below, arena, &newer);
        if (!r)
                *ret = arena_format(arena, "%.*s%.*s", STR_ARG(*ret), STR_ARG(newer));
        return r;
}

static int best_check(struct call *c, const struct caller *caller, const struct ticket_search *in, const struct search_query *query)
{
        if (!caller_is_agent(caller))
                return call_invalid(c, "order", "may be best for agents only; leave it out");
        if (!query->n_terms)
                return call_invalid(c, "order", "can't be best without words; leave it out, or add some");
        return in->has_after ? call_invalid(c, "after", "is for order newest; leave it out") : 0;
}

int store_on_ticket_search(struct store *s, struct call *c, const struct ticket_search *in, struct ticket_search_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct search_query query;
        struct search_fault fault;
        struct search_names names = { 0 };
        struct search_wanted wanted = { .query = &query, .names = &names, .limit = (size_t)in->limit, SEARCH_BOUNDS };
        struct search_hit *hits = arena_array(&c->arena, wanted.limit, sizeof(*hits));
        struct search_place next = { 0 };
        size_t n;
        int r;

        if (search_query_parse(in->query, &query, &fault))
                return search_query_invalid(c, fault.column, fault.reason);
        r = search_names_find(db, c, &caller, &query, &names);
        if (!r)
                r = after_read(s, db, c, in, &wanted.from);
        if (!r && in->order == SEARCH_ORDER_BEST)
                r = best_check(c, &caller, in, &query);
        if (!r)
                r = in->order == SEARCH_ORDER_BEST ? search_find_best(db, &wanted, &c->arena, hits, &n)
                                                   : search_find(db, &caller, &wanted, &c->arena, hits, &n, &next);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, n, sizeof(*ret->items.items));
        for (size_t i = 0; i < n && !r; i++) {
                struct found *found = &ret->items.items[ret->items.n++];
                struct ticket_row row;

                found->snippet = hits[i].snippet;
                found->has_comment = !ulid_is_zero(hits[i].entity);
                found->comment = hits[i].entity;
                r = ticket_find(db, hits[i].ticket, &row);
                if (!r)
                        r = ticket_view(db, &caller, &row, &c->arena, &found->ticket);
        }
        ret->has_next = next.below != 0;
        return r || !ret->has_next ? r : next_write(s, db, &next, &c->arena, &ret->next);
}

static int similar_view(struct db *db, const struct caller *caller, const struct search_like *like, const struct str *words, struct arena *arena,
                        struct similar *ret)
{
        struct ticket_row row;
        int r = ticket_find(db, like->ticket, &row);

        ret->shared.items = arena_array(arena, SEARCH_SHARED_MAX, sizeof(*ret->shared.items));
        for (int i = 0; i < SEARCH_SHARED_MAX; i++)
                if (like->shared >> i & 1)
                        ret->shared.items[ret->shared.n++] = words[i];
        return r ? r : ticket_view(db, caller, &row, arena, &ret->ticket);
}

int store_on_ticket_similar(struct store *s, struct call *c, const struct ticket_similar *in, struct ticket_similar_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct search_like *likes = arena_array(&c->arena, (size_t)in->limit, sizeof(*likes));
        struct str words[SEARCH_SHARED_MAX], next;
        struct comment *first;
        struct ticket_row row;
        struct ticket ticket;
        size_t n;
        int r;

        r = ticket_find_visible(db, &caller, in->ticket, &row);
        if (r)
                return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
        r = ticket_view(db, &caller, &row, &c->arena, &ticket);
        if (!r)
                r = comment_page(db, &caller, false, &row, &(struct page){ 0 }, 1, &c->arena, &first, &n, &next);
        if (!r)
                r = search_alike(db, in->ticket, ticket.subject, n ? first->body : (struct str){ 0 }, &c->arena, (size_t)in->limit, likes, &n, words);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, n, sizeof(*ret->items.items));
        for (size_t i = 0; i < n && !r; i++)
                r = similar_view(db, &caller, &likes[i], words, &c->arena, &ret->items.items[ret->items.n++]);
        return r;
}

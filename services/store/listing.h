/* Tickets by a query's filters, in an order, for agents: what views show. */
#pragma once
#include "schema/view.h"
#include "search_filter.h"
#include "ticket.h"

enum { LISTING_COUNT_MAX = 1000, LISTING_LOOK_MAX = 10000 };

struct listing {
        struct search_query query;
        struct search_names names;
        enum view_order order;
};

/* text: a query without words; it must outlive the listing. 0, or InvalidParams of `query`, or an error. */
int listing_init(struct db *db, struct call *c, const struct caller *caller, struct str text, enum view_order order, struct listing *ret);

/* Where the first page of an order begins. */
struct page listing_begin(enum view_order order);
/* The next tickets behind `after`: limit of them at most. */
int listing_page(struct db *db, const struct listing *l, struct page after, size_t limit, struct arena *arena, struct page *ret, size_t *ret_n);

/* How many there are: exact where ticket_count knows; else *ret_more says that it was not counted on beyond LISTING_COUNT_MAX, or that of the
 * LISTING_LOOK_MAX newest changed tickets these fit. */
int listing_count(struct db *db, const struct listing *l, struct arena *arena, int64_t *ret, bool *ret_more);

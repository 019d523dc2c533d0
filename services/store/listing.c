#include "listing.h"

#include "schema/ticket.h"

#include <string.h>

/* By what tickets are found: the first of these that the query allows; then all filters are looked at, and the order is made. */
enum path { BY_ACTIVE, BY_ASSIGNEE, BY_REQUESTER, BY_TAG, BY_ORDER, PATHS };
#define ACTIVE "INDEXED BY ticket_active WHERE t.state < 3"
#define ASSIGNED "INDEXED BY ticket_by_assignee WHERE t.assignee = ?8"
#define REQUESTED "INDEXED BY ticket_by_requester WHERE t.requester = ?10"
#define TAGGED                                                                                                         \
        "WHERE t.id IN (SELECT ticket FROM member WHERE kind = 1 AND element = CAST(?11 ->> 0 AS BLOB) AND added AND NOT removed)"
#define ANY "WHERE 1"
_Static_assert(TICKET_STATE_NEW == 0 && TICKET_STATE_OPEN == 1 && TICKET_STATE_PENDING == 2 && TICKET_STATE_SOLVED == 3, "the active states, as the index has them");

#define URGENCY "((3 - t.priority) * 288230376151711744 + t.created)" /* 2^58 is more than a time, for the next 80 years */
_Static_assert(PRIORITY_URGENT == 3, "the greatest");
/* ?23, ?24: where the page before ended; ?25: how many. */
#define PAGE(path, key, beyond, direction)                                                                             \
        "SELECT t.id, " key " FROM ticket t " path " AND (" key ", t.id) " beyond " (?23, ?24) AND NOT t.hidden AND t.merged_into IS NULL AND "  \
        SEARCH_FITS("touched") " ORDER BY " key direction ", t.id" direction " LIMIT ?25"
#define ORDERS(path)                                                                                                   \
        {                                                                                                              \
                [VIEW_ORDER_CHANGED] = PAGE(path, "t.touched", "<", " DESC"),                                          \
                [VIEW_ORDER_WAITING] = PAGE(path, "t.touched", ">", " ASC"),                                           \
                [VIEW_ORDER_CREATED] = PAGE(path, "t.created", "<", " DESC"),                                          \
                [VIEW_ORDER_OLDEST] = PAGE(path, "t.created", ">", " ASC"),                                            \
                [VIEW_ORDER_URGENT] = PAGE(path, URGENCY, ">", " ASC"),                                                \
        }
static const char *const page_sql[PATHS][5] = {
        [BY_ACTIVE] = ORDERS(ACTIVE), [BY_ASSIGNEE] = ORDERS(ASSIGNED), [BY_REQUESTER] = ORDERS(REQUESTED), [BY_TAG] = ORDERS(TAGGED),
        [BY_ORDER] = ORDERS(ANY),
};

#define COUNT(path)                                                                                                    \
        "SELECT count(*), 0 FROM (SELECT 1 FROM ticket t " path " AND NOT t.hidden AND t.merged_into IS NULL AND "     \
        SEARCH_FITS("touched") " LIMIT ?23)"
static const char *const count_sql[PATHS] = {
        [BY_ACTIVE] = COUNT(ACTIVE), [BY_ASSIGNEE] = COUNT(ASSIGNED), [BY_REQUESTER] = COUNT(REQUESTED), [BY_TAG] = COUNT(TAGGED),
        [BY_ORDER] = "SELECT total(fits), count(*) = 10000 FROM (SELECT t.touched, NOT t.hidden AND t.merged_into IS NULL AND "
                     SEARCH_FITS("touched") " AS fits FROM ticket t"
                     " WHERE (?23 = ?23) ORDER BY t.touched DESC LIMIT 10000)",
};
_Static_assert(LISTING_LOOK_MAX == 10000, "as the SQL says");
static const char counted_sql[] = "SELECT total(t.n), 0 FROM ticket_count t WHERE " SEARCH_FITS_COUNTED " AND (?22 = ?22)";
static const char aside_sql[] = "SELECT count(*), 0 FROM snooze z CROSS JOIN ticket t ON t.id = z.ticket WHERE z.user = ?22 AND z.active"
                                " AND NOT t.hidden AND t.merged_into IS NULL AND " SEARCH_FITS_COUNTED;

int listing_init(struct db *db, struct call *c, const struct caller *caller, struct str text, enum view_order order, struct listing *ret)
{
        struct search_fault fault;

        *ret = (struct listing){ .order = order };
        if (search_query_parse(text, &ret->query, &fault))
                return search_query_invalid(c, fault.column, fault.reason);
        if (ret->query.n_terms)
                return call_invalid(c, "query", "has words; give filters alone, such as state:open assignee:me");
        if (ret->query.snoozed.which == SEARCH_EITHER && !ret->query.snoozed.given)
                ret->query.snoozed.which = SEARCH_AWAKE;
        return search_names_find(db, c, caller, &ret->query, &ret->names);
}

struct page listing_begin(enum view_order order)
{
        struct page page = { 0 };

        if (order == VIEW_ORDER_CHANGED || order == VIEW_ORDER_CREATED) {
                page.hlc = HLC_MAX;
                memset(&page.id, 0xff, sizeof(page.id));
        }
        return page;
}

static enum path path_of(const struct search_query *query, const struct search_filter *filter)
{
        const uint64_t active = 1 << TICKET_STATE_NEW | 1 << TICKET_STATE_OPEN | 1 << TICKET_STATE_PENDING;
        const uint64_t all = (UINT64_C(1) << schema_enum_ticket_state.n) - 1;

        if (!(query->states & all & ~active))
                return BY_ACTIVE;
        if (filter->by_assignee == 1 && filter->assignee)
                return BY_ASSIGNEE;
        if (filter->by_requester == 1 && filter->requester)
                return BY_REQUESTER;
        return str_is(filter->tags, "[]") ? BY_ORDER : BY_TAG;
}

int listing_page(struct db *db, const struct listing *l, struct page after, size_t limit, struct arena *arena, struct page *ret, size_t *ret_n)
{
        struct search_filter filter;
        sqlite3_stmt *q;
        size_t n = 0;
        int r;

        search_filter_init(&l->query, &l->names, true, arena, &filter);
        q = db_query(db, page_sql[path_of(&l->query, &filter)][l->order], SEARCH_FILTER_TYPES "iui", SEARCH_FILTER_VALUES(&filter),
                     (int64_t)after.hlc, after.id, (int64_t)limit);
        while ((r = db_step(db, q)) > 0)
                ret[n++] = (struct page){ .hlc = (uint64_t)db_column_int(q, 1), .id = db_column_ulid(q, 0) };
        *ret_n = n;
        return r;
}

/* Whether there is no filter but those that ticket_count counts by, and the caller's own snoozes. */
static bool is_counted(const struct search_query *query, const struct search_filter *filter)
{
        return !filter->by_requester && !filter->by_label && !query->n_tags && !query->n_fields && !query->created.from_ms && !query->changed.from_ms &&
               query->created.until_ms == INT64_MAX && query->changed.until_ms == INT64_MAX;
}

static int count(struct db *db, sqlite3_stmt *q, int64_t *ret, bool *ret_more)
{
        int r = db_step(db, q);

        if (r <= 0)
                return r;
        *ret = db_column_int(q, 0);
        *ret_more = db_column_int(q, 1);
        db_done(q);
        return 0;
}

/* Those that the caller put aside are few: they are looked at one by one. */
static int counted(struct db *db, const struct search_filter *filter, int64_t *ret, bool *ret_more)
{
        int64_t all = 0, aside = 0;
        bool more = false;
        int r = 0;

        if (filter->snoozed != SEARCH_SNOOZED)
                r = count(db, db_query(db, counted_sql, SEARCH_FILTER_TYPES, SEARCH_FILTER_VALUES(filter)), &all, &more);
        if (!r && filter->snoozed != SEARCH_EITHER)
                r = count(db, db_query(db, aside_sql, SEARCH_FILTER_TYPES, SEARCH_FILTER_VALUES(filter)), &aside, &more);
        *ret = filter->snoozed == SEARCH_SNOOZED ? aside : all - aside;
        *ret_more = more;
        return r;
}

int listing_count(struct db *db, const struct listing *l, struct arena *arena, int64_t *ret, bool *ret_more)
{
        struct search_filter filter;
        int r;

        search_filter_init(&l->query, &l->names, true, arena, &filter);
        if (is_counted(&l->query, &filter))
                return counted(db, &filter, ret, ret_more);
        r = count(db, db_query(db, count_sql[path_of(&l->query, &filter)], SEARCH_FILTER_TYPES "i", SEARCH_FILTER_VALUES(&filter),
                               (int64_t)LISTING_COUNT_MAX + 1), ret, ret_more);
        if (!r && *ret > LISTING_COUNT_MAX) {
                *ret = LISTING_COUNT_MAX;
                *ret_more = true;
        }
        return r;
}

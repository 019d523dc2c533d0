/* Asking the index of texts. Customers are answered from the public index alone, and there from their own tickets and those they watch:
 * what others have changes neither which texts are found, nor their order, nor where a page ends. Newest texts come first: a rank by
 * how rare words are would tell a customer of texts that are not theirs. */
#pragma once
#include "search.h"
#include "search_filter.h"
#include "tx.h"

/* Where a page begins: at the texts with ids below this one. Of the first of them, below - 1, newer texts of the same ticket were looked
 * at down to newer_below, and none of them has the phrases; INT64_MAX: none was. */
struct search_place {
        int64_t below, newer_below;
};
#define SEARCH_BEGIN ((struct search_place){ INT64_MAX, INT64_MAX })

enum {
        SEARCH_ROWS_MAX = 10000,
        SEARCH_READ_MAX = 4000,
};
#define SEARCH_BOUNDS .rows_max = SEARCH_ROWS_MAX, .read_max = SEARCH_READ_MAX

struct search_wanted {
        const struct search_query *query;
        const struct search_names *names;  /* what its names stand for */
        struct search_place from;
        size_t limit;
        int rows_max;                      /* looked at for one page, 2 at least; it then ends early, and the next one goes on */
        int read_max;                      /* the same where each one's text is read, for a phrase */
};

struct search_hit {
        int64_t id;
        struct ulid ticket, entity;        /* entity: zero for the subject */
        struct str snippet;                /* in the arena */
        double score;                      /* of search_find_best: BM25 as FTS5 has it, the lower the better */
};

/* At most limit hits, of a ticket each. *ret_next: where the next page begins; below is 0 at the end. */
int search_find(struct db *db, const struct caller *caller, const struct search_wanted *wanted, struct arena *arena, struct search_hit *ret_hits,
                size_t *ret_n, struct search_place *ret_next);

/* The same for agents, by how well they fit, from the public index and the notes': what there is beyond limit is not told. */
int search_find_best(struct db *db, const struct search_wanted *wanted, struct arena *arena, struct search_hit *ret_hits, size_t *ret_n);

/* Tickets that have rare words of these texts. In the order of their likeness. */
enum { SEARCH_SHARED_MAX = 8 };
struct search_like {
        struct ulid ticket;
        double score;
        uint32_t shared;                   /* bits of ret_words */
};
int search_alike(struct db *db, struct ulid ticket, struct str subject, struct str body, struct arena *arena, size_t limit,
                 struct search_like *ret, size_t *ret_n, struct str ret_words[SEARCH_SHARED_MAX]);

/* Asking the index of texts. Customers are answered from the public index alone, and there from their own tickets and those they watch:
 * what others have changes neither which texts are found, nor their order, nor where a page ends. Newest texts come first: a rank by
 * how rare words are would tell a customer of texts that are not theirs. */
#pragma once
#include "search.h"
#include "search_filter.h"
#include "tx.h"

struct search_wanted {
        const struct search_query *query;
        const struct search_names *names;  /* what its names stand for */
        int64_t after;                     /* ids below this one */
        size_t limit;
};

struct search_hit {
        int64_t id;
        struct ulid ticket, entity;        /* entity: zero for the subject */
        struct str snippet;                /* in the arena */
        double score;                      /* of search_find_best: BM25 as FTS5 has it, the lower the better */
};

/* At most limit hits, of a ticket each. *ret_next: the id behind which the next page goes on, 0 at the end. */
int search_find(struct db *db, const struct caller *caller, const struct search_wanted *wanted, struct arena *arena, struct search_hit *ret_hits,
                size_t *ret_n, int64_t *ret_next);

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

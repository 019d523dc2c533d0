#include "search_find.h"
#include "search_match.h"

#include <stdlib.h>

enum {
        WORDS_MAX = 32,         /* of a ticket's own, that are looked up */
        TEXTS_MAX = 300,        /* that have a word: one in more tells nothing */
        READ_MAX = 3000,        /* texts, for all words together that are phrases to the index, "one–two" */
        LETTERS_MIN = 3, LETTERS_MAX = 100,
        LIKES_MAX = SEARCH_SHARED_MAX * TEXTS_MAX,
};

static bool known(const struct str *words, size_t n, struct str word)
{
        for (size_t i = 0; i < n; i++)
                if (str_eq(words[i], word))
                        return true;
        return false;
}

static size_t words_add(struct str text, struct str *words, size_t n)
{
        for (size_t at = 0; at < text.n && n < WORDS_MAX;) {
                size_t from = at;
                struct str word;

                while (at < text.n && search_is_letter(text.p[at]))
                        at++;
                word = (struct str){ text.p + from, at - from };
                at += at == from;
                if (word.n >= LETTERS_MIN && word.n <= LETTERS_MAX && !known(words, n, word))
                        words[n++] = word;
        }
        return n;
}

/* A word, and the tickets that have it: fewer texts than TEXTS_MAX, or none are kept. */
struct rare {
        struct str word;
        struct ulid *tickets;
        size_t n;
};

/* *left: of READ_MAX. A word that takes the last of them counts as one that is not rare. */
static int texts_look(struct db *db, struct search_match *match, struct ulid self, int64_t *left, struct rare *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT s.ticket, CASE WHEN ?2 THEN f.text END FROM search_public f CROSS JOIN search_text s ON s.id = f.rowid"
                                       " WHERE search_public MATCH ?1 ORDER BY f.rowid DESC", "ti", match->expression,
                                   (int64_t)match->n_phrases);
        bool reads = match->n_phrases > 0;
        size_t texts = 0;
        int r = 0;

        while (texts < TEXTS_MAX && (*left || !reads) && (r = db_step(db, q)) > 0) {
                struct ulid ticket = db_column_ulid(q, 0);
                bool there = ulid_eq(ticket, self);

                *left -= reads;
                r = search_match_holds(match, db_column_str(q, 1));
                if (r < 0)
                        break;
                texts += r > 0;
                for (size_t i = 0; i < ret->n && !there; i++)
                        there = ulid_eq(ret->tickets[i], ticket);
                if (r && !there)
                        ret->tickets[ret->n++] = ticket;
        }
        db_done(q);
        if (texts == TEXTS_MAX || (reads && !*left))
                ret->n = 0;
        return r < 0 ? r : 0;
}

static int word_find(struct db *db, struct str word, struct ulid self, int64_t *left, struct arena *arena, struct rare *ret)
{
        struct search_term term = { .text = word };
        struct search_match match;
        int r = search_match_init(db_handle(db), &term, 1, arena, &match);

        if (r)
                return r;
        *ret = (struct rare){ .word = word, .tickets = arena_array(arena, TEXTS_MAX, sizeof(*ret->tickets)) };
        r = texts_look(db, &match, self, left, ret);
        search_match_deinit(&match);
        return r;
}

static int rarest_first(const void *a, const void *b)
{
        size_t x = ((const struct rare *)a)->n, y = ((const struct rare *)b)->n;

        return !x != !y ? !x - !y : (x > y) - (x < y);
}

/* By score; among equals the newest ticket, whose id is the greater. */
static int likest_first(const void *a, const void *b)
{
        const struct search_like *x = a, *y = b;

        if (x->score != y->score)
                return x->score < y->score ? 1 : -1;
        return ulid_cmp(y->ticket, x->ticket);
}

int search_alike(struct db *db, struct ulid ticket, struct str subject, struct str body, struct arena *arena, size_t limit,
                 struct search_like *ret, size_t *ret_n, struct str ret_words[SEARCH_SHARED_MAX])
{
        struct search_like *likes = arena_array(arena, LIKES_MAX, sizeof(*likes));
        struct str words[WORDS_MAX];
        struct rare rare[WORDS_MAX] = { 0 };
        int64_t left = READ_MAX;
        size_t n = words_add(body, words, words_add(subject, words, 0)), n_likes = 0;

        for (size_t i = 0; i < n; i++) {
                int r = word_find(db, words[i], ticket, &left, arena, &rare[i]);

                if (r)
                        return r;
        }
        qsort(rare, n, sizeof(*rare), rarest_first);
        for (size_t i = 0; i < n && i < SEARCH_SHARED_MAX; i++) {
                ret_words[i] = rare[i].word;
                for (size_t k = 0; k < rare[i].n; k++) {
                        size_t at = 0;

                        while (at < n_likes && !ulid_eq(likes[at].ticket, rare[i].tickets[k]))
                                at++;
                        if (at == n_likes)
                                likes[n_likes++].ticket = rare[i].tickets[k];
                        likes[at].score += 1.0 / (double)rare[i].n;
                        likes[at].shared |= 1U << i;
                }
        }
        qsort(likes, n_likes, sizeof(*likes), likest_first);
        *ret_n = n_likes < limit ? n_likes : limit;
        for (size_t i = 0; i < *ret_n; i++)
                ret[i] = likes[i];
        return 0;
}

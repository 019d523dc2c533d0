/* What the words of a query are to the index of texts. It knows which texts have a word, not where in them: a phrase is all its words in one
 * text, which is then read by FTS5's own tokenizer. So exactly those are found that an index of places would find. */
#pragma once
#include "arena.h"
#include "search_query.h"
#include "ulid.h"

#include <sqlite3.h>

struct search_phrase;

struct search_match {
        struct str expression;          /* of FTS5; in the arena, as all of it */
        struct search_phrase *phrases;
        size_t n_phrases;               /* 0: what FTS5 finds is what was asked for */
        fts5_tokenizer tokenizer;
        Fts5Tokenizer *reader;
};

/* terms: one at least; they must outlive it. 0, or a negative errno. */
int search_match_init(sqlite3 *sqlite, const struct search_term *terms, size_t n, struct arena *arena, struct search_match *ret);
void search_match_deinit(struct search_match *match);
/* Whether a text that FTS5 found has the phrases, too. 1, 0, or a negative errno. */
int search_match_holds(struct search_match *match, struct str text);

/* FTS5's word for a ticket, which each of its texts has. It begins as no word of a text does, unless somebody writes that character; so
 * a term that has it is looked for in the text, and who asks for a ticket's word must ask search_text for the ticket, too. */
#define SEARCH_TICKET_MARK "\xee\x80\x80"
void search_ticket_word(struct ulid ticket, struct buf *out);

#include "search_match.h"

#include <errno.h>

/* Words in a row. */
struct search_phrase {
        struct str *words;              /* as the tokenizer folds them */
        size_t n;
        bool prefix;                    /* of the last one, its beginning */
        bool *reached;                  /* [i]: the words before the i-th are the last ones that were read */
        bool found;
};

/* ---- FTS5's tokenizer ---- */

static fts5_api *fts5_of(sqlite3 *sqlite)
{
        fts5_api *api = NULL;
        sqlite3_stmt *q;

        if (sqlite3_prepare_v2(sqlite, "SELECT fts5(?1)", -1, &q, NULL))
                return NULL;
        sqlite3_bind_pointer(q, 1, &api, "fts5_api_ptr", NULL);
        sqlite3_step(q);
        sqlite3_finalize(q);
        return api;
}

/* As the index's own is made, in migrations.c. */
static int reader_open(sqlite3 *sqlite, struct search_match *match)
{
        const char *options[] = { "remove_diacritics", "2" };
        fts5_api *api;
        void *data;

        if (match->reader)
                return 0;
        api = fts5_of(sqlite);
        if (!api || api->xFindTokenizer(api, "unicode61", &data, &match->tokenizer))
                return -EIO;
        return match->tokenizer.xCreate(data, options, 2, &match->reader) ? -ENOMEM : 0;
}

void search_match_deinit(struct search_match *match)
{
        if (match->reader)
                match->tokenizer.xDelete(match->reader);
}

/* ---- terms ---- */

struct cutting {
        struct arena *arena;
        struct str text;
        struct str *slices, *words;     /* as they are written, and folded */
        size_t n;
};

static int word_cut(void *data, int flags, const char *word, int bytes, int from, int to)
{
        struct cutting *c = data;

        (void)flags;
        c->slices[c->n] = (struct str){ c->text.p + from, (size_t)(to - from) };
        c->words[c->n++] = arena_bytes(c->arena, word, (size_t)bytes);
        return SQLITE_OK;
}

static bool is_plain(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!search_is_letter(s.p[i]) || (unsigned char)s.p[i] >= 0x80)
                        return false;
        return true;
}

static void phrase_add(struct search_match *match, const struct cutting *c, bool prefix)
{
        match->phrases[match->n_phrases++] =
                (struct search_phrase){ .words = c->words, .n = c->n, .prefix = prefix, .reached = arena_array(c->arena, c->n, sizeof(bool)) };
}

static void word_write(struct str word, bool prefix, struct buf *out)
{
        if (out->n)
                buf_text(out, " AND ");
        search_quote(word, out);
        if (prefix)
                buf_char(out, '*');
}

static int term_write(sqlite3 *sqlite, struct search_match *match, const struct search_term *term, struct arena *arena, struct buf *out)
{
        struct cutting c = { .arena = arena, .text = term->text };
        int r;

        if (is_plain(term->text)) {
                word_write(term->text, term->prefix, out);
                return 0;
        }
        r = reader_open(sqlite, match);
        if (r)
                return r;
        c.slices = arena_array(arena, term->text.n, sizeof(*c.slices));
        c.words = arena_array(arena, term->text.n, sizeof(*c.words));
        if (match->tokenizer.xTokenize(match->reader, &c, FTS5_TOKENIZE_QUERY, term->text.p, (int)term->text.n, word_cut))
                return -ENOMEM;
        for (size_t i = 0; i < c.n; i++)
                word_write(c.slices[i], term->prefix && i == c.n - 1, out);
        if (!c.n) /* FTS5 finds nothing that has it */
                word_write(term->text, false, out);
        else if (c.n > 1 || memmem(term->text.p, term->text.n, SEARCH_TICKET_MARK, strlen(SEARCH_TICKET_MARK)))
                phrase_add(match, &c, term->prefix);
        return 0;
}

int search_match_init(sqlite3 *sqlite, const struct search_term *terms, size_t n, struct arena *arena, struct search_match *ret)
{
        struct search_match match = { .phrases = arena_array(arena, n, sizeof(*match.phrases)) };
        struct buf out = { 0 };
        int r = 0;

        for (size_t i = 0; i < n && !r; i++)
                r = term_write(sqlite, &match, &terms[i], arena, &out);
        match.expression = arena_str(arena, buf_view(&out));
        buf_deinit(&out);
        if (r)
                search_match_deinit(&match);
        else
                *ret = match;
        return r;
}

/* ---- phrases ---- */

static bool word_is(const struct search_phrase *phrase, size_t i, struct str word)
{
        struct str wanted = phrase->words[i];

        if (phrase->prefix && i == phrase->n - 1 && word.n > wanted.n)
                word.n = wanted.n;
        return str_eq(word, wanted);
}

static int word_read(void *data, int flags, const char *word, int bytes, int from, int to)
{
        struct search_match *match = data;
        struct str read = { word, (size_t)bytes };
        bool all = true;

        (void)flags;
        (void)from;
        (void)to;
        for (struct search_phrase *p = match->phrases; p < match->phrases + match->n_phrases; p++) {
                for (size_t i = p->n; i-- > 0 && !p->found;) {
                        bool is = (!i || p->reached[i]) && word_is(p, i, read);

                        if (i == p->n - 1)
                                p->found = is;
                        else
                                p->reached[i + 1] = is;
                }
                all = all && p->found;
        }
        return all ? SQLITE_DONE : SQLITE_OK; /* it need read no further */
}

int search_match_holds(struct search_match *match, struct str text)
{
        if (!match->n_phrases)
                return 1;
        for (struct search_phrase *p = match->phrases; p < match->phrases + match->n_phrases; p++) {
                memset(p->reached, 0, p->n * sizeof(*p->reached));
                p->found = false;
        }
        if (match->tokenizer.xTokenize(match->reader, match, FTS5_TOKENIZE_DOCUMENT, text.p, (int)text.n, word_read))
                return -ENOMEM;
        for (struct search_phrase *p = match->phrases; p < match->phrases + match->n_phrases; p++)
                if (!p->found)
                        return 0;
        return 1;
}

void search_ticket_word(struct ulid ticket, struct buf *out)
{
        buf_text(out, SEARCH_TICKET_MARK);
        buf_hex(out, ticket.b, sizeof(ticket.b));
}

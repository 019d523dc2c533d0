#include "search_find.h"

#include "search_filter.h"
#include "search_match.h"
#include "ticket.h"

#include <errno.h>
#include <stdlib.h>

enum {
        RANKED_MAX = 10000,     /* texts with the words, of which the best are found: to rank one, it is read */
        TICKETS_MAX = 1000,     /* of a customer, those that changed last */
        SNIPPET_BYTES = 400,
};

/* ?23: the expression; ?24: ids below this one; ?25: the caller. */
#define WORDS(table, changed, visible)                                                                                 \
        "SELECT s.id, s.ticket, s.source, " SEARCH_FITS(changed)                                                       \
        " FROM " table " f CROSS JOIN search_text s ON s.id = f.rowid CROSS JOIN ticket t ON t.id = s.ticket"          \
        " WHERE " table " MATCH ?23 AND f.rowid < ?24 AND NOT t.hidden" visible " ORDER BY f.rowid DESC"
#define NO_WORDS(changed, visible)                                                                                     \
        "SELECT s.id, s.ticket, s.source, " SEARCH_FITS(changed)                                                       \
        " FROM search_text s CROSS JOIN ticket t ON t.id = s.ticket"                                                   \
        " WHERE s.source = 0 AND (?23 = ?23) AND s.id < ?24 AND NOT t.hidden" visible " ORDER BY s.id DESC"
#define MINE                                                                                                           \
        "(SELECT id FROM ticket WHERE requester = ?25 UNION SELECT ticket FROM member WHERE kind = 2 AND element = ?25" \
        " AND added AND NOT removed)"
#define ALL " AND (?25 = ?25)"
/* Each ends as soon as nobody asks on: FTS5 has its rows in this order. Merged in C, since SQLite would sort what it unites: make all
 * rows for the first one. */
static const char *const find_sql[2][2] = { /* agent or not, words or none */
        { NO_WORDS("changed", " AND s.ticket IN " MINE), WORDS("search_public", "changed", " AND s.ticket IN " MINE) },
        { NO_WORDS("touched", ALL), WORDS("search_public", "touched", ALL) },
};
static const char notes_sql[] = WORDS("search_notes", "touched", ALL);

#define RANKED(table)                                                                                                  \
        "SELECT s.id, s.ticket, s.source, " SEARCH_FITS("touched") ", f.rank"                                          \
        " FROM " table " f CROSS JOIN search_text s ON s.id = f.rowid CROSS JOIN ticket t ON t.id = s.ticket"          \
        " WHERE " table " MATCH ?23 AND f.rowid >= ?24 AND NOT t.hidden ORDER BY f.rank"
static const char *const ranked_sql[] = { RANKED("search_public"), RANKED("search_notes") };

#define RANKED_FROM(table) "SELECT rowid FROM " table " WHERE " table " MATCH ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2"
static const char *const ranked_from_sql[] = { RANKED_FROM("search_public"), RANKED_FROM("search_notes") };

/* Their tickets as the index's own word for each, so that it skips what others wrote; ORed. False where they have none. */
static int mine_match(struct db *db, struct ulid user, struct buf *out, bool *ret_any)
{
        sqlite3_stmt *q = db_query(db, "SELECT id FROM ticket WHERE id IN (SELECT id FROM ticket WHERE requester = ?1 UNION SELECT ticket FROM member"
                                       "   WHERE kind = 2 AND element = ?1 AND added AND NOT removed) AND NOT hidden"
                                       " ORDER BY changed DESC LIMIT ?2", "ui", user, (int64_t)TICKETS_MAX);
        int r;

        *ret_any = false;
        while ((r = db_step(db, q)) > 0) {
                buf_text(out, *ret_any ? " OR " : "(");
                search_ticket_word(db_column_ulid(q, 0), out);
                *ret_any = true;
        }
        buf_text(out, ") AND ");
        return r;
}

struct finding {
        struct db *db;
        bool agent;
        const struct search_wanted *wanted;
        struct arena *arena;
        struct search_hit *hits;
        size_t n;
        int rows_left;          /* to look at for this page */
        struct ulid *told;      /* tickets of earlier pages, as far as rows of this one asked; NULL: there are no earlier pages */
        size_t n_told;
        struct search_place pending; /* where a row was left that could not be decided with the rows left; else zero */
        struct search_match match;
};

static int rows_max(const struct finding *f)
{
        return f->match.n_phrases ? f->wanted->read_max : f->wanted->rows_max;
}

static int phrases_hold(struct finding *f, int64_t id, bool *ret)
{
        sqlite3_stmt *q;
        int r;

        *ret = !f->match.n_phrases;
        if (*ret)
                return 0;
        q = db_query(f->db, "SELECT text FROM search_content WHERE id = ?1", "i", id);
        r = db_step(f->db, q);
        if (r <= 0)
                return r;
        r = search_match_holds(&f->match, db_column_str(q, 0));
        db_done(q);
        *ret = r > 0;
        return r < 0 ? r : 0;
}

/* Rows by falling ids, of one statement; two have no id in common. */
struct stream {
        sqlite3_stmt *q;        /* NULL: there is none, or it is at its end */
        int64_t id;             /* of its row */
};

static int stream_step(struct db *db, struct stream *s)
{
        int r = db_step(db, s->q);

        if (r > 0)
                s->id = db_column_int(s->q, 0);
        else
                s->q = NULL;
        return r < 0 ? r : 0;
}

static struct stream *newest(struct stream streams[2])
{
        struct stream *a = &streams[0], *b = &streams[1];

        return !b->q || (a->q && a->id > b->id) ? a : b;
}

static void streams_done(struct stream streams[2])
{
        for (int i = 0; i < 2; i++)
                if (streams[i].q)
                        db_done(streams[i].q);
}

/* Of the ticket's texts, those that an earlier page may have had. */
#define EARLIER(table)                                                                                                 \
        "SELECT s.id FROM " table " f CROSS JOIN search_text s ON s.id = f.rowid WHERE " table " MATCH ?1"             \
        " AND f.rowid >= ?2 AND f.rowid < ?3 AND s.ticket = ?4 ORDER BY f.rowid DESC"
static const char *const earlier_sql[] = { EARLIER("search_public"), EARLIER("search_notes") };

/* Both have been stepped to their first row. Where the rows left do not suffice, the hit is pending. */
static int earlier_find(struct finding *f, const struct search_hit *hit, struct stream streams[2], int64_t below, bool *ret)
{
        struct stream *s;
        int r = 0;

        while (!r && !*ret && (s = newest(streams))->q) {
                if (!f->rows_left) {
                        f->pending = (struct search_place){ .below = hit->id + 1, .newer_below = below };
                        break;
                }
                f->rows_left--;
                below = s->id;
                r = phrases_hold(f, s->id, ret);
                if (!r)
                        r = stream_step(f->db, s);
        }
        return r;
}

/* Whether an earlier page had this ticket: by a newer text that matches, too. */
static int was_earlier(struct finding *f, const struct search_hit *hit, bool *ret)
{
        const struct search_place *from = &f->wanted->from;
        int64_t below = hit->id == from->below - 1 ? from->newer_below : INT64_MAX;
        struct stream streams[2] = { 0 };
        struct buf narrow = { 0 };
        int r = 0;

        search_ticket_word(hit->ticket, &narrow);
        buf_text(&narrow, " AND ");
        buf_str(&narrow, f->match.expression);
        for (int i = 0; i < (f->agent ? 2 : 1) && !r; i++) {
                streams[i].q = db_query(f->db, earlier_sql[i], "tiiu", buf_view(&narrow), from->below, below, hit->ticket);
                r = stream_step(f->db, &streams[i]);
        }
        if (!r)
                r = earlier_find(f, hit, streams, below, ret);
        streams_done(streams);
        buf_deinit(&narrow);
        return r;
}

static bool is_told(const struct finding *f, struct ulid ticket)
{
        for (size_t i = 0; i < f->n; i++)
                if (ulid_eq(f->hits[i].ticket, ticket))
                        return true;
        for (size_t i = 0; i < f->n_told; i++)
                if (ulid_eq(f->told[i], ticket))
                        return true;
        return false;
}

/* What the op at this position made. */
static int made_at(struct db *db, int64_t seq, struct ulid *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT op_id, n FROM op WHERE seq = ?1", "i", seq);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = op_entity(db_column_ulid(q, 0), (uint32_t)db_column_int(q, 1));
        db_done(q);
        return 0;
}

/* A row of the query that fits: a hit, unless its ticket is there already. */
static int row_take(struct finding *f, sqlite3_stmt *q)
{
        struct search_hit hit = { .id = db_column_int(q, 0), .ticket = db_column_ulid(q, 1) };
        enum search_source source = (enum search_source)db_column_int(q, 2);
        bool holds = false, earlier = false;
        int r = is_told(f, hit.ticket) ? 0 : phrases_hold(f, hit.id, &holds);

        if (!r && holds && f->told)
                r = was_earlier(f, &hit, &earlier);
        if (earlier)
                f->told[f->n_told++] = hit.ticket;
        if (r || !holds || earlier || f->pending.below)
                return r;
        if (source == SEARCH_COMMENT || source == SEARCH_NOTE)
                r = made_at(f->db, hit.id, &hit.entity);
        if (r)
                return r;
        f->hits[f->n++] = hit;
        return 0;
}

/* Both have been stepped to their first row. */
static int rows_take(struct finding *f, struct stream streams[2], struct search_place *ret_next)
{
        struct stream *s;
        int64_t last = 0;
        int r = 0;

        while (!r && !f->pending.below && (s = newest(streams))->q) {
                if (f->n == f->wanted->limit || !f->rows_left) {
                        *ret_next = (struct search_place){ .below = last, .newer_below = INT64_MAX };
                        return 0;
                }
                f->rows_left--;
                last = s->id;
                r = db_column_int(s->q, 3) ? row_take(f, s->q) : 0;
                if (!r)
                        r = stream_step(f->db, s);
        }
        *ret_next = f->pending;
        return r;
}

static int streams_take(struct finding *f, struct stream streams[2], size_t n, struct search_place *ret_next)
{
        int r = 0;

        for (size_t i = 0; i < n && !r; i++)
                r = stream_step(f->db, &streams[i]);
        if (!r)
                r = rows_take(f, streams, ret_next);
        streams_done(streams);
        return r;
}

static struct str cut(struct str s)
{
        if (s.n > SNIPPET_BYTES)
                for (s.n = SNIPPET_BYTES; s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
                        s.n--;
        return s;
}

/* Made of the hits alone, once they are known: FTS5 reads a text for it, and compares each word of that with each of the expression. It goes through
 * what lies between their ids, since to look a beginning of words up anew for each takes longer. */
#define SNIPPETS(table)                                                                                                \
        "SELECT f.rowid, snippet(" table ", 0, '', '', '…', 24) FROM " table " f WHERE " table " MATCH ?1"              \
        " AND f.rowid BETWEEN ?2 AND ?3 AND +f.rowid IN (SELECT value FROM json_each(?4))"
static const char *const snippets_sql[] = { SNIPPETS("search_public"), SNIPPETS("search_notes") };

static int snippets_read(struct finding *f, sqlite3_stmt *q)
{
        int r;

        while ((r = db_step(f->db, q)) > 0)
                for (size_t i = 0; i < f->n; i++)
                        if (f->hits[i].id == db_column_int(q, 0))
                                f->hits[i].snippet = arena_str(f->arena, cut(db_column_str(q, 1)));
        return r;
}

static int snippets_make(struct finding *f)
{
        struct buf ids = { 0 }, match = { 0 };
        int64_t from = INT64_MAX, to = 0;
        int r = 0;

        for (size_t i = 0; i < f->n; i++) {
                int64_t id = f->hits[i].id;

                from = id < from ? id : from;
                to = id > to ? id : to;
                buf_format(&ids, "%c%lld", i ? ',' : '[', (long long)id);
                if (!f->agent) { /* who may have the word among very many texts of others */
                        buf_text(&match, i ? " OR " : "(");
                        search_ticket_word(f->hits[i].ticket, &match);
                }
        }
        buf_text(&ids, "]");
        buf_text(&match, f->agent ? "" : ") AND ");
        buf_str(&match, f->match.expression);
        for (int i = 0; i < (f->agent ? 2 : 1) && f->n && !r; i++)
                r = snippets_read(f, db_query(f->db, snippets_sql[i], "tiit", buf_view(&match), from, to, buf_view(&ids)));
        buf_deinit(&ids);
        buf_deinit(&match);
        return r;
}

static sqlite3_stmt *find_query(struct finding *f, const char *sql, const struct search_filter *filter, struct str match, struct ulid user)
{
        return db_query(f->db, sql, SEARCH_FILTER_TYPES "tiu", SEARCH_FILTER_VALUES(filter), match, f->wanted->from.below, user);
}

int search_find(struct db *db, const struct caller *caller, const struct search_wanted *wanted, struct arena *arena, struct search_hit *ret_hits,
                size_t *ret_n, struct search_place *ret_next)
{
        const struct search_query *query = wanted->query;
        struct buf own = { 0 };
        struct search_filter filter;
        struct finding f = { .db = db, .agent = caller_is_agent(caller), .wanted = wanted, .arena = arena, .hits = ret_hits };
        struct stream streams[2] = { 0 };
        size_t n = 1;
        bool any = true;
        int r = 0;

        *ret_n = 0;
        *ret_next = (struct search_place){ 0 };
        if (query->n_terms) {
                r = search_match_init(db_handle(db), query->terms, query->n_terms, arena, &f.match);
                if (wanted->from.below != INT64_MAX)
                        f.told = arena_array(arena, (size_t)rows_max(&f), sizeof(*f.told));
                if (!r && !f.agent)
                        r = mine_match(db, caller->user, &own, &any);
                buf_str(&own, f.match.expression);
        }
        f.rows_left = rows_max(&f);
        if (!r && any) {
                search_filter_init(query, wanted->names, f.agent, arena, &filter);
                streams[0].q = find_query(&f, find_sql[f.agent][query->n_terms > 0], &filter, buf_view(&own), caller->user);
                if (f.agent && query->n_terms)
                        streams[n++].q = find_query(&f, notes_sql, &filter, buf_view(&own), caller->user);
                r = streams_take(&f, streams, n, ret_next);
                if (!r && query->n_terms)
                        r = snippets_make(&f);
        }
        *ret_n = f.n;
        search_match_deinit(&f.match);
        buf_deinit(&own);
        return r;
}

static int by_score(const void *a, const void *b)
{
        const struct search_hit *x = a, *y = b;

        return x->score != y->score ? (x->score > y->score) - (x->score < y->score) : (x->id < y->id) - (x->id > y->id);
}

/* The best of one index. */
static int ranked_take(struct finding *f, sqlite3_stmt *q)
{
        int r = 0;

        for (; f->n < f->wanted->limit && f->rows_left && (r = db_step(f->db, q)) > 0; f->rows_left--) {
                size_t before = f->n;

                r = db_column_int(q, 3) ? row_take(f, q) : 0;
                if (r)
                        break;
                if (f->n > before)
                        f->hits[before].score = sqlite3_column_double(q, 4);
        }
        db_done(q);
        return r < 0 ? r : 0;
}

/* The oldest of the newest texts that are ranked. */
static int ranked_from(struct db *db, const char *sql, struct str match, int64_t *ret)
{
        int r = db_int(db, ret, sql, "ti", match, (int64_t)RANKED_MAX - 1);

        if (r == -ENOENT)
                *ret = 0;
        return r == -ENOENT ? 0 : r;
}

int search_find_best(struct db *db, const struct search_wanted *wanted, struct arena *arena, struct search_hit *ret_hits, size_t *ret_n)
{
        struct search_hit *all = arena_array(arena, 2 * wanted->limit, sizeof(*all));
        struct search_filter filter;
        struct search_match match;
        size_t n = 0;
        struct finding best;
        int r = search_match_init(db_handle(db), wanted->query->terms, wanted->query->n_terms, arena, &match);

        if (r)
                return r;
        best = (struct finding){ .db = db, .agent = true, .wanted = wanted, .arena = arena, .hits = ret_hits, .match = match };
        search_filter_init(wanted->query, wanted->names, true, arena, &filter);
        for (int i = 0; i < 2 && !r; i++) {
                struct finding f = best;
                int64_t from;

                f.hits = all + n;
                f.rows_left = rows_max(&f);
                r = ranked_from(db, ranked_from_sql[i], match.expression, &from);
                if (!r)
                        r = ranked_take(&f, db_query(db, ranked_sql[i], SEARCH_FILTER_TYPES "ti", SEARCH_FILTER_VALUES(&filter), match.expression, from));
                n += f.n;
        }
        if (!r && n)
                qsort(all, n, sizeof(*all), by_score);
        for (size_t i = 0; i < n && !r && best.n < wanted->limit; i++)
                if (!is_told(&best, all[i].ticket)) /* a ticket may have hits in both */
                        ret_hits[best.n++] = all[i];
        if (!r)
                r = snippets_make(&best);
        search_match_deinit(&match);
        *ret_n = best.n;
        return r;
}

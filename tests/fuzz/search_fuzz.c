/* What is typed to search: a query that is taken finds what an index of places would, in a text that comes before it; one that is refused says where. */
#include "services/store/search_match.h"
#include <sqlite3.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3_stmt *prepared(sqlite3 *sqlite, const char *sql)
{
        sqlite3_stmt *q;

        if (sqlite3_prepare_v2(sqlite, sql, -1, &q, NULL))
                __builtin_trap();
        return q;
}

static sqlite3 *tables(void)
{
        static sqlite3 *sqlite;

        if (!sqlite && (sqlite3_open(":memory:", &sqlite) ||
                        sqlite3_exec(sqlite, "CREATE VIRTUAL TABLE placed USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');"
                                             "CREATE VIRTUAL TABLE bare USING fts5(text, detail = 'none', tokenize = 'unicode61 remove_diacritics 2')",
                                     NULL, NULL, NULL)))
                __builtin_trap();
        return sqlite;
}

static void text_put(struct str text)
{
        static sqlite3_stmt *put[2];

        for (int i = 0; i < 2; i++) {
                if (!put[i])
                        put[i] = prepared(tables(), i ? "REPLACE INTO placed(rowid, text) VALUES(1, ?1)" : "REPLACE INTO bare(rowid, text) VALUES(1, ?1)");
                sqlite3_bind_text(put[i], 1, text.p, (int)text.n, SQLITE_STATIC);
                if (sqlite3_step(put[i]) != SQLITE_DONE)
                        __builtin_trap();
                sqlite3_reset(put[i]);
        }
}

static bool finds(sqlite3_stmt *q, struct str expression)
{
        bool row;

        sqlite3_bind_text(q, 1, expression.p, (int)expression.n, SQLITE_STATIC);
        row = sqlite3_step(q) == SQLITE_ROW;
        if (sqlite3_reset(q) != SQLITE_OK)
                __builtin_trap();
        return row;
}

static void match(const struct search_query *query, struct str text)
{
        static sqlite3_stmt *placed, *bare;
        static struct arena arena;
        struct search_match match;
        struct buf by_place = { 0 };

        if (!placed) {
                placed = prepared(tables(), "SELECT 1 FROM placed WHERE placed MATCH ?1");
                bare = prepared(tables(), "SELECT 1 FROM bare WHERE bare MATCH ?1");
        }
        text_put(text);
        for (size_t i = 0; i < query->n_terms; i++) {
                buf_text(&by_place, i ? " AND " : "");
                search_quote(query->terms[i].text, &by_place);
                buf_text(&by_place, query->terms[i].prefix ? "*" : "");
        }
        if (search_match_init(tables(), query->terms, query->n_terms, &arena, &match))
                __builtin_trap();
        if (finds(placed, buf_view(&by_place)) != (finds(bare, match.expression) && search_match_holds(&match, text)))
                __builtin_trap();
        search_match_deinit(&match);
        buf_deinit(&by_place);
        arena_reset(&arena);
}

/* A line of text, or none, and the query. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str query_text = { (const char *)data, size }, text = STR("a printer burns");
        struct search_query query;
        struct search_fault fault = { 0 };

        if (str_utf8_length(query_text) < 0)
                return 0; /* the codec refuses it */
        if (memchr(data, '\n', size))
                text = str_cut(&query_text, '\n');
        if (search_query_parse(query_text, &query, &fault)) {
                if (!fault.column || fault.column > (size_t)str_utf8_length(query_text) + 1 || !fault.reason[0])
                        __builtin_trap();
        } else if (query.n_terms) {
                match(&query, text);
        }
        return 0;
}

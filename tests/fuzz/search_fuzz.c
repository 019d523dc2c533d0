/* What is typed to search: a query that is taken makes an expression that FTS5 takes, too; one that is refused says where. */
#include "services/store/search_query.h"
#include <sqlite3.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3_stmt *matching(void)
{
        static sqlite3_stmt *q;
        sqlite3 *db;

        if (q)
                return q;
        if (sqlite3_open(":memory:", &db) ||
            sqlite3_exec(db, "CREATE VIRTUAL TABLE t USING fts5(text, ticket, tokenize = 'unicode61 remove_diacritics 2');"
                             "INSERT INTO t VALUES('a printer burns', 'x')", NULL, NULL, NULL) ||
            sqlite3_prepare_v2(db, "SELECT 1 FROM t WHERE t MATCH ?1", -1, &q, NULL))
                __builtin_trap();
        return q;
}

static void match(const struct search_query *query)
{
        sqlite3_stmt *q = matching();
        struct buf text = { 0 };

        search_query_match(query, &text);
        sqlite3_bind_text(q, 1, buf_z(&text), -1, SQLITE_STATIC);
        while (sqlite3_step(q) == SQLITE_ROW)
                ;
        if (sqlite3_reset(q) != SQLITE_OK)
                __builtin_trap();
        buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = { (const char *)data, size };
        struct search_query query;
        struct search_fault fault = { 0 };

        if (str_utf8_length(text) < 0)
                return 0; /* the codec refuses it */
        if (search_query_parse(text, &query, &fault)) {
                if (!fault.column || fault.column > (size_t)str_utf8_length(text) + 1 || !fault.reason[0])
                        __builtin_trap();
        } else if (query.n_terms) {
                match(&query);
        }
        return 0;
}

#include "rows.h"

#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 32 };

struct rows {
        struct db *from, *to;
        int rows_a_commit;
        sqlite3_value **values;         /* of the rows that one commit writes */
        double us;
};

static sqlite3_stmt *prepare(struct db *db, const char *sql)
{
        sqlite3_stmt *q;

        if (sqlite3_prepare_v2(db_handle(db), sql, -1, &q, NULL) != SQLITE_OK)
                bench_fail("SQLite: %s: %s", sql, db_error(db));
        return q;
}

static void must(struct rows *r, bool good)
{
        if (!good)
                bench_fail("SQLite: %s", db_error(r->to));
}

static size_t rows_load(struct rows *r, sqlite3_stmt *q, int columns)
{
        size_t n = 0;

        while (n < (size_t)r->rows_a_commit && sqlite3_step(q) == SQLITE_ROW) {
                for (int i = 0; i < columns; i++)
                        r->values[n * COLUMNS_MAX + (size_t)i] = sqlite3_value_dup(sqlite3_column_value(q, i));
                n++;
        }
        return n;
}

static void rows_commit(struct rows *r, sqlite3_stmt *insert, int columns, size_t n)
{
        double began = steady_us();

        must(r, !db_begin(r->to));
        for (size_t row = 0; row < n; row++) {
                for (int i = 0; i < columns; i++)
                        sqlite3_bind_value(insert, i + 1, r->values[row * COLUMNS_MAX + (size_t)i]);
                must(r, sqlite3_step(insert) == SQLITE_DONE);
                sqlite3_reset(insert);
        }
        must(r, !db_commit(r->to));
        r->us += steady_us() - began;
        for (size_t row = 0; row < n; row++)
                for (int i = 0; i < columns; i++)
                        sqlite3_value_free(r->values[row * COLUMNS_MAX + (size_t)i]);
}

static void rows_copy(struct rows *r, const char *select, const char *insert)
{
        sqlite3_stmt *from = prepare(r->from, select), *to = prepare(r->to, insert);
        int columns = sqlite3_bind_parameter_count(to);
        size_t n;

        if (columns > COLUMNS_MAX)
                bench_fail("%s: more than %d columns", insert, COLUMNS_MAX);
        do {
                n = rows_load(r, from, columns);
                rows_commit(r, to, columns, n);
        } while (n == (size_t)r->rows_a_commit);
        sqlite3_finalize(from);
        sqlite3_finalize(to);
}

static void table_copy(struct rows *r, const char *table)
{
        struct buf select = { 0 }, insert = { 0 };
        sqlite3_stmt *q;

        buf_format(&select, "SELECT * FROM %s", table);
        q = prepare(r->from, buf_z(&select));
        buf_format(&insert, "INSERT INTO %s VALUES(?1", table);
        for (int i = 2; i <= sqlite3_column_count(q); i++)
                buf_format(&insert, ", ?%d", i);
        buf_text(&insert, ")");
        sqlite3_finalize(q);
        rows_copy(r, buf_z(&select), buf_z(&insert));
        buf_deinit(&insert);
        buf_deinit(&select);
}

/* A chunk by one statement: for each one more FTS5 would write a segment. */
#define INDEX(table, notes)                                                                                            \
        "INSERT INTO " table "(rowid, text, ticket) SELECT c.id, c.text, c.ticket FROM search_text s CROSS JOIN search_content c ON c.id = s.id"    \
        " WHERE s.id > ?1 AND s.id <= ?2 AND (s.source IN (2, 4)) = " notes " ORDER BY s.id"
static void index_write(struct rows *r, const char *sql)
{
        int64_t from = 0, to;
        double began;

        while (!db_int(r->to, &to, "SELECT id FROM (SELECT id FROM search_text WHERE id > ?1 ORDER BY id LIMIT ?2) ORDER BY id DESC LIMIT 1", "ii", from,
                       (int64_t)r->rows_a_commit)) {
                began = steady_us();
                must(r, !db_begin(r->to) && !db_do(r->to, sql, "ii", from, to) && !db_commit(r->to));
                r->us += steady_us() - began;
                from = to;
        }
}

/* FTS5's own tables are written by FTS5. */
static const char tables_sql[] =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT LIKE 'search\\_public\\_%' ESCAPE '\\'"
        " AND name NOT LIKE 'search\\_notes\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

double rows_write(struct db *from, const char *path, int rows_a_commit)
{
        struct rows r = { .from = from, .rows_a_commit = rows_a_commit };
        sqlite3_stmt *tables = prepare(from, tables_sql);

        r.values = calloc((size_t)rows_a_commit * COLUMNS_MAX, sizeof(sqlite3_value *));
        if (!r.values || db_open(path, 0, NULL, &store_migrations, &r.to))
                bench_fail("%s can't be made", path);
        must(&r, !db_run(r.to, "DROP TRIGGER ticket_counted; DROP TRIGGER ticket_counted_first"));
        while (sqlite3_step(tables) == SQLITE_ROW)
                table_copy(&r, (const char *)sqlite3_column_text(tables, 0));
        sqlite3_finalize(tables);
        index_write(&r, INDEX("search_public", "0"));
        index_write(&r, INDEX("search_notes", "1"));
        free(r.values);
        db_close(r.to);
        return r.us;
}

/* What an audit says, and the comparison of all tables with those that were folded anew. */
#include "audit.h"

#include <stdio.h>

void report_init(struct report *report, struct arena *arena)
{
        *report = (struct report){ .arena = arena, .items = arena_array(arena, ROWS_REPORTED_MAX, sizeof(struct str)) };
}

void report_add(struct report *report, const char *format, ...)
{
        char line[400];
        va_list args;

        if (report->n == ROWS_REPORTED_MAX)
                return;
        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        report->items[report->n++] = arena_str(report->arena, str_of(line));
}

static bool columns_equal(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
        if (sqlite3_column_type(a, column) != sqlite3_column_type(b, column))
                return false;
        if (sqlite3_column_type(a, column) == SQLITE_INTEGER)
                return db_column_int(a, column) == db_column_int(b, column);
        return str_eq(db_column_str(a, column), db_column_str(b, column));
}

static void row_report(struct report *report, const char *table, const char *what, sqlite3_stmt *q)
{
        struct buf key = { 0 };

        if (sqlite3_column_type(q, 0) == SQLITE_BLOB)
                buf_hex(&key, db_column_str(q, 0).p, db_column_str(q, 0).n);
        else
                buf_str(&key, db_column_str(q, 0));
        report_add(report, "%s %s: %s", table, buf_z(&key), what);
        buf_deinit(&key);
}

/* Both in the order of their keys: the first difference in each table is reported, and then how many rows it has on each side. */
static int table_compare(struct db *mine, struct db *fresh, const char *table, const char *sql, struct report *report)
{
        sqlite3_stmt *a = db_query(mine, sql, ""), *b = db_query(fresh, sql, "");
        int ra, rb;

        for (;;) {
                ra = db_step(mine, a);
                rb = db_step(fresh, b);
                if (ra < 0 || rb < 0 || (!ra && !rb))
                        break;
                if (ra != rb) {
                        row_report(report, table, ra ? "is not in the log" : "is in the log, and missing here", ra ? a : b);
                        break;
                }
                for (int i = 0; i < sqlite3_column_count(a); i++) {
                        char what[96];

                        if (columns_equal(a, b, i))
                                continue;
                        snprintf(what, sizeof(what), "%s is not what the log says", sqlite3_column_name(a, i));
                        row_report(report, table, what, a);
                        ra = 0;
                        break;
                }
                if (!ra)
                        break;
        }
        db_done(a);
        db_done(b);
        return ra < 0 ? ra : rb < 0 ? rb : 0;
}

int tables_compare(struct db *mine, struct db *fresh, struct report *report)
{
        static const struct {
                const char *table, *sql;
        } tables[] = {
                { "ticket", "SELECT * FROM ticket ORDER BY id" },
                { "register", "SELECT * FROM register ORDER BY entity, field, stamp" },
                { "member", "SELECT * FROM member ORDER BY ticket, kind, element, adder" },
                { "comment", "SELECT * FROM comment ORDER BY id" },
                { "note", "SELECT * FROM note ORDER BY id" },
                { "attachment", "SELECT * FROM attachment ORDER BY id" },
                { "person", "SELECT * FROM person ORDER BY id" },
                { "project", "SELECT * FROM project" },
                { "field_value", "SELECT * FROM field_value ORDER BY ticket, field" },
                { "ticket_count", "SELECT * FROM ticket_count ORDER BY state, priority, assignee, type, team" },
                { "mention", "SELECT * FROM mention ORDER BY user, comment" },
                { "definition", "SELECT * FROM definition ORDER BY kind, id" },
                { "due", "SELECT * FROM due WHERE kind = 1 ORDER BY target" },
                { "op_text", "SELECT id FROM op_text ORDER BY id" },
        };
        static const char counts[] = "SELECT id, comments, notes FROM ticket WHERE"
                                     " comments <> (SELECT count(*) FROM comment WHERE ticket = ticket.id AND NOT comment.hidden AND NOT deleted)"
                                     " OR notes <> (SELECT count(*) FROM note WHERE ticket = ticket.id AND NOT note.hidden AND NOT deleted)";
        sqlite3_stmt *q;
        int r = 0;

        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !r; i++)
                r = table_compare(mine, fresh, tables[i].table, tables[i].sql, report);
        if (r)
                return r;
        q = db_query(mine, counts, "");
        while ((r = db_step(mine, q)) > 0)
                row_report(report, "ticket", "a count is not what it counts", q);
        return r;
}

/* FTS5's own count of texts and of words in each column; of an index that never had one it is empty. */
#define TEXTS_AND_WORDS(table)                                                                                         \
        "SELECT 'its texts and words' AS total, coalesce(nullif(block, x'000000'), x'') AS count FROM " table "_data WHERE id = 1"

int search_compare(struct db *mine, struct db *fresh, struct report *report)
{
        int r = table_compare(mine, fresh, "search_text", "SELECT * FROM search_text ORDER BY id", report);

        if (!r)
                r = table_compare(mine, fresh, "search_public", "SELECT * FROM search_public_words", report);
        if (!r)
                r = table_compare(mine, fresh, "search_public", TEXTS_AND_WORDS("search_public"), report);
        if (!r)
                r = table_compare(mine, fresh, "search_notes", "SELECT * FROM search_notes_words", report);
        return r ? r : table_compare(mine, fresh, "search_notes", TEXTS_AND_WORDS("search_notes"), report);
}

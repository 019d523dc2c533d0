#include "db.h"
#include "log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct room {
        char dir[64], path[96], backup[128];
        struct db *db;
};

static const char *const steps[] = {
        "CREATE TABLE thing(id BLOB PRIMARY KEY, name TEXT NOT NULL, size INTEGER, body BLOB) STRICT, WITHOUT ROWID",
        "ALTER TABLE thing ADD COLUMN colour TEXT; UPDATE thing SET colour = 'red'",
        "CREATE TABLE other(x INTEGER); THIS IS NOT SQL",
};
static const struct db_migrations one = { steps, 1 }, two = { steps, 2 }, broken = { steps, 3 };

static int enter(void **state)
{
        struct room *r = calloc(1, sizeof(*r));

        strcpy(r->dir, "/tmp/db_test.XXXXXX");
        if (!mkdtemp(r->dir))
                return -1;
        snprintf(r->path, sizeof(r->path), "%s/t.db", r->dir);
        snprintf(r->backup, sizeof(r->backup), "%s.before-1", r->path);
        log_open("test", 0);    /* what is refused here is meant to be */
        *state = r;
        return 0;
}

static int leave(void **state)
{
        struct room *r = *state;
        char command[128];

        db_close(r->db);
        snprintf(command, sizeof(command), "rm -r %s", r->dir);
        free(r);
        return system(command);
}

static void open_at(struct room *r, const struct db_migrations *m)
{
        db_close(r->db);
        r->db = NULL;
        assert_int_equal(db_open(r->path, 0, NULL, m, &r->db), 0);
}

static int64_t number(struct room *r, const char *sql)
{
        int64_t n = -1;

        assert_int_equal(db_int(r->db, &n, sql, ""), 0);
        return n;
}

static struct ulid id(uint8_t n)
{
        struct ulid u = { 0 };

        u.b[15] = n;
        return u;
}

static void put(struct room *r, uint8_t n, const char *name)
{
        assert_int_equal(db_do(r->db, "INSERT INTO thing(id, name) VALUES(?, ?)", "ut", id(n), str_of(name)), 0);
}

static void values_of_every_letter_come_back_as_they_went(void **state)
{
        struct room *r = *state;
        struct str body = { "a\0b", 3 };
        struct ulid u = id(1);
        int64_t size = -5;
        sqlite3_stmt *q;

        open_at(r, &one);
        assert_int_equal(db_do(r->db, "INSERT INTO thing VALUES(?, ?, ?, ?)", "utib", u, STR("n\xc3\xa4me"), INT64_C(1) << 40, body), 0);
        assert_int_equal(db_do(r->db, "INSERT INTO thing VALUES(?, ?, ?, ?)", "UtIB", &(struct ulid){ { 2 } }, STR(""), &size, &body), 0);
        assert_int_equal(db_do(r->db, "INSERT INTO thing VALUES(?, ?, ?, ?)", "utIB", id(3), STR("x"), NULL, NULL), 0);
        assert_int_equal(db_do(r->db, "INSERT INTO thing VALUES(?, ?, ?, ?)", "utnb", id(4), STR("y"), (struct str){ 0 }), 0);

        q = db_query(r->db, "SELECT id, name, size, body FROM thing WHERE id = ?", "u", u);
        assert_int_equal(db_step(r->db, q), 1);
        assert_true(ulid_eq(db_column_ulid(q, 0), u));
        assert_true(str_is(db_column_str(q, 1), "n\xc3\xa4me"));
        assert_int_equal(db_column_int(q, 2), INT64_C(1) << 40);
        assert_true(str_eq(db_column_str(q, 3), body));
        assert_int_equal(db_step(r->db, q), 0);

        q = db_query(r->db, "SELECT name, size, body FROM thing WHERE id = ?", "U", &(struct ulid){ { 2 } });
        assert_int_equal(db_step(r->db, q), 1);
        assert_false(db_column_is_null(q, 0));
        assert_int_equal(db_column_str(q, 0).n, 0);
        assert_int_equal(db_column_int(q, 1), -5);
        db_done(q);

        q = db_query(r->db, "SELECT size, body FROM thing WHERE id = ?", "u", id(3));
        assert_int_equal(db_step(r->db, q), 1);
        assert_true(db_column_is_null(q, 0) && db_column_is_null(q, 1));
        assert_true(ulid_is_zero(db_column_ulid(q, 1)));
        db_done(q);

        q = db_query(r->db, "SELECT size, body FROM thing WHERE id = ?", "u", id(4));
        assert_int_equal(db_step(r->db, q), 1);
        assert_true(db_column_is_null(q, 0));
        assert_false(db_column_is_null(q, 1));
        db_done(q);
}

static void a_missing_row_and_a_repeated_key_are_told_apart(void **state)
{
        struct room *r = *state;
        int64_t n = 7;

        open_at(r, &one);
        put(r, 1, "first");
        assert_int_equal(db_int(r->db, &n, "SELECT size FROM thing WHERE id = ?", "u", id(9)), -ENOENT);
        assert_int_equal(n, 7);
        assert_int_equal(db_do(r->db, "INSERT INTO thing(id, name) VALUES(?, 'x')", "u", id(1)), -EEXIST);
        assert_non_null(strstr(db_error(r->db), "UNIQUE"));
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 1);
}

static void a_statement_is_compiled_once_for_each_text(void **state)
{
        struct room *r = *state;
        static const char sql[] = "SELECT count(*) FROM thing WHERE size = ?";
        static char texts[300][64];
        sqlite3_stmt *q;

        open_at(r, &one);
        q = db_query(r->db, sql, "i", INT64_C(1));
        db_done(q);
        for (int i = 0; i < 300; i++) {
                snprintf(texts[i], sizeof(texts[i]), "SELECT %d + ?", i);
                db_done(db_query(r->db, texts[i], "i", INT64_C(1)));
        }
        assert_ptr_equal(db_query(r->db, sql, "i", INT64_C(2)), q);
        for (int i = 0; i < 300; i++) {
                int64_t n;

                assert_int_equal(db_int(r->db, &n, texts[i], "i", INT64_C(5)), 0);
                assert_int_equal(n, i + 5);
        }
}

static void it_is_durable_leaves_no_trace_of_the_deleted_and_maps_nothing(void **state)
{
        struct room *r = *state;
        sqlite3_stmt *q;

        open_at(r, &one);
        assert_int_equal(number(r, "PRAGMA synchronous"), 2);
        assert_int_equal(number(r, "PRAGMA secure_delete"), 1);
        assert_int_equal(number(r, "PRAGMA foreign_keys"), 0);
        assert_int_equal(number(r, "PRAGMA journal_size_limit"), 16 * 1024 * 1024);
        assert_int_not_equal(sqlite3_prepare_v2(db_handle(r->db), "SELECT \"not a column\"", -1, &q, NULL), SQLITE_OK);
        q = db_query(r->db, "PRAGMA journal_mode", "");
        assert_int_equal(db_step(r->db, q), 1);
        assert_true(str_is(db_column_str(q, 0), "wal"));
        db_done(q);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
        struct room *r = *state;

        open_at(r, &one);
        assert_int_equal(db_begin(r->db), 0);
        put(r, 1, "a");
        db_rollback(r->db);
        db_rollback(r->db);     /* harmless without a transaction */
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 0);
        assert_int_equal(db_begin(r->db), 0);
        put(r, 1, "a");
        assert_int_equal(db_commit(r->db), 0);
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 1);
}

static void a_full_disk_is_told_and_heals(void **state)
{
        struct room *r = *state;
        struct buf big = { 0 };
        int64_t before;
        int result = 0;

        open_at(r, &one);
        before = number(r, "PRAGMA max_page_count = 20");
        assert_int_equal(before, 20);
        memset(buf_reserve(&big, 8192), 'x', 8192);
        big.n = 8192;
        assert_int_equal(db_begin(r->db), 0);
        for (uint8_t i = 0; i < 50 && result == 0; i++)
                result = db_do(r->db, "INSERT INTO thing(id, name, body) VALUES(?, 'x', ?)", "ub", id(i), buf_view(&big));
        assert_int_equal(result, -ENOSPC);
        db_rollback(r->db);
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 0);
        assert_int_equal(number(r, "PRAGMA max_page_count = 1000"), 1000);
        put(r, 1, "again");
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 1);
        buf_deinit(&big);
}

static void a_migration_runs_once_and_copies_the_old_database_first(void **state)
{
        struct room *r = *state;

        open_at(r, &one);
        assert_int_not_equal(access(r->backup, F_OK), 0);
        put(r, 1, "old");
        open_at(r, &two);
        assert_int_equal(number(r, "SELECT count(*) FROM thing WHERE colour = 'red'"), 1);
        assert_int_equal(number(r, "PRAGMA user_version"), 2);
        put(r, 2, "new");
        open_at(r, &two);
        assert_int_equal(number(r, "SELECT count(*) FROM thing WHERE colour = 'red'"), 1);

        strcpy(r->path, r->backup);
        open_at(r, &one);
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 1);
}

static void a_migration_that_fails_leaves_the_version_before_it(void **state)
{
        struct room *r = *state;
        struct db *none = NULL;

        open_at(r, &one);
        put(r, 1, "kept");
        db_close(r->db);
        r->db = NULL;
        assert_int_equal(db_open(r->path, 0, NULL, &broken, &none), -EIO);
        assert_null(none);
        open_at(r, &two);
        assert_int_equal(number(r, "PRAGMA user_version"), 2);
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 1);
        assert_int_equal(number(r, "SELECT count(*) FROM sqlite_schema WHERE name = 'other'"), 0);
}

static void no_migration_without_a_backup(void **state)
{
        struct room *r = *state;
        struct db *none = NULL;
        char part[160];

        open_at(r, &one);
        db_close(r->db);
        r->db = NULL;
        snprintf(part, sizeof(part), "%s.part", r->backup);
        assert_int_equal(mkdir(part, 0700), 0);
        assert_int_not_equal(db_open(r->path, 0, NULL, &two, &none), 0);
        open_at(r, &one);
        assert_int_equal(number(r, "PRAGMA user_version"), 1);
}

static void a_newer_database_is_refused_untouched(void **state)
{
        struct room *r = *state;
        struct db *none = NULL;

        open_at(r, &two);
        put(r, 1, "kept");
        db_close(r->db);
        r->db = NULL;
        assert_int_equal(db_open(r->path, 0, NULL, &one, &none), -EPROTO);
        assert_int_equal(db_open(r->path, DB_READ_ONLY, NULL, &one, &none), -EPROTO);
        assert_null(none);
        open_at(r, &two);
        assert_int_equal(number(r, "SELECT count(*) FROM thing"), 1);
}

static void a_reader_sees_what_was_committed_and_writes_nothing(void **state)
{
        struct room *r = *state;
        struct db *reader = NULL;
        int64_t n;

        open_at(r, &one);
        assert_int_equal(db_open(r->path, DB_READ_ONLY, NULL, &one, &reader), 0);
        assert_int_equal(db_begin(r->db), 0);
        put(r, 1, "a");
        assert_int_equal(db_int(reader, &n, "SELECT count(*) FROM thing", ""), 0);
        assert_int_equal(n, 0);
        assert_int_equal(db_commit(r->db), 0);
        assert_int_equal(db_int(reader, &n, "SELECT count(*) FROM thing", ""), 0);
        assert_int_equal(n, 1);
        assert_int_equal(db_do(reader, "DELETE FROM thing", ""), -EROFS);
        db_close(reader);
}

static void what_is_not_a_database_or_not_there_is_refused(void **state)
{
        struct room *r = *state;
        struct db *none = NULL;
        FILE *f;

        assert_int_equal(db_open(r->path, DB_READ_ONLY, NULL, &one, &none), -ENOENT);
        assert_int_equal(db_open("/nonexistent/x.db", 0, NULL, &one, &none), -ENOENT);
        f = fopen(r->path, "w");
        for (int i = 0; i < 1000; i++)
                fputs("not a database\n", f);
        fclose(f);
        assert_int_equal(db_open(r->path, 0, NULL, &one, &none), -EUCLEAN);
        assert_null(none);
}

/* Another connection writes between the parts of a copy. */
struct meddling {
        struct room *room;
        int asked, ends_at;
        int64_t pages, of;
};

static int meddle(void *data, int64_t pages, int64_t of)
{
        struct meddling *m = data;

        assert_true(pages > m->pages && pages <= of);
        m->pages = pages;
        m->of = of;
        put(m->room, (uint8_t)(200 + m->asked % 50), "beside");
        return ++m->asked == m->ends_at ? -ECANCELED : 0;
}

static void fill(struct room *r, uint8_t n, size_t size)
{
        char *body = malloc(size);

        memset(body, 'x', size);
        for (uint8_t i = 0; i < n; i++)
                assert_int_equal(db_do(r->db, "INSERT INTO thing(id, name, body) VALUES(?, 'x', ?)", "ub", id(i), (struct str){ body, size }), 0);
        free(body);
}

static void a_copy_is_of_one_moment_whoever_writes_meanwhile_and_needs_no_other_file(void **state)
{
        struct room *r = *state;
        struct meddling m = { .room = r };
        struct db *from = NULL, *copy = NULL;
        char path[128], other[160];
        int64_t n;

        open_at(r, &one);
        fill(r, 100, 40000); /* some parts */
        snprintf(path, sizeof(path), "%s/copy.db", r->dir);
        assert_int_equal(db_open(r->path, DB_READ_ONLY, NULL, &one, &from), 0);
        assert_int_equal(db_copy(from, path, NULL, NULL), 0); /* which the next one replaces */
        put(r, 150, "after it");
        assert_int_equal(db_copy(from, path, meddle, &m), 0);
        assert_true(m.asked > 2);
        assert_true(number(r, "SELECT count(*) FROM thing") > 101);
        snprintf(other, sizeof(other), "%s-wal", path);
        assert_int_not_equal(access(other, F_OK), 0);
        assert_int_equal(db_open(path, DB_READ_ONLY, NULL, &one, &copy), 0);
        assert_int_equal(db_int(copy, &n, "SELECT count(*) FROM thing", ""), 0);
        assert_int_equal(n, 101);
        db_close(copy);
        assert_int_not_equal(access(other, F_OK), 0);
        db_close(from);
}

static void a_copy_that_is_ended_or_cannot_be_made_leaves_nothing(void **state)
{
        struct room *r = *state;
        struct meddling m = { .room = r, .ends_at = 2 };
        struct db *from = NULL;
        char path[128];

        open_at(r, &one);
        fill(r, 100, 40000);
        snprintf(path, sizeof(path), "%s/copy.db", r->dir);
        assert_int_equal(db_open(r->path, DB_READ_ONLY, NULL, &one, &from), 0);
        assert_int_equal(db_copy(from, path, meddle, &m), -ECANCELED);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_not_equal(db_copy(from, "/nonexistent/copy.db", NULL, NULL), 0);
        put(r, 150, "it goes on");
        assert_int_equal(db_copy(from, path, NULL, NULL), 0);
        db_close(from);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_copy_is_of_one_moment_whoever_writes_meanwhile_and_needs_no_other_file, enter, leave),
                cmocka_unit_test_setup_teardown(a_copy_that_is_ended_or_cannot_be_made_leaves_nothing, enter, leave),
                cmocka_unit_test_setup_teardown(values_of_every_letter_come_back_as_they_went, enter, leave),
                cmocka_unit_test_setup_teardown(a_missing_row_and_a_repeated_key_are_told_apart, enter, leave),
                cmocka_unit_test_setup_teardown(a_statement_is_compiled_once_for_each_text, enter, leave),
                cmocka_unit_test_setup_teardown(it_is_durable_leaves_no_trace_of_the_deleted_and_maps_nothing, enter, leave),
                cmocka_unit_test_setup_teardown(a_rolled_back_transaction_leaves_nothing, enter, leave),
                cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_heals, enter, leave),
                cmocka_unit_test_setup_teardown(a_migration_runs_once_and_copies_the_old_database_first, enter, leave),
                cmocka_unit_test_setup_teardown(a_migration_that_fails_leaves_the_version_before_it, enter, leave),
                cmocka_unit_test_setup_teardown(no_migration_without_a_backup, enter, leave),
                cmocka_unit_test_setup_teardown(a_newer_database_is_refused_untouched, enter, leave),
                cmocka_unit_test_setup_teardown(a_reader_sees_what_was_committed_and_writes_nothing, enter, leave),
                cmocka_unit_test_setup_teardown(what_is_not_a_database_or_not_there_is_refused, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SQLite as the services use it: WAL, synchronous=FULL, foreign keys off, secure_delete on, statements cached by their SQL literal.
 *
 * A connection belongs to one thread. Errors: -EIO for I/O and corruption, -ENOSPC for a full disk, -EBUSY, -EEXIST for a
 * constraint; db_error has SQLite's words, which are for the log. */
#pragma once
#include "str.h"
#include "ulid.h"
#include <sqlite3.h>

struct db;

/* Numbered steps, forward only; step i (from 0) takes user_version from i to i + 1 in one transaction. */
struct db_migrations {
        const char *const *steps;
        int n;
};

enum {
        DB_READ_ONLY = 1,
        DB_FLEETING = 2,        /* it is thrown away in the end: no WAL, and nothing waits for the disk, migrations neither */
};
/* Opens or makes the file, and migrates it (not where DB_READ_ONLY). -EPROTO where the database is newer than the program:
 * nothing is touched. An existing database is copied to PATH.before-VERSION first. Failures are logged here, where SQLite's words
 * are. vfs: NULL for the usual one. */
int db_open(const char *path, int flags, const char *vfs, const struct db_migrations *migrations, struct db **ret);
void db_close(struct db *db);
/* Copies it as it is now, while others go on writing, to a new file (one that is there is replaced) that needs no other beside it and is on
 * the disk in the end. After each part but the last goes_on is asked (NULL: nobody is): anything but 0 ends the copy, and is answered. On an error
 * nothing is left. Pages that others write meanwhile stay in the WAL until it is done. Not within a transaction of this connection. */
int db_copy(struct db *db, const char *path, int (*goes_on)(void *data, int64_t pages, int64_t of), void *data);
sqlite3 *db_handle(struct db *db);
const char *db_error(struct db *db);
/* What its user keeps in memory of what the database says: released when the connection closes, or rolls back, since then it may not say so any
 * more. One thing for each connection. NULL: nothing is kept. */
void db_keep(struct db *db, void *kept, void (*release)(void *kept));
void *db_kept(const struct db *db);
int db_run(struct db *db, const char *sql);     /* any number of statements, without values */

/* A statement ready to step, its values bound by `types`, one letter each (NULL where there is no memory; db_step then says so):
 *   i int64_t   u struct ulid   b struct str as blob   t struct str as text   n nothing: NULL
 *   U const struct ulid *, NULL where NULL   B const struct str *, likewise as blob   I const int64_t *, likewise
 * sql must be a literal: its address is the cache's key. Bound bytes must live until the statement is done. Aborts on SQL that does not
 * compile: that is a bug. */
sqlite3_stmt *db_query(struct db *db, const char *sql, const char *types, ...);
int db_step(struct db *db, sqlite3_stmt *q);    /* 1: a row; 0: no more, and reset; or an error, and reset */
void db_done(sqlite3_stmt *q);                  /* for who stops before the last row */
int db_do(struct db *db, const char *sql, const char *types, ...);  /* query, step to the end: 0 or an error */
/* The first column of the first row: 0, -ENOENT for none, or an error. */
int db_int(struct db *db, int64_t *ret, const char *sql, const char *types, ...);

/* Columns. Bytes are valid until the next step. */
int64_t db_column_int(sqlite3_stmt *q, int column);
struct str db_column_str(sqlite3_stmt *q, int column);
struct ulid db_column_ulid(sqlite3_stmt *q, int column);   /* zero where NULL */
bool db_column_is_null(sqlite3_stmt *q, int column);

int db_begin(struct db *db);      /* IMMEDIATE */
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* One within a transaction; db_savepoint_end keeps what was done since, or undoes it. Savepoints don't nest. */
int db_savepoint(struct db *db);
void db_savepoint_end(struct db *db, bool keep);

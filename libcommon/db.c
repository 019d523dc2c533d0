#include "db.h"
#include "file.h"
#include "log.h"
#include "log_messages.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 5000, JOURNAL_SIZE_LIMIT = 16 * 1024 * 1024, COPY_PAGES = 256 };

struct db {
        sqlite3 *sqlite;
        /* Statements by the address of their SQL: open addressing, at most half full. */
        struct db_statement {
                const char *sql;
                sqlite3_stmt *statement;
                int n_values;
                struct ulid *ids;       /* room for its values that are ULIDs, which come by value */
        } *statements;
        size_t n, capacity;
        void *kept;
        void (*release)(void *kept);
};

/* No retry mends it, so it is not the I/O error that passes. */
static int damaged(sqlite3 *sqlite)
{
        const char *path = sqlite ? sqlite3_db_filename(sqlite, "main") : NULL;

        log_write(LOG_LEVEL_ERROR, LOG_DATABASE_DAMAGED, "%s is damaged: %s", path ? path : "a database",
                  sqlite ? sqlite3_errmsg(sqlite) : "it can't be read");
        return -EUCLEAN;
}

static int error_of(sqlite3 *sqlite, int rc)
{
        switch (rc & 0xff) {
        case SQLITE_OK:
        case SQLITE_DONE:
                return 0;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_CONSTRAINT:
                return -EEXIST;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return damaged(sqlite);
        case SQLITE_IOERR:
                /* The shared memory file and truncation meet a full disk too, and call it an I/O error. */
                return sqlite && sqlite3_system_errno(sqlite) == ENOSPC ? -ENOSPC : -EIO;
        default:
                return -EIO;
        }
}

sqlite3 *db_handle(struct db *db)
{
        return db->sqlite;
}

const char *db_error(struct db *db)
{
        return sqlite3_errmsg(db->sqlite);
}

void db_keep(struct db *db, void *kept, void (*release)(void *kept))
{
        assert(!db->kept);
        db->kept = kept;
        db->release = release;
}

void *db_kept(const struct db *db)
{
        return db->kept;
}

static void forget(struct db *db)
{
        if (db->kept)
                db->release(db->kept);
        db->kept = NULL;
}

static void rolled_back(void *db)
{
        forget(db);
}

int db_run(struct db *db, const char *sql)
{
        return error_of(db->sqlite, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

/* ---- statements ---- */

static struct db_statement *statement_place(struct db_statement *all, size_t capacity, const char *sql)
{
        size_t at = ((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (capacity - 1);

        while (all[at].sql && all[at].sql != sql)
                at = (at + 1) & (capacity - 1);
        return &all[at];
}

static void statements_grow(struct db *db)
{
        size_t capacity = db->capacity ? 2 * db->capacity : 128;
        struct db_statement *all = calloc(capacity, sizeof(*all));

        if (!all)
                abort();
        for (size_t i = 0; i < db->capacity; i++)
                if (db->statements[i].sql)
                        *statement_place(all, capacity, db->statements[i].sql) = db->statements[i];
        free(db->statements);
        db->statements = all;
        db->capacity = capacity;
}

static struct db_statement *statement_find(struct db *db, const char *sql)
{
        struct db_statement *s;
        int rc;

        if (2 * (db->n + 1) > db->capacity)
                statements_grow(db);
        s = statement_place(db->statements, db->capacity, sql);
        if (s->sql)
                return s;
        rc = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->statement, NULL);
        if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_ERROR)
                return NULL;    /* no memory, or the file can't be read: db_step says which */
        if (rc != SQLITE_OK) {
                log_error("SQL that does not compile: %s: %s", sqlite3_errmsg(db->sqlite), sql);
                abort();
        }
        s->sql = sql;
        s->n_values = sqlite3_bind_parameter_count(s->statement);
        s->ids = calloc((size_t)s->n_values + 1, sizeof(*s->ids));
        if (!s->ids)
                abort();
        db->n++;
        return s;
}

static int bind_bytes(sqlite3_stmt *q, int at, const void *p, size_t n, bool text)
{
        if (!p)
                p = "";         /* NULL would bind NULL; an empty value is not one */
        return text ? sqlite3_bind_text64(q, at, p, n, SQLITE_STATIC, SQLITE_UTF8)
                    : sqlite3_bind_blob64(q, at, p, n, SQLITE_STATIC);
}

/* To a place of the statement's own: SQLite's copy of it would be an allocation. */
static int bind_ulid(struct db_statement *s, int at, const struct ulid *v)
{
        if (!v)
                return sqlite3_bind_null(s->statement, at);
        s->ids[at - 1] = *v;
        return sqlite3_bind_blob(s->statement, at, s->ids[at - 1].b, sizeof(v->b), SQLITE_STATIC);
}

static int bind_value(struct db_statement *s, int at, char type, va_list *args)
{
        sqlite3_stmt *q = s->statement;

        switch (type) {
        case 'i':
                return sqlite3_bind_int64(q, at, va_arg(*args, int64_t));
        case 'I': {
                const int64_t *v = va_arg(*args, const int64_t *);
                return v ? sqlite3_bind_int64(q, at, *v) : sqlite3_bind_null(q, at);
        }
        case 'u': {
                struct ulid v = va_arg(*args, struct ulid);
                return bind_ulid(s, at, &v);
        }
        case 'U':
                return bind_ulid(s, at, va_arg(*args, const struct ulid *));
        case 'b':
        case 't': {
                struct str v = va_arg(*args, struct str);
                return bind_bytes(q, at, v.p, v.n, type == 't');
        }
        case 'B': {
                const struct str *v = va_arg(*args, const struct str *);
                return v ? bind_bytes(q, at, v->p, v->n, false) : sqlite3_bind_null(q, at);
        }
        case 'n':
                return sqlite3_bind_null(q, at);
        default:
                assert(!"a letter that db.h names");
                return SQLITE_MISUSE;
        }
}

static sqlite3_stmt *query(struct db *db, const char *sql, const char *types, va_list *args)
{
        struct db_statement *s = statement_find(db, sql);

        if (!s)
                return NULL;
        assert((size_t)s->n_values == strlen(types));
        assert(!sqlite3_stmt_busy(s->statement));       /* one statement can't be in two places at once */
        for (int i = 0; types[i]; i++)
                if (bind_value(s, i + 1, types[i], args) != SQLITE_OK)
                        return NULL;
        return s->statement;
}

sqlite3_stmt *db_query(struct db *db, const char *sql, const char *types, ...)
{
        sqlite3_stmt *q;
        va_list args;

        va_start(args, types);
        q = query(db, sql, types, &args);
        va_end(args);
        return q;
}

int db_step(struct db *db, sqlite3_stmt *q)
{
        int rc, r;

        if (!q) {
                r = error_of(db->sqlite, sqlite3_errcode(db->sqlite));
                return r ? r : -EIO;
        }
        rc = sqlite3_step(q);
        if (rc == SQLITE_ROW)
                return 1;
        r = error_of(db->sqlite, rc);
        sqlite3_reset(q);
        return r;
}

void db_done(sqlite3_stmt *q)
{
        sqlite3_reset(q);
}

int db_do(struct db *db, const char *sql, const char *types, ...)
{
        sqlite3_stmt *q;
        va_list args;
        int r;

        va_start(args, types);
        q = query(db, sql, types, &args);
        va_end(args);
        do
                r = db_step(db, q);
        while (r == 1);
        return r;
}

int db_int(struct db *db, int64_t *ret, const char *sql, const char *types, ...)
{
        sqlite3_stmt *q;
        va_list args;
        int r;

        va_start(args, types);
        q = query(db, sql, types, &args);
        va_end(args);
        r = db_step(db, q);
        if (r != 1)
                return r ? r : -ENOENT;
        *ret = sqlite3_column_int64(q, 0);
        db_done(q);
        return 0;
}

int64_t db_column_int(sqlite3_stmt *q, int column)
{
        return sqlite3_column_int64(q, column);
}

struct str db_column_str(sqlite3_stmt *q, int column)
{
        const void *p = sqlite3_column_blob(q, column);

        return p ? (struct str){ p, (size_t)sqlite3_column_bytes(q, column) } : (struct str){ "", 0 };
}

struct ulid db_column_ulid(sqlite3_stmt *q, int column)
{
        struct str s = db_column_str(q, column);
        struct ulid id = { 0 };

        if (s.n == sizeof(id.b))
                memcpy(id.b, s.p, sizeof(id.b));
        return id;
}

bool db_column_is_null(sqlite3_stmt *q, int column)
{
        return sqlite3_column_type(q, column) == SQLITE_NULL;
}

/* ---- transactions ---- */

int db_begin(struct db *db)
{
        return db_do(db, "BEGIN IMMEDIATE", "");
}

int db_commit(struct db *db)
{
        return db_do(db, "COMMIT", "");
}

void db_rollback(struct db *db)
{
        /* Some errors have rolled it back already. */
        if (!sqlite3_get_autocommit(db->sqlite))
                db_do(db, "ROLLBACK", "");
}

int db_savepoint(struct db *db)
{
        return db_do(db, "SAVEPOINT part", "");
}

void db_savepoint_end(struct db *db, bool keep)
{
        if (!keep) {
                db_do(db, "ROLLBACK TO part", "");
                forget(db);
        }
        db_do(db, "RELEASE part", "");
}

/* ---- opening ---- */

static int pragma_int(struct db *db, const char *sql, int64_t *ret)
{
        sqlite3_stmt *q;
        int rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &q, NULL);

        if (rc == SQLITE_OK)
                rc = sqlite3_step(q);
        if (rc == SQLITE_ROW)
                *ret = sqlite3_column_int64(q, 0);
        sqlite3_finalize(q);
        return rc == SQLITE_ROW ? 0 : error_of(db->sqlite, rc);
}

static int copy_pages(struct db *from, sqlite3 *to, int (*goes_on)(void *data, int64_t pages, int64_t of), void *data)
{
        sqlite3_backup *backup = sqlite3_backup_init(to, "main", from->sqlite, "main");
        int rc, r = 0;

        if (!backup)
                return error_of(to, sqlite3_errcode(to));
        do {
                rc = sqlite3_backup_step(backup, COPY_PAGES);
                if (rc == SQLITE_OK && goes_on)
                        r = goes_on(data, sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup), sqlite3_backup_pagecount(backup));
        } while (rc == SQLITE_OK && !r);
        if (!r && rc != SQLITE_DONE) /* finish does not tell of a lock */
                r = error_of(to, rc);
        rc = sqlite3_backup_finish(backup);
        return r ? r : error_of(to, rc);
}

/* Nothing waits for the disk before all is there. What the copy took over of its original, to have a WAL, is taken back. */
static int copy_to(struct db *from, const char *path, int (*goes_on)(void *data, int64_t pages, int64_t of), void *data)
{
        sqlite3 *to = NULL;
        int r = error_of(NULL, sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));

        if (!r)
                r = error_of(to, sqlite3_exec(to, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL, NULL));
        if (!r)
                r = copy_pages(from, to, goes_on, data);
        if (!r)
                r = error_of(to, sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL));
        sqlite3_close(to);
        return r ? r : file_sync(path);
}

/* In a transaction that reads, the pages are all of one state: else each write by another connection would begin the copy again. */
int db_copy(struct db *db, const char *path, int (*goes_on)(void *data, int64_t pages, int64_t of), void *data)
{
        int r;

        unlink(path);
        r = db_run(db, "BEGIN");
        if (r)
                return r;
        r = db_run(db, "SELECT count(*) FROM sqlite_schema");
        if (!r)
                r = copy_to(db, path, goes_on, data);
        db_rollback(db);
        if (r)
                unlink(path);
        return r;
}

/* store.db becomes store.db.before-3, where 3 is the first step that is about to run; whole or not at all. */
static int back_up(struct db *db, const char *path, int64_t version)
{
        char name[1024], part[1024 + 8];
        int r;

        if (snprintf(name, sizeof(name), "%s.before-%lld", path, (long long)version) >= (int)sizeof(name))
                return -ENAMETOOLONG;
        snprintf(part, sizeof(part), "%s.part", name);
        r = db_copy(db, part, NULL, NULL);
        if (!r && rename(part, name) < 0)
                r = -errno;
        if (r)
                unlink(part);
        return r;
}

static int migrate_one(struct db *db, const char *step, int64_t version)
{
        char bump[64];
        int r = db_begin(db);

        if (r)
                return r;
        r = db_run(db, step);
        snprintf(bump, sizeof(bump), "PRAGMA user_version = %lld", (long long)version + 1);
        if (!r)
                r = db_run(db, bump);
        if (!r)
                r = db_commit(db);
        if (r) {
                log_write(LOG_LEVEL_ERROR, LOG_DATABASE_FAILED,
                          "migration %lld: %s", (long long)version, db_error(db));
                db_rollback(db);
        }
        return r;
}

static int migrate(struct db *db, const char *path, const struct db_migrations *m, int64_t version)
{
        int r = 0;

        if (version > 0 && version < m->n)
                r = back_up(db, path, version);
        if (r) {
                log_write(LOG_LEVEL_ERROR, LOG_DATABASE_FAILED,
                          "%s: no backup could be made before its migration, which was not begun: %s",
                          path, strerror(-r));
                return r;
        }
        while (r == 0 && version < m->n) {
                r = migrate_one(db, m->steps[version], version);
                version++;
        }
        return r;
}

static int configure(struct db *db, int flags)
{
        char pragmas[256];
        int r;

        sqlite3_busy_timeout(db->sqlite, BUSY_TIMEOUT_MS);
        sqlite3_rollback_hook(db->sqlite, rolled_back, db);
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        if (flags & DB_FLEETING)
                return db_run(db, "PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;"
                                  "PRAGMA cache_size = -16384");
        if (!(flags & DB_READ_ONLY)) {
                r = db_run(db, "PRAGMA journal_mode = WAL");
                if (r)
                        return r;
        }
        snprintf(pragmas, sizeof(pragmas),
                 "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA secure_delete = ON; PRAGMA mmap_size = 0;"
                 "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; PRAGMA journal_size_limit = %d", JOURNAL_SIZE_LIMIT);
        return db_run(db, pragmas);
}

/* SQLite counts its memory under a lock of the whole process at every malloc and free, of which a small statement has dozens; nobody
 * asks for the count. It refuses where it was in use before, which does no harm. */
static void count_no_memory(void)
{
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(const char *path, int flags, const char *vfs, const struct db_migrations *migrations, struct db **ret)
{
        int mode = flags & DB_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct db *db = calloc(1, sizeof(*db));
        int64_t version = 0;
        int r;

        if (!db)
                abort();
        pthread_once(&once, count_no_memory);
        r = sqlite3_open_v2(path, &db->sqlite, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
        r = r == SQLITE_CANTOPEN && sqlite3_system_errno(db->sqlite) ? -sqlite3_system_errno(db->sqlite)
                                                                      : error_of(db->sqlite, r);
        if (!r)
                r = pragma_int(db, "PRAGMA user_version", &version);
        if (!r && version > migrations->n) {
                log_write(LOG_LEVEL_ERROR, LOG_DATABASE_NEWER,
                          "%s is at version %lld, this program knows %d: it belongs to a newer one",
                          path, (long long)version,
                          migrations->n);
                db_close(db);
                return -EPROTO;
        }
        if (!r)
                r = configure(db, flags);
        if (r)
                log_write(LOG_LEVEL_ERROR, LOG_DATABASE_FAILED,
                          "%s: %s", path, db->sqlite ? db_error(db) : strerror(-r));
        if (!r && !(flags & DB_READ_ONLY))
                r = migrate(db, path, migrations, version);
        if (r) {
                db_close(db);
                return r;
        }
        *ret = db;
        return 0;
}

void db_close(struct db *db)
{
        if (!db)
                return;
        forget(db);
        for (size_t i = 0; i < db->capacity; i++) {
                sqlite3_finalize(db->statements[i].statement);
                free(db->statements[i].ids);
        }
        sqlite3_close(db->sqlite);
        free(db->statements);
        free(db);
}

#include "database.h"
#include "file.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>

static const char *const steps[] = {
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"

        /* revision counts changes of any person; change_op is the op that store logs for the last one. */
        "CREATE TABLE user (id BLOB PRIMARY KEY, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
        " role TEXT NOT NULL, active INTEGER NOT NULL, created_at INTEGER NOT NULL,"
        " revision INTEGER NOT NULL UNIQUE, change_op BLOB NOT NULL) WITHOUT ROWID;"

        /* One program on one device, bound to a user: browsers keep their storage apart, so a device may have several. */
        "CREATE TABLE binding (id BLOB PRIMARY KEY, user BLOB NOT NULL, device TEXT NOT NULL, label TEXT NOT NULL,"
        " secret BLOB, bound_at INTEGER NOT NULL, seen_at INTEGER, revoked_at INTEGER) WITHOUT ROWID;"
        "CREATE INDEX binding_by_device ON binding (device, id);"
        "CREATE INDEX binding_by_user ON binding (user, id);"

        /* user is NULL for an email that nobody has: the row is made all the same. */
        "CREATE TABLE enrolment (id BLOB PRIMARY KEY, email_key TEXT NOT NULL, device TEXT NOT NULL, label TEXT NOT NULL, user BLOB,"
        " code_hash BLOB NOT NULL, tries INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
        " closed INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX enrolment_by_device ON enrolment (device, created_at);"
        "CREATE INDEX enrolment_by_email ON enrolment (email_key, created_at);"

        /* outcome is NULL until it is decided. An empty recipient: a decoy. */
        "CREATE TABLE outbox (id BLOB PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,"
        " queued_at INTEGER NOT NULL, next_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, leased_until INTEGER NOT NULL,"
        " attempts INTEGER NOT NULL, outcome TEXT, status INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX outbox_due ON outbox (next_at) WHERE outcome IS NULL;"

        "CREATE TABLE caller_change (revision INTEGER PRIMARY KEY AUTOINCREMENT, user BLOB, device TEXT NOT NULL, role INTEGER NOT NULL);"
        /* So that the newest revision is never 0: that is where a gateway begins. */
        "INSERT INTO caller_change (device, role) VALUES ('', 0);"

        "CREATE TABLE op_done (op_id BLOB PRIMARY KEY, actor TEXT NOT NULL, request BLOB NOT NULL, entity BLOB NOT NULL) WITHOUT ROWID;",

        /* The public key behind the device; empty where its driver's addresses have none. */
        "ALTER TABLE binding ADD COLUMN device_key BLOB NOT NULL DEFAULT x'';"
        "ALTER TABLE enrolment ADD COLUMN device_key BLOB NOT NULL DEFAULT x'';",

        /* Somebody's device was bound or revoked. */
        "ALTER TABLE caller_change ADD COLUMN owner BLOB;"
        "ALTER TABLE caller_change ADD COLUMN about TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE caller_change ADD COLUMN bound INTEGER NOT NULL DEFAULT 0;",

        /* Bound by a page that is embedded elsewhere: it has a customer's rights, whatever the user's role. */
        "ALTER TABLE binding ADD COLUMN embed INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE enrolment ADD COLUMN embed INTEGER NOT NULL DEFAULT 0;",
};

static const struct db_migrations migrations = { steps, sizeof(steps) / sizeof(*steps) };

int database_open(const char *path, struct db **ret)
{
        return db_open(path, 0, NULL, &migrations, ret);
}

/* As long as it is written without a WAL and with nothing on the disk before its end, the key is nowhere but in the page that is cleared. */
static int copy_finish(struct db *copy, bool *ret_sound)
{
        sqlite3_stmt *q;
        int r = db_run(copy, "PRAGMA secure_delete = ON; PRAGMA journal_mode = MEMORY; DELETE FROM setting WHERE name = 'key'");

        if (r)
                return r;
        q = db_query(copy, "PRAGMA quick_check(1)", "");
        r = db_step(copy, q);
        *ret_sound = r > 0 && str_is(db_column_str(q, 0), "ok");
        db_done(q);
        return r < 0 ? r : 0;
}

int database_back_up(struct db *db, const char *path, bool *ret_sound)
{
        struct db *copy;
        int r = db_copy(db, path, NULL, NULL);

        if (!r)
                r = db_open(path, DB_FLEETING, NULL, &migrations, &copy);
        if (r)
                return r;
        r = copy_finish(copy, ret_sound);
        db_close(copy);
        return r ? r : file_sync(path);
}

int database_get(struct db *db, struct str name, struct buf *ret_value)
{
        sqlite3_stmt *q = db_query(db, "SELECT value FROM setting WHERE name = ?", "t", name);
        int r = db_step(db, q);

        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        buf_str(ret_value, db_column_str(q, 0));
        db_done(q);
        return 0;
}

int database_set(struct db *db, struct str name, struct str value)
{
        return db_do(db, "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", "tb", name, value);
}

int database_key(struct db *db, uint8_t ret_key[DATABASE_KEY_BYTES])
{
        struct buf stored = { 0 };
        int r = database_get(db, STR("key"), &stored);

        if (r == 0 && stored.n != DATABASE_KEY_BYTES) {
                r = -EIO;
        } else if (r == 0) {
                memcpy(ret_key, stored.p, DATABASE_KEY_BYTES);
        } else if (r == -ENOENT) {
                randombytes_buf(ret_key, DATABASE_KEY_BYTES);
                r = database_set(db, STR("key"), (struct str){ (const char *)ret_key, DATABASE_KEY_BYTES });
        }
        if (stored.p)
                sodium_memzero(stored.p, stored.n);
        buf_deinit(&stored);
        return r;
}

#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

struct kept {
        struct name name;
        UT_hash_handle by_number, by_bytes;
        char bytes[];
};

struct names {
        struct kept *by_number, *by_bytes;
};

static void names_empty(struct names *names)
{
        struct kept *kept, *next;

        HASH_CLEAR(by_bytes, names->by_bytes);
        HASH_ITER(by_number, names->by_number, kept, next) {
                HASH_DELETE(by_number, names->by_number, kept);
                free(kept);
        }
}

static void names_release(void *names)
{
        names_empty(names);
        free(names);
}

static struct names *names_of(struct db *db)
{
        struct names *names = db_kept(db);

        if (!names) {
                names = calloc(1, sizeof(*names));
                if (!names)
                        abort();
                db_keep(db, names, names_release);
        }
        return names;
}

static const struct name *keep(struct names *names, int64_t number, struct str bytes)
{
        struct kept *kept = calloc(1, sizeof(*kept) + bytes.n + 1);

        if (!kept)
                abort();
        if (HASH_CNT(by_number, names->by_number) >= NAMES_KEPT)
                names_empty(names);
        memcpy(kept->bytes, bytes.p, bytes.n);
        kept->name = (struct name){ number, { kept->bytes, bytes.n }, schema_op_find(bytes) };
        HASH_ADD(by_number, names->by_number, name.number, sizeof(number), kept);
        HASH_ADD_KEYPTR(by_bytes, names->by_bytes, kept->bytes, bytes.n, kept);
        return &kept->name;
}

int name_number(struct db *db, struct str bytes, int64_t *ret)
{
        struct names *names = names_of(db);
        struct kept *kept;
        int r;

        *ret = 0;
        if (bytes.n == 0)
                return 0;
        HASH_FIND(by_bytes, names->by_bytes, bytes.p, bytes.n, kept);
        if (kept) {
                *ret = kept->name.number;
                return 0;
        }
        r = db_int(db, ret, "SELECT number FROM op_name WHERE name = ?1", "b", bytes);
        if (r == -ENOENT) {
                r = db_do(db, "INSERT INTO op_name(name) VALUES(?1)", "b", bytes);
                *ret = sqlite3_last_insert_rowid(db_handle(db));
        }
        if (!r)
                keep(names, *ret, bytes);
        return r;
}

int name_find(struct db *db, int64_t number, const struct name **ret)
{
        static const struct name empty = { .bytes = { "", 0 } };
        struct names *names = names_of(db);
        struct kept *kept;
        sqlite3_stmt *q;
        int r;

        *ret = &empty;
        if (number == 0)
                return 0;
        HASH_FIND(by_number, names->by_number, &number, sizeof(number), kept);
        if (kept) {
                *ret = &kept->name;
                return 0;
        }
        q = db_query(db, "SELECT name FROM op_name WHERE number = ?1", "i", number);
        r = db_step(db, q);
        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = keep(names, number, db_column_str(q, 0));
        db_done(q);
        return 0;
}

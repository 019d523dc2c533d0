#include "user.h"
#include "fault.h"
#include <errno.h>
#include <string.h>

#define COLUMNS "id, email, name, role, active, created_at"

static int user_read(sqlite3_stmt *q, struct arena *arena, struct user *ret)
{
        int role = schema_enum_find(&schema_enum_role, db_column_str(q, 3));

        if (role < 0)
                return -EIO;
        *ret = (struct user){
                .id = db_column_ulid(q, 0),
                .email = arena_str(arena, db_column_str(q, 1)),
                .name = arena_str(arena, db_column_str(q, 2)),
                .role = role,
                .active = db_column_int(q, 4),
                .created_at = db_column_int(q, 5),
        };
        return 0;
}

static int user_read_one(struct db *db, sqlite3_stmt *q, struct arena *arena, struct user *ret)
{
        int r = db_step(db, q);

        if (r <= 0)
                return r < 0 ? r : FAULT_NOT_FOUND;
        r = user_read(q, arena, ret);
        db_done(q);
        return r;
}

int user_find(struct db *db, struct ulid id, struct arena *arena, struct user *ret)
{
        return user_read_one(db, db_query(db, "SELECT " COLUMNS " FROM user WHERE id = ?", "u", id), arena, ret);
}

int user_find_by_email(struct db *db, struct str email_key, struct arena *arena, struct user *ret)
{
        return user_read_one(db, db_query(db, "SELECT " COLUMNS " FROM user WHERE email_key = ?", "t", email_key), arena, ret);
}

static struct str role_text(int role)
{
        return str_of(schema_enum_role.values[role]);
}

int user_add(struct db *db, int64_t now_ms, const struct user *user, struct str email_key, struct ulid *ret_id)
{
        struct ulid id = ulid_new(now_ms);
        int r;

        r = db_do(db,
                  "INSERT INTO user SELECT ?, ?, ?, ?, ?, ?, ?, coalesce(max(revision), 0) + 1, ? FROM user",
                  "utttt" "iiu", id, user->email, email_key, user->name, role_text(user->role), (int64_t)user->active, now_ms,
                  ulid_new(now_ms));
        if (r < 0)
                return r == -EEXIST ? FAULT_CONFLICT : r;
        *ret_id = id;
        return 0;
}

int user_set_person(struct db *db, int64_t now_ms, const struct user *user)
{
        return db_do(db,
                     "UPDATE user SET name = ?, role = ?, active = ?, revision = (SELECT max(revision) + 1 FROM user), change_op = ? WHERE id = ?",
                     "ttiuu", user->name, role_text(user->role), (int64_t)user->active, ulid_new(now_ms), user->id);
}

int user_set_email(struct db *db, struct ulid id, struct str email, struct str email_key)
{
        int r = db_do(db, "UPDATE user SET email = ?, email_key = ? WHERE id = ?", "ttu", email, email_key, id);

        return r == -EEXIST ? FAULT_CONFLICT : r;
}

int user_list(struct db *db, struct ulid after, int64_t limit, struct arena *arena, struct user **ret_users, size_t *ret_n)
{
        struct user *users = arena_array(arena, (size_t)limit, sizeof(*users));
        sqlite3_stmt *q = db_query(db, "SELECT " COLUMNS " FROM user WHERE id > ? ORDER BY id LIMIT ?", "ui", after, limit);
        size_t n = 0;
        int r;

        while ((r = db_step(db, q)) > 0) {
                r = user_read(q, arena, &users[n]);
                if (r < 0) {
                        db_done(q);
                        return r;
                }
                n++;
        }
        if (r < 0)
                return r;
        *ret_users = users;
        *ret_n = n;
        return 0;
}

int user_changes(struct db *db, int64_t after, int64_t max_bytes, struct arena *arena, struct people_follow_result *ret)
{
        enum { ITEMS_MAX = 1024, ITEM_BYTES = 64 };
        struct person_change *items;
        int64_t head, bytes = 0;
        sqlite3_stmt *q;
        size_t n = 0;
        int r;

        r = db_int(db, &head, "SELECT coalesce(max(revision), 0) FROM user", "");
        if (r < 0)
                return r;
        if (after > head)
                after = 0;
        if (after == head) {
                *ret = (struct people_follow_result){ .head = head };
                return 0;
        }
        items = arena_array(arena, ITEMS_MAX, sizeof(*items));
        q = db_query(db, "SELECT " COLUMNS ", revision, change_op FROM user WHERE revision > ? ORDER BY revision LIMIT ?", "ii", after,
                     (int64_t)ITEMS_MAX);
        while (bytes < max_bytes && (r = db_step(db, q)) > 0) {
                struct user user;

                r = user_read(q, arena, &user);
                if (r < 0)
                        break;
                items[n].person = (struct person){ .id = user.id, .name = user.name, .role = user.role, .active = user.active };
                items[n].revision = db_column_int(q, 6);
                items[n].op_id = db_column_ulid(q, 7);
                head = items[n++].revision;
                bytes += ITEM_BYTES + (int64_t)user.name.n;
        }
        db_done(q);
        if (r < 0)
                return r;
        *ret = (struct people_follow_result){ .head = head, .items = { items, n } };
        return 0;
}

/* Users: people, keyed by email, each with a role. Nobody is ever removed: one who is disabled stays known by name.
 *
 * Those that change something run in the caller's transaction. Texts of found users lie in the arena. */
#pragma once
#include "arena.h"
#include "db.h"
#include "schema/identity.h"

/* email and its key as email_normalize made them. FAULT_CONFLICT where the email is somebody's. */
int user_add(struct db *db, int64_t now_ms, const struct user *user, struct str email_key, struct ulid *ret_id);

/* FAULT_NOT_FOUND */
int user_find(struct db *db, struct ulid id, struct arena *arena, struct user *ret);
int user_find_by_email(struct db *db, struct str email_key, struct arena *arena, struct user *ret);

/* Name, role and activity; they are what people.follow tells. */
int user_set_person(struct db *db, int64_t now_ms, const struct user *user);
/* FAULT_CONFLICT where the email is somebody else's. */
int user_set_email(struct db *db, struct ulid id, struct str email, struct str email_key);

/* At most limit users with ids after `after`, ascending. */
int user_list(struct db *db, struct ulid after, int64_t limit, struct arena *arena, struct user **ret_users, size_t *ret_n);

/* The changes of people after a revision, oldest first, each person once with what they are now, up to about max_bytes. A revision past the
 * newest one is of another database: all are answered. */
int user_changes(struct db *db, int64_t after, int64_t max_bytes, struct arena *arena, struct people_follow_result *ret);

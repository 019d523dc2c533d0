/* identity.db: its tables, and the keys that live in it. */
#pragma once
#include "db.h"

enum { DATABASE_KEY_BYTES = 32 };

int database_open(const char *path, struct db **ret);
/* A copy that is on the disk, without the key below, as db_copy makes it; *ret_sound: SQLite finds it whole. */
int database_back_up(struct db *db, const char *path, bool *ret_sound);

/* The key of nonces, tokens and codes. Made at first; a restored database gets a new one, which voids them all. */
int database_key(struct db *db, uint8_t ret_key[DATABASE_KEY_BYTES]);

/* Values that outlive the process, by name. -ENOENT where it was never set. */
int database_get(struct db *db, struct str name, struct buf *ret_value);
int database_set(struct db *db, struct str name, struct str value);

/* Read marks: how far each user has read each ticket, as a place between its comments and notes. */
#pragma once
#include "schema/read.h"
#include "tx.h"

enum { READ_UNREAD_MAX = 100 };

/* What others wrote behind the user's mark and behind what the user wrote last, as far as they may see it; at most READ_UNREAD_MAX. */
int read_unread(struct db *db, const struct caller *user, struct ulid ticket, int64_t *ret);

/* Filters that are kept: shared ones, and agents' own. */
#pragma once
#include "schema/view.h"
#include "tx.h"

/* One that the caller may use, retired or not. 0, or -ENOENT. */
int view_find(struct db *db, const struct caller *caller, struct ulid id, struct arena *arena, struct view *ret);

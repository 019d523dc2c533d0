/* Drafts: what users are writing, kept so that neither a crash nor a change of device loses text. Their own, and never logged. */
#pragma once
#include "schema/draft.h"
#include "tx.h"

enum { DRAFT_MAX = 200 /* per user */ };
#define DRAFT_KEPT_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* Removes those that are too old, and of discarded ones what was left to know it by. On the writer. */
int draft_sweep(struct db *db, int64_t now_ms);
/* Removes all of a user. On the writer. */
int draft_forget(struct db *db, struct ulid user);

/* Tickets that agents put aside for a while: each one's own, and never logged. It ends at its time, by somebody else's reply, or by hand. */
#pragma once
#include "schema/snooze.h"
#include "tx.h"

enum { SNOOZE_MAX = 500 /* per user */ };
#define SNOOZE_KEPT_MS (INT64_C(30) * 24 * 60 * 60 * 1000) /* that it ended is told for so long */

/* It is its time: nothing where it does not end then any more. target: of the due row. On the writer, as what follows. */
int snooze_wake(struct store *s, struct str target, int64_t at_ms);
/* Somebody has replied. */
int snooze_reply(struct store *s, struct ulid ticket, struct ulid author);
/* Removes what ended long ago. */
int snooze_sweep(struct db *db, int64_t now_ms);
/* Removes all of a user. */
int snooze_forget(struct db *db, struct ulid user);

/* Mails to send, kept until the courier says what became of them; tried again for three days at most, with pauses from five seconds to
 * an hour. Decided ones lose their text at once and are forgotten after a month.
 *
 * Those that change something run in the caller's transaction. */
#pragma once
#include "arena.h"
#include "db.h"
#include "schema/identity.h"

enum {
        OUTBOX_RETRY_MIN_MS = 5 * 1000,
        OUTBOX_RETRY_MAX_MS = 60 * 60 * 1000,
        OUTBOX_GIVE_UP_MS = 3 * 24 * 60 * 60 * 1000,
        OUTBOX_LEASE_MS = 2 * 60 * 1000,
        OUTBOX_PAGE = 16,
};
#define OUTBOX_KEEP_MS ((int64_t)30 * 24 * 60 * 60 * 1000)

struct outbox_mail {
        struct str to;          /* empty: a decoy */
        struct str subject, body;
        int64_t expires_at;     /* of no use from then on; 0: never */
};
int outbox_add(struct db *db, int64_t now_ms, const struct outbox_mail *mail);

/* What is to be sent now, the oldest first, each leased for OUTBOX_LEASE_MS: it is not answered again until then, unless `afresh`,
 * when the courier has forgotten what it was given. Opens a transaction of its own where there is something to do. */
int outbox_take(struct db *db, int64_t now_ms, bool afresh, struct arena *arena, struct mail **ret_mails, size_t *ret_n);

/* FAULT_NOT_FOUND. What is decided stays so. */
int outbox_decide(struct db *db, int64_t now_ms, struct ulid mail, enum mail_outcome outcome, int64_t status);

/* The newest first, those with ids before `before` (zero: all). */
int outbox_list(struct db *db, struct ulid before, int64_t limit, struct arena *arena, struct outbox_entry **ret_entries, size_t *ret_n);

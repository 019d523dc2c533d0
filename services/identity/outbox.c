#include "outbox.h"
#include "fault.h"
#include <errno.h>

int outbox_add(struct db *db, int64_t now_ms, const struct outbox_mail *mail)
{
        static const uint8_t zeros[10];
        int r;

        r = db_do(db, "DELETE FROM outbox WHERE id < ? AND outcome IS NOT NULL", "u", ulid_of(now_ms - OUTBOX_KEEP_MS, zeros));
        if (r < 0)
                return r;
        return db_do(db, "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, NULL, 0)", "utttiii", ulid_new(now_ms), mail->to,
                     mail->subject, mail->body, now_ms, now_ms, mail->expires_at);
}

static int finish(struct db *db, struct ulid mail, enum mail_outcome outcome, int64_t status)
{
        return db_do(db, "UPDATE outbox SET outcome = ?, status = ?, body = '' WHERE id = ? AND outcome IS NULL", "tiu",
                     str_of(schema_enum_mail_outcome.values[outcome]), status, mail);
}

/* ?1 is now, ?2 and ?3 the latest moments that now could have set: what lies behind them was set by a clock that has gone back since,
 * and would wait for it to come there again. */
#define DUE "(next_at <= ?1 OR next_at > ?2)"
#define FREE "(leased_until <= ?1 OR leased_until > ?3)"
#define LATEST_NEXT (now_ms + OUTBOX_RETRY_MAX_MS)
#define LATEST_LEASE (now_ms + OUTBOX_LEASE_MS)

/* In a transaction. */
static int take(struct db *db, int64_t now_ms, struct arena *arena, struct mail **ret_mails, size_t *ret_n)
{
        struct mail *mails = arena_array(arena, OUTBOX_PAGE, sizeof(*mails));
        size_t n = 0, i, due = 0;
        struct ulid expired[OUTBOX_PAGE];
        sqlite3_stmt *q;
        int r;

        q = db_query(db,
                     "SELECT id, recipient, subject, body, attempts, expires_at FROM outbox"
                     " WHERE outcome IS NULL AND " DUE " AND " FREE " ORDER BY next_at, id LIMIT ?4",
                     "iiii", now_ms, LATEST_NEXT, LATEST_LEASE, (int64_t)OUTBOX_PAGE);
        while ((r = db_step(db, q)) > 0) {
                int64_t expires_at = db_column_int(q, 5);

                if (expires_at != 0 && expires_at <= now_ms) {
                        expired[n++] = db_column_ulid(q, 0);
                        continue;
                }
                mails[due++] = (struct mail){
                        .id = db_column_ulid(q, 0),
                        .to = arena_str(arena, db_column_str(q, 1)),
                        .subject = arena_str(arena, db_column_str(q, 2)),
                        .body = arena_str(arena, db_column_str(q, 3)),
                        .attempt = db_column_int(q, 4),
                };
        }
        for (i = 0; r == 0 && i < n; i++)
                r = finish(db, expired[i], MAIL_OUTCOME_FAILED, 0);
        for (i = 0; r == 0 && i < due; i++)
                r = db_do(db, "UPDATE outbox SET leased_until = ? WHERE id = ?", "iu", now_ms + OUTBOX_LEASE_MS, mails[i].id);
        if (r < 0)
                return r;
        *ret_mails = mails;
        *ret_n = due;
        return 0;
}

int outbox_take(struct db *db, int64_t now_ms, bool afresh, struct arena *arena, struct mail **ret_mails, size_t *ret_n)
{
        int64_t due;
        int r;

        /* Asked every second: nothing is written for an empty answer. */
        r = db_int(db, &due, "SELECT count(*) FROM outbox WHERE outcome IS NULL AND " DUE " AND (" FREE " OR ?4)", "iiii", now_ms, LATEST_NEXT,
                   LATEST_LEASE, (int64_t)afresh);
        if (r < 0)
                return r;
        if (due == 0) {
                *ret_n = 0;
                return 0;
        }
        r = db_begin(db);
        if (r < 0)
                return r;
        if (afresh)
                r = db_do(db, "UPDATE outbox SET leased_until = 0 WHERE outcome IS NULL", "");
        if (r == 0)
                r = take(db, now_ms, arena, ret_mails, ret_n);
        if (r == 0)
                r = db_commit(db);
        if (r < 0)
                db_rollback(db);
        return r;
}

static int64_t pause_ms(int64_t attempts)
{
        int64_t pause = OUTBOX_RETRY_MIN_MS;

        while (attempts-- > 0 && pause < OUTBOX_RETRY_MAX_MS)
                pause *= 2;
        return pause < OUTBOX_RETRY_MAX_MS ? pause : OUTBOX_RETRY_MAX_MS;
}

int outbox_decide(struct db *db, int64_t now_ms, struct ulid mail, enum mail_outcome outcome, int64_t status)
{
        sqlite3_stmt *q = db_query(db, "SELECT attempts, queued_at, outcome FROM outbox WHERE id = ?", "u", mail);
        int64_t attempts, queued_at;
        bool decided;
        int r;

        r = db_step(db, q);
        if (r <= 0)
                return r < 0 ? r : FAULT_NOT_FOUND;
        attempts = db_column_int(q, 0);
        queued_at = db_column_int(q, 1);
        decided = !db_column_is_null(q, 2);
        db_done(q);
        if (decided)
                return 0;
        r = db_do(db, "UPDATE outbox SET attempts = ?, status = ?, leased_until = 0, next_at = ? WHERE id = ?", "iiiu", attempts + 1,
                  status, now_ms + pause_ms(attempts), mail);
        if (r < 0)
                return r;
        if (outcome == MAIL_OUTCOME_DEFERRED && now_ms - queued_at < OUTBOX_GIVE_UP_MS)
                return 0;
        return finish(db, mail, outcome == MAIL_OUTCOME_SENT ? MAIL_OUTCOME_SENT : MAIL_OUTCOME_FAILED, status);
}

int outbox_list(struct db *db, struct ulid before, int64_t limit, struct arena *arena, struct outbox_entry **ret_entries, size_t *ret_n)
{
        struct outbox_entry *entries = arena_array(arena, (size_t)limit, sizeof(*entries));
        sqlite3_stmt *q;
        size_t n = 0;
        int r;

        q = db_query(db,
                     "SELECT id, recipient, subject, queued_at, next_at, attempts, outcome, status FROM outbox WHERE id < ? OR ?"
                     " ORDER BY id DESC LIMIT ?",
                     "uii", before, (int64_t)ulid_is_zero(before), limit);
        while ((r = db_step(db, q)) > 0) {
                struct outbox_entry *e = &entries[n++];

                *e = (struct outbox_entry){
                        .id = db_column_ulid(q, 0),
                        .to = arena_str(arena, db_column_str(q, 1)),
                        .subject = arena_str(arena, db_column_str(q, 2)),
                        .queued_at = db_column_int(q, 3),
                        .attempts = db_column_int(q, 5),
                        .status = db_column_int(q, 7),
                };
                if (db_column_is_null(q, 6)) {
                        e->has_next_at = true;
                        e->next_at = db_column_int(q, 4);
                } else {
                        e->has_outcome = true;
                        e->outcome = schema_enum_find(&schema_enum_mail_outcome, db_column_str(q, 6));
                }
        }
        if (r < 0)
                return r;
        *ret_entries = entries;
        *ret_n = n;
        return 0;
}

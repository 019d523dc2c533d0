#include "asof.h"

#include "change.h"
#include "fold.h"
#include "position.h"
#include "registers.h"
#include "thread.h"

#include <errno.h>

struct then {
        struct db *from, *to;
        struct arena arena;
        struct ulid tickets[THREAD_TICKETS_MAX]; /* whose ops are folded; the first one is asked for */
        size_t n;
};

static int until_read(struct store *s, struct call *c, const struct asof *when, int64_t *ret_seq, uint64_t *ret_hlc)
{
        int r = 0;

        *ret_seq = INT64_MAX;
        *ret_hlc = HLC_MAX;
        if (when->has_at && when->has_cursor)
                return call_invalid(c, "at", "can't be given with at_cursor; leave one of them out");
        if (when->has_at)
                *ret_hlc = hlc_of(when->at_ms, 0) | 0xffff;
        if (when->has_cursor)
                r = position_read(s, s->past.db, when->cursor, ret_seq);
        return r > POSITION_GOOD ? call_invalid(c, "at_cursor", "must be a cursor of this log") : r;
}

static int op_fold(struct then *p, const struct log_entry *e)
{
        void *body;
        int r;

        if (!e->kind)
                return 0;
        body = arena_zalloc(&p->arena, e->kind->body->size);
        r = log_place(p->to, e);
        if (!r)
                r = log_texts_copy(p->from, p->to, e->seq, 1);
        if (!r)
                r = log_entry_body(p->from, e, &p->arena, body);
        return r ? r : fold_apply(p->to, e, body);
}

static int ops_fold(struct then *p, struct ulid ticket, int64_t until_seq, uint64_t until_hlc)
{
        sqlite3_stmt *q = db_query(p->from, "SELECT " LOG_COLUMNS " FROM op WHERE scope = 0 AND audience = ?1 AND seq <= ?2 UNION ALL"
                                            " SELECT " LOG_COLUMNS " FROM op WHERE scope = 1 AND audience = ?1 AND seq <= ?2",
                                   "ui", ticket, until_seq);
        int r;

        while ((r = db_step(p->from, q)) > 0) {
                struct log_entry e;

                r = log_entry_read(p->from, q, &p->arena, &e);
                if (!r && e.op.hlc <= until_hlc)
                        r = op_fold(p, &e);
                arena_reset(&p->arena);
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        return r;
}

/* The texts are gone already; that they were redacted is told, too. */
static int redactions_copy(struct then *p, struct ulid ticket)
{
        sqlite3_stmt *q = db_query(p->from, "SELECT id, redacted, 0 FROM comment WHERE ticket = ?1 AND redacted IS NOT NULL UNION ALL"
                                            " SELECT id, redacted, 1 FROM note WHERE ticket = ?1 AND redacted IS NOT NULL", "u", ticket);
        int r;

        while ((r = db_step(p->from, q)) > 0) {
                r = db_column_int(q, 2) ? db_do(p->to, "UPDATE note SET redacted = ?2 WHERE id = ?1", "ub", db_column_ulid(q, 0), db_column_str(q, 1))
                                        : db_do(p->to, "UPDATE comment SET redacted = ?2 WHERE id = ?1", "ub", db_column_ulid(q, 0), db_column_str(q, 1));
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        return r;
}

static void ticket_add(struct then *p, struct ulid ticket)
{
        for (size_t i = 0; i < p->n; i++)
                if (ulid_eq(p->tickets[i], ticket))
                        return;
        if (p->n < THREAD_TICKETS_MAX)
                p->tickets[p->n++] = ticket;
}

/* What was ever merged into it or moved to it, directly or by others: pointers that were taken back had their time, too. And where it was
 * merged into itself. */
static int tickets_find(struct then *p, struct ulid ticket)
{
        int r = 0;

        _Static_assert(REGISTER_MERGED == 9 && REGISTER_MOVED == 10, "as the SQL and the index say");
        ticket_add(p, ticket);
        for (size_t i = 0; i < p->n && !r; i++) {
                sqlite3_stmt *q = db_query(p->from, "SELECT coalesce(c.ticket, n.ticket, r.entity) FROM register r LEFT JOIN comment c ON c.id = r.entity"
                                                    " LEFT JOIN note n ON n.id = r.entity WHERE r.field IN (9, 10) AND r.value = ?1", "u", p->tickets[i]);

                while ((r = db_step(p->from, q)) > 0)
                        ticket_add(p, db_column_ulid(q, 0));
        }
        if (!r) {
                sqlite3_stmt *q = db_query(p->from, "SELECT value FROM register WHERE entity = ?1 AND field = 9 AND value IS NOT NULL", "u", ticket);

                while ((r = db_step(p->from, q)) > 0)
                        ticket_add(p, db_column_ulid(q, 0));
        }
        return r;
}

int asof_begin(struct store *s, struct call *c, const struct caller *caller, struct ulid ticket, const struct asof *when, struct db **ret)
{
        struct then p = { .from = s->past.db };
        struct ticket_row row;
        int64_t until_seq;
        uint64_t until_hlc;
        int r;

        if (!caller_is_agent(caller))
                return call_invalid(c, when->has_at ? "at" : "at_cursor", "may be given by agents only; leave it out");
        r = until_read(s, c, when, &until_seq, &until_hlc);
        if (!r)
                r = found(c, ticket_find_visible(p.from, caller, ticket, &row));
        if (!r && !s->then)
                r = db_open(":memory:", 0, NULL, &store_migrations, &s->then);
        if (r)
                return r;
        p.to = s->then;
        r = db_begin(p.to);
        if (!r)
                r = tickets_find(&p, ticket);
        for (size_t i = 0; i < p.n && !r; i++)
                r = ops_fold(&p, p.tickets[i], until_seq, until_hlc);
        for (size_t i = 0; i < p.n && !r; i++)
                r = redactions_copy(&p, p.tickets[i]);
        if (!r)
                r = found(c, ticket_find_visible(p.to, caller, ticket, &row));
        arena_deinit(&p.arena);
        *ret = p.to;
        return r;
}

void asof_end(struct store *s)
{
        if (s->then && !sqlite3_get_autocommit(db_handle(s->then)))
                db_rollback(s->then);
}

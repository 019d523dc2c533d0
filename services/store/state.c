#include "state.h"

#include "due.h"
#include "label.h"

#include <errno.h>
#include <string.h>

/* As the register's value: a category alone is an integer, as it was before there was more; else bytes: u8 category ‖ u64 wake_at, 0 for
 * none ‖ label, if there is one. */
enum { BYTES_MIN = 1 + 8, BYTES_MAX = BYTES_MIN + sizeof(struct ulid) };

static struct str state_pack(const struct state *state, uint8_t bytes[BYTES_MAX])
{
        bytes[0] = (uint8_t)state->category;
        for (int i = 0; i < 8; i++)
                bytes[1 + i] = (uint8_t)((uint64_t)(state->has_wake ? state->wake_at : 0) >> (56 - 8 * i));
        memcpy(bytes + BYTES_MIN, state->label.b, sizeof(state->label.b));
        return (struct str){ (const char *)bytes, state->has_label ? BYTES_MAX : BYTES_MIN };
}

static int state_read(sqlite3_stmt *q, int column, struct state *ret)
{
        struct str bytes;

        *ret = (struct state){ 0 };
        if (sqlite3_column_type(q, column) == SQLITE_INTEGER) {
                ret->category = (int)db_column_int(q, column);
                return 0;
        }
        bytes = db_column_str(q, column);
        if (bytes.n != BYTES_MIN && bytes.n != BYTES_MAX)
                return -EBADMSG;
        ret->category = (uint8_t)bytes.p[0];
        for (int i = 0; i < 8; i++)
                ret->wake_at = (int64_t)((uint64_t)ret->wake_at << 8 | (uint8_t)bytes.p[1 + i]);
        ret->has_wake = ret->wake_at != 0;
        ret->has_label = bytes.n == BYTES_MAX;
        if (ret->has_label)
                memcpy(ret->label.b, bytes.p + BYTES_MIN, sizeof(ret->label.b));
        return 0;
}

static struct str ticket_target(const struct ulid *ticket)
{
        return (struct str){ (const char *)ticket->b, sizeof(ticket->b) };
}

int state_fold(struct db *db, const struct op *op, const struct op_ticket_state *body)
{
        struct state state = { .category = body->state, .has_wake = body->has_wake_at, .wake_at = body->wake_at, .has_label = body->has_label,
                               .label = body->label };
        uint8_t bytes[BYTES_MAX];
        struct stamp stamp;
        sqlite3_stmt *q;
        int r;

        r = state.has_wake || state.has_label ? registers_write_bytes(db, body->ticket, REGISTER_STATE, op, state_pack(&state, bytes))
                                              : registers_write(db, body->ticket, REGISTER_STATE, op, 'i', state.category, NULL);
        if (!r)
                r = registers_shown(db, body->ticket, REGISTER_STATE, &stamp, &q);
        if (r)
                return r;
        r = state_read(q, 0, &state);
        db_done(q);
        if (!r)
                r = db_do(db, "UPDATE ticket SET state = ?2, wake = ?3, label = ?4 WHERE id = ?1", "uiIU", body->ticket, (int64_t)state.category,
                          state.has_wake ? &state.wake_at : NULL, state.has_label ? &state.label : NULL);
        return r ? r : due_set(db, DUE_WAKE, ticket_target(&body->ticket), state.has_wake ? &state.wake_at : NULL);
}

static int wake_check(struct change *h, int category, int64_t wake_at)
{
        int64_t now = clock_now_ms(h->tx->store->service->clock), seq;
        int r;

        if (category != TICKET_STATE_PENDING)
                return call_invalid(h->c, "wake_at", "goes with state pending alone; leave it out, or set state to pending");
        if (wake_at <= now)
                return call_invalid(h->c, "wake_at", "must be in the future");
        if (wake_at > now + (int64_t)STATE_WAKE_MAX_DAYS * 24 * 60 * 60 * 1000)
                return call_invalid(h->c, "wake_at", "must be within 5 years");
        /* Only where the clock was put back: what has happened under this op_id does not happen again. */
        r = db_int(h->tx->db, &seq, "SELECT seq FROM op WHERE op_id = ?1 AND n = 0", "u",
                   due_op_id(DUE_WAKE, ticket_target(&h->row.id), wake_at));
        if (!r)
                return call_invalid(h->c, "wake_at", "is when this ticket was woken before; give another millisecond");
        return r == -ENOENT ? 0 : r;
}

/* What it is to be: a state that is given replaces all, wake_at or label alone leave the rest. */
static int state_wanted(struct change *h, struct state *ret)
{
        const struct ticket_set *in = h->in;
        struct state *s = ret;
        int r = 0;

        *s = (struct state){ h->row.state, h->row.has_wake, h->row.wake_at, h->row.has_label, h->row.label };
        if (in->has_state)
                *s = (struct state){ .category = in->state };
        if (in->has_label != SCHEMA_ABSENT) {
                int category = s->category;

                s->has_label = in->has_label == SCHEMA_PRESENT;
                s->label = in->label;
                if (s->has_label)
                        r = label_state(h->tx, h->c, in->label, &category);
                if (!r && in->has_state && category != in->state)
                        r = call_invalid(h->c, "label", "is a name for %s; leave state out, or choose another label",
                                         schema_enum_ticket_state.values[category]);
                if (category != s->category)
                        s->has_wake = false;
                s->category = category;
        }
        if (in->has_wake_at != SCHEMA_ABSENT) {
                s->has_wake = in->has_wake_at == SCHEMA_PRESENT;
                s->wake_at = in->wake_at;
        }
        return r;
}

static bool state_same(const struct state *a, const struct ticket_row *b)
{
        return a->category == b->state && a->has_wake == b->has_wake && (!a->has_wake || a->wake_at == b->wake_at) &&
               a->has_label == b->has_label && (!a->has_label || ulid_eq(a->label, b->label));
}

int state_change(struct change *h)
{
        const struct ticket_set *in = h->in;
        struct state wanted;
        bool same;
        int r;

        if (!in->has_state && in->has_wake_at == SCHEMA_ABSENT && in->has_label == SCHEMA_ABSENT)
                return 0;
        r = state_wanted(h, &wanted);
        if (r)
                return r;
        same = state_same(&wanted, &h->row);
        if (!same && in->has_wake_at == SCHEMA_PRESENT)
                r = wake_check(h, wanted.category, in->wake_at);
        return r ? r : change_register(h, REGISTER_STATE, same, &schema_op_ticket_state,
                                       &(struct op_ticket_state){ .ticket = h->row.id, .state = wanted.category, .has_wake_at = wanted.has_wake,
                                                                  .wake_at = wanted.wake_at, .has_label = wanted.has_label,
                                                                  .label = wanted.label });
}

/* It replaces what shows, and settles nothing: where others disagree, they still do. */
static int wake_append(struct tx *tx, struct ulid ticket)
{
        struct op_ticket_state body = { .ticket = ticket, .state = TICKET_STATE_OPEN };
        struct op_base base = { .field = str_of(register_name(REGISTER_STATE)) };
        sqlite3_stmt *q;
        int r = registers_shown(tx->db, ticket, REGISTER_STATE, &base.stamp, &q);

        if (r)
                return r;
        db_done(q);
        return tx_append(tx, &(struct effect){ .kind = &schema_op_ticket_state, .body = &body, .target = ticket, .audience = &ticket,
                                               .base = &base, .n_base = 1 });
}

int state_wake(struct store *s, struct ulid ticket, int64_t at_ms)
{
        struct ticket_row row;
        struct tx *tx;
        int r;

        r = ticket_find(s->writer.db, ticket, &row);
        if (r || !row.has_wake || row.wake_at != at_ms)
                return r == -ENOENT ? 0 : r;
        r = tx_begin_system(s, &s->writer.arena, due_op_id(DUE_WAKE, ticket_target(&ticket), at_ms), &tx);
        if (r)
                return r == -EEXIST ? 0 : r;
        return wake_append(tx, ticket);
}

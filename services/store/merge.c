#include "merge.h"

#include "change.h"
#include "comment.h"
#include "registers.h"
#include "snooze.h"
#include "undo.h"
#include "schema/merge.h"

#include <errno.h>

int merge_append(struct tx *tx, const struct ticket_row *row, const struct ulid *into)
{
        struct op_ticket_merge body = { .ticket = row->id, .has_into = into != NULL };
        struct accepted a;
        int r;

        if (into)
                body.into = *into;
        r = registers_accept(tx, row->id, REGISTER_MERGED, ticket_created_stamp(row), -1, 0, &a);

        return r ? r : tx_append(tx, &(struct effect){ .kind = &schema_op_ticket_merge, .body = &body, .target = row->id,
                                                       .base = a.base, .n_base = a.n_base, .hlc = a.hlc });
}

int move_append(struct tx *tx, const struct comment_row *row, const struct ulid *to)
{
        struct op_comment_move body = { .ticket = row->ticket, .comment = row->id, .has_to = to != NULL };
        struct stamp created;
        struct accepted a;
        int r;

        if (to)
                body.to = *to;
        r = comment_created_stamp(tx->db, row, &created);
        if (!r)
                r = registers_accept(tx, row->id, REGISTER_MOVED, created, -1, 0, &a);
        return r ? r : tx_append(tx, &(struct effect){ .kind = row->internal ? &schema_op_note_move : &schema_op_comment_move, .body = &body,
                                                       .target = row->id, .base = a.base, .n_base = a.n_base, .hlc = a.hlc });
}

int merge_tell(struct tx *tx, const struct ticket_row *row, struct ulid comment)
{
        struct op_ticket_reply body = { .comment = comment };
        int r;

        if (!row->has_merged)
                return 0;
        r = thread_root(tx->db, row->id, &body.ticket);
        if (!r)
                r = snooze_reply(tx->store, body.ticket, tx->actor.user);
        return r ? r : tx_append(tx, &(struct effect){ .kind = &schema_op_ticket_reply, .body = &body, .target = body.ticket });
}

static int ticket_answer(struct tx *tx, struct call *c, struct ulid id, struct ticket *ret)
{
        struct ticket_row row;
        int r = found(c, ticket_find_visible(tx->db, &tx->actor, id, &row));

        return r ? r : ticket_view(tx->db, &tx->actor, &row, &c->arena, ret);
}

/* Where the other one leads to, this one must not be; and a thread has an end. */
static int merge_check(struct tx *tx, struct call *c, const struct ticket_row *row, struct ulid into)
{
        int64_t own = 0, there = 0;
        struct ticket_row other;
        struct ulid root;
        int r;

        if (ulid_eq(row->id, into))
                return call_invalid(c, "into", "is the ticket itself; it must be another one");
        if (row->has_merged) {
                r = ticket_find(tx->db, row->merged, &other);
                return r ? r : call_conflict(c, "it is merged into #%lld already; undo that first", (long long)other.number);
        }
        r = thread_root(tx->db, into, &root);
        if (!r && ulid_eq(root, row->id))
                return call_conflict(c, "the other one is merged into it, directly or by others; undo that first");
        if (!r)
                r = thread_tickets(tx->db, row->id, &own);
        if (!r)
                r = thread_tickets(tx->db, root, &there);
        if (!r && own + there > THREAD_TICKETS_MAX)
                r = call_too_large(c, THREAD_TICKETS_MAX, "at most %d tickets are merged into one", THREAD_TICKETS_MAX);
        return r;
}

static int merge(struct tx *tx, struct call *c, const struct ticket_merge *in)
{
        struct ticket_row row, other;
        int r = found(c, ticket_find_visible(tx->db, &tx->actor, in->ticket, &row));

        if (!r)
                r = found(c, ticket_find_visible(tx->db, &tx->actor, in->into, &other));
        if (!r)
                r = merge_check(tx, c, &row, in->into);
        return r ? r : merge_append(tx, &row, &in->into);
}

int store_on_ticket_merge(struct store *s, struct call *c, const struct ticket_merge *in, struct ticket_merge_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = merge(tx, c, in);
        if (!r && !again)
                r = undo_remember(tx);
        if (!r)
                r = ticket_answer(tx, c, in->ticket, &ret->value);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

static int move(struct tx *tx, struct call *c, const struct ticket_split *in, size_t i, struct ulid to)
{
        struct comment_row row;
        bool there = false;
        int r;

        for (size_t k = 0; k < i; k++)
                if (ulid_eq(in->comments.items[k], in->comments.items[i]))
                        return call_invalid(c, "comments", "item %zu is there twice; leave it out", i + 1);
        r = comment_find_visible(tx->db, &tx->actor, false, in->comments.items[i], &row);
        if (r == FAULT_NOT_FOUND)
                r = comment_find_visible(tx->db, &tx->actor, true, in->comments.items[i], &row);
        if (!r)
                r = thread_has(tx->db, &tx->actor, in->ticket, row.internal, row.id, &there);
        if (r == FAULT_NOT_FOUND || (!r && !there))
                return call_invalid(c, "comments", "item %zu shows not on this ticket", i + 1);
        return r ? r : move_append(tx, &row, &to);
}

static int split(struct tx *tx, struct call *c, const struct ticket_split *in)
{
        struct op_ticket_create body = { .subject = in->subject };
        struct ulid id = tx_next_id(tx);
        struct ticket_row row, taken;
        int r;

        r = ticket_find(tx->db, id, &taken);
        if (r != -ENOENT)
                return r ? r : call_conflict(c, "this op_id cannot be used; make a new one");
        r = found(c, ticket_find_visible(tx->db, &tx->actor, in->ticket, &row));
        if (!r)
                r = ticket_number_next(tx->db, &body.number);
        if (r)
                return r;
        body.requester = row.requester;
        body.priority = row.priority;
        r = tx_append(tx, &(struct effect){ .kind = &schema_op_ticket_create, .body = &body, .target = id, .audience = &id });
        for (size_t i = 0; i < in->comments.n && !r; i++)
                r = move(tx, c, in, i, id);
        return r;
}

int store_on_ticket_split(struct store *s, struct call *c, const struct ticket_split *in, struct ticket_split_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = split(tx, c, in);
        if (!r && !again)
                r = undo_remember(tx);
        if (!r)
                r = ticket_answer(tx, c, tx->op_id, &ret->value);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

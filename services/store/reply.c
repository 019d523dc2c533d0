#include "reply.h"

#include "change.h"
#include "comment.h"
#include "merge.h"
#include "reopen.h"

#include <errno.h>

int comment_answer(struct tx *tx, struct call *c, bool internal, struct ulid id, struct comment *ret)
{
        struct comment_row row;
        int r = found(c, comment_find_visible(tx->db, &tx->actor, internal, id, &row));

        return r ? r : comment_view(tx->db, &row, &c->arena, ret);
}

/* A newer reply is in the way: the writer must have a look at it first. */
static int collided(struct tx *tx, struct call *c, struct ulid newest)
{
        struct comment comment;
        int r = comment_answer(tx, c, false, newest, &comment);

        return r ? r : call_conflict_newer(c, &schema_type_comment, &comment, "there is a newer reply; read it, then send seen_comment anew");
}

static int seen_check(struct tx *tx, struct call *c, const struct ticket_row *row, struct ulid seen)
{
        struct thread_sum shown = { .has_newest = row->has_newest, .newest = row->newest_comment };
        int r = row->branched ? thread_sum(tx->db, &tx->actor, row->id, &shown) : 0;

        return r || !shown.has_newest || ulid_eq(seen, shown.newest) ? r : collided(tx, c, shown.newest);
}

/* What is written on a merged ticket moves the state of the one where work goes on; but a state that is named is of the ticket that the writer sees. */
static int root_find(struct change *h, bool named, bool *ret_hidden)
{
        struct ticket_row row;
        struct ulid root;
        bool visible = true;
        int r = thread_root(h->tx->db, h->row.id, &root);

        if (!r)
                r = ticket_visible(h->tx->db, &h->tx->actor, root, &visible);
        if (!r)
                r = ticket_find(h->tx->db, root, &row);
        if (r || (named && !visible))
                return r == -ENOENT ? 0 : r;
        h->row = row;
        *ret_hidden = !visible;
        return 0;
}

/* Where the writer may not see the ticket, those who do see it are not told who wrote. */
static int change_as_desk(struct change *h)
{
        struct caller writer = h->tx->actor;
        int r;

        h->tx->on_behalf_of = writer.user;
        h->tx->actor.user = (struct ulid){ 0 };
        r = change_registers(h);
        h->tx->actor = writer;
        h->tx->on_behalf_of = (struct ulid){ 0 };
        return r;
}

/* An agent's answer moves a new ticket on, and the customer's word reopens one that waits or is over. */
static bool moves_on(const struct caller *writer, const struct ticket_row *row)
{
        if (caller_is_agent(writer))
                return row->state == TICKET_STATE_NEW && !ulid_eq(writer->user, row->requester);
        return row->state == TICKET_STATE_SOLVED || row->state == TICKET_STATE_CLOSED || row->state == TICKET_STATE_PENDING;
}

/* Where a customer's reply belongs: mostly where they write it; where that is over for long, or what it is merged into and they see, a follow-up. */
static int place_find(struct change *h)
{
        struct ticket_row root;
        struct ulid id;
        bool late = false;
        int r;

        if (!h->row.has_merged)
                return reopen_place(h->tx, h->c, &h->row);
        r = thread_root(h->tx->db, h->row.id, &id);
        if (!r)
                r = ticket_find_visible(h->tx->db, &h->tx->actor, id, &root);
        if (!r)
                r = reopen_is_late(h->tx->store, &root, &late);
        if (r || !late)
                return r == FAULT_NOT_FOUND ? 0 : r;
        h->row = root;
        return reopen_place(h->tx, h->c, &h->row);
}

int reply_write(struct tx *tx, struct call *c, const struct comment_add *in, struct comment *ret)
{
        struct ticket_set set = { .ticket = in->ticket, .has_state = in->has_state, .state = in->state,
                                  .has_wake_at = in->has_wake_at ? SCHEMA_PRESENT : SCHEMA_ABSENT, .wake_at = in->wake_at,
                                  .has_label = in->has_label ? SCHEMA_PRESENT : SCHEMA_ABSENT, .label = in->label };
        struct change h = { .tx = tx, .c = c, .in = &set, .seen = -1 };
        bool hidden = false;
        int r;

        r = found(c, ticket_find_visible(tx->db, &tx->actor, in->ticket, &h.row));
        if (!r && in->has_seen_comment)
                r = seen_check(tx, c, &h.row, in->seen_comment);
        if (!r && !caller_is_agent(&tx->actor) && (!in->has_state || in->state == TICKET_STATE_OPEN))
                r = place_find(&h);
        set.ticket = h.row.id;
        set.has_state &= ulid_eq(h.row.id, in->ticket);
        if (!r)
                r = change_allowed(&h);
        if (!r)
                r = comment_write(tx, c, &(struct comment_new){ .ticket = h.row.id, .body = in->body, .uploads = in->attachments.items,
                                                                .n_uploads = in->has_attachments ? in->attachments.n : 0 },
                                  ret);
        if (!r)
                r = merge_tell(tx, &h.row, ret->id);
        if (!r && h.row.has_merged)
                r = root_find(&h, in->has_state, &hidden);
        if (r)
                return r;
        if (!set.has_state && !in->has_wake_at && !in->has_label && moves_on(&tx->actor, &h.row)) {
                set.has_state = true;
                set.state = TICKET_STATE_OPEN;
        }
        return hidden ? change_as_desk(&h) : change_registers(&h);
}

int note_write(struct tx *tx, struct call *c, const struct note_add *in, struct comment *ret)
{
        struct ticket_row row;
        int r = found(c, ticket_find_visible(tx->db, &tx->actor, in->ticket, &row));

        if (!r)
                r = comment_write(tx, c, &(struct comment_new){ .internal = true, .ticket = in->ticket, .body = in->body,
                                                                .uploads = in->attachments.items,
                                                                .n_uploads = in->has_attachments ? in->attachments.n : 0 },
                                  ret);
        return r ? r : merge_tell(tx, &row, ret->id);
}

/* The methods of comments and internal notes. */
#include "asof.h"
#include "change.h"
#include "comment.h"
#include "mention.h"
#include "position.h"
#include "registers.h"
#include "reopen.h"
#include "reply.h"

#include <errno.h>

/* A reply with which a follow-up was filed came behind it. */
static int reply_again(struct tx *tx, struct call *c, struct comment *ret)
{
        struct ulid comment = tx->op_id;
        int r = reopen_reply(tx, &comment);

        return r && r != -ENOENT ? r : comment_answer(tx, c, false, comment, ret);
}

static int follow_up_answer(struct tx *tx, struct call *c, struct comment_add_result *ret)
{
        struct ticket_row row;
        int r = found(c, ticket_find_visible(tx->db, &tx->actor, ret->comment.ticket, &row));

        if (r)
                return r;
        ret->follow_up = ARENA_NEW(&c->arena, struct ticket);
        return ticket_view(tx->db, &tx->actor, &row, &c->arena, ret->follow_up);
}

int store_on_comment_add(struct store *s, struct call *c, const struct comment_add *in, struct comment_add_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r)
                r = again ? reply_again(tx, c, &ret->comment) : reply_write(tx, c, in, &ret->comment);
        if (!r && !ulid_eq(ret->comment.ticket, in->ticket))
                r = follow_up_answer(tx, c, ret);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

int store_on_note_add(struct store *s, struct call *c, const struct note_add *in, struct note_add_result *ret)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r)
                r = again ? comment_answer(tx, c, true, tx->op_id, &ret->comment) : note_write(tx, c, in, &ret->comment);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

/* Of comments and notes alike. */
struct edit {
        bool internal;
        struct ulid comment;
        struct str body;
        bool has_seen;
        struct str seen;
        int64_t made_at;
};

static int comment_find_own(struct tx *tx, struct call *c, bool internal, struct ulid id, struct comment_row *ret)
{
        int r = found(c, comment_find_visible(tx->db, &tx->actor, internal, id, ret));

        if (r)
                return r;
        if (!caller_is_admin(&tx->actor) && !ulid_eq(ret->author, tx->actor.user))
                return call_forbidden(c, "only its author or an admin may change a comment");
        return 0;
}

static int comment_rewrite(struct store *s, struct tx *tx, struct call *c, const struct edit *edit)
{
        struct op_comment_edit body = { .comment = edit->comment, .body = edit->body }; /* of both kinds */
        struct comment_row row;
        struct stamp created;
        struct accepted a;
        int64_t seen;
        int r;

        r = comment_find_own(tx, c, edit->internal, edit->comment, &row);
        if (!r && (row.deleted || row.redacted))
                r = call_conflict(c, row.deleted ? "the comment was deleted" : "the comment was redacted");
        if (!r)
                r = seen_position(s, c, edit->has_seen, edit->seen, &seen);
        if (!r)
                r = comment_created_stamp(tx->db, &row, &created);
        if (!r)
                r = registers_accept(tx, row.id, REGISTER_BODY, created, seen, edit->made_at, &a);
        if (r)
                return r;
        body.ticket = row.ticket;
        r = tx_append(tx, &(struct effect){ .kind = edit->internal ? &schema_op_note_edit : &schema_op_comment_edit, .body = &body,
                                            .target = row.id, .audience = edit->internal ? NULL : &row.ticket,
                                            .base = a.base, .n_base = a.n_base, .hlc = a.hlc });
        return r ? r : mention_write(tx, row.ticket, row.id, edit->internal, edit->body);
}

static int comment_change(struct store *s, struct call *c, const struct edit *edit, struct comment *ret, struct str *ret_cursor)
{
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = comment_rewrite(s, tx, c, edit);
        if (!r)
                r = comment_answer(tx, c, edit->internal, edit->comment, ret);
        if (!r)
                *ret_cursor = tx_cursor(tx);
        return r;
}

int store_on_comment_edit(struct store *s, struct call *c, const struct comment_edit *in, struct comment_edit_result *ret)
{
        ret->has_cursor = true;
        return comment_change(s, c, &(struct edit){ false, in->comment, in->body, in->has_seen, in->seen, in->has_made_at ? in->made_at : 0 },
                              &ret->comment, &ret->cursor);
}

int store_on_note_edit(struct store *s, struct call *c, const struct note_edit *in, struct note_edit_result *ret)
{
        ret->has_cursor = true;
        return comment_change(s, c, &(struct edit){ true, in->comment, in->body, in->has_seen, in->seen, in->has_made_at ? in->made_at : 0 },
                              &ret->comment, &ret->cursor);
}

static int comment_remove(struct store *s, struct call *c, bool internal, struct ulid id, struct comment *ret, struct str *ret_cursor)
{
        struct op_comment_delete body = { .comment = id }; /* of both kinds */
        struct comment_row row;
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again) {
                r = comment_find_own(tx, c, internal, id, &row);
                body.ticket = row.ticket;
                if (!r && !row.deleted)
                        r = tx_append(tx, &(struct effect){ .kind = internal ? &schema_op_note_delete : &schema_op_comment_delete,
                                                            .body = &body, .target = id, .audience = internal ? NULL : &row.ticket });
        }
        if (!r)
                r = comment_answer(tx, c, internal, id, ret);
        if (!r)
                *ret_cursor = tx_cursor(tx);
        return r;
}

int store_on_comment_delete(struct store *s, struct call *c, const struct comment_delete *in, struct comment_delete_result *ret)
{
        ret->has_cursor = true;
        return comment_remove(s, c, false, in->comment, &ret->comment, &ret->cursor);
}

int store_on_note_delete(struct store *s, struct call *c, const struct note_delete *in, struct note_delete_result *ret)
{
        ret->has_cursor = true;
        return comment_remove(s, c, true, in->comment, &ret->comment, &ret->cursor);
}

int store_on_comment_redact(struct store *s, struct call *c, const struct comment_redact *in, struct comment_redact_result *ret)
{
        struct op_comment_redact body = { .comment = in->comment }; /* of both kinds */
        struct comment_row row;
        bool again, internal = false;
        struct tx *tx;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (r)
                return r;
        r = comment_find_visible(tx->db, &tx->actor, false, in->comment, &row);
        if (r == FAULT_NOT_FOUND) {
                internal = true;
                r = found(c, comment_find_visible(tx->db, &tx->actor, true, in->comment, &row));
        }
        body.ticket = row.ticket;
        if (!r && !again)
                r = tx_append(tx, &(struct effect){ .kind = internal ? &schema_op_note_redact : &schema_op_comment_redact, .body = &body,
                                                    .target = in->comment, .audience = internal ? NULL : &row.ticket });
        s->scrub = true;
        search_upkeep_stained(s);
        if (!r)
                r = comment_answer(tx, c, internal, in->comment, &ret->comment);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

/* Of comments and notes alike. */
struct listed {
        bool internal;
        struct ulid ticket;
        const struct str *after;
        int64_t limit;
        struct asof when;
};

static int comments_list(struct store *s, struct call *c, const struct listed *in, struct comment **ret_items, size_t *ret_n, struct str *ret_next,
                         struct str *ret_cursor)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c), *from = db;
        struct page page = { 0 };
        struct ticket_row row;
        int r;

        r = asof_asked(&in->when) ? asof_begin(s, c, &caller, in->ticket, &in->when, &from) : 0;
        if (!r)
                r = found(c, ticket_find_visible(from, &caller, in->ticket, &row));
        if (!r && in->after)
                r = page_parse(c, *in->after, &page);
        if (!r)
                r = comment_page(from, &caller, in->internal, &row, &page, in->limit, &c->arena, ret_items, ret_n, ret_next);
        if (asof_asked(&in->when))
                asof_end(s);
        return r ? r : position_cursor_now(s, db, &c->arena, ret_cursor);
}

int store_on_comment_list(struct store *s, struct call *c, const struct comment_list *in, struct comment_list_result *ret)
{
        int r = comments_list(s, c, &(struct listed){ false, in->ticket, in->has_after ? &in->after : NULL, in->limit,
                                                      { in->has_at, in->has_at_cursor, in->at, in->at_cursor } },
                              &ret->items.items, &ret->items.n, &ret->next, &ret->cursor);

        ret->has_next = ret->next.n > 0;
        return r;
}

int store_on_note_list(struct store *s, struct call *c, const struct note_list *in, struct note_list_result *ret)
{
        int r = comments_list(s, c, &(struct listed){ true, in->ticket, in->has_after ? &in->after : NULL, in->limit,
                                                      { in->has_at, in->has_at_cursor, in->at, in->at_cursor } },
                              &ret->items.items, &ret->items.n, &ret->next, &ret->cursor);

        ret->has_next = ret->next.n > 0;
        return r;
}

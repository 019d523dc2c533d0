#include "undo.h"

#include "change.h"
#include "comment.h"
#include "field.h"
#include "link.h"
#include "merge.h"
#include "person.h"
#include "registers.h"
#include "schema/macro.h"
#include "schema/merge.h"
#include "schema/undo.h"

#include <errno.h>
#include <string.h>

/* An undo under way, and the effect of the command that is being taken back: the last one first. */
struct undo {
        struct tx *tx;
        struct call *c;
        struct ulid command;
        const struct log_entry *entry;
        struct ulid origin;              /* of a split: a ticket that its comments were written on */
        struct ulid *tickets;
        size_t n_tickets;
};

/* ---- which command was the last one ---- */

int undo_remember(struct tx *tx)
{
        int r;

        if (!tx->n)
                return 0;
        r = db_do(tx->db, "INSERT INTO recent(actor, seq, op_id) VALUES(?1, ?2, ?3)", "uiu", tx->actor.user, store_position(tx->store),
                  tx->op_id);
        return r ? r : db_do(tx->db, "DELETE FROM recent WHERE actor = ?1 AND seq <= (SELECT seq FROM recent WHERE actor = ?1 ORDER BY seq DESC"
                                     " LIMIT 1 OFFSET ?2)", "ui", tx->actor.user, (int64_t)UNDO_KEPT);
}

static int recent_find(struct tx *tx, struct call *c, struct ulid *ret)
{
        sqlite3_stmt *q = db_query(tx->db, "SELECT op_id FROM recent WHERE actor = ?1 ORDER BY seq DESC LIMIT 1", "u", tx->actor.user);
        int r = db_step(tx->db, q);

        if (r <= 0)
                return r ? r : call_not_found(c);
        *ret = db_column_ulid(q, 0);
        db_done(q);
        return 0;
}

/* ---- registers ---- */

static void ticket_note(struct undo *u, struct ulid ticket)
{
        for (size_t i = 0; i < u->n_tickets; i++)
                if (ulid_eq(u->tickets[i], ticket))
                        return;
        if (u->n_tickets < UNDO_TICKETS_MAX)
                u->tickets[u->n_tickets++] = ticket;
}

static int append(struct undo *u, const struct schema_op *kind, const void *body, struct ulid target, struct ulid ticket, const struct op_base *base)
{
        ticket_note(u, ticket);
        return tx_append(u->tx, &(struct effect){ .kind = kind, .body = body, .target = target,
                                                  .audience = kind->audience == SCHEMA_TO_TICKET ? &ticket : NULL, .base = base, .n_base = base != NULL });
}

static int changed_since(struct undo *u, enum register_field field, struct ulid ticket)
{
        struct ticket_row row;
        int r = ticket_find(u->tx->db, ticket, &row);

        return r ? r : call_conflict(u->c, "the %s of #%lld has changed since; nothing was undone", register_name(field), (long long)row.number);
}

static int entry_find(struct undo *u, struct ulid op_id, uint32_t n, struct log_entry *ret)
{
        int64_t seq;
        int r = db_int(u->tx->db, &seq, "SELECT seq FROM op WHERE op_id = ?1 AND n = ?2", "ui", op_id, (int64_t)n);

        return r ? r : log_entry_at(u->tx->db, seq, u->tx->arena, ret);
}

/* The write that a register showed before the one with this stamp and others of its command. -ENOENT: what it was created with. */
static int stamp_before(struct undo *u, struct ulid entity, enum register_field field, struct stamp stamp, struct stamp *ret)
{
        uint8_t bytes[STAMP_BYTES];
        sqlite3_stmt *q;
        int r;

        stamp_pack(stamp, bytes);
        q = db_query(u->tx->db, "SELECT stamp FROM register WHERE entity = ?1 AND field = ?2 AND written AND stamp < ?3 AND substr(stamp, 9, 16) <> ?4"
                                " ORDER BY stamp DESC LIMIT 1",
                     "uibu", entity, (int64_t)field, (struct str){ (const char *)bytes, sizeof(bytes) }, stamp.op_id);
        r = db_step(u->tx->db, q);
        if (r <= 0)
                return r ? r : -ENOENT;
        r = stamp_unpack(db_column_str(q, 0), ret);
        db_done(q);
        return r;
}

/* The write that this one stands for: where an undo made it, the one that was put back. -ENOENT: what the register was created with. */
static int stamp_meant(struct undo *u, struct stamp stamp, struct stamp *ret)
{
        sqlite3_stmt *q = db_query(u->tx->db, "SELECT stamp FROM restored WHERE op_id = ?1 AND n = ?2", "ui", stamp.op_id, (int64_t)stamp.n);
        int r = db_step(u->tx->db, q);

        if (r < 0)
                return r;
        *ret = stamp;
        if (r == 0)
                return 0;
        r = db_column_is_null(q, 0) ? -ENOENT : stamp_unpack(db_column_str(q, 0), ret);
        db_done(q);
        return r;
}

/* What the next effect stands for; NULL: what the register was created with. */
static int meant_keep(struct undo *u, const struct stamp *stamp)
{
        uint8_t bytes[STAMP_BYTES];
        struct str packed = { (const char *)bytes, sizeof(bytes) };

        if (stamp)
                stamp_pack(*stamp, bytes);
        return db_do(u->tx->db, "INSERT INTO restored(op_id, n, stamp) VALUES(?1, ?2, ?3)", "uiB", u->tx->op_id, (int64_t)u->tx->n,
                     stamp ? &packed : NULL);
}

/* Puts back what the register showed before the write that is undone. created: the body of a write of what it was created with. */
static int register_restore(struct undo *u, struct ulid ticket, struct ulid entity, enum register_field field, const void *created,
                            const struct op_base *base)
{
        const struct schema_op *kind = u->entry->kind;
        void *body = arena_zalloc(u->tx->arena, kind->body->size);
        struct stamp before, meant;
        struct log_entry e;
        int r = stamp_before(u, entity, field, op_stamp(&u->entry->op), &before);

        if (!r)
                r = stamp_meant(u, before, &meant);
        if (r && r != -ENOENT)
                return r;
        if (!r) {
                r = entry_find(u, meant.op_id, meant.n, &e);
                if (!r)
                        r = log_entry_body(u->tx->db, &e, u->tx->arena, body);
                if (!r)
                        r = meant_keep(u, &meant);
                return r ? r : append(u, e.kind, body, u->entry->op.target, ticket, base); /* of the same shape; it may have another audience */
        }
        r = meant_keep(u, NULL);
        return r ? r : append(u, kind, created, u->entry->op.target, ticket, base);
}

static int register_undo(struct undo *u, struct ulid ticket, struct ulid entity, enum register_field field, const void *created)
{
        struct op_base base = { .field = str_of(register_name(field)) };
        struct stamp mine = op_stamp(&u->entry->op), meant;
        sqlite3_stmt *q;
        int r = registers_shown(u->tx->db, entity, field, &base.stamp, &q);

        if (r)
                return r;
        db_done(q);
        if (ulid_eq(base.stamp.op_id, u->tx->op_id))
                return 0; /* the command wrote it again later, and that is undone */
        if (stamp_cmp(base.stamp, mine) != 0) {
                r = stamp_meant(u, base.stamp, &meant);
                if (r == -ENOENT || (!r && stamp_cmp(meant, mine) != 0))
                        r = changed_since(u, field, ticket);
        }
        return r ? r : register_restore(u, ticket, entity, field, created, &base);
}

/* As it was filed. */
static int filed(struct undo *u, struct ulid ticket, struct op_ticket_create *ret)
{
        struct log_entry e;
        int r = entry_find(u, ticket, 0, &e);

        *ret = (struct op_ticket_create){ 0 };
        if (!r && e.kind == &schema_op_ticket_create)
                r = log_entry_body(u->tx->db, &e, u->tx->arena, ret);
        return r;
}

static int state_undo(struct undo *u, const void *body)
{
        struct ulid ticket = ((const struct op_ticket_state *)body)->ticket;

        return register_undo(u, ticket, ticket, REGISTER_STATE, &(struct op_ticket_state){ .ticket = ticket, .state = TICKET_STATE_NEW });
}

static int priority_undo(struct undo *u, const void *body)
{
        struct ulid ticket = ((const struct op_ticket_priority *)body)->ticket;
        struct op_ticket_create was;
        int r = filed(u, ticket, &was);

        return r ? r : register_undo(u, ticket, ticket, REGISTER_PRIORITY, &(struct op_ticket_priority){ .ticket = ticket, .priority = was.priority });
}

static int subject_undo(struct undo *u, const void *body)
{
        struct ulid ticket = ((const struct op_ticket_subject *)body)->ticket;
        struct op_ticket_create was;
        int r = filed(u, ticket, &was);

        return r ? r : register_undo(u, ticket, ticket, REGISTER_SUBJECT, &(struct op_ticket_subject){ .ticket = ticket, .subject = was.subject });
}

static int assignee_undo(struct undo *u, const void *body)
{
        struct ulid ticket = ((const struct op_ticket_assignee *)body)->ticket;

        return register_undo(u, ticket, ticket, REGISTER_ASSIGNEE, &(struct op_ticket_assignee){ .ticket = ticket });
}

static int type_undo(struct undo *u, const void *body)
{
        struct ulid ticket = ((const struct op_ticket_type *)body)->ticket;

        return register_undo(u, ticket, ticket, REGISTER_TYPE, &(struct op_ticket_type){ .ticket = ticket });
}

static int team_undo(struct undo *u, const void *body)
{
        struct ulid ticket = ((const struct op_ticket_team *)body)->ticket;

        return register_undo(u, ticket, ticket, REGISTER_TEAM, &(struct op_ticket_team){ .ticket = ticket });
}

_Static_assert(sizeof(struct op_ticket_field) == sizeof(struct op_ticket_inner_field), "both are undone as one");

static int field_undo(struct undo *u, const void *body)
{
        const struct op_ticket_field *b = body;

        return register_undo(u, b->ticket, field_entity(b->ticket, b->field), REGISTER_FIELD,
                             &(struct op_ticket_field){ .ticket = b->ticket, .field = b->field });
}

static int merge_undo(struct undo *u, const void *body)
{
        struct ulid ticket = ((const struct op_ticket_merge *)body)->ticket;

        return register_undo(u, ticket, ticket, REGISTER_MERGED, &(struct op_ticket_merge){ .ticket = ticket });
}

static int move_undo(struct undo *u, const void *body)
{
        const struct op_comment_move *b = body;

        u->origin = b->ticket;
        return register_undo(u, b->ticket, b->comment, REGISTER_MOVED, &(struct op_comment_move){ .ticket = b->ticket, .comment = b->comment });
}

/* The ticket of a split, whose comments are back by now. A number that was given out leads somewhere. */
static int split_undo(struct undo *u, const void *body)
{
        static const struct caller agent = { .role = SCHEMA_ROLE_AGENT };
        struct thread_sum sum = { 0 };
        struct ticket_row row;
        int r = ticket_find(u->tx->db, u->entry->op.target, &row);

        (void)body;
        if (!r)
                r = thread_sum(u->tx->db, &agent, row.id, &sum);
        if (r || row.has_merged || sum.comments || sum.notes)
                return r;
        ticket_note(u, row.id);
        return merge_append(u->tx, &row, &u->origin);
}

/* ---- sets ---- */

static int is_there(struct undo *u, struct ulid ticket, enum member_kind kind, struct str element, bool by_command, bool *ret)
{
        struct ulid *adders;
        size_t n;
        int r = member_adders(u->tx->db, ticket, kind, element, u->tx->arena, &adders, &n);

        *ret = false;
        for (size_t i = 0; i < n && !r; i++)
                *ret = *ret || !by_command || ulid_eq(adders[i], u->command);
        return r;
}

/* What the command added is removed as far as it is still there; what others added, too, stays. remove: a body that names the command. */
static int added_undo(struct undo *u, struct ulid ticket, enum member_kind kind, struct str element, const struct schema_op *remove_kind, const void *remove)
{
        bool there;
        int r = is_there(u, ticket, kind, element, true, &there);

        return r || !there ? r : append(u, remove_kind, remove, ticket, ticket, NULL);
}

/* What it removed is there again, unless somebody has added it. */
static int removed_undo(struct undo *u, struct ulid ticket, enum member_kind kind, struct str element, const struct schema_op *add_kind, const void *add)
{
        bool there;
        int r = is_there(u, ticket, kind, element, false, &there);

        return r || there ? r : append(u, add_kind, add, ticket, ticket, NULL);
}

static int tag_added_undo(struct undo *u, const void *body)
{
        const struct op_tag_add *b = body;

        return added_undo(u, b->ticket, MEMBER_TAG, b->tag, &schema_op_tag_remove,
                          &(struct op_tag_remove){ .ticket = b->ticket, .tag = b->tag, .saw = { &u->command, 1 } });
}

static int tag_removed_undo(struct undo *u, const void *body)
{
        const struct op_tag_remove *b = body;

        return removed_undo(u, b->ticket, MEMBER_TAG, b->tag, &schema_op_tag_add, &(struct op_tag_add){ .ticket = b->ticket, .tag = b->tag });
}

static int link_added_undo(struct undo *u, const void *body)
{
        const struct op_link_add *b = body;
        uint8_t bytes[LINK_ELEMENT_BYTES];

        ticket_note(u, b->other);
        return added_undo(u, b->ticket, MEMBER_LINK, link_element(b->kind, b->other, bytes), &schema_op_link_remove,
                          &(struct op_link_remove){ .ticket = b->ticket, .kind = b->kind, .other = b->other, .saw = { &u->command, 1 } });
}

static int link_removed_undo(struct undo *u, const void *body)
{
        const struct op_link_remove *b = body;
        uint8_t bytes[LINK_ELEMENT_BYTES];

        ticket_note(u, b->other);
        return removed_undo(u, b->ticket, MEMBER_LINK, link_element(b->kind, b->other, bytes), &schema_op_link_add,
                            &(struct op_link_add){ .ticket = b->ticket, .kind = b->kind, .other = b->other });
}

/* Whether a customer sees the ticket; who is nobody here any more is told nothing. */
static int sees(struct undo *u, struct ulid user, struct ulid ticket, bool *ret)
{
        struct caller caller;
        int r = person_caller(u->tx->db, user, &caller);

        *ret = false;
        return r ? (r == -ENOENT ? 0 : r) : ticket_visible(u->tx->db, &caller, ticket, ret);
}

static int watcher_undo(struct undo *u, struct ulid ticket, struct ulid user, bool added)
{
        struct op_watcher_remove remove = { .ticket = ticket, .user = user, .saw = { &u->command, 1 } };
        struct op_watcher_add add = { .ticket = ticket, .user = user };
        struct op_access_gained access = { .user = user, .ticket = ticket }; /* both kinds have this shape */
        struct str element = { (const char *)user.b, sizeof(user.b) };
        bool before, after;
        int r = sees(u, user, ticket, &before);

        if (!r)
                r = added ? added_undo(u, ticket, MEMBER_WATCHER, element, &schema_op_watcher_remove, &remove)
                          : removed_undo(u, ticket, MEMBER_WATCHER, element, &schema_op_watcher_add, &add);
        if (!r)
                r = sees(u, user, ticket, &after);
        if (r || before == after)
                return r;
        return tx_append(u->tx, &(struct effect){ .kind = after ? &schema_op_access_gained : &schema_op_access_lost, .body = &access,
                                                  .target = ticket, .audience = &user });
}

static int watcher_added_undo(struct undo *u, const void *body)
{
        const struct op_watcher_add *b = body;

        return watcher_undo(u, b->ticket, b->user, true);
}

static int watcher_removed_undo(struct undo *u, const void *body)
{
        const struct op_watcher_remove *b = body;

        return watcher_undo(u, b->ticket, b->user, false);
}

/* ---- a command ---- */

/* Without undo: it stays, or follows from another one. Kinds that are not here can't be undone. */
static const struct {
        const struct schema_op *kind;
        int (*undo)(struct undo *u, const void *body);
} kinds[] = {
        { &schema_op_ticket_state, state_undo },
        { &schema_op_ticket_priority, priority_undo },
        { &schema_op_ticket_subject, subject_undo },
        { &schema_op_ticket_assignee, assignee_undo },
        { &schema_op_ticket_type, type_undo },
        { &schema_op_ticket_team, team_undo },
        { &schema_op_ticket_field, field_undo },
        { &schema_op_ticket_inner_field, field_undo },
        { &schema_op_ticket_merge, merge_undo },
        { &schema_op_ticket_create, split_undo },
        { &schema_op_comment_move, move_undo },
        { &schema_op_note_move, move_undo },
        { &schema_op_tag_add, tag_added_undo },
        { &schema_op_tag_remove, tag_removed_undo },
        { &schema_op_watcher_add, watcher_added_undo },
        { &schema_op_watcher_remove, watcher_removed_undo },
        { &schema_op_link_add, link_added_undo },
        { &schema_op_link_remove, link_removed_undo },
        { &schema_op_access_gained, NULL },
        { &schema_op_access_lost, NULL },
        { &schema_op_command_undo, NULL },
        { &schema_op_macro_run, NULL },
};

static int kind_index(const struct schema_op *kind)
{
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (kinds[i].kind == kind)
                        return (int)i;
        return -1;
}

/* A reply, and a ticket that was filed, have effects that follow from what was written: they stay with it. */
static int may_undo(struct undo *u, const struct log_entry *entries, size_t n)
{
        bool moves = false;

        for (size_t i = 0; i < n; i++) {
                moves = moves || entries[i].kind == &schema_op_comment_move || entries[i].kind == &schema_op_note_move;
                if (kind_index(entries[i].kind) < 0 && entries[0].kind != &schema_op_macro_run) /* what a macro writes stays, too */
                        return call_invalid(u->c, "command", "did more than undo knows of (%.*s)", STR_ARG(entries[i].op.kind));
        }
        if (entries[0].kind == &schema_op_ticket_create && !moves)
                return call_invalid(u->c, "command", "filed a ticket, and that stays; close it");
        if (!caller_is_admin(&u->tx->actor) && !ulid_eq(entries[0].op.actor, u->tx->actor.user))
                return call_forbidden(u->c, "only who did it, or an admin, may undo it");
        return 0;
}

static int effects_read(struct undo *u, struct log_entry **ret, size_t *ret_n)
{
        int64_t count;
        sqlite3_stmt *q;
        size_t n = 0;
        int r = db_int(u->tx->db, &count, "SELECT count(*) FROM op WHERE op_id = ?1", "u", u->command);

        if (r || !count)
                return r ? r : call_not_found(u->c);
        *ret = arena_array(u->tx->arena, (size_t)count, sizeof(**ret));
        q = db_query(u->tx->db, "SELECT " LOG_COLUMNS " FROM op WHERE op_id = ?1 ORDER BY n", "u", u->command);
        while ((r = db_step(u->tx->db, q)) > 0) {
                r = log_entry_read(u->tx->db, q, u->tx->arena, &(*ret)[n++]);
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        *ret_n = n;
        return r;
}

static int effects_undo(struct undo *u, const struct log_entry *entries, size_t n)
{
        int r = 0;

        for (size_t i = n; i-- > 0 && !r;) {
                const struct log_entry *e = &entries[i];
                int kind = kind_index(e->kind);
                void *body;

                if (kind < 0 || !kinds[kind].undo)
                        continue;
                body = arena_zalloc(u->tx->arena, e->kind->body->size);
                u->entry = e;
                r = log_entry_body(u->tx->db, e, u->tx->arena, body);
                if (!r)
                        r = kinds[kind].undo(u, body);
        }
        return r;
}

static int undo(struct undo *u)
{
        struct log_entry *entries = NULL;
        uint32_t before;
        size_t n = 0;
        int r = effects_read(u, &entries, &n);

        if (!r)
                r = may_undo(u, entries, n);
        if (!r)
                r = tx_append(u->tx, &(struct effect){ .kind = &schema_op_command_undo, .body = &(struct op_command_undo){ .command = u->command } });
        before = u->tx->n;
        if (!r)
                r = effects_undo(u, entries, n);
        if (!r && u->tx->n == before)
                r = call_conflict(u->c, "nothing of it is there any more");
        return r ? r : db_do(u->tx->db, "DELETE FROM recent WHERE op_id = ?1", "u", u->command);
}

/* What an undo that was accepted before did. */
static int undone_before(struct undo *u)
{
        struct op_command_undo body = { 0 };
        struct log_entry *entries = NULL, e;
        struct ulid own = u->tx->op_id;
        size_t n = 0;
        int r = entry_find(u, own, 0, &e);

        if (!r)
                r = log_entry_body(u->tx->db, &e, u->tx->arena, &body);
        u->command = own;
        if (!r)
                r = effects_read(u, &entries, &n);
        for (size_t i = 0; i < n && !r; i++)
                if (entries[i].kind->audience != SCHEMA_TO_USER && !ulid_is_zero(entries[i].audience))
                        ticket_note(u, entries[i].audience);
        u->command = body.command;
        return r;
}

int store_on_command_undo(struct store *s, struct call *c, const struct command_undo *in, struct command_undo_result *ret)
{
        struct undo u = { .c = c, .command = in->command, .tickets = arena_array(&c->arena, UNDO_TICKETS_MAX, sizeof(struct ulid)) };
        bool again;
        int r;

        r = tx_begin(s, c, &u.tx, &again);
        if (!r && again)
                r = undone_before(&u);
        else if (!r && !in->has_command)
                r = recent_find(u.tx, c, &u.command);
        if (!r && !again)
                r = undo(&u);
        if (r)
                return r;
        ret->command = u.command;
        ret->tickets.items = u.tickets;
        ret->tickets.n = u.n_tickets;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(u.tx);
        return 0;
}

#include "fold_step.h"

#include "definition.h"
#include "field.h"
#include "link.h"
#include "registers.h"
#include "state.h"
#include "ticket.h"
#include "schema/comment.h"
#include "schema/macro.h"
#include "schema/merge.h"
#include "schema/label.h"
#include "schema/log.h"
#include "schema/mention.h"
#include "schema/person.h"
#include "schema/project.h"
#include "schema/team.h"
#include "schema/type.h"
#include "schema/view.h"
#include "schema/undo.h"

#include <errno.h>
#include <string.h>

/* ---- tickets ---- */

int fold_ticket_stub(struct fold *f, struct ulid ticket)
{
        return db_do(f->db, "INSERT OR IGNORE INTO ticket(id, number, requester, created, hidden, state, priority, assignee,"
                            " subject_op, subject_n, changed, touched, comments, notes, newest_comment, newest_at)"
                            " VALUES(?1, 0, NULL, 0, 1, 0, 1, NULL, NULL, 0, 0, 0, 0, 0, NULL, 0)",
                     "u", ticket);
}

/* Something happened on it. */
int fold_ticket_touch(struct fold *f, struct ulid ticket)
{
        static const char *const sql[] = { "UPDATE ticket SET touched = max(touched, ?2), changed = max(changed, ?2) WHERE id = ?1",
                                           "UPDATE ticket SET touched = max(touched, ?2) WHERE id = ?1" };
        int r = db_do(f->db, sql[f->internal], "ui", ticket, (int64_t)f->op->hlc);

        if (r || sqlite3_changes(db_handle(f->db)))
                return r;
        r = fold_ticket_stub(f, ticket);
        return r ? r : db_do(f->db, sql[f->internal], "ui", ticket, (int64_t)f->op->hlc);
}

static int ticket_create(struct fold *f, const void *body)
{
        const struct op_ticket_create *b = body;
        int r = db_do(f->db, "INSERT OR IGNORE INTO ticket(id, number, requester, created, hidden, state, priority, assignee,"
                             " subject_op, subject_n, changed, touched, comments, notes, newest_comment, newest_at)"
                             " VALUES(?1, ?2, ?3, ?4, 0, 0, ?5, NULL, ?6, 0, ?4, ?4, 0, 0, NULL, 0)",
                      "uiuiiu", f->op->target, b->number, b->requester, (int64_t)f->op->hlc, (int64_t)b->priority, f->op->op_id);

        if (r || sqlite3_changes(db_handle(f->db)))
                return r;
        r = fold_ticket_touch(f, f->op->target); /* it was a stub */
        return r ? r : db_do(f->db, "UPDATE ticket SET number = ?2, requester = ?3, created = ?4, hidden = 0,"
                                    " priority = CASE WHEN EXISTS (SELECT 1 FROM register WHERE entity = ?1 AND field = ?6 AND written)"
                                    "   THEN priority ELSE ?5 END,"
                                    " subject_op = coalesce(subject_op, ?7) WHERE id = ?1",
                             "uiuiiiu", f->op->target, b->number, b->requester, (int64_t)f->op->hlc, (int64_t)b->priority,
                             (int64_t)REGISTER_PRIORITY, f->op->op_id);
}

/* A register's value that is an id, NULL where it says nothing. */
static const struct str *value_id(sqlite3_stmt *q, struct str *id)
{
        *id = db_column_str(q, 0);
        return db_column_is_null(q, 0) ? NULL : id;
}

static int ticket_register(struct fold *f, struct ulid ticket, enum register_field field, char letter, int64_t number, const struct ulid *id)
{
        struct stamp shown;
        sqlite3_stmt *q;
        int r;

        r = fold_ticket_touch(f, ticket);
        if (!r)
                r = registers_write(f->db, ticket, field, f->op, letter, number, id);
        if (!r)
                r = registers_shown(f->db, ticket, field, &shown, &q);
        if (r)
                return r;
        switch (field) {
        case REGISTER_PRIORITY:
                r = db_do(f->db, "UPDATE ticket SET priority = ?2 WHERE id = ?1", "ui", ticket, db_column_int(q, 0));
                break;
        case REGISTER_ASSIGNEE:
                r = db_do(f->db, "UPDATE ticket SET assignee = ?2 WHERE id = ?1", "uB", ticket, value_id(q, &(struct str){ 0 }));
                break;
        case REGISTER_TYPE:
                r = db_do(f->db, "UPDATE ticket SET type = ?2 WHERE id = ?1", "uB", ticket, value_id(q, &(struct str){ 0 }));
                break;
        case REGISTER_TEAM:
                r = db_do(f->db, "UPDATE ticket SET team = ?2 WHERE id = ?1", "uB", ticket, value_id(q, &(struct str){ 0 }));
                break;
        case REGISTER_MERGED:
                r = db_do(f->db, "UPDATE ticket SET merged_into = ?2 WHERE id = ?1", "uB", ticket, value_id(q, &(struct str){ 0 }));
                break;
        default: /* the subject: its text lies with the op */
                r = db_do(f->db, "UPDATE ticket SET subject_op = ?2, subject_n = ?3 WHERE id = ?1", "uui", ticket, shown.op_id, (int64_t)shown.n);
                break;
        }
        db_done(q);
        return r;
}

static int ticket_subject(struct fold *f, const void *body)
{
        return ticket_register(f, ((const struct op_ticket_subject *)body)->ticket, REGISTER_SUBJECT, 'n', 0, NULL);
}

static int ticket_state(struct fold *f, const void *body)
{
        const struct op_ticket_state *b = body;
        int r = fold_ticket_touch(f, b->ticket);

        return r ? r : state_fold(f->db, f->op, b);
}

static int ticket_priority(struct fold *f, const void *body)
{
        const struct op_ticket_priority *b = body;

        return ticket_register(f, b->ticket, REGISTER_PRIORITY, 'i', b->priority, NULL);
}

static int ticket_assignee(struct fold *f, const void *body)
{
        const struct op_ticket_assignee *b = body;

        return ticket_register(f, b->ticket, REGISTER_ASSIGNEE, 'U', 0, b->has_assignee ? &b->assignee : NULL);
}

static int ticket_type(struct fold *f, const void *body)
{
        const struct op_ticket_type *b = body;

        return ticket_register(f, b->ticket, REGISTER_TYPE, 'U', 0, b->has_type ? &b->type : NULL);
}

static int ticket_team(struct fold *f, const void *body)
{
        const struct op_ticket_team *b = body;

        return ticket_register(f, b->ticket, REGISTER_TEAM, 'U', 0, b->has_team ? &b->team : NULL);
}

static int ticket_field(struct fold *f, const void *body)
{
        const struct op_ticket_field *b = body;
        int r = fold_ticket_touch(f, b->ticket);

        return r ? r : field_fold(f->db, f->op, b, f->internal);
}

/* ---- tags, watchers and links ---- */

static int member_add(struct fold *f, struct ulid ticket, enum member_kind kind, struct str element)
{
        int r = fold_ticket_touch(f, ticket);

        if (r)
                return r;
        return db_do(f->db, "INSERT INTO member(ticket, kind, element, adder, added, removed) VALUES(?1, ?2, ?3, ?4, 1, 0)"
                            " ON CONFLICT DO UPDATE SET added = 1",
                     "uibu", ticket, (int64_t)kind, element, f->op->op_id);
}

static int member_remove(struct fold *f, struct ulid ticket, enum member_kind kind, struct str element, const struct ulid *adders, size_t n)
{
        int r = fold_ticket_touch(f, ticket);

        for (size_t i = 0; i < n && !r; i++)
                r = db_do(f->db, "INSERT INTO member(ticket, kind, element, adder, added, removed) VALUES(?1, ?2, ?3, ?4, 0, 1)"
                                 " ON CONFLICT DO UPDATE SET removed = 1",
                          "uibu", ticket, (int64_t)kind, element, adders[i]);
        return r;
}

static int tag_add(struct fold *f, const void *body)
{
        const struct op_tag_add *b = body;

        return member_add(f, b->ticket, MEMBER_TAG, b->tag);
}

static int tag_remove(struct fold *f, const void *body)
{
        const struct op_tag_remove *b = body;

        return member_remove(f, b->ticket, MEMBER_TAG, b->tag, b->saw.items, b->saw.n);
}

static int watcher_add(struct fold *f, const void *body)
{
        const struct op_watcher_add *b = body;

        return member_add(f, b->ticket, MEMBER_WATCHER, (struct str){ (const char *)b->user.b, sizeof(b->user.b) });
}

static int watcher_remove(struct fold *f, const void *body)
{
        const struct op_watcher_remove *b = body;

        return member_remove(f, b->ticket, MEMBER_WATCHER, (struct str){ (const char *)b->user.b, sizeof(b->user.b) }, b->saw.items, b->saw.n);
}

/* Both ends are touched: each shows it. */
static int link_add(struct fold *f, const void *body)
{
        const struct op_link_add *b = body;
        uint8_t bytes[LINK_ELEMENT_BYTES];
        int r = member_add(f, b->ticket, MEMBER_LINK, link_element(b->kind, b->other, bytes));

        return r ? r : fold_ticket_touch(f, b->other);
}

static int link_remove(struct fold *f, const void *body)
{
        const struct op_link_remove *b = body;
        uint8_t bytes[LINK_ELEMENT_BYTES];
        int r = member_remove(f, b->ticket, MEMBER_LINK, link_element(b->kind, b->other, bytes), b->saw.items, b->saw.n);

        return r ? r : fold_ticket_touch(f, b->other);
}

/* ---- merging and splitting: pointers ---- */

static int ticket_branch(struct fold *f, struct ulid ticket)
{
        int r = fold_ticket_touch(f, ticket);

        return r ? r : db_do(f->db, "UPDATE ticket SET branched = 1 WHERE id = ?1", "u", ticket);
}

static int ticket_merge(struct fold *f, const void *body)
{
        const struct op_ticket_merge *b = body;
        int r = ticket_branch(f, b->ticket);

        if (!r && b->has_into)
                r = ticket_branch(f, b->into);
        return r ? r : ticket_register(f, b->ticket, REGISTER_MERGED, 'U', 0, b->has_into ? &b->into : NULL);
}

static int pointer_move(struct fold *f, const struct op_comment_move *b, bool note)
{
        static const char *const sql[] = { "UPDATE comment SET moved = ?2 WHERE id = ?1", "UPDATE note SET moved = ?2 WHERE id = ?1" };
        struct stamp shown;
        sqlite3_stmt *q;
        int r;

        r = ticket_branch(f, b->ticket);
        if (!r && b->has_to)
                r = ticket_branch(f, b->to);
        if (!r)
                r = fold_comment_stub(f, note, b->ticket, b->comment);
        if (!r)
                r = registers_write(f->db, b->comment, REGISTER_MOVED, f->op, 'U', 0, b->has_to ? &b->to : NULL);
        if (!r)
                r = registers_shown(f->db, b->comment, REGISTER_MOVED, &shown, &q);
        if (r)
                return r;
        r = db_do(f->db, sql[note], "uB", b->comment, value_id(q, &(struct str){ 0 }));
        db_done(q);
        return r;
}

_Static_assert(sizeof(struct op_note_move) == sizeof(struct op_comment_move), "a note is moved as a comment is");

static int comment_move(struct fold *f, const void *body)
{
        return pointer_move(f, body, false);
}

static int note_move(struct fold *f, const void *body)
{
        return pointer_move(f, body, true);
}

static int ticket_reply(struct fold *f, const void *body)
{
        return fold_ticket_touch(f, ((const struct op_ticket_reply *)body)->ticket);
}

/* ---- people, the project, access ---- */

_Static_assert(sizeof(struct op_staff_set) == sizeof(struct op_person_set), "staff are people");

static int person_set(struct fold *f, const void *body)
{
        const struct op_person_set *b = body;
        uint8_t bytes[STAMP_BYTES];

        stamp_pack(op_stamp(f->op), bytes);
        return db_do(f->db, "INSERT INTO person(id, stamp, role, active, name_op, name_n) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                            " ON CONFLICT DO UPDATE SET stamp = excluded.stamp, role = excluded.role, active = excluded.active,"
                            " name_op = excluded.name_op, name_n = excluded.name_n WHERE excluded.stamp > person.stamp",
                     "ubiiui", b->user, (struct str){ (const char *)bytes, sizeof(bytes) }, (int64_t)b->role, (int64_t)b->active, f->op->op_id,
                     (int64_t)f->op->n);
}

static int project_set(struct fold *f, const void *body)
{
        const struct op_project_set *b = body;
        uint8_t bytes[STAMP_BYTES];

        stamp_pack(op_stamp(f->op), bytes);
        return db_do(f->db, "INSERT INTO project(one, stamp, name) VALUES(1, ?1, ?2)"
                            " ON CONFLICT DO UPDATE SET stamp = excluded.stamp, name = excluded.name WHERE excluded.stamp > project.stamp",
                     "bt", (struct str){ (const char *)bytes, sizeof(bytes) }, b->name);
}

static int mention_add(struct fold *f, const void *body)
{
        const struct op_mention_add *b = body;

        return db_do(f->db, "INSERT INTO mention(user, comment, ticket, note, at) VALUES(?1, ?2, ?3, ?4, ?5)"
                            " ON CONFLICT DO UPDATE SET at = min(at, excluded.at)",
                     "uuuii", b->user, b->comment, b->ticket, (int64_t)b->note, (int64_t)f->op->hlc);
}

static int definition_set(struct fold *f, const void *body)
{
        return definition_fold(f->db, f->kind, f->op, body);
}

/* For replays alone: no table changes. */
static int nothing(struct fold *f, const void *body)
{
        (void)f;
        (void)body;
        return 0;
}

static const struct {
        const struct schema_op *kind;
        int (*fold)(struct fold *f, const void *body);
        bool internal;
} kinds[] = {
        { &schema_op_ticket_create, ticket_create },
        { &schema_op_ticket_subject, ticket_subject },
        { &schema_op_ticket_state, ticket_state },
        { &schema_op_ticket_priority, ticket_priority },
        { &schema_op_ticket_assignee, ticket_assignee },
        { &schema_op_ticket_type, ticket_type },
        { &schema_op_ticket_team, ticket_team, true },
        { &schema_op_ticket_field, ticket_field },
        { &schema_op_ticket_inner_field, ticket_field, true },
        { &schema_op_tag_add, tag_add },
        { &schema_op_tag_remove, tag_remove },
        { &schema_op_watcher_add, watcher_add },
        { &schema_op_watcher_remove, watcher_remove },
        { &schema_op_link_add, link_add, true },
        { &schema_op_link_remove, link_remove, true },
        { &schema_op_ticket_merge, ticket_merge, true },
        { &schema_op_ticket_reply, ticket_reply, true },
        { &schema_op_comment_move, comment_move, true },
        { &schema_op_note_move, note_move, true },
        { &schema_op_comment_add, fold_comment_add },
        { &schema_op_comment_edit, fold_comment_edit },
        { &schema_op_comment_delete, fold_comment_delete },
        { &schema_op_comment_redact, fold_comment_redact },
        { &schema_op_note_add, fold_comment_add, true },
        { &schema_op_note_edit, fold_comment_edit, true },
        { &schema_op_note_delete, fold_comment_delete, true },
        { &schema_op_note_redact, fold_comment_redact, true },
        { &schema_op_attachment_add, fold_attachment_add },
        { &schema_op_note_attachment_add, fold_attachment_add, true },
        { &schema_op_person_set, person_set },
        { &schema_op_staff_set, person_set },
        { &schema_op_project_set, project_set },
        { &schema_op_mention_add, mention_add },
        { &schema_op_team_set, definition_set },
        { &schema_op_type_set, definition_set },
        { &schema_op_field_set, definition_set },
        { &schema_op_view_set, definition_set },
        { &schema_op_own_view_set, definition_set },
        { &schema_op_label_set, definition_set },
        { &schema_op_reply_set, definition_set },
        { &schema_op_macro_set, definition_set },
        { &schema_op_role_set, nothing },
        { &schema_op_command_undo, nothing },
        { &schema_op_instance_begin, nothing },
        { &schema_op_macro_run, nothing },
        { &schema_op_access_gained, nothing },
        { &schema_op_access_lost, nothing },
};

int fold_apply(struct db *db, const struct log_entry *e, const void *body)
{
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (kinds[i].kind == e->kind)
                        return kinds[i].fold(&(struct fold){ db, &e->op, e->kind, kinds[i].internal }, body);
        return 0; /* a newer instance's kind: kept in the log, without effect here */
}

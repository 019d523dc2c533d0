#include "event.h"

#include "comment.h"
#include "definition.h"
#include "field.h"
#include "link.h"
#include "person.h"
#include "registers.h"
#include "label.h"
#include "team.h"
#include "schema/macro.h"
#include "schema/merge.h"
#include "schema/project.h"
#include "schema/mention.h"
#include "schema/view.h"
#include "schema/undo.h"
#include "ticket.h"

#include <errno.h>

struct source {
        struct db *db;
        const struct log_entry *entry;
        struct arena *arena;
        struct event *ret;
};

/* Fills the event; 1. */
static int say(struct source *s, const struct schema_event *type, const void *data)
{
        struct buf json = { 0 };

        buf_reserve(&json, 1024); /* most fit */
        json_write(type->data, data, &json);
        *s->ret = (struct event){
                .type = str_of(type->name),
                .has_op_id = true,
                .op_id = s->entry->op.op_id,
                .has_actor = true,
                .actor = s->entry->op.actor,
                .at = hlc_ms(s->entry->op.hlc),
                .data = arena_str(s->arena, buf_view(&json)),
        };
        buf_deinit(&json);
        return 1;
}

static int say_comment(struct source *s, const struct schema_event *type, bool internal, struct ulid comment)
{
        struct event_comment_added data; /* all four events have this shape */
        struct comment_row row;
        int r = comment_find(s->db, internal, comment, &row);

        if (!r)
                r = comment_view(s->db, &row, s->arena, &data.comment);
        if (r)
                return r == -ENOENT ? 0 : r;
        return say(s, type, &data);
}

static int comment_added(struct source *s, const void *body)
{
        (void)body;
        return say_comment(s, &schema_event_comment_added, false, op_entity(s->entry->op.op_id, s->entry->op.n));
}

static int comment_edited(struct source *s, const void *body)
{
        return say_comment(s, &schema_event_comment_changed, false, ((const struct op_comment_edit *)body)->comment);
}

static int comment_deleted(struct source *s, const void *body)
{
        return say_comment(s, &schema_event_comment_changed, false, ((const struct op_comment_delete *)body)->comment);
}

static int comment_redacted(struct source *s, const void *body)
{
        return say_comment(s, &schema_event_comment_changed, false, ((const struct op_comment_redact *)body)->comment);
}

static int note_added(struct source *s, const void *body)
{
        (void)body;
        return say_comment(s, &schema_event_note_added, true, op_entity(s->entry->op.op_id, s->entry->op.n));
}

static int note_edited(struct source *s, const void *body)
{
        return say_comment(s, &schema_event_note_changed, true, ((const struct op_note_edit *)body)->comment);
}

static int note_deleted(struct source *s, const void *body)
{
        return say_comment(s, &schema_event_note_changed, true, ((const struct op_note_delete *)body)->comment);
}

static int note_redacted(struct source *s, const void *body)
{
        return say_comment(s, &schema_event_note_changed, true, ((const struct op_note_redact *)body)->comment);
}

/* As it was filed, the subject too: what came after has events of its own, and counts grow by those. */
static int ticket_created(struct source *s, const void *body)
{
        const struct op *op = &s->entry->op;
        struct op_ticket_create filed = { 0 };
        struct event_ticket_created data;
        int r = log_entry_body(s->db, s->entry, s->arena, &filed);

        (void)body;
        if (r)
                return r;
        data.ticket = (struct ticket){
                .id = op->target,
                .number = filed.number,
                .subject = filed.subject,
                .requester = filed.requester,
                .state = TICKET_STATE_NEW,
                .priority = filed.priority,
                .created_at = hlc_ms(op->hlc),
                .changed_at = hlc_ms(op->hlc),
        };
        return say(s, &schema_event_ticket_created, &data);
}

static int ticket_changed(struct source *s, struct ulid ticket, enum register_field field)
{
        struct event_ticket_changed data = { .ticket = ticket };
        struct ticket_row row;
        bool conflict;
        int r;

        r = ticket_find(s->db, ticket, &row);
        if (!r)
                r = registers_conflict(s->db, ticket, field, &conflict);
        if (r)
                return r == -ENOENT ? 0 : r;
        if (conflict) {
                data.has_conflict = true;
                data.conflict = str_of(register_name(field));
        }
        switch (field) {
        case REGISTER_STATE:
                data.has_state = true;
                data.state = row.state;
                data.has_wake_at = row.has_wake;
                data.wake_at = row.wake_at;
                data.has_label = row.has_label;
                data.label = row.label;
                break;
        case REGISTER_PRIORITY:
                data.has_priority = true;
                data.priority = row.priority;
                break;
        case REGISTER_ASSIGNEE:
                data.has_assignee = row.has_assignee ? SCHEMA_PRESENT : SCHEMA_NULL;
                data.assignee = row.assignee;
                break;
        case REGISTER_TYPE:
                data.has_type = row.has_type ? SCHEMA_PRESENT : SCHEMA_NULL;
                data.type = row.type;
                break;
        case REGISTER_TEAM:
        case REGISTER_FIELD: /* these have events of their own */
        case REGISTER_MERGED:
        case REGISTER_MOVED:
        case REGISTER_SUBJECT:
        case REGISTER_BODY:
                data.has_subject = true;
                r = ticket_subject_text(s->db, &row, s->arena, &data.subject);
                break;
        }
        return r ? r : say(s, &schema_event_ticket_changed, &data);
}

static int subject_changed(struct source *s, const void *body)
{
        return ticket_changed(s, ((const struct op_ticket_subject *)body)->ticket, REGISTER_SUBJECT);
}

static int state_changed(struct source *s, const void *body)
{
        return ticket_changed(s, ((const struct op_ticket_state *)body)->ticket, REGISTER_STATE);
}

static int priority_changed(struct source *s, const void *body)
{
        return ticket_changed(s, ((const struct op_ticket_priority *)body)->ticket, REGISTER_PRIORITY);
}

static int assignee_changed(struct source *s, const void *body)
{
        return ticket_changed(s, ((const struct op_ticket_assignee *)body)->ticket, REGISTER_ASSIGNEE);
}

static int type_of_ticket_changed(struct source *s, const void *body)
{
        return ticket_changed(s, ((const struct op_ticket_type *)body)->ticket, REGISTER_TYPE);
}

static int ticket_routed(struct source *s, const void *body)
{
        struct event_ticket_routed data = { .ticket = ((const struct op_ticket_team *)body)->ticket };
        struct ticket_row row;
        int r = ticket_find(s->db, data.ticket, &row);

        if (!r)
                r = registers_conflict(s->db, data.ticket, REGISTER_TEAM, &data.conflict);
        if (r)
                return r == -ENOENT ? 0 : r;
        data.has_team = row.has_team;
        data.team = row.team;
        return say(s, &schema_event_ticket_routed, &data);
}

static int field_changed(struct source *s, const struct schema_event *type, const struct op_ticket_field *body, bool internal)
{
        struct event_ticket_field_changed data = { .ticket = body->ticket, .field = body->field }; /* both events have this shape */
        int r = field_value(s->db, body->ticket, body->field, internal, s->arena, &data.value);

        if (r && r != -ENOENT)
                return r;
        data.has_value = !r;
        return say(s, type, &data);
}

static int ticket_field_changed(struct source *s, const void *body)
{
        return field_changed(s, &schema_event_ticket_field_changed, body, false);
}

static int ticket_inner_field_changed(struct source *s, const void *body)
{
        return field_changed(s, &schema_event_ticket_inner_field_changed, body, true);
}

static int tag_added(struct source *s, const void *body)
{
        const struct op_tag_add *b = body;

        return say(s, &schema_event_ticket_changed,
                   &(struct event_ticket_changed){ .ticket = b->ticket, .has_added_tag = true, .added_tag = b->tag });
}

static int tag_removed(struct source *s, const void *body)
{
        const struct op_tag_remove *b = body;

        return say(s, &schema_event_ticket_changed,
                   &(struct event_ticket_changed){ .ticket = b->ticket, .has_removed_tag = true, .removed_tag = b->tag });
}

static int watcher_added(struct source *s, const void *body)
{
        const struct op_watcher_add *b = body;

        return say(s, &schema_event_ticket_changed,
                   &(struct event_ticket_changed){ .ticket = b->ticket, .has_added_watcher = true, .added_watcher = b->user });
}

static int watcher_removed(struct source *s, const void *body)
{
        const struct op_watcher_remove *b = body;

        return say(s, &schema_event_ticket_changed,
                   &(struct event_ticket_changed){ .ticket = b->ticket, .has_removed_watcher = true, .removed_watcher = b->user });
}

_Static_assert(sizeof(struct event_link_added) == sizeof(struct op_link_add), "an event of a link has the shape of its op");

static int link_added(struct source *s, const void *body)
{
        return say(s, &schema_event_link_added, body);
}

static int link_removed(struct source *s, const void *body)
{
        const struct op_link_remove *b = body;

        return say(s, &schema_event_link_removed, &(struct event_link_removed){ .ticket = b->ticket, .kind = b->kind, .other = b->other });
}

static int ticket_merged(struct source *s, const void *body)
{
        struct event_ticket_merged data = { .ticket = ((const struct op_ticket_merge *)body)->ticket };
        struct ticket_row row;
        int r = ticket_find(s->db, data.ticket, &row);

        if (r)
                return r == -ENOENT ? 0 : r;
        data.has_into = row.has_merged;
        data.into = row.merged;
        return say(s, &schema_event_ticket_merged, &data);
}

_Static_assert(sizeof(struct event_comment_moved) == sizeof(struct op_comment_move) && sizeof(struct event_note_moved) == sizeof(struct op_note_move),
               "an event of a move has the shape of its op");

static int say_moved(struct source *s, const struct schema_event *type, bool internal, const struct op_comment_move *body)
{
        struct op_comment_move now = *body;
        int r = comment_moved_to(s->db, internal, body->comment, &now.has_to, &now.to);

        return r ? (r == -ENOENT ? 0 : r) : say(s, type, &now);
}

static int comment_moved(struct source *s, const void *body)
{
        return say_moved(s, &schema_event_comment_moved, false, body);
}

static int note_moved(struct source *s, const void *body)
{
        return say_moved(s, &schema_event_note_moved, true, body);
}

static int command_undone(struct source *s, const void *body)
{
        return say(s, &schema_event_command_undone, &(struct event_command_undone){ ((const struct op_command_undo *)body)->command });
}

static int macro_changed(struct source *s, const void *body)
{
        struct op_macro_set now = { 0 };
        int r = definition_find(s->db, &schema_op_macro_set, ((const struct op_macro_set *)body)->macro, s->arena, &now);

        return r ? r : say(s, &schema_event_macro_changed, &now);
}

static int reply_changed(struct source *s, const void *body)
{
        struct op_reply_set now = { 0 };
        int r = definition_find(s->db, &schema_op_reply_set, ((const struct op_reply_set *)body)->reply, s->arena, &now);

        return r ? r : say(s, &schema_event_reply_changed, &now);
}

static int access_gained(struct source *s, const void *body)
{
        return say(s, &schema_event_access_gained, &(struct event_access_gained){ ((const struct op_access_gained *)body)->ticket });
}

static int access_lost(struct source *s, const void *body)
{
        return say(s, &schema_event_access_lost, &(struct event_access_lost){ ((const struct op_access_lost *)body)->ticket });
}

static int person_changed(struct source *s, struct ulid user)
{
        struct event_person_changed data;
        int r = person_find(s->db, user, s->arena, &data.person);

        return r ? (r == -ENOENT ? 0 : r) : say(s, &schema_event_person_changed, &data);
}

static int customer_changed(struct source *s, const void *body)
{
        return person_changed(s, ((const struct op_person_set *)body)->user);
}

static int staff_changed(struct source *s, const void *body)
{
        return person_changed(s, ((const struct op_staff_set *)body)->user);
}

static int role_changed(struct source *s, const void *body)
{
        const struct op_role_set *b = body;

        return say(s, &schema_event_role_changed, &(struct event_role_changed){ .role = b->role, .active = b->active });
}

static int project_changed(struct source *s, const void *body)
{
        return say(s, &schema_event_project_changed, &(struct event_project_changed){ ((const struct op_project_set *)body)->name });
}

static int mention_added(struct source *s, const void *body)
{
        const struct op_mention_add *b = body;
        struct event_mention_added data = { .mention = { .ticket = b->ticket, .comment = b->comment, .note = b->note, .by = s->entry->op.actor,
                                                         .at = hlc_ms(s->entry->op.hlc) } };

        return say(s, &schema_event_mention_added, &data);
}

static int team_changed(struct source *s, const void *body)
{
        struct op_team_set now = { 0 }; /* as the event has it */
        int r = definition_find(s->db, &schema_op_team_set, ((const struct op_team_set *)body)->team, s->arena, &now);

        return r ? r : say(s, &schema_event_team_changed, &now);
}

static int type_changed(struct source *s, const void *body)
{
        struct op_type_set now = { 0 };
        int r = definition_find(s->db, &schema_op_type_set, ((const struct op_type_set *)body)->type, s->arena, &now);

        now.has_team = false; /* customers see the event, too */
        return r ? r : say(s, &schema_event_type_changed, &now);
}

static int field_defined(struct source *s, const void *body)
{
        struct op_field_set now = { 0 };
        int r = definition_find(s->db, &schema_op_field_set, ((const struct op_field_set *)body)->field, s->arena, &now);

        return r ? r : say(s, &schema_event_field_changed, &now);
}

static int label_changed(struct source *s, const void *body)
{
        struct op_label_set now = { 0 };
        int r = definition_find(s->db, &schema_op_label_set, ((const struct op_label_set *)body)->label, s->arena, &now);

        return r ? r : say(s, &schema_event_label_changed, &now);
}

static int view_changed(struct source *s, const void *body)
{
        struct op_view_set now = { 0 };
        int r = definition_find(s->db, &schema_op_view_set, ((const struct op_view_set *)body)->view, s->arena, &now);

        return r ? r : say(s, &schema_event_view_changed, &now);
}

static int own_view_changed(struct source *s, const void *body)
{
        struct op_own_view_set now = { 0 }; /* the view, and behind it whose it is */
        int r = definition_find(s->db, &schema_op_own_view_set, ((const struct op_own_view_set *)body)->view, s->arena, &now);

        return r ? r : say(s, &schema_event_own_view_changed, &now);
}

static const struct {
        const struct schema_op *kind;
        int (*make)(struct source *s, const void *body);
} kinds[] = {
        { &schema_op_comment_add, comment_added },
        { &schema_op_comment_edit, comment_edited },
        { &schema_op_comment_delete, comment_deleted },
        { &schema_op_comment_redact, comment_redacted },
        { &schema_op_note_add, note_added },
        { &schema_op_note_edit, note_edited },
        { &schema_op_note_delete, note_deleted },
        { &schema_op_note_redact, note_redacted },
        { &schema_op_ticket_create, ticket_created },
        { &schema_op_ticket_subject, subject_changed },
        { &schema_op_ticket_state, state_changed },
        { &schema_op_ticket_priority, priority_changed },
        { &schema_op_ticket_assignee, assignee_changed },
        { &schema_op_ticket_type, type_of_ticket_changed },
        { &schema_op_ticket_team, ticket_routed },
        { &schema_op_ticket_field, ticket_field_changed },
        { &schema_op_ticket_inner_field, ticket_inner_field_changed },
        { &schema_op_tag_add, tag_added },
        { &schema_op_tag_remove, tag_removed },
        { &schema_op_watcher_add, watcher_added },
        { &schema_op_watcher_remove, watcher_removed },
        { &schema_op_link_add, link_added },
        { &schema_op_link_remove, link_removed },
        { &schema_op_ticket_merge, ticket_merged },
        { &schema_op_comment_move, comment_moved },
        { &schema_op_note_move, note_moved },
        { &schema_op_command_undo, command_undone },
        { &schema_op_macro_set, macro_changed },
        { &schema_op_reply_set, reply_changed },
        { &schema_op_access_gained, access_gained },
        { &schema_op_access_lost, access_lost },
        { &schema_op_person_set, customer_changed },
        { &schema_op_staff_set, staff_changed },
        { &schema_op_role_set, role_changed },
        { &schema_op_project_set, project_changed },
        { &schema_op_mention_add, mention_added },
        { &schema_op_team_set, team_changed },
        { &schema_op_type_set, type_changed },
        { &schema_op_field_set, field_defined },
        { &schema_op_view_set, view_changed },
        { &schema_op_own_view_set, own_view_changed },
        { &schema_op_label_set, label_changed },
};

int event_of(struct db *db, const struct log_entry *e, struct arena *arena, struct event *ret)
{
        struct source s = { db, e, arena, ret };

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                void *body;
                int r;

                if (kinds[i].kind != e->kind)
                        continue;
                body = arena_zalloc(arena, e->kind->body->size);
                r = log_entry_body(NULL, e, arena, body); /* texts are read where they show, as they are now */
                return r ? r : kinds[i].make(&s, body);
        }
        return 0;
}

int event_as_agent(struct db *db, const struct log_entry *e, struct arena *arena, bool *ret)
{
        struct op_mention_add mention = { 0 };
        int r;

        *ret = e->kind == &schema_op_own_view_set;
        if (e->kind != &schema_op_mention_add)
                return 0;
        r = log_entry_body(NULL, e, arena, &mention);
        *ret = mention.note;
        return r || mention.note ? r : person_may(db, mention.user, SCHEMA_ROLE_AGENT, ret);
}

void event_of_added(const struct log_entry *e, const struct comment *comment, struct arena *arena, struct event *ret)
{
        struct source s = { .entry = e, .arena = arena, .ret = ret };
        struct event_comment_added data = { *comment }; /* both have this shape */

        say(&s, e->scope == SCHEMA_TO_AGENTS ? &schema_event_note_added : &schema_event_comment_added, &data);
}

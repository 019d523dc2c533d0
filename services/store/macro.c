#include "macro.h"

#include "canned.h"
#include "change.h"
#include "definition.h"
#include "person.h"
#include "reply.h"
#include "schema/label.h"
#include "schema/team.h"
#include "schema/type.h"
#include "undo.h"

#include <errno.h>

_Static_assert(sizeof(struct macro) == sizeof(struct op_macro_set), "a macro looks as its op does");

int macro_find(struct db *db, struct call *c, struct ulid id, struct op_macro_set *ret)
{
        int r;

        *ret = (struct op_macro_set){ 0 };
        r = definition_find(db, &schema_op_macro_set, id, &c->arena, ret);
        if (r == -ENOENT || (!r && ret->retired))
                return call_invalid(c, "macro", "must be a macro that is not retired; macro.list has them");
        return r;
}

/* ---- what must hold ---- */

static int tag_missing(struct db *db, const struct op_macro_set *macro, const struct ticket_row *row, struct arena *arena, const char **ret)
{
        struct ulid *adders;
        size_t n;
        int r = 0;

        for (size_t i = 0; i < macro->when_tags.n && !r && !*ret; i++) {
                r = member_adders(db, row->id, MEMBER_TAG, macro->when_tags.items[i], arena, &adders, &n);
                if (!r && !n)
                        *ret = arena_format(arena, "that are tagged %.*s", STR_ARG(macro->when_tags.items[i])).p;
        }
        return r;
}

int macro_misfit(struct db *db, const struct op_macro_set *macro, const struct ticket_row *row, struct arena *arena, const char **ret)
{
        struct buf states = { 0 };
        bool fits = !macro->when_states.n;

        *ret = NULL;
        for (size_t i = 0; i < macro->when_states.n; i++) {
                fits = fits || macro->when_states.items[i] == row->state;
                buf_format(&states, "%s%s", i ? " or " : "that are ", schema_enum_ticket_state.values[macro->when_states.items[i]]);
        }
        if (!fits)
                *ret = arena_str(arena, buf_view(&states)).p;
        buf_deinit(&states);
        if (!*ret && macro->when_unassigned && row->has_assignee)
                *ret = "that are nobody's";
        return *ret ? 0 : tag_missing(db, macro, row, arena, ret);
}

/* ---- doing it ---- */

/* What is wrong with a part of it is wrong with the macro. */
static int as_macro(struct call *c, int r)
{
        if (r == FAULT_INVALID_PARAMS && c->fault.has_field) {
                c->fault.reason = arena_format(&c->arena, "its %.*s %.*s", STR_ARG(c->fault.field), STR_ARG(c->fault.reason));
                c->fault.field = STR("macro");
        }
        return r;
}

struct ticket_set macro_changes(const struct op_macro_set *macro, struct ulid ticket, struct ulid agent)
{
        struct ticket_set set = {
                .ticket = ticket,
                .has_state = macro->has_state,
                .state = macro->state,
                .has_label = macro->has_label ? SCHEMA_PRESENT : SCHEMA_ABSENT,
                .label = macro->label,
                .has_priority = macro->has_priority,
                .priority = macro->priority,
                .has_type = macro->has_type ? SCHEMA_PRESENT : SCHEMA_ABSENT,
                .type = macro->type,
                .has_team = macro->has_team ? SCHEMA_PRESENT : SCHEMA_ABSENT,
                .team = macro->team,
                .has_assignee = macro->has_assignee ? SCHEMA_PRESENT : SCHEMA_ABSENT,
                .assignee = macro->assignee,
                .has_add_tags = macro->add_tags.n > 0,
                .add_tags = { macro->add_tags.items, macro->add_tags.n },
                .has_remove_tags = macro->remove_tags.n > 0,
                .remove_tags = { macro->remove_tags.items, macro->remove_tags.n },
        };

        if (macro->has_assign) {
                set.has_assignee = macro->assign == MACRO_ASSIGN_ME ? SCHEMA_PRESENT : SCHEMA_NULL;
                set.assignee = agent;
        }
        return set;
}

static int change_do(struct tx *tx, struct call *c, const struct op_macro_set *macro, struct ulid ticket, const struct str *seen)
{
        struct ticket_set set = macro_changes(macro, ticket, tx->actor.user);

        set.has_seen = seen != NULL;
        if (seen)
                set.seen = *seen;
        return as_macro(c, ticket_change(tx, c, &set));
}

static int note_do(struct tx *tx, struct call *c, const struct op_macro_set *macro, const struct ticket_row *row)
{
        struct note_add note = { .ticket = row->id };
        struct comment made;
        int r = canned_fill(tx->db, c, tx->actor.user, row, macro->note, &note.body);

        return r ? r : note_write(tx, c, &note, &made);
}

static int reply_do(struct tx *tx, struct call *c, const struct op_macro_set *macro, const struct ticket_row *row, const struct ulid *seen_comment)
{
        struct comment_add reply = { .ticket = row->id, .has_seen_comment = seen_comment != NULL };
        struct op_reply_set canned = { 0 };
        struct comment made;
        int r = definition_find(tx->db, &schema_op_reply_set, macro->reply, tx->arena, &canned);

        if (r == -ENOENT || (!r && canned.retired))
                return call_invalid(c, "macro", "its reply is retired; admins give it another one");
        if (seen_comment)
                reply.seen_comment = *seen_comment;
        if (!r)
                r = canned_fill(tx->db, c, tx->actor.user, row, canned.text, &reply.body);
        return r ? r : reply_write(tx, c, &reply, &made);
}

int macro_do(struct tx *tx, struct call *c, const struct op_macro_set *macro, struct ulid ticket, const struct str *seen, const struct ulid *seen_comment)
{
        struct op_macro_run body = { .ticket = ticket, .macro = macro->macro };
        struct ticket_row row = { 0 };
        int r = tx_append(tx, &(struct effect){ .kind = &schema_op_macro_run, .body = &body, .target = ticket });

        if (!r)
                r = change_do(tx, c, macro, ticket, seen);
        if (!r)
                r = ticket_find(tx->db, ticket, &row);
        if (!r && macro->has_note)
                r = note_do(tx, c, macro, &row);
        return r || !macro->has_reply ? r : reply_do(tx, c, macro, &row, seen_comment);
}

static int run(struct tx *tx, struct call *c, const struct macro_run *in)
{
        struct op_macro_set macro;
        struct ticket_row row;
        const char *misfit;
        int r = found(c, ticket_find_visible(tx->db, &tx->actor, in->ticket, &row));

        if (!r)
                r = macro_find(tx->db, c, in->macro, &macro);
        if (!r)
                r = macro_misfit(tx->db, &macro, &row, tx->arena, &misfit);
        if (!r && misfit)
                r = call_conflict(c, "the macro is for tickets %s", misfit);
        if (!r)
                r = macro_do(tx, c, &macro, in->ticket, in->has_seen ? &in->seen : NULL, in->has_seen_comment ? &in->seen_comment : NULL);
        return r ? r : undo_remember(tx);
}

int store_on_macro_run(struct store *s, struct call *c, const struct macro_run *in, struct macro_run_result *ret)
{
        struct ticket_row row;
        struct tx *tx;
        bool again;
        int r;

        r = tx_begin(s, c, &tx, &again);
        if (!r && !again)
                r = run(tx, c, in);
        if (!r)
                r = found(c, ticket_find_visible(tx->db, &tx->actor, in->ticket, &row));
        if (!r)
                r = ticket_view(tx->db, &tx->actor, &row, &c->arena, &ret->value);
        if (r)
                return r;
        ret->has_cursor = true;
        ret->cursor = tx_cursor(tx);
        return 0;
}

/* ---- making one ---- */

static int parts_check(struct tx *tx, struct call *c, const struct macro_save *in)
{
        bool agent = true;
        int r = 0;

        if (!in->has_state && !in->has_label && !in->has_priority && !in->has_assign && !in->has_assignee && !in->has_type && !in->has_team &&
            !in->has_add_tags && !in->has_remove_tags && !in->has_note && !in->has_reply)
                return call_invalid(c, "state", "or another change must be given: the macro would do nothing");
        if (in->has_assign && in->has_assignee)
                return call_invalid(c, "assign", "can't be given with assignee; leave one of them out");
        if (in->has_assignee)
                r = person_may(tx->db, in->assignee, SCHEMA_ROLE_AGENT, &agent);
        if (!r && !agent)
                r = call_invalid(c, "assignee", "must be an active agent");
        if (!r && in->has_label)
                r = definition_check(tx, c, "label", &schema_op_label_set, in->label);
        if (!r && in->has_type)
                r = definition_check(tx, c, "type", &schema_op_type_set, in->type);
        if (!r && in->has_team)
                r = definition_check(tx, c, "team", &schema_op_team_set, in->team);
        if (!r && in->has_reply)
                r = definition_check(tx, c, "reply", &schema_op_reply_set, in->reply);
        if (!r)
                r = tags_check(c, "when_tags", in->when_tags.items, in->has_when_tags ? in->when_tags.n : 0);
        if (!r)
                r = tags_check(c, "add_tags", in->add_tags.items, in->has_add_tags ? in->add_tags.n : 0);
        return r || !in->has_note ? r : canned_check(c, "note", in->note);
}

static struct op_macro_set macro_of(const struct macro_save *in)
{
        struct op_macro_set macro = {
                .name = in->name, .when_unassigned = in->when_unassigned, .has_state = in->has_state, .state = in->state, .has_label = in->has_label,
                .label = in->label, .has_priority = in->has_priority, .priority = in->priority, .has_assign = in->has_assign, .assign = in->assign,
                .has_assignee = in->has_assignee, .assignee = in->assignee, .has_type = in->has_type, .type = in->type, .has_team = in->has_team,
                .team = in->team, .has_note = in->has_note, .note = in->note, .has_reply = in->has_reply, .reply = in->reply, .retired = in->retired,
        };

        if (in->has_when_states) {
                macro.when_states.items = in->when_states.items;
                macro.when_states.n = in->when_states.n;
        }
        if (in->has_when_tags) {
                macro.when_tags.items = in->when_tags.items;
                macro.when_tags.n = in->when_tags.n;
        }
        if (in->has_add_tags) {
                macro.add_tags.items = in->add_tags.items;
                macro.add_tags.n = in->add_tags.n;
        }
        if (in->has_remove_tags) {
                macro.remove_tags.items = in->remove_tags.items;
                macro.remove_tags.n = in->remove_tags.n;
        }
        return macro;
}

/* What it would do matters where it may be run. */
static int macro_check(struct tx *tx, struct call *c, const void *params, const void *body)
{
        const struct macro_save *in = params;

        (void)body;
        return in->retired ? 0 : parts_check(tx, c, in);
}

int store_on_macro_save(struct store *s, struct call *c, const struct macro_save *in, struct macro_save_result *ret)
{
        struct op_macro_set body = macro_of(in);

        return definition_handle(s, c, &(struct definition_saving){ &schema_op_macro_set, in->has_macro ? &in->macro : NULL, &body, macro_check }, &ret->macro,
                                 &ret->has_cursor, &ret->cursor);
}

int store_on_macro_list(struct store *s, struct call *c, const struct macro_list *in, struct macro_list_result *ret)
{
        (void)in;
        return definition_list(store_db(s, c), &schema_op_macro_set, NULL, &c->arena, (struct schema_list *)&ret->items);
}

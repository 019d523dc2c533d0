/* Macros: all of one or nothing, undone as one; and canned replies. */
#include "store_room.h"
#include "canned.h"
#include "macro.h"
#include "schema/type.h"
#include "schema/undo.h"

static int save(struct room *room, struct macro_save macro, struct ulid *ret)
{
        struct macro_save_result made;
        int r;

        macro.has_op_id = true;
        macro.op_id = room_id(room);
        r = room_call(room, ADMIN, &schema_method_macro_save, &macro, &made);
        if (!r && ret)
                *ret = made.macro.macro;
        return r;
}

static int canned(struct room *room, const char *name, const char *text, struct ulid *ret)
{
        struct reply_save_result made;
        int r = room_call(room, AGNES, &schema_method_reply_save,
                          &(struct reply_save){ .name = str_of(name), .text = str_of(text), .has_op_id = true, .op_id = room_id(room) }, &made);

        if (!r && ret)
                *ret = made.reply.reply;
        return r;
}

static int run(struct room *room, struct ulid macro, struct ulid ticket, struct macro_run_result *ret, struct ulid *ret_command)
{
        struct macro_run in = { .macro = macro, .ticket = ticket, .has_op_id = true, .op_id = room_id(room) };
        struct macro_run_result made;

        if (ret_command)
                *ret_command = in.op_id;
        return room_call(room, AGNES, &schema_method_macro_run, &in, ret ? ret : &made);
}

static struct ticket get(struct room *room, struct ulid ticket)
{
        struct ticket now = { 0 };

        assert_int_equal(room_get(room, AGNES, ticket, &now, NULL), 0);
        return now;
}

static int64_t ops(struct room *room)
{
        int64_t n;

        assert_int_equal(db_int(room->store->follow_db, &n, "SELECT count(*) FROM op", ""), 0);
        return n;
}

static void a_macro_does_all_that_it_says_and_is_undone_as_one(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Printer");
        struct str tag = STR("hardware");
        struct comment_list_result comments;
        struct note_list_result notes;
        struct macro_run_result made;
        struct ulid reply, macro, command;

        assert_int_equal(canned(room, "Thanks", "Dear {requester.name}, we look at #{ticket.number} ({ticket.subject}). {agent.name}", &reply), 0);
        assert_int_equal(save(room, (struct macro_save){ .name = STR("Take"), .has_state = true, .state = TICKET_STATE_PENDING, .has_priority = true,
                                                         .priority = PRIORITY_HIGH, .has_assign = true, .assign = MACRO_ASSIGN_ME, .has_add_tags = true,
                                                         .add_tags = { &tag, 1 }, .has_note = true, .note = STR("Taken by {agent.name}"),
                                                         .has_reply = true, .reply = reply }, &macro), 0);
        assert_int_equal(run(room, macro, ticket.id, &made, &command), 0);
        assert_true(made.value.state == TICKET_STATE_PENDING && made.value.priority == PRIORITY_HIGH && made.value.tags.n == 1);
        assert_true(ulid_eq(made.value.assignee, room->users[AGNES]) && made.value.comments == 2 && made.value.notes == 1);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_list, &(struct comment_list){ .ticket = ticket.id, .limit = 9 }, &comments), 0);
        assert_true(str_is(comments.items.items[1].body, "Dear Alice, we look at #1 (Printer). Agnes"));
        assert_int_equal(room_call(room, AGNES, &schema_method_note_list, &(struct note_list){ .ticket = ticket.id, .limit = 9 }, &notes), 0);
        assert_true(str_is(notes.items.items[0].body, "Taken by Agnes"));
        assert_int_equal(room_call(room, AGNES, &schema_method_command_undo, &(struct command_undo){ .has_op_id = true, .op_id = room_id(room) },
                                   &(struct command_undo_result){ 0 }), 0);
        ticket = get(room, ticket.id);
        assert_true(ticket.state == TICKET_STATE_NEW && ticket.priority == PRIORITY_NORMAL && !ticket.has_assignee && !ticket.tags.n);
        assert_true(ticket.comments == 2 && ticket.notes == 1); /* what was written stays */
        room_plans(room);
        room_proof(room);
}

static void a_macro_whose_third_part_is_refused_leaves_nothing(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Printer").id, macro;
        struct type_save type = { .name = STR("Outage"), .has_op_id = true, .op_id = room_id(room) };
        struct type_save_result saved;
        int64_t before;

        assert_int_equal(room_call(room, ADMIN, &schema_method_type_save, &type, &saved), 0);
        assert_int_equal(save(room, (struct macro_save){ .name = STR("Outage"), .has_state = true, .state = TICKET_STATE_OPEN, .has_priority = true,
                                                         .priority = PRIORITY_URGENT, .has_type = true, .type = saved.type.type, .has_note = true,
                                                         .note = STR("n") }, &macro), 0);
        type.has_type = type.retired = true;
        type.type = saved.type.type;
        type.op_id = room_id(room);
        assert_int_equal(room_call(room, ADMIN, &schema_method_type_save, &type, &saved), 0);
        before = ops(room);
        assert_int_equal(run(room, macro, ticket, NULL, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "macro") && str_starts(room->fault.reason, "its type must be a type that is not retired"));
        assert_int_equal(ops(room), before);
        assert_true(get(room, ticket).state == TICKET_STATE_NEW && get(room, ticket).priority == PRIORITY_NORMAL);
        room_proof(room);
}

static void what_must_hold_is_told_where_it_does_not(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Printer").id, macro;
        int states[] = { TICKET_STATE_NEW, TICKET_STATE_OPEN };
        struct str tag = STR("vpn");

        assert_int_equal(save(room, (struct macro_save){ .name = STR("Solve"), .has_when_states = true, .when_states = { states, 2 }, .when_unassigned = true,
                                                         .has_when_tags = true, .when_tags = { &tag, 1 }, .has_state = true,
                                                         .state = TICKET_STATE_SOLVED }, &macro), 0);
        assert_int_equal(run(room, macro, ticket, NULL, NULL), FAULT_CONFLICT);
        assert_true(str_is(room->fault.reason, "the macro is for tickets that are tagged vpn"));
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_add_tags = true, .add_tags = { &tag, 1 },
                                                                    .has_assignee = SCHEMA_PRESENT, .assignee = room->users[AGNES] }, NULL), 0);
        assert_int_equal(run(room, macro, ticket, NULL, NULL), FAULT_CONFLICT);
        assert_true(str_is(room->fault.reason, "the macro is for tickets that are nobody's"));
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_assignee = SCHEMA_NULL }, NULL), 0);
        assert_int_equal(run(room, macro, ticket, NULL, NULL), 0);
        assert_int_equal(run(room, macro, ticket, NULL, NULL), FAULT_CONFLICT);
        assert_true(str_is(room->fault.reason, "the macro is for tickets that are new or open"));
        room_proof(room);
}

static void what_cannot_be_a_macro_or_canned_reply_is_refused(void **state)
{
        struct room *room = *state;
        struct ulid nobody = room_id(room), macro, ticket = room_ticket(room, ALICE, "Printer").id;
        const struct {
                struct macro_save macro;
                const char *field;
        } cases[] = {
                { { .name = STR("x") }, "state" },
                { { .name = STR("x"), .has_assign = true, .has_assignee = true, .assignee = room->users[AGNES] }, "assign" },
                { { .name = STR("x"), .has_assignee = true, .assignee = room->users[ALICE] }, "assignee" },
                { { .name = STR("x"), .has_label = true, .label = nobody }, "label" },
                { { .name = STR("x"), .has_type = true, .type = nobody }, "type" },
                { { .name = STR("x"), .has_team = true, .team = nobody }, "team" },
                { { .name = STR("x"), .has_reply = true, .reply = nobody }, "reply" },
                { { .name = STR("x"), .has_note = true, .note = STR("hello {agent.nam}") }, "note" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                assert_int_equal(save(room, cases[i].macro, NULL), FAULT_INVALID_PARAMS);
                assert_true(str_is(room->fault.field, cases[i].field));
        }
        assert_true(str_starts(room->fault.reason, "column 7: there is no {agent.nam}; there are {ticket.number}"));
        assert_int_equal(canned(room, "x", "{nothing}", NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "text"));
        assert_int_equal(run(room, nobody, ticket, NULL, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(save(room, (struct macro_save){ .name = STR("Close"), .has_state = true, .state = TICKET_STATE_CLOSED }, &macro), 0);
        assert_int_equal(save(room, (struct macro_save){ .name = STR("close"), .has_state = true }, NULL), FAULT_CONFLICT);
        assert_int_equal(save(room, (struct macro_save){ .has_macro = true, .macro = macro, .name = STR("Close"), .retired = true }, NULL), 0);
        assert_int_equal(run(room, macro, ticket, NULL, NULL), FAULT_INVALID_PARAMS);
        room_proof(room);
}

static void a_reply_that_did_not_see_the_newest_one_stops_the_macro(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Printer").id, reply, macro;
        struct macro_run in = { .ticket = ticket, .has_seen_comment = true, .has_op_id = true, .op_id = room_id(room) };
        struct comment comment;

        assert_int_equal(canned(room, "Thanks", "Thanks", &reply), 0);
        assert_int_equal(save(room, (struct macro_save){ .name = STR("Thanks"), .has_state = true, .state = TICKET_STATE_SOLVED, .has_reply = true,
                                                         .reply = reply }, &macro), 0);
        in.macro = macro;
        in.seen_comment = get(room, ticket).newest_comment;
        assert_int_equal(room_reply(room, ALICE, ticket, "wait", &comment), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_macro_run, &in, &(struct macro_run_result){ 0 }), FAULT_CONFLICT);
        assert_int_equal(get(room, ticket).state, TICKET_STATE_NEW);
        in.seen_comment = comment.id;
        assert_int_equal(room_call(room, AGNES, &schema_method_macro_run, &in, &(struct macro_run_result){ 0 }), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_macro_run, &in, &(struct macro_run_result){ 0 }), 0); /* a retry */
        assert_int_equal(get(room, ticket).comments, 3);
        room_proof(room);
}

static void canned_replies_have_a_size_together(void **state)
{
        struct room *room = *state;
        char text[4001] = { 0 }, name[16];
        int i;

        memset(text, 'a', 4000);
        for (i = 0; i * 4000 + 4000 <= CANNED_BYTES_MAX; i++) {
                snprintf(name, sizeof(name), "n%d", i);
                assert_int_equal(canned(room, name, text, NULL), 0);
        }
        assert_int_equal(canned(room, "one more", text, NULL), FAULT_TOO_LARGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_macro_does_all_that_it_says_and_is_undone_as_one, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_macro_whose_third_part_is_refused_leaves_nothing, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_must_hold_is_told_where_it_does_not, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_a_macro_or_canned_reply_is_refused, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_reply_that_did_not_see_the_newest_one_stops_the_macro, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(canned_replies_have_a_size_together, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

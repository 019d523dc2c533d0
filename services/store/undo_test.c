/* Undoing: new ops, all of them or none, where nothing has changed since. */
#include "store_room.h"
#include "undo.h"
#include "schema/link.h"
#include "schema/undo.h"

static int undo(struct room *room, enum who who, const struct ulid *command, struct command_undo_result *ret)
{
        struct command_undo in = { .has_command = command != NULL, .has_op_id = true, .op_id = room_id(room) };
        struct command_undo_result made;

        if (command)
                in.command = *command;
        return room_call(room, who, &schema_method_command_undo, &in, ret ? ret : &made);
}

static struct ulid set(struct room *room, enum who who, struct ticket_set change)
{
        change.has_op_id = true;
        change.op_id = room_id(room);
        room->now_ms += 1000;
        assert_int_equal(room_set(room, who, change, NULL), 0);
        return change.op_id;
}

static struct ulid set_state(struct room *room, struct ulid ticket, int state)
{
        return set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_state = true, .state = state });
}

static struct ticket get(struct room *room, enum who who, struct ulid ticket)
{
        struct ticket now = { 0 };

        assert_int_equal(room_get(room, who, ticket, &now, NULL), 0);
        return now;
}

static int64_t ops(struct room *room)
{
        int64_t n;

        assert_int_equal(db_int(room->store->follow_db, &n, "SELECT count(*) FROM op", ""), 0);
        return n;
}

static void everything_that_a_change_did_is_taken_back(void **state)
{
        struct room *room = *state;
        struct ticket before = room_ticket(room, ALICE, "Printer"), now;
        struct str tags[] = { STR("vpn"), STR("mail") };
        struct command_undo_result undone;
        struct ulid command, id = before.id;

        set(room, AGNES, (struct ticket_set){ .ticket = id, .has_add_tags = true, .add_tags = { tags + 1, 1 }, .has_priority = true, .priority = PRIORITY_LOW });
        command = set(room, AGNES, (struct ticket_set){ .ticket = id, .has_state = true, .state = TICKET_STATE_PENDING, .has_wake_at = SCHEMA_PRESENT,
                      .wake_at = room->now_ms + 100000, .has_priority = true, .priority = PRIORITY_URGENT, .has_subject = true, .subject = STR("Scanner"),
                      .has_assignee = SCHEMA_PRESENT, .assignee = room->users[ARTHUR], .has_add_tags = true, .add_tags = { tags, 1 },
                      .has_remove_tags = true, .remove_tags = { tags + 1, 1 }, .has_add_watchers = true, .add_watchers = { &room->users[BOB], 1 } });
        assert_true(get(room, BOB, id).has_wake_at);
        assert_int_equal(undo(room, AGNES, &command, &undone), 0);
        assert_true(undone.tickets.n == 1 && ulid_eq(undone.tickets.items[0], id) && ulid_eq(undone.command, command));
        now = get(room, AGNES, id);
        assert_true(now.state == TICKET_STATE_NEW && !now.has_wake_at && now.priority == PRIORITY_LOW && str_is(now.subject, "Printer"));
        assert_true(!now.has_assignee && now.tags.n == 1 && str_is(now.tags.items[0], "mail") && now.watchers.n == 0 && now.conflicts.n == 0);
        assert_int_equal(room_get(room, BOB, id, &now, NULL), FAULT_NOT_FOUND);
        room_proof(room);
}

static void one_after_the_other_is_taken_back_and_an_undo_too(void **state)
{
        struct room *room = *state;
        struct ulid id = room_ticket(room, ALICE, "Printer").id;
        struct command_undo_result undone;
        struct command_undo last = { .has_op_id = true, .op_id = room_id(room) };

        set_state(room, id, TICKET_STATE_OPEN);
        set_state(room, id, TICKET_STATE_PENDING);
        set_state(room, id, TICKET_STATE_SOLVED);
        assert_int_equal(undo(room, AGNES, NULL, NULL), 0);
        assert_int_equal(get(room, AGNES, id).state, TICKET_STATE_PENDING);
        assert_int_equal(undo(room, AGNES, NULL, NULL), 0);
        assert_int_equal(get(room, AGNES, id).state, TICKET_STATE_OPEN);
        assert_int_equal(room_call(room, AGNES, &schema_method_command_undo, &last, &undone), 0);
        assert_int_equal(get(room, AGNES, id).state, TICKET_STATE_NEW);
        assert_int_equal(undo(room, AGNES, NULL, NULL), FAULT_NOT_FOUND);
        assert_int_equal(undo(room, AGNES, &last.op_id, NULL), 0); /* done again */
        assert_int_equal(get(room, AGNES, id).state, TICKET_STATE_OPEN);
        assert_int_equal(room_call(room, AGNES, &schema_method_command_undo, &last, &undone), 0); /* a retry */
        assert_true(undone.tickets.n == 1 && ulid_eq(undone.tickets.items[0], id));
        assert_int_equal(get(room, AGNES, id).state, TICKET_STATE_OPEN);
        room_proof(room);
}

static void where_one_part_has_changed_since_nothing_is_undone(void **state)
{
        struct room *room = *state;
        struct ulid id = room_ticket(room, ALICE, "Printer").id;
        struct ulid command = set(room, AGNES, (struct ticket_set){ .ticket = id, .has_state = true, .state = TICKET_STATE_OPEN, .has_priority = true,
                                                                    .priority = PRIORITY_HIGH });
        struct ticket now;
        int64_t before;

        set(room, ARTHUR, (struct ticket_set){ .ticket = id, .has_state = true, .state = TICKET_STATE_SOLVED });
        before = ops(room);
        assert_int_equal(undo(room, AGNES, &command, NULL), FAULT_CONFLICT);
        assert_true(str_is(room->fault.reason, "the state of #1 has changed since; nothing was undone"));
        assert_int_equal(ops(room), before);
        now = get(room, AGNES, id);
        assert_true(now.state == TICKET_STATE_SOLVED && now.priority == PRIORITY_HIGH);
        room_proof(room);
}

static void what_others_added_too_stays(void **state)
{
        struct room *room = *state;
        struct ulid id = room_ticket(room, ALICE, "Printer").id, other = room_ticket(room, ALICE, "Other").id, command;
        struct link_add link = { .ticket = id, .kind = LINK_KIND_BLOCKS, .other = other, .has_op_id = true, .op_id = room_id(room) };
        struct link_list_result links;
        struct str tag = STR("vpn");

        command = set(room, AGNES, (struct ticket_set){ .ticket = id, .has_add_tags = true, .add_tags = { &tag, 1 } });
        set(room, ARTHUR, (struct ticket_set){ .ticket = id, .has_remove_tags = true, .remove_tags = { &tag, 1 } });
        set(room, ARTHUR, (struct ticket_set){ .ticket = id, .has_add_tags = true, .add_tags = { &tag, 1 } });
        assert_int_equal(undo(room, AGNES, &command, NULL), FAULT_CONFLICT); /* nothing of it is there */
        assert_int_equal(get(room, AGNES, id).tags.n, 1);
        assert_int_equal(room_call(room, AGNES, &schema_method_link_add, &link, &(struct link_add_result){ 0 }), 0);
        assert_int_equal(undo(room, AGNES, NULL, NULL), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_link_list, &(struct link_list){ .ticket = id }, &links), 0);
        assert_int_equal(links.links.n, 0);
        room_proof(room);
}

static void what_was_written_is_not_undone(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Printer");
        struct comment comment;

        assert_int_equal(room_reply(room, AGNES, ticket.id, "words", &comment), 0); /* and the ticket is open by it */
        assert_int_equal(undo(room, AGNES, &comment.id, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "command"));
        assert_int_equal(undo(room, ADMIN, &ticket.id, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(undo(room, AGNES, NULL, NULL), FAULT_NOT_FOUND);
        assert_int_equal(undo(room, ALICE, NULL, NULL), FAULT_FORBIDDEN);
}

static void the_last_hundred_are_kept(void **state)
{
        struct room *room = *state;
        struct ulid id = room_ticket(room, ALICE, "Printer").id;
        int64_t n;

        for (int i = 0; i < UNDO_KEPT + 5; i++)
                set_state(room, id, i % 2 ? TICKET_STATE_SOLVED : TICKET_STATE_OPEN);
        assert_int_equal(db_int(room->store->follow_db, &n, "SELECT count(*) FROM recent", ""), 0);
        assert_int_equal(n, UNDO_KEPT);
        for (int i = 0; i < UNDO_KEPT; i++)
                assert_int_equal(undo(room, AGNES, NULL, NULL), 0);
        assert_int_equal(undo(room, AGNES, NULL, NULL), FAULT_NOT_FOUND);
        assert_int_equal(get(room, AGNES, id).state, TICKET_STATE_OPEN);
        room_plans(room);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(everything_that_a_change_did_is_taken_back, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(one_after_the_other_is_taken_back_and_an_undo_too, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(where_one_part_has_changed_since_nothing_is_undone, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_others_added_too_stays, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_was_written_is_not_undone, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(the_last_hundred_are_kept, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

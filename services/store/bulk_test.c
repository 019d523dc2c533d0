/* Bulk changes: what would be done, what is done, and that it is one command. */
#include "store_room.h"
#include "schema/bulk.h"
#include "schema/macro.h"
#include "schema/undo.h"
#include "schema/view.h"

enum { MANY = 12 };

static void file_many(struct room *room, struct ulid ret[MANY])
{
        for (int i = 0; i < MANY; i++)
                ret[i] = room_ticket(room, ALICE, "Printer").id;
}

static struct bulk_preview_result preview(struct room *room, enum who who, struct bulk_preview in)
{
        struct bulk_preview_result made;

        assert_int_equal(room_call(room, who, &schema_method_bulk_preview, &in, &made), 0);
        return made;
}

/* What the preview would change, with its cursor. */
static struct bulk_run run_of(struct room *room, const struct bulk_preview_result *seen)
{
        struct bulk_run run = { .seen = seen->seen, .has_op_id = true, .op_id = room_id(room) };

        run.tickets.items = arena_array(&room->arena, seen->items.n, sizeof(*run.tickets.items));
        for (size_t i = 0; i < seen->items.n; i++)
                if (seen->items.items[i].changes.n)
                        run.tickets.items[run.tickets.n++] = seen->items.items[i].ticket;
        return run;
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

static int undo_last(struct room *room, enum who who)
{
        return room_call(room, who, &schema_method_command_undo, &(struct command_undo){ .has_op_id = true, .op_id = room_id(room) },
                         &(struct command_undo_result){ 0 });
}

static void a_query_is_previewed_changed_and_undone_as_one(void **state)
{
        struct room *room = *state;
        struct bulk_preview in = { .has_query = true, .query = STR("state:new"), .has_state = true, .state = TICKET_STATE_OPEN,
                                   .has_assignee = SCHEMA_PRESENT };
        struct bulk_preview_result seen;
        struct bulk_run_result done;
        struct bulk_run run;
        struct ulid tickets[MANY];

        file_many(room, tickets);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = tickets[0], .has_assignee = SCHEMA_PRESENT, .assignee = room->users[AGNES] }, NULL), 0);
        in.assignee = room->users[AGNES];
        seen = preview(room, AGNES, in);
        assert_true(seen.items.n == MANY && seen.changed == MANY && !seen.more);
        for (int i = 0; i < MANY; i++) {
                const struct bulk_item *item = &seen.items.items[i];

                assert_int_equal(item->changes.n, ulid_eq(item->ticket, tickets[0]) ? 1 : 2);
                assert_true(str_is(item->changes.items[0], "state") && str_is(item->subject, "Printer") && !item->has_skipped);
        }
        run = run_of(room, &seen);
        run.has_state = true;
        run.state = TICKET_STATE_OPEN;
        run.has_assignee = SCHEMA_PRESENT;
        run.assignee = room->users[AGNES];
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &done), 0);
        assert_true(done.changed.n == MANY && done.skipped.n == 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &done), 0); /* a retry */
        assert_true(done.changed.n == MANY && done.skipped.n == 0);
        assert_true(get(room, tickets[3]).state == TICKET_STATE_OPEN && get(room, tickets[3]).has_assignee);
        assert_int_equal(preview(room, AGNES, in).items.n, 0);
        in.has_query = false;
        in.has_tickets = true;
        in.tickets.items = tickets;
        in.tickets.n = MANY;
        assert_int_equal(preview(room, AGNES, in).changed, 0);
        assert_int_equal(undo_last(room, AGNES), 0);
        for (int i = 0; i < MANY; i++)
                assert_true(get(room, tickets[i]).state == TICKET_STATE_NEW && get(room, tickets[i]).has_assignee == (i == 0));
        room_plans(room);
        room_proof(room);
}

static void of_two_agents_who_triage_the_same_view_each_ticket_is_one_ones(void **state)
{
        struct room *room = *state;
        struct bulk_preview in = { .has_query = true, .query = STR("state:new assignee:nobody"), .has_assignee = SCHEMA_PRESENT };
        struct bulk_preview_result first, second;
        struct bulk_run_result done;
        struct bulk_run run;
        struct ulid tickets[MANY];

        file_many(room, tickets);
        in.assignee = room->users[AGNES];
        first = preview(room, AGNES, in);
        in.assignee = room->users[ARTHUR];
        second = preview(room, ARTHUR, in);
        assert_int_equal(room_reply(room, ALICE, tickets[1], "one more thing", NULL), 0);
        run = run_of(room, &first);
        run.tickets.n = MANY / 2;
        run.has_assignee = SCHEMA_PRESENT;
        run.assignee = room->users[AGNES];
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &done), 0);
        assert_int_equal(done.changed.n + done.skipped.n, MANY / 2);
        run = run_of(room, &second);
        run.has_assignee = SCHEMA_PRESENT;
        run.assignee = room->users[ARTHUR];
        assert_int_equal(room_call(room, ARTHUR, &schema_method_bulk_run, &run, &done), 0);
        assert_int_equal(done.changed.n + done.skipped.n, MANY);
        assert_true(done.skipped.n >= MANY / 2 && str_is(done.skipped.items[0].reason, "somebody changed it or wrote on it meanwhile"));
        for (int i = 0; i < MANY; i++) {
                struct ticket now = get(room, tickets[i]);

                assert_int_equal(now.has_assignee, i != 1); /* who wrote on it is read first */
                assert_int_equal(now.conflicts.n, 0);
        }
        assert_int_equal(undo_last(room, AGNES), 0);
        assert_int_equal(undo_last(room, ARTHUR), 0);
        for (int i = 0; i < MANY; i++)
                assert_false(get(room, tickets[i]).has_assignee);
        room_proof(room);
}

static void a_macro_is_done_to_those_that_it_is_for(void **state)
{
        struct room *room = *state;
        struct macro_save save = { .name = STR("Spam"), .has_when_states = true, .when_states = { (int[]){ TICKET_STATE_NEW }, 1 }, .has_state = true,
                                   .state = TICKET_STATE_CLOSED, .has_note = true, .note = STR("spam, says {agent.name}"), .has_op_id = true,
                                   .op_id = room_id(room) };
        struct macro_save_result macro;
        struct bulk_preview in = { .has_tickets = true, .has_macro = true };
        struct bulk_preview_result seen;
        struct bulk_run_result done;
        struct bulk_run run;
        struct ulid tickets[MANY];

        file_many(room, tickets);
        assert_int_equal(room_call(room, ADMIN, &schema_method_macro_save, &save, &macro), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = tickets[2], .has_state = true, .state = TICKET_STATE_OPEN }, NULL), 0);
        in.macro = macro.macro.macro;
        in.tickets.items = tickets;
        in.tickets.n = 4;
        seen = preview(room, AGNES, in);
        assert_true(seen.changed == 3 && seen.items.items[0].changes.n == 2 && str_is(seen.items.items[2].skipped, "the macro is for tickets that are new"));
        run = run_of(room, &seen);
        run.tickets.items = tickets;
        run.tickets.n = 4;
        run.has_macro = true;
        run.macro = in.macro;
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &done), 0);
        assert_true(done.changed.n == 3 && done.skipped.n == 1 && ulid_eq(done.skipped.items[0].ticket, tickets[2]));
        assert_int_equal(undo_last(room, AGNES), 0);
        assert_true(get(room, tickets[0]).state == TICKET_STATE_NEW && get(room, tickets[0]).notes == 1);
        room_proof(room);
}

static void what_is_wrong_refuses_it_all(void **state)
{
        struct room *room = *state;
        struct ulid tickets[MANY], twice[2];
        struct bulk_preview in = { .has_tickets = true, .has_state = true, .state = TICKET_STATE_CLOSED };
        struct bulk_preview_result seen;
        struct bulk_run run;
        int64_t before;

        file_many(room, tickets);
        in.tickets.items = tickets;
        in.tickets.n = 3;
        seen = preview(room, AGNES, in);
        before = ops(room);
        run = run_of(room, &seen);
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &(struct bulk_run_result){ 0 }), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "macro"));
        run.has_state = true;
        run.has_assignee = SCHEMA_PRESENT;
        run.assignee = room->users[ALICE];
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &(struct bulk_run_result){ 0 }), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "assignee"));
        run.has_assignee = SCHEMA_ABSENT;
        twice[0] = twice[1] = tickets[0];
        run.tickets.items = twice;
        run.tickets.n = 2;
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &(struct bulk_run_result){ 0 }), FAULT_INVALID_PARAMS);
        twice[1] = room_id(room);
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_run, &run, &(struct bulk_run_result){ 0 }), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, ALICE, &schema_method_bulk_run, &run, &(struct bulk_run_result){ 0 }), FAULT_FORBIDDEN);
        assert_int_equal(ops(room), before);
        in.has_query = true;
        in.query = STR("state:new");
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_preview, &in, &seen), FAULT_INVALID_PARAMS);
        in.has_tickets = false;
        in.query = STR("state:nwe");
        assert_int_equal(room_call(room, AGNES, &schema_method_bulk_preview, &in, &seen), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "query"));
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_query_is_previewed_changed_and_undone_as_one, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(of_two_agents_who_triage_the_same_view_each_ticket_is_one_ones, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_macro_is_done_to_those_that_it_is_for, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_wrong_refuses_it_all, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

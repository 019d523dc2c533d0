/* States: what wakes by itself, and the project's own names for them. */
#include "store_room.h"
#include "schema/label.h"
#include "schema/undo.h"
#include "state.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static struct ticket pending(struct room *room, struct ulid ticket, int64_t wake_at)
{
        struct ticket now;

        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_state = true, .state = TICKET_STATE_PENDING,
                                                                    .has_wake_at = wake_at ? SCHEMA_PRESENT : SCHEMA_ABSENT, .wake_at = wake_at }, &now), 0);
        assert_int_equal(now.state, TICKET_STATE_PENDING);
        assert_int_equal(now.has_wake_at, wake_at != 0);
        return now;
}

static struct ticket seen(struct room *room, struct ulid ticket)
{
        struct ticket now = { 0 };

        assert_int_equal(room_get(room, AGNES, ticket, &now, NULL), 0);
        return now;
}

static void a_pending_ticket_opens_when_its_time_has_come_and_once(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Ask again next week"), now;
        int64_t wake_at = room->now_ms + HOUR_MS, head;

        now = pending(room, ticket.id, wake_at);
        assert_int_equal(now.wake_at, wake_at);
        room->now_ms = wake_at - 1;
        room_due(room);
        assert_int_equal(seen(room, ticket.id).state, TICKET_STATE_PENDING);
        room->now_ms = wake_at;
        head = room->store->head;
        room_due(room);
        now = seen(room, ticket.id);
        assert_int_equal(now.state, TICKET_STATE_OPEN);
        assert_false(now.has_wake_at);
        assert_int_equal(now.conflicts.n, 0);
        assert_int_equal(room->store->head, head + 1);
        room->store->due.place = (struct due_row){ 0 }; /* as after a restart */
        room_due(room);
        assert_int_equal(room->store->head, head + 1);
        room_proof(room);
}

static void who_waits_no_more_is_not_woken(void **state)
{
        struct room *room = *state;
        struct ticket moved = room_ticket(room, ALICE, "One"), ended = room_ticket(room, ALICE, "Two"), answered = room_ticket(room, ALICE, "Three");
        int64_t wake_at = room->now_ms + HOUR_MS, rows;

        pending(room, moved.id, wake_at);
        pending(room, ended.id, wake_at);
        pending(room, answered.id, wake_at);
        pending(room, moved.id, wake_at + HOUR_MS);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ended.id, .has_wake_at = SCHEMA_NULL }, NULL), 0);
        assert_int_equal(room_reply(room, ALICE, answered.id, "Never mind.", NULL), 0);
        assert_int_equal(seen(room, answered.id).state, TICKET_STATE_OPEN);
        assert_int_equal(db_int(room->store->follow_db, &rows, "SELECT count(*) FROM due", ""), 0);
        assert_int_equal(rows, 1);
        room->now_ms = wake_at;
        room_due(room);
        assert_int_equal(seen(room, moved.id).state, TICKET_STATE_PENDING);
        assert_int_equal(seen(room, ended.id).state, TICKET_STATE_PENDING);
        room->now_ms = wake_at + HOUR_MS;
        room_due(room);
        assert_int_equal(seen(room, moved.id).state, TICKET_STATE_OPEN);
        assert_int_equal(seen(room, ended.id).state, TICKET_STATE_PENDING);
        room_proof(room);
}

static void many_wake_at_once_and_after_the_clock_was_put_back(void **state)
{
        struct room *room = *state;
        struct ulid tickets[150];
        int64_t wake_at = room->now_ms + HOUR_MS;

        for (size_t i = 0; i < 150; i++) {
                tickets[i] = room_ticket(room, ALICE, "Later").id;
                pending(room, tickets[i], wake_at);
        }
        room->now_ms = wake_at + 5;
        for (int i = 0; i < 3; i++)
                room_due(room);
        for (size_t i = 0; i < 150; i++)
                assert_int_equal(seen(room, tickets[i]).state, TICKET_STATE_OPEN);
        assert_int_equal(room->store->due.next_at, INT64_MAX);
        room->now_ms = wake_at - 1000;
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = tickets[0], .has_state = true, .state = TICKET_STATE_PENDING,
                                                                    .has_wake_at = SCHEMA_PRESENT, .wake_at = wake_at }, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "wake_at"));
        pending(room, tickets[0], wake_at - 1);
        room_due(room);
        assert_int_equal(seen(room, tickets[0]).state, TICKET_STATE_PENDING);
        room->now_ms = wake_at;
        room_due(room);
        assert_int_equal(seen(room, tickets[0]).state, TICKET_STATE_OPEN);
        room_proof(room);
}

/* Somebody opens it before its time, and takes that back after it: it was to be open by now. */
static void an_undo_that_puts_back_a_time_that_is_over_wakes_it_at_once(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "One").id, other = room_ticket(room, ALICE, "Two").id;
        struct ticket_set set = { .ticket = ticket, .has_state = true, .state = TICKET_STATE_SOLVED, .has_op_id = true, .op_id = room_id(room) };
        struct command_undo undo = { .has_command = true, .command = set.op_id, .has_op_id = true, .op_id = room_id(room) };
        int64_t wake_at = room->now_ms + HOUR_MS;

        pending(room, ticket, wake_at);
        pending(room, other, wake_at + 1000);
        assert_int_equal(room_set(room, AGNES, set, NULL), 0);
        room->now_ms = wake_at + 2000;
        room_due(room);
        assert_int_equal(seen(room, other).state, TICKET_STATE_OPEN);
        assert_int_equal(seen(room, ticket).state, TICKET_STATE_SOLVED);
        assert_int_equal(room_call(room, AGNES, &schema_method_command_undo, &undo, &(struct command_undo_result){ 0 }), 0);
        assert_true(seen(room, ticket).has_wake_at && seen(room, ticket).wake_at == wake_at);
        assert_int_equal(room->store->due.next_at, wake_at);
        room_due(room);
        assert_int_equal(seen(room, ticket).state, TICKET_STATE_OPEN);
        assert_int_equal(room->store->due.next_at, INT64_MAX);
        room_proof(room);
}

/* docs/log.md has this one. */
static void the_op_id_of_what_is_due_is_as_it_is_written_down(void **state)
{
        struct ulid ticket, expected = { 0 };
        struct ulid is;

        (void)state;
        assert_int_equal(ulid_parse(STR("01KQ8X3V00GGGGGGGGGGGGGGGG"), &ticket), 0);
        is = due_op_id(DUE_WAKE, (struct str){ (const char *)ticket.b, sizeof(ticket.b) }, 1780000600000);
        assert_int_equal(str_from_hex(STR("019e704dafc0924640be0a87358a64c9"), expected.b, sizeof(expected.b)), 0);
        assert_true(ulid_eq(is, expected));
}

static void what_can_be_no_wake_up_is_told(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "When?").id;
        const int64_t five_years = (int64_t)STATE_WAKE_MAX_DAYS * 24 * HOUR_MS;
        const struct ticket_set wrong[] = {
                { .has_wake_at = SCHEMA_PRESENT, .wake_at = room->now_ms + 1 }, /* it is new */
                { .has_state = true, .state = TICKET_STATE_OPEN, .has_wake_at = SCHEMA_PRESENT, .wake_at = room->now_ms + 1 },
                { .has_state = true, .state = TICKET_STATE_PENDING, .has_wake_at = SCHEMA_PRESENT, .wake_at = room->now_ms },
                { .has_state = true, .state = TICKET_STATE_PENDING, .has_wake_at = SCHEMA_PRESENT, .wake_at = room->now_ms + five_years + 1 },
        };

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                struct ticket_set set = wrong[i];

                set.ticket = ticket;
                assert_int_equal(room_set(room, AGNES, set, NULL), FAULT_INVALID_PARAMS);
                assert_true(str_is(room->fault.field, "wake_at"));
        }
        assert_int_equal(room_set(room, ALICE, (struct ticket_set){ .ticket = ticket, .has_wake_at = SCHEMA_PRESENT, .wake_at = room->now_ms + 1 }, NULL),
                         FAULT_INVALID_PARAMS);
        pending(room, ticket, room->now_ms + five_years);
        assert_int_equal(seen(room, ticket).state, TICKET_STATE_PENDING);
}

/* Two write at once, both without having seen the other: people still have to settle it after it woke. */
static void a_wake_up_settles_no_conflict(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Both"), now;
        int64_t wake_at = room->now_ms + HOUR_MS;
        struct str cursor;

        assert_int_equal(room_get(room, AGNES, ticket.id, &now, &cursor), 0);
        cursor = arena_str(&room->service.arena, cursor);
        assert_int_equal(room_set(room, ARTHUR, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_SOLVED }, NULL), 0);
        room->now_ms += 1000;
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_PENDING,
                                                                    .has_wake_at = SCHEMA_PRESENT, .wake_at = wake_at, .has_seen = true, .seen = cursor,
                                                                    .has_made_at = true, .made_at = room->now_ms }, &now), 0);
        assert_int_equal(now.state, TICKET_STATE_PENDING);
        assert_int_equal(now.conflicts.n, 1);
        room->now_ms = wake_at;
        room_due(room);
        now = seen(room, ticket.id);
        assert_int_equal(now.state, TICKET_STATE_OPEN);
        assert_int_equal(now.conflicts.n, 1);
        room_proof(room);
}

static int label(struct room *room, enum who who, struct label_save save, struct ulid *ret)
{
        struct label_save_result made;
        int r;

        save.has_op_id = true;
        save.op_id = room_id(room);
        r = room_call(room, who, &schema_method_label_save, &save, &made);
        if (!r && ret)
                *ret = made.label.label;
        return r;
}

static void a_label_is_set_with_its_state_and_goes_with_it(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "A part is missing").id, vendor, fixed;
        struct label_list_result all;
        struct ticket now = { 0 };

        assert_int_equal(label(room, AGNES, (struct label_save){ .name = STR("Waiting for the vendor"), .state = TICKET_STATE_PENDING }, NULL),
                         FAULT_FORBIDDEN);
        assert_int_equal(label(room, ADMIN, (struct label_save){ .name = STR("Waiting for the vendor"), .state = TICKET_STATE_PENDING }, &vendor), 0);
        assert_int_equal(label(room, ADMIN, (struct label_save){ .name = STR("Fixed"), .state = TICKET_STATE_SOLVED }, &fixed), 0);
        assert_int_equal(label(room, ADMIN, (struct label_save){ .name = STR("fixed"), .state = TICKET_STATE_SOLVED }, NULL), FAULT_CONFLICT);
        assert_int_equal(label(room, ADMIN, (struct label_save){ .has_label = true, .label = fixed, .name = STR("Fixed"), .state = TICKET_STATE_CLOSED }, NULL),
                         FAULT_INVALID_PARAMS);
        assert_int_equal(room_call(room, ALICE, &schema_method_label_list, &(struct label_list){ 0 }, &all), 0);
        assert_int_equal(all.items.n, 2);

        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_label = SCHEMA_PRESENT, .label = vendor,
                                                                    .has_wake_at = SCHEMA_PRESENT, .wake_at = room->now_ms + HOUR_MS }, &now), 0);
        assert_true(now.state == TICKET_STATE_PENDING && now.has_wake_at && now.has_label && ulid_eq(now.label, vendor));
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_wake_at = SCHEMA_PRESENT, .wake_at = room->now_ms + 5 }, &now), 0);
        assert_true(now.has_label && now.wake_at == room->now_ms + 5); /* one alone leaves the other */
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_state = true, .state = TICKET_STATE_OPEN,
                                                                    .has_label = SCHEMA_PRESENT, .label = vendor }, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_label = SCHEMA_PRESENT, .label = fixed }, &now), 0);
        assert_true(now.state == TICKET_STATE_SOLVED && !now.has_wake_at && ulid_eq(now.label, fixed));
        assert_int_equal(room_reply(room, ALICE, ticket, "It is not.", NULL), 0);
        now = seen(room, ticket);
        assert_true(now.state == TICKET_STATE_OPEN && !now.has_label);
        assert_int_equal(room_set(room, ALICE, (struct ticket_set){ .ticket = ticket, .has_label = SCHEMA_PRESENT, .label = fixed }, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(label(room, ADMIN, (struct label_save){ .has_label = true, .label = vendor, .name = STR("Vendor"), .state = TICKET_STATE_PENDING,
                                                                 .retired = true }, NULL), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_label = SCHEMA_PRESENT, .label = vendor }, NULL), FAULT_INVALID_PARAMS);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_pending_ticket_opens_when_its_time_has_come_and_once, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(who_waits_no_more_is_not_woken, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(many_wake_at_once_and_after_the_clock_was_put_back, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(an_undo_that_puts_back_a_time_that_is_over_wakes_it_at_once, room_setup, room_teardown),
                cmocka_unit_test(the_op_id_of_what_is_due_is_as_it_is_written_down),
                cmocka_unit_test_setup_teardown(what_can_be_no_wake_up_is_told, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_wake_up_settles_no_conflict, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_label_is_set_with_its_state_and_goes_with_it, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

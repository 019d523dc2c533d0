/* Tickets that agents put aside. */
#include "store_room.h"
#include "schema/personal.h"
#include "schema/search.h"
#include "schema/view.h"
#include "snooze.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static int aside(struct room *room, enum who who, struct ulid ticket, int64_t until, int64_t *ret_version)
{
        struct snooze_set_result made;
        int r;

        room->now_ms += 10;
        r = room_call(room, who, &schema_method_snooze_set,
                      &(struct snooze_set){ .ticket = ticket, .has_until_at = until != 0, .until_at = until, .has_op_id = true, .op_id = room_id(room) }, &made);
        if (!r && ret_version)
                *ret_version = made.snooze.version;
        return r;
}

/* How many tickets somebody finds that they put aside, or that they did not; -1: they may not ask. */
static int found_by(struct room *room, enum who who, const char *query)
{
        struct ticket_search_result got;
        int r = room_call(room, who, &schema_method_ticket_search, &(struct ticket_search){ .query = str_of(query), .limit = 50 }, &got);

        return r ? -1 : (int)got.items.n;
}

static size_t listed(struct room *room, enum who who)
{
        struct snooze_list_result got;

        assert_int_equal(room_call(room, who, &schema_method_snooze_list, &(struct snooze_list){ 0 }, &got), 0);
        return got.items.n;
}

/* The last thing that fanout is told from a position on; moves it on. */
static const char *told(struct room *room, int64_t *after, size_t *ret_n)
{
        struct personal_follow_result got;

        assert_int_equal(room_call(room, OPERATOR, &schema_method_personal_follow,
                                   &(struct personal_follow){ .has_after = true, .after = *after, .max_bytes = 262144 }, &got), 0);
        *after = got.head;
        *ret_n = got.items.n;
        return got.items.n ? arena_str(&room->arena, got.items.items[got.items.n - 1].event.data).p : "";
}

static void it_comes_back_at_its_time_and_the_other_devices_hear_of_it(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Not now");
        int64_t until = room->now_ms + HOUR_MS, after = 0, version;
        size_t n;

        assert_int_equal(aside(room, AGNES, ticket.id, until, &version), 0);
        assert_non_null(strstr(told(room, &after, &n), "\"snoozed\":true"));
        assert_int_equal(n, 1);
        assert_int_equal(aside(room, AGNES, ticket.id, until, NULL), 0); /* it is so already */
        assert_int_equal(found_by(room, AGNES, "snoozed:yes"), 1);
        assert_int_equal(found_by(room, AGNES, "snoozed:no"), 0);
        assert_int_equal(found_by(room, AGNES, "-snoozed:yes state:new"), 0);
        assert_int_equal(found_by(room, ARTHUR, "snoozed:yes"), 0);
        assert_int_equal(found_by(room, ARTHUR, "snoozed:no"), 1);
        assert_int_equal(found_by(room, ALICE, "snoozed:no"), -1);
        room->now_ms = until - 1;
        room_due(room);
        assert_int_equal(listed(room, AGNES), 1);
        room->now_ms = until;
        room_due(room);
        assert_int_equal(listed(room, AGNES), 0);
        assert_int_equal(found_by(room, AGNES, "snoozed:no"), 1);
        assert_non_null(strstr(told(room, &after, &n), "\"snoozed\":false"));
        assert_int_equal(n, 1);
        room_proof(room);
}

static void a_public_reply_of_somebody_else_ends_it(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Until they answer"), other = room_ticket(room, ALICE, "Another");
        int64_t due;

        assert_int_equal(aside(room, AGNES, ticket.id, 0, NULL), 0);
        assert_int_equal(aside(room, ARTHUR, ticket.id, room->now_ms + HOUR_MS, NULL), 0);
        assert_int_equal(aside(room, AGNES, other.id, 0, NULL), 0);
        assert_int_equal(room_note(room, ARTHUR, ticket.id, "Hm.", NULL), 0);
        assert_int_equal(room_reply(room, AGNES, ticket.id, "One more thing:", NULL), 0);
        assert_int_equal(listed(room, AGNES), 2);
        assert_int_equal(listed(room, ARTHUR), 0); /* for them it was somebody else's */
        assert_int_equal(db_int(room->store->follow_db, &due, "SELECT count(*) FROM due", ""), 0);
        assert_int_equal(due, 0);
        assert_int_equal(room_reply(room, ALICE, ticket.id, "Thank you.", NULL), 0);
        assert_int_equal(listed(room, AGNES), 1);
        room_proof(room);
}

/* How many tickets an agent's view has, as it is counted and as it is listed, which must agree. */
static int viewed(struct room *room, enum who who, const char *query)
{
        struct view_save save = { .name = arena_format(&room->arena, "%s %lld", query, (long long)room->store->head), .query = str_of(query),
                                  .order = VIEW_ORDER_CHANGED, .has_op_id = true, .op_id = room_id(room) };
        struct view_save_result view;
        struct view_count_result counts;
        struct ticket_list_result list;

        assert_int_equal(room_call(room, who, &schema_method_view_save, &save, &view), 0);
        assert_int_equal(room_call(room, who, &schema_method_view_count, &(struct view_count){ .views = { &view.view.view, 1 } }, &counts), 0);
        assert_int_equal(room_call(room, who, &schema_method_ticket_list,
                                   &(struct ticket_list){ .has_view = true, .view = view.view.view, .limit = 50 }, &list), 0);
        assert_int_equal(counts.items.items[0].count, list.items.n);
        return (int)list.items.n;
}

static void what_is_put_aside_is_in_no_view_unless_it_asks_for_it(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "One").id;

        room_ticket(room, ALICE, "Two");
        assert_int_equal(aside(room, AGNES, ticket, 0, NULL), 0);
        assert_int_equal(viewed(room, AGNES, "state:new"), 1);
        assert_int_equal(viewed(room, AGNES, "state:new -tag:vpn"), 1);
        assert_int_equal(viewed(room, AGNES, "state:new snoozed:yes"), 1);
        assert_int_equal(viewed(room, AGNES, "state:new snoozed:any"), 2);
        assert_int_equal(viewed(room, AGNES, "state:open snoozed:yes"), 0);
        assert_int_equal(viewed(room, AGNES, "label:none snoozed:any"), 2);
        assert_int_equal(viewed(room, ARTHUR, "state:new"), 2);
        room_proof(room);
}

static void it_is_ended_by_hand_moved_and_taken_away_with_its_user(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Mine").id;
        struct snooze_end end = { .ticket = ticket, .has_op_id = true };
        int64_t rows;

        assert_int_equal(aside(room, ALICE, ticket, 0, NULL), FAULT_FORBIDDEN);
        assert_int_equal(aside(room, AGNES, room_id(room), 0, NULL), FAULT_NOT_FOUND);
        assert_int_equal(aside(room, AGNES, ticket, room->now_ms - HOUR_MS, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "until_at"));
        assert_int_equal(aside(room, AGNES, ticket, room->now_ms + HOUR_MS, NULL), 0);
        assert_int_equal(aside(room, AGNES, ticket, room->now_ms + 2 * HOUR_MS, NULL), 0);
        room->now_ms += HOUR_MS + 1000;
        room_due(room);
        assert_int_equal(listed(room, AGNES), 1);
        end.op_id = room_id(room);
        assert_int_equal(room_call(room, AGNES, &schema_method_snooze_end, &end, &(struct snooze_end_result){ 0 }), 0);
        assert_int_equal(listed(room, AGNES), 0);
        end.op_id = room_id(room);
        assert_int_equal(room_call(room, AGNES, &schema_method_snooze_end, &end, &(struct snooze_end_result){ 0 }), 0);
        assert_int_equal(aside(room, AGNES, ticket, room->now_ms + HOUR_MS, NULL), 0);
        room_person(room, AGNES, "Agnes", SCHEMA_ROLE_AGENT, false);
        assert_int_equal(db_int(room->store->follow_db, &rows, "SELECT (SELECT count(*) FROM due) + (SELECT count(*) FROM snooze)", ""), 0);
        assert_int_equal(rows, 0);
        room_proof(room);
}

static void what_was_put_aside_outlives_the_store_and_what_ended_is_swept(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Later").id, other = room_ticket(room, ALICE, "Sooner").id;
        int64_t until = room->now_ms + HOUR_MS, rows;

        assert_int_equal(aside(room, AGNES, ticket, until, NULL), 0);
        assert_int_equal(aside(room, AGNES, other, 0, NULL), 0);
        assert_int_equal(room_reply(room, ALICE, other, "Now!", NULL), 0);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_equal(room->store->due.next_at, until);
        assert_int_equal(listed(room, AGNES), 1);
        room->now_ms = until;
        room_due(room);
        assert_int_equal(listed(room, AGNES), 0);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_equal(snooze_sweep(room->store->writer.db, room->now_ms + SNOOZE_KEPT_MS - 1000), 0);
        assert_int_equal(db_int(room->store->writer.db, &rows, "SELECT count(*) FROM snooze", ""), 0);
        assert_int_equal(rows, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_comes_back_at_its_time_and_the_other_devices_hear_of_it, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_public_reply_of_somebody_else_ends_it, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_put_aside_is_in_no_view_unless_it_asks_for_it, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(it_is_ended_by_hand_moved_and_taken_away_with_its_user, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_was_put_aside_outlives_the_store_and_what_ended_is_swept, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

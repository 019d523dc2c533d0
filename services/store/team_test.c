/* What a project defines, shown by teams and types; and how tickets come to teams. */
#include "store_room.h"
#include "schema/team.h"
#include "schema/type.h"

static int save(struct room *room, enum who who, struct team_save team, struct ulid *ret)
{
        struct team_save_result made;
        int r;

        team.has_op_id = true;
        team.op_id = room_id(room);
        r = room_call(room, who, &schema_method_team_save, &team, &made);
        if (!r && ret)
                *ret = made.team.team;
        return r;
}

static struct ulid rotating(struct room *room, const char *name, bool rotate)
{
        struct ulid members[] = { room->users[AGNES], room->users[ARTHUR], room->users[ADMIN] }, team;

        assert_int_equal(save(room, ADMIN, (struct team_save){ .name = str_of(name), .members = { members, 3 }, .rotate = rotate }, &team), 0);
        return team;
}

static struct ticket give(struct room *room, struct ulid ticket, struct ulid team)
{
        struct ticket now;

        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_team = SCHEMA_PRESENT, .team = team }, &now), 0);
        assert_true(now.has_team && ulid_eq(now.team, team));
        return now;
}

static void a_team_takes_turns_without_those_who_are_away(void **state)
{
        struct room *room = *state;
        struct ulid team = rotating(room, "Network", true);
        const enum who turns[] = { AGNES, ARTHUR, ADMIN, AGNES };
        struct ticket now;

        for (size_t i = 0; i < 4; i++) {
                now = give(room, room_ticket(room, ALICE, "No network").id, team);
                assert_true(now.has_assignee && ulid_eq(now.assignee, room->users[turns[i]]));
        }
        room_person(room, ARTHUR, "Arthur", SCHEMA_ROLE_AGENT, false);
        now = give(room, room_ticket(room, ALICE, "Again").id, team);
        assert_true(ulid_eq(now.assignee, room->users[ADMIN]));
        give(room, now.id, team); /* it is there already: nobody's turn */
        now = give(room, room_ticket(room, ALICE, "And again").id, team);
        assert_true(ulid_eq(now.assignee, room->users[AGNES]));
        room_proof(room);
}

static void what_is_somebodys_or_given_to_somebody_is_nobodys_turn(void **state)
{
        struct room *room = *state;
        struct ulid team = rotating(room, "Network", true), calm = rotating(room, "Accounts", false);
        struct ticket_set set = { .ticket = room_ticket(room, ALICE, "No network").id, .has_assignee = SCHEMA_PRESENT,
                                  .assignee = room->users[ADMIN], .has_team = SCHEMA_PRESENT, .team = team };
        struct ticket now;

        assert_int_equal(room_set(room, AGNES, set, &now), 0);
        assert_true(ulid_eq(now.assignee, room->users[ADMIN]));
        assert_false(give(room, room_ticket(room, ALICE, "Quiet").id, calm).has_assignee);
        now = give(room, room_ticket(room, ALICE, "First turn").id, team);
        assert_true(ulid_eq(now.assignee, room->users[AGNES]));
        room_proof(room);
}

static void a_type_says_whose_work_it_is(void **state)
{
        struct room *room = *state;
        struct ulid team = rotating(room, "Network", true);
        struct type_save type = { .name = STR("Outage"), .has_team = true, .team = team, .has_op_id = true, .op_id = room_id(room) };
        struct ticket_create filed = { .subject = STR("s"), .body = STR("b"), .has_op_id = true, .op_id = room_id(room), .has_type = true };
        struct ticket_create_result made;
        struct type_save_result saved;
        struct type_list_result types;
        struct ticket now = { 0 };

        assert_int_equal(room_call(room, ADMIN, &schema_method_type_save, &type, &saved), 0);
        filed.type = saved.type.type;
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_create, &filed, &made), 0);
        assert_true(made.value.has_type && ulid_eq(made.value.type, filed.type));
        assert_false(made.value.has_team); /* the agents' affair */
        assert_int_equal(room_get(room, AGNES, made.value.id, &now, NULL), 0);
        assert_true(now.has_team && ulid_eq(now.team, team) && ulid_eq(now.assignee, room->users[AGNES]));
        assert_int_equal(room_call(room, ALICE, &schema_method_type_list, &(struct type_list){ 0 }, &types), 0);
        assert_true(types.items.n == 1 && str_is(types.items.items[0].name, "Outage") && !types.items.items[0].has_team);

        type.has_type = type.retired = true;
        type.type = filed.type;
        type.op_id = room_id(room);
        assert_int_equal(room_call(room, ADMIN, &schema_method_type_save, &type, &saved), 0);
        filed.op_id = room_id(room);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_create, &filed, &made), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "type"));
        assert_int_equal(room_get(room, AGNES, now.id, &now, NULL), 0);
        assert_true(now.has_type); /* what has it keeps it */
        room_proof(room);
}

static void names_are_one_definitions_until_it_retires(void **state)
{
        struct room *room = *state;
        struct ulid first, second, nobody = room_id(room), twice[] = { room->users[AGNES], room->users[AGNES] };
        struct team_list_result list;

        assert_int_equal(save(room, ADMIN, (struct team_save){ .name = STR("Network") }, &first), 0);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .name = STR("NETWORK") }, NULL), FAULT_CONFLICT);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .name = STR("Accounts") }, &second), 0);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .has_team = true, .team = second, .name = STR("network") }, NULL), FAULT_CONFLICT);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .has_team = true, .team = first, .name = STR("Network"), .retired = true }, NULL), 0);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .has_team = true, .team = second, .name = STR("network") }, NULL), 0);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .has_team = true, .team = first, .name = STR("Network") }, NULL), FAULT_CONFLICT);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .has_team = true, .team = nobody, .name = STR("x") }, NULL), FAULT_NOT_FOUND);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .name = STR(" x") }, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .name = STR("x"), .members = { twice, 2 } }, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(save(room, ADMIN, (struct team_save){ .name = STR("x"), .members = { &room->users[ALICE], 1 } }, NULL),
                         FAULT_INVALID_PARAMS);
        assert_int_equal(save(room, AGNES, (struct team_save){ .name = STR("x") }, NULL), FAULT_FORBIDDEN);
        assert_int_equal(room_call(room, AGNES, &schema_method_team_list, &(struct team_list){ 0 }, &list), 0);
        assert_int_equal(list.items.n, 2);
        assert_true(str_is(list.items.items[0].name, "network") || list.items.items[0].retired);
        assert_int_equal(room_call(room, ALICE, &schema_method_team_list, &(struct team_list){ 0 }, &list), FAULT_FORBIDDEN);
        room_proof(room);
}

static void a_retry_of_saving_acts_once(void **state)
{
        struct room *room = *state;
        struct team_save save_it = { .name = STR("Network"), .has_op_id = true, .op_id = room_id(room) };
        struct team_save_result first, again;
        struct team_list_result list;

        assert_int_equal(room_call(room, ADMIN, &schema_method_team_save, &save_it, &first), 0);
        assert_int_equal(room_call(room, ADMIN, &schema_method_team_save, &save_it, &again), 0);
        assert_true(ulid_eq(first.team.team, again.team.team));
        assert_int_equal(room_call(room, AGNES, &schema_method_team_list, &(struct team_list){ 0 }, &list), 0);
        assert_int_equal(list.items.n, 1);
}

static void customers_learn_nothing_of_teams(void **state)
{
        struct room *room = *state;
        struct ulid team = rotating(room, "Network", false);
        struct ticket ticket = room_ticket(room, ALICE, "No network"), now = { 0 };
        struct ticket_list_result list;
        struct op_since_result since;
        struct str cursor;

        assert_int_equal(room_get(room, ALICE, ticket.id, &ticket, &cursor), 0);
        room->now_ms += 1000;
        give(room, ticket.id, team);
        assert_int_equal(room_get(room, ALICE, ticket.id, &now, NULL), 0);
        assert_true(!now.has_team && now.changed_at == ticket.changed_at);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_int_equal(since.events.n, 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_true(since.events.n == 1 && str_is(since.events.items[0].type, "ticket.routed"));
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_list, &(struct ticket_list){ .limit = 5, .has_team = true, .team = team },
                                   &list), FAULT_INVALID_PARAMS);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_list, &(struct ticket_list){ .limit = 5, .has_team = true, .team = team },
                                   &list), 0);
        assert_int_equal(list.items.n, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_team_takes_turns_without_those_who_are_away, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_somebodys_or_given_to_somebody_is_nobodys_turn, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_type_says_whose_work_it_is, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(names_are_one_definitions_until_it_retires, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_retry_of_saving_acts_once, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(customers_learn_nothing_of_teams, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

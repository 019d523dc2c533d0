/* Leases on tickets: what each thing that people do shows, to whom, and when. */
#include "presence_room.h"

static void both_sides_see_each_other_look_and_leave_and_nobody_else_hears(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        assert_string_equal(told(room, 0, 0), "1v");
        pass(room, SECOND);
        view(room, 2, 0, LOOK_DRAFTING, false);
        assert_string_equal(told(room, 0, 0), "1v 3d");          /* at once */
        assert_string_equal(told(room, 2, 0), "1v 3d");
        pass(room, SECOND);
        presence_leave(&room->presence, &room->sessions[0], ticket(0));
        assert_string_equal(told(room, 2, 0), "3d");
        assert_int_equal(room->told[0][0].times, 2);             /* who left is told no more */
        assert_int_equal(room->told[1][0].times, 0);             /* nor an agent who does not look */
        presence_ended(&room->presence, &room->sessions[2]);
        pass(room, SECOND);
        assert_null(room->presence.tickets);
        assert_null(room->presence.holders);
        assert_int_equal(room->presence.leases, 0);
}

static void typing_lasts_six_seconds_and_falls_back(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_DRAFTING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        assert_int_equal(presence_type(&room->presence, &room->sessions[2], ticket(0), false), 0);
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), false), 0);
        pass(room, 5 * SECOND);
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), false), 0);
        pass(room, 990 * MS);
        assert_string_equal(told(room, 2, 0), "1t 3t");
        pass(room, 10 * MS);
        assert_string_equal(told(room, 2, 0), "1t 3v");
        pass(room, 4990 * MS);
        assert_string_equal(told(room, 2, 0), "1t 3v");
        pass(room, 10 * MS);
        assert_string_equal(told(room, 2, 0), "1d 3v");
        assert_int_equal(presence_type(&room->presence, &room->sessions[2], ticket(0), false), 0);
        view(room, 2, 0, LOOK_VIEWING, false);                   /* it was sent */
        pass(room, PRESENCE_QUIET_US);
        assert_string_equal(told(room, 0, 0), "1d 3v");
        assert_int_equal(presence_type(&room->presence, &room->sessions[3], ticket(0), false), FAULT_NOT_FOUND);
}

static void two_devices_are_one_viewer_with_the_strongest_of_what_they_do(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        view(room, 2, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        view(room, 7, 0, LOOK_VIEWING, false);                   /* the customer's phone */
        assert_string_equal(told(room, 7, 0), "1v 3v");          /* which is told who is there */
        assert_int_equal(room->told[0][0].times, 2);             /* the others know */
        pass(room, SECOND);
        view(room, 7, 0, LOOK_DRAFTING, false);
        assert_string_equal(told(room, 0, 0), "1v 3d");
        pass(room, SECOND);
        assert_int_equal(presence_type(&room->presence, &room->sessions[2], ticket(0), false), 0);
        assert_string_equal(told(room, 0, 0), "1v 3t");
        presence_ended(&room->presence, &room->sessions[2]);
        pass(room, SECOND);
        assert_string_equal(told(room, 0, 0), "1v 3d");
        assert_int_equal(room->told[0][0].people[1].since_at, 1002 * MS);  /* as long as the device that is left */
}

static void a_ticket_is_told_at_once_and_then_at_the_end_of_each_quarter_of_a_second(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        for (int i = 0; i < 60; i++) {                           /* every 10 ms something else */
                if (i % 2)
                        view(room, 2, 0, LOOK_VIEWING, false);
                else
                        view(room, 2, 0, LOOK_DRAFTING, false);
                pass(room, 10 * MS);
        }
        assert_int_equal(room->told[0][0].times, 1 + 3);         /* at 0, 250 and 500 ms */
        view(room, 2, 1, LOOK_VIEWING, false);
        assert_int_equal(room->told[2][1].times, 1);             /* another ticket has its own */
        assert_string_equal(told(room, 0, 0), "1v 3d");
        pass(room, 149 * MS);
        assert_int_equal(room->told[0][0].times, 4);
        pass(room, MS);
        assert_int_equal(room->told[0][0].times, 5);
        assert_string_equal(told(room, 0, 0), "1v 3v");
}

static void customers_see_nothing_of_notes_not_even_by_when_they_are_told(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 1, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        for (size_t s = 0; s < 3; s++)
                room->told[s][0].times = 0;
        view(room, 0, 0, LOOK_DRAFTING, true);
        assert_string_equal(told(room, 1, 0), "1d 2v 3v");
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), true), 0);
        pass(room, SECOND);
        assert_string_equal(told(room, 1, 0), "1t 2v 3v");
        assert_int_equal(room->told[2][0].times, 0);
        assert_string_equal(there(room, 0, false), "1v 2v 3v");
        /* what the customer is told is not late because agents were told just now */
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), true), 0);
        view(room, 0, 0, LOOK_VIEWING, true);
        view(room, 1, 0, LOOK_DRAFTING, false);
        assert_string_equal(told(room, 2, 0), "1v 2d 3v");
        pass(room, 10 * SECOND);
        assert_int_equal(room->told[2][0].times, 1);
}

static void a_session_shows_its_user_at_sixteen_tickets_at_most(void **state)
{
        struct room *room = *state;
        struct kept_lease kept[PRESENCE_TICKETS];

        for (uint8_t i = 0; i < PRESENCE_TICKETS; i++)
                assert_int_equal(presence_view(&room->presence, &room->sessions[11], (struct ulid){ { 100, 3, i } }, LOOK_VIEWING, false), 0);
        assert_int_equal(presence_view(&room->presence, &room->sessions[11], ticket(0), LOOK_VIEWING, false), FAULT_TOO_LARGE);
        assert_int_equal(presence_view(&room->presence, &room->sessions[11], (struct ulid){ { 100, 3, 7 } }, LOOK_DRAFTING, false), 0);
        assert_int_equal(presence_kept(&room->presence, &room->sessions[11], kept), PRESENCE_TICKETS);
        presence_leave(&room->presence, &room->sessions[11], (struct ulid){ { 100, 3, 7 } });
        view(room, 11, 0, LOOK_VIEWING, false);
        assert_int_equal(room->presence.leases, PRESENCE_TICKETS);
}

static void where_a_gateway_is_lost_a_lease_is_held_for_sixty_seconds_from_when_it_was_last_heard(void **state)
{
        struct room *room = *state;
        int64_t heard_us;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        view(room, 3, 0, LOOK_VIEWING, false);
        pass(room, 300 * (int64_t)SECOND);                       /* who is attached has it for as long as they like */
        assert_string_equal(told(room, 0, 0), "1v 3v 4v");
        heard_us = room->now_us;
        pass(room, 30 * SECOND);
        presence_lost(&room->presence, &room->sessions[3], heard_us + 20 * SECOND);
        presence_lost(&room->presence, &room->sessions[2], heard_us);
        pass(room, 29990 * MS);
        assert_string_equal(told(room, 0, 0), "1v 3v 4v");
        pass(room, 10 * MS);
        assert_string_equal(told(room, 0, 0), "1v 4v");
        pass(room, 20 * SECOND);
        assert_string_equal(told(room, 0, 0), "1v");
        assert_int_equal(room->presence.leases, 1);
}

static void a_session_that_is_attached_anew_goes_on_and_is_told_again(void **state)
{
        struct room *room = *state;
        int times;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_DRAFTING, false);
        pass(room, SECOND);
        times = room->told[0][0].times;
        presence_lost(&room->presence, &room->sessions[2], room->now_us);
        pass(room, 50 * SECOND);
        room->told[2][0] = (struct told){ 0 };
        presence_attached(&room->presence, &room->sessions[2]);
        assert_string_equal(told(room, 2, 0), "1v 3d");
        pass(room, 100 * SECOND);
        assert_string_equal(told(room, 2, 0), "1v 3d");
        assert_int_equal(room->told[0][0].times, times);         /* for the other one, nothing has happened */

        room->sessions[2].pushed = false;                        /* reads on by itself for a while */
        view(room, 0, 0, LOOK_DRAFTING, false);
        pass(room, SECOND);
        assert_string_equal(told(room, 2, 0), "1v 3d");
        room->sessions[2].pushed = true;
        presence_attached(&room->presence, &room->sessions[2]);
        assert_string_equal(told(room, 2, 0), "1d 3d");

        presence_lost(&room->presence, &room->sessions[2], room->now_us);
        room->sessions[2].agent = true;                          /* what they saw, they saw as a customer */
        presence_attached(&room->presence, &room->sessions[2]);
        pass(room, SECOND);
        assert_string_equal(told(room, 0, 0), "1d");
}

static void who_loses_a_ticket_or_their_role_loses_the_leases(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        view(room, 2, 1, LOOK_VIEWING, false);
        view(room, 7, 0, LOOK_VIEWING, false);
        view(room, 3, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        room->leases_changed = 0;
        presence_lose(&room->presence, room->users[2].user, ticket(0));
        assert_int_equal(room->leases_changed, 2);               /* to be kept anew */
        pass(room, SECOND);
        assert_string_equal(told(room, 0, 0), "1v 4v");
        assert_string_equal(there(room, 1, true), "3v");
        assert_false(presence_holds(&room->presence, room->users[2].user, ticket(0)));
        assert_true(presence_holds(&room->presence, room->users[2].user, ticket(1)));
        presence_lose(&room->presence, room->users[0].user, ticket(0));  /* who was a watcher, too, and still is an agent */
        assert_string_equal(there(room, 0, true), "1v 4v");
        presence_forget(&room->presence, room->users[0].user);
        pass(room, SECOND);
        assert_string_equal(told(room, 3, 0), "4v");
}

static void leases_come_back_as_they_were_kept(void **state)
{
        struct room *room = *state;
        struct kept_lease kept[PRESENCE_TICKETS];
        size_t n;

        view(room, 0, 0, LOOK_DRAFTING, true);
        pass(room, SECOND);
        view(room, 0, 1, LOOK_VIEWING, false);
        n = presence_kept(&room->presence, &room->sessions[0], kept);
        assert_int_equal(n, 2);
        presence_deinit(&room->presence);
        presence_init(&room->presence, room->loop, &(struct presence_events){ .tell = hear, .leases = hear_leases, .data = room });
        memset(room->told, 0, sizeof(room->told));
        for (size_t i = 0; i < n; i++)
                presence_restore(&room->presence, &room->sessions[0], &kept[i]);
        assert_string_equal(told(room, 0, 0), "1d");
        assert_string_equal(told(room, 0, 1), "1v");
        assert_string_equal(there(room, 0, false), "1v");
        assert_int_equal(room->told[0][0].people[0].since_at, 1000 * MS);
        presence_restore(&room->presence, &room->sessions[5], &(struct kept_lease){ .ticket = ticket(0), .since_at = 900 * MS });
        pass(room, SECOND);
        assert_string_equal(told(room, 5, 0), "1d");             /* the other device was there before */
        assert_int_equal(room->told[5][0].people[0].since_at, 900 * MS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(both_sides_see_each_other_look_and_leave_and_nobody_else_hears, setup, teardown),
                cmocka_unit_test_setup_teardown(typing_lasts_six_seconds_and_falls_back, setup, teardown),
                cmocka_unit_test_setup_teardown(two_devices_are_one_viewer_with_the_strongest_of_what_they_do, setup, teardown),
                cmocka_unit_test_setup_teardown(a_ticket_is_told_at_once_and_then_at_the_end_of_each_quarter_of_a_second, setup, teardown),
                cmocka_unit_test_setup_teardown(customers_see_nothing_of_notes_not_even_by_when_they_are_told, setup, teardown),
                cmocka_unit_test_setup_teardown(a_session_shows_its_user_at_sixteen_tickets_at_most, setup, teardown),
                cmocka_unit_test_setup_teardown(where_a_gateway_is_lost_a_lease_is_held_for_sixty_seconds_from_when_it_was_last_heard, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_session_that_is_attached_anew_goes_on_and_is_told_again, setup, teardown),
                cmocka_unit_test_setup_teardown(who_loses_a_ticket_or_their_role_loses_the_leases, setup, teardown),
                cmocka_unit_test_setup_teardown(leases_come_back_as_they_were_kept, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

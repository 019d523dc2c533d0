/* Who is there, against a clock that the test holds. */
#include "roster.h"
#include "held_clock.h"

#include "replica/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MS = 1000, SECOND = 1000 * MS, USERS = 6, MANY = 1200 };

/* What agents, or customers, were told of somebody. */
struct told {
        int times;
        bool online;
        char status[32];
};

struct room {
        int64_t now_us;
        struct clock clock;
        struct loop *loop;
        struct roster roster;
        struct told agents[USERS], customers[USERS], themselves[USERS];
        int events, caught_up;
        size_t people, complete;
};

/* Users 0 and 1 are agents. */
static struct ulid user(size_t u)
{
        return (struct ulid){ { (uint8_t)(u >> 8), (uint8_t)u, 1 } };
}

static void fold(struct told told[USERS], const struct event_presence_online *event)
{
        for (size_t u = 0; event->complete && u < USERS; u++)
                told[u].online = false;
        for (size_t i = 0; i < event->people.n; i++) {
                const struct online_change *p = &event->people.items[i];

                if (p->user.b[1] >= USERS || p->user.b[0])
                        continue;
                told[p->user.b[1]].times++;
                told[p->user.b[1]].online = p->online;
                snprintf(told[p->user.b[1]].status, 32, "%.*s", STR_ARG(p->status));
        }
}

static void hear(void *data, enum roster_audience to, struct ulid whose, const struct event_presence_online *event)
{
        struct room *room = data;

        assert_false(event->complete);
        assert_in_range(event->people.n, 1, ROSTER_PEOPLE);
        room->events += to == ROSTER_AGENTS;
        room->people += to == ROSTER_AGENTS ? event->people.n : 0;
        for (size_t i = 0; to == ROSTER_CUSTOMERS && i < event->people.n; i++)
                assert_true(event->people.items[i].user.b[1] < 2);
        if (to == ROSTER_USER)
                assert_true(event->people.n == 1 && ulid_eq(event->people.items[0].user, whose));
        fold(to == ROSTER_AGENTS ? room->agents : to == ROSTER_CUSTOMERS ? room->customers : room->themselves, event);
}

static void hear_of_agents(void *data, const struct event_presence_online *event)
{
        struct room *room = data;

        room->complete += event->complete;
        room->people += event->people.n;
        fold(room->agents, event);
}

static void hear_of_customers(void *data, const struct event_presence_online *event)
{
        fold(((struct room *)data)->customers, event);
}

static void catch_up(void *data)
{
        struct room *room = data;

        room->caught_up++;
        roster_all(&room->roster, true, hear_of_agents, room);
        roster_all(&room->roster, false, hear_of_customers, room);
}

static int setup(void **state)
{
        struct room *room = *state = calloc(1, sizeof(*room));

        room->now_us = 1000 * (int64_t)SECOND;
        room->clock = held_clock(&room->now_us);
        room->loop = loop_new(&room->clock);
        roster_init(&room->roster, room->loop, &(struct roster_events){ .tell = hear, .catch_up = catch_up, .data = room });
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        roster_deinit(&room->roster);
        loop_free(room->loop);
        free(room);
        return 0;
}

static void pass(struct room *room, int64_t us)
{
        for (; us > 0; us -= 10 * MS) {
                room->now_us += us < 10 * MS ? us : 10 * MS;
                assert_int_equal(loop_dispatch(room->loop, 0), 0);
        }
}

static void come(struct room *room, size_t u)
{
        roster_came(&room->roster, user(u), u < 2, room->now_us / MS, false);
}

static void who_connects_anew_within_ten_seconds_does_not_come_and_go(void **state)
{
        struct room *room = *state;

        come(room, 0);
        assert_true(room->agents[0].online && room->customers[0].online);
        pass(room, SECOND);
        come(room, 0);
        roster_left(&room->roster, user(0));
        pass(room, 60 * SECOND);                                 /* the other device is there */
        roster_left(&room->roster, user(0));
        pass(room, 9990 * MS);
        come(room, 0);
        pass(room, 60 * SECOND);
        assert_int_equal(room->agents[0].times, 1);
        roster_left(&room->roster, user(0));
        pass(room, 9990 * MS);
        assert_true(room->agents[0].online);
        pass(room, 10 * MS);
        assert_false(room->agents[0].online || room->customers[0].online);
        assert_null(room->roster.members);
}

static void customers_hear_of_agents_and_of_what_they_set_themselves(void **state)
{
        struct online page[4];
        struct room *room = *state;
        int64_t next, at;

        come(room, 0);
        come(room, 2);
        come(room, 3);
        pass(room, SECOND);
        roster_status(&room->roster, user(2), STR("Away"), 5);
        roster_status(&room->roster, user(0), STR("Till five"), 5);
        pass(room, SECOND);
        assert_string_equal(room->agents[2].status, "Away");
        assert_string_equal(room->themselves[2].status, "Away");
        assert_string_equal(room->customers[0].status, "Till five");
        assert_int_equal(room->customers[2].times, 0);
        roster_status(&room->roster, user(0), STR("Older"), 4);  /* of a session that kept it for long */
        assert_true(str_is(roster_status_of(&room->roster, user(0), &at), "Till five"));
        assert_int_equal(at, 5);

        assert_int_equal(roster_page(&room->roster, user(2), false, 0, 1, page, &next), 2);
        assert_int_equal(next, 0);
        assert_true(ulid_eq(page[0].user, user(2)) && str_is(page[0].status, "Away"));
        assert_true(ulid_eq(page[1].user, user(0)) && page[1].since_at == 1000 * MS);
        assert_int_equal(roster_page(&room->roster, user(0), true, 0, 2, page, &next), 2);
        assert_int_equal(roster_page(&room->roster, user(0), true, next, 2, page, &next), 1);
        assert_true(ulid_eq(page[0].user, user(3)));
        assert_int_equal(next, 0);
}

static void an_agent_who_becomes_a_customer_is_gone_for_customers(void **state)
{
        struct room *room = *state;
        struct online page[2];
        int64_t next;

        come(room, 0);
        come(room, 1);
        pass(room, SECOND);
        roster_left(&room->roster, user(0));
        roster_came(&room->roster, user(0), false, room->now_us / MS, false);
        pass(room, SECOND);
        assert_false(room->customers[0].online);
        assert_true(room->agents[0].online);
        assert_int_equal(roster_page(&room->roster, user(3), false, 0, 1, page, &next), 1);
        assert_true(ulid_eq(page[0].user, user(1)));
        roster_left(&room->roster, user(0));
        roster_came(&room->roster, user(0), true, room->now_us / MS, false);
        pass(room, SECOND);
        assert_true(room->customers[0].online);
}

static void an_agent_with_a_customers_rights_elsewhere_remains_one(void **state)
{
        struct room *room = *state;

        come(room, 0);
        pass(room, SECOND);
        roster_came(&room->roster, user(0), false, room->now_us / MS, false);
        pass(room, SECOND);
        assert_true(room->customers[0].online);
        roster_demoted(&room->roster, user(0));
        pass(room, SECOND);
        assert_false(room->customers[0].online);
}

static void a_crowd_is_told_four_times_a_second_in_events_of_a_bounded_size(void **state)
{
        struct room *room = *state;

        for (size_t u = 2; u < MANY; u++) {
                come(room, u);
                if (u % 100 == 0)
                        pass(room, 10 * MS);
        }
        pass(room, ROSTER_QUIET_US);
        assert_int_equal(room->people, MANY - 2);
        assert_int_equal(room->events, 1 + 3);
}

static void after_a_restart_who_did_not_come_back_is_told_to_be_gone(void **state)
{
        struct room *room = *state;

        room->agents[1].online = room->customers[1].online = true;      /* told by the fanout before, as were these: */
        room->agents[0].online = room->customers[0].online = room->agents[2].online = true;
        roster_came(&room->roster, user(0), true, 900 * MS, true);
        roster_came(&room->roster, user(2), false, 900 * MS, true);
        roster_behind(&room->roster);
        pass(room, 9990 * MS);
        assert_int_equal(room->events, 0);                       /* nobody came: they are back */
        assert_int_equal(room->caught_up, 0);
        pass(room, 10 * MS);
        assert_int_equal(room->caught_up, 1);
        assert_int_equal(room->complete, 1);
        assert_true(room->agents[0].online && room->customers[0].online && room->agents[2].online);
        assert_false(room->agents[1].online || room->customers[1].online);
        roster_behind(&room->roster);                            /* a gateway that was behind */
        roster_behind(&room->roster);
        pass(room, ROSTER_QUIET_US);
        assert_int_equal(room->caught_up, 2);
        roster_left(&room->roster, user(0));
        pass(room, 10 * SECOND);
        assert_false(room->customers[0].online);
}

static void whatever_happens_what_was_told_is_what_is_so(void **state)
{
        struct dice dice = dice_new("roster");
        struct room *room = *state;
        int connections[USERS] = { 0 };
        int64_t gone_at[USERS] = { 0 };
        char status[USERS][32] = { "" };

        for (int round = 0; round < 20000; round++) {
                size_t u = dice_below(&dice, USERS);
                char text[32];

                if (dice_below(&dice, 3) == 0) {
                        come(room, u);
                        connections[u]++;
                } else if (connections[u] && dice_below(&dice, 4) == 0) {
                        snprintf(text, sizeof(text), "%d", round);
                        roster_status(&room->roster, user(u), str_of(text), round);
                        memcpy(status[u], text, sizeof(text));
                } else if (connections[u]) {
                        roster_left(&room->roster, user(u));
                        if (--connections[u] == 0)
                                gone_at[u] = room->now_us + ROSTER_GRACE_US;
                }
                pass(room, (int64_t)dice_below(&dice, dice_below(&dice, 50) ? 300 * MS : 20 * SECOND));
                if (dice_below(&dice, 10))
                        continue;
                pass(room, SECOND);
                for (u = 0; u < USERS; u++) {
                        bool here = connections[u] || room->now_us < gone_at[u];

                        if (!connections[u] && room->now_us >= gone_at[u] && room->now_us < gone_at[u] + ROSTER_QUIET_US)
                                continue;                        /* is about to be told */
                        assert_int_equal(room->agents[u].online, here);
                        assert_int_equal(room->customers[u].online, here && u < 2);
                        if (here && room->agents[u].status[0])
                                assert_string_equal(room->agents[u].status, status[u]);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(who_connects_anew_within_ten_seconds_does_not_come_and_go, setup, teardown),
                cmocka_unit_test_setup_teardown(customers_hear_of_agents_and_of_what_they_set_themselves, setup, teardown),
                cmocka_unit_test_setup_teardown(an_agent_who_becomes_a_customer_is_gone_for_customers, setup, teardown),
                cmocka_unit_test_setup_teardown(an_agent_with_a_customers_rights_elsewhere_remains_one, setup, teardown),
                cmocka_unit_test_setup_teardown(a_crowd_is_told_four_times_a_second_in_events_of_a_bounded_size, setup, teardown),
                cmocka_unit_test_setup_teardown(after_a_restart_who_did_not_come_back_is_told_to_be_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(whatever_happens_what_was_told_is_what_is_so, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

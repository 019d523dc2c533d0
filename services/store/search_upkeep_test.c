/* When the writer does what for the index of texts. */
#include "held_clock.h"
#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

struct room {
        int64_t now_us;
        struct clock clock;
        struct service service;
        struct store store;
};

static int setup(void **state)
{
        struct room *room = *state = calloc(1, sizeof(*room));

        room->clock = held_clock(&room->now_us);
        room->service.clock = &room->clock;
        room->store.service = &room->service;
        return 0;
}

static int teardown(void **state)
{
        free(*state);
        return 0;
}

static void little_that_is_behind_wakes_nobody(void **state)
{
        struct room *room = *state;

        assert_true(search_upkeep_pause_us(&room->store) < 0);
        room->store.head = SEARCH_LAG - 1;
        assert_true(search_upkeep_pause_us(&room->store) < 0);
}

static void more_is_taken_in_when_no_command_has_come_for_a_while(void **state)
{
        struct room *room = *state;

        room->store.head = SEARCH_LAG;
        assert_int_equal(search_upkeep_pause_us(&room->store), SEARCH_QUIET_US);
        room->store.search.begun = true;                         /* then all of it */
        assert_int_equal(search_upkeep_pause_us(&room->store), 0);
        room->store.search.indexed = SEARCH_LAG - 1;
        assert_int_equal(search_upkeep_pause_us(&room->store), 0);
        room->store.search.indexed = SEARCH_LAG;
        assert_true(search_upkeep_pause_us(&room->store) < 0);
}

static void what_is_far_behind_or_redacted_does_not_wait_for_a_quiet_time(void **state)
{
        struct room *room = *state;

        room->store.head = SEARCH_FAR - 1;
        assert_int_equal(search_upkeep_pause_us(&room->store), SEARCH_QUIET_US);
        room->store.head = SEARCH_FAR;
        assert_int_equal(search_upkeep_pause_us(&room->store), 0);
        room->store.head = 0;
        room->store.search.stained = true;
        assert_int_equal(search_upkeep_pause_us(&room->store), 0);
}

static void after_a_step_that_failed_it_rests(void **state)
{
        struct room *room = *state;

        room->store.search.stained = true;
        room->store.search.retry_us = SEARCH_RETRY_US;
        assert_int_equal(search_upkeep_pause_us(&room->store), SEARCH_RETRY_US);
        search_upkeep_step(&room->store, 0, true);               /* does nothing: there is not even a database */
        room->now_us = SEARCH_RETRY_US;
        assert_int_equal(search_upkeep_pause_us(&room->store), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(little_that_is_behind_wakes_nobody),
                TEST(more_is_taken_in_when_no_command_has_come_for_a_while),
                TEST(what_is_far_behind_or_redacted_does_not_wait_for_a_quiet_time),
                TEST(after_a_step_that_failed_it_rests),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "limits.h"

#include "fault.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SECOND = 1000 * 1000 };

static int setup(void **state)
{
        struct limits *l = malloc(sizeof(*l));

        limits_init(l, 60, 90);
        *state = l;
        return 0;
}

static int teardown(void **state)
{
        free(*state);
        return 0;
}

/* How many can be taken at once. */
static int drain(struct limits *l, enum limits_class of, const char *device, const struct ulid *user, int64_t now, int64_t *ret_ms)
{
        int n = 0;

        while (limits_take(l, of, str_of(device), user, now, ret_ms) == 0)
                n++;
        return n;
}

static void a_device_has_a_minutes_worth_and_then_it_fills_evenly(void **state)
{
        struct limits *l = *state;
        int64_t ms = 0, now = 5 * SECOND;

        assert_int_equal(drain(l, LIMITS_READ, "a", NULL, now, &ms), 60);
        assert_int_equal(ms, 1000);
        assert_int_equal(limits_take(l, LIMITS_READ, STR("a"), NULL, now + SECOND - 1000, &ms), FAULT_RATE_LIMITED);
        assert_int_equal(ms, 1);
        assert_int_equal(drain(l, LIMITS_READ, "a", NULL, now + SECOND, &ms), 1);
        assert_int_equal(drain(l, LIMITS_READ, "a", NULL, now + 11 * SECOND, &ms), 10);
        assert_int_equal(drain(l, LIMITS_READ, "a", NULL, now + 1000 * SECOND, &ms), 60);
}

static void classes_devices_and_users_do_not_share(void **state)
{
        struct limits *l = *state;
        int64_t ms;

        assert_int_equal(drain(l, LIMITS_READ, "a", NULL, 0, &ms), 60);
        assert_int_equal(drain(l, LIMITS_WRITE, "a", NULL, 0, &ms), 30);
        assert_int_equal(drain(l, LIMITS_SESSION, "a", NULL, 0, &ms), 6);
        assert_int_equal(drain(l, LIMITS_ENROLL, "a", NULL, 0, &ms), 1);
        assert_int_equal(drain(l, LIMITS_TYPING, "a", NULL, 0, &ms), 60);
        assert_int_equal(drain(l, LIMITS_SEARCH, "a", NULL, 0, &ms), 12);
        assert_int_equal(drain(l, LIMITS_READ, "b", NULL, 0, &ms), 60);
}

static void a_user_is_limited_over_all_their_devices(void **state)
{
        struct ulid ada = { { 1 } }, linus = { { 2 } };
        struct limits *l = *state;
        int64_t ms;

        assert_int_equal(drain(l, LIMITS_READ, "a", &ada, 0, &ms), 60);
        assert_int_equal(drain(l, LIMITS_READ, "b", &ada, 0, &ms), 30);
        /* what the user was refused did not cost the device anything */
        assert_int_equal(drain(l, LIMITS_READ, "b", &linus, 0, &ms), 30);
}

static void a_smaller_rate_does_not_lock_anybody_out_for_longer_than_a_minute(void **state)
{
        struct limits *l = *state;
        int64_t ms;

        assert_int_equal(drain(l, LIMITS_READ, "a", NULL, 0, &ms), 60);
        l->device_rate = 1;
        assert_int_equal(limits_take(l, LIMITS_READ, STR("a"), NULL, 0, &ms), FAULT_RATE_LIMITED);
        assert_true(ms <= 60000);
        assert_int_equal(limits_take(l, LIMITS_READ, STR("a"), NULL, 60 * (int64_t)SECOND, &ms), 0);
}

static void many_strangers_do_not_free_who_is_at_their_limit(void **state)
{
        struct limits *l = *state;
        char device[32];
        int64_t ms;

        assert_int_equal(drain(l, LIMITS_READ, "a", NULL, 0, &ms), 60);
        for (int i = 0; i < 4 * LIMITS_SETS * LIMITS_WAYS; i++) {
                snprintf(device, sizeof(device), "stranger %d", i);
                assert_int_equal(limits_take(l, LIMITS_READ, str_of(device), NULL, 0, &ms), 0);
        }
        assert_int_equal(limits_take(l, LIMITS_READ, STR("a"), NULL, 0, &ms), FAULT_RATE_LIMITED);
}

static void classes_are_found_by_their_names_in_the_schemas(void **state)
{
        (void)state;
        assert_int_equal(limits_class_of("enroll"), LIMITS_ENROLL);
        assert_int_equal(limits_class_of("typing"), LIMITS_TYPING);
        assert_int_equal(limits_class_of("upload"), LIMITS_UPLOAD);
        assert_int_equal(limits_class_of("search"), LIMITS_SEARCH);
        assert_int_equal(limits_class_of("something new"), LIMITS_READ);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_device_has_a_minutes_worth_and_then_it_fills_evenly, setup, teardown),
                cmocka_unit_test_setup_teardown(classes_devices_and_users_do_not_share, setup, teardown),
                cmocka_unit_test_setup_teardown(a_user_is_limited_over_all_their_devices, setup, teardown),
                cmocka_unit_test_setup_teardown(a_smaller_rate_does_not_lock_anybody_out_for_longer_than_a_minute, setup, teardown),
                cmocka_unit_test_setup_teardown(many_strangers_do_not_free_who_is_at_their_limit, setup, teardown),
                cmocka_unit_test(classes_are_found_by_their_names_in_the_schemas),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "replica/hlc.h"
#include "replica/dice.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>

static int64_t wall_ms(void *data)
{
        return *(int64_t *)data;
}

static struct clock clock_of(int64_t *ms)
{
        return (struct clock){ .now_ms = wall_ms, .steady_us = wall_ms, .data = ms };
}

static void a_value_has_its_ms_above_its_counter(void **state)
{
        (void)state;
        assert_int_equal(hlc_of(1780000000000, 7), 1780000000000 * 65536 + 7);
        assert_int_equal(hlc_ms(hlc_of(1780000000000, 65535)), 1780000000000);
        assert_int_equal(hlc_of(-1, 0), 0);
        assert_int_equal(hlc_of(INT64_MAX, 0), HLC_MAX);
}

static void it_follows_the_wall_clock_and_counts_within_a_ms(void **state)
{
        int64_t ms = 1000;
        struct clock clock = clock_of(&ms);
        struct hlc h = { 0 };

        (void)state;
        assert_int_equal(hlc_now(&h, &clock), hlc_of(1000, 0));
        assert_int_equal(hlc_now(&h, &clock), hlc_of(1000, 1));
        ms = 1001;
        assert_int_equal(hlc_now(&h, &clock), hlc_of(1001, 0));
}

static void a_full_counter_moves_the_ms_on(void **state)
{
        int64_t ms = 1000;
        struct clock clock = clock_of(&ms);
        struct hlc h = { .last = hlc_of(1000, 65535) };

        (void)state;
        assert_int_equal(hlc_now(&h, &clock), hlc_of(1001, 0));
}

static void it_never_goes_back_whatever_the_wall_clock_does(void **state)
{
        struct dice d = dice_new("hlc");
        int64_t ms = 1780000000000;
        struct clock clock = clock_of(&ms);
        struct hlc h = { 0 };
        uint64_t last = 0;

        (void)state;
        for (int i = 0; i < 100000; i++) {
                uint64_t past = hlc_of(ms + (int64_t)dice_below(&d, 600000) - 300000, (uint16_t)dice_u64(&d)), now;

                switch (dice_below(&d, 8)) {
                case 0:
                        ms += (int64_t)dice_below(&d, 600000) - 300000;
                        break;
                case 1:
                        ms++;
                        break;
                case 2:
                        assert_int_equal(hlc_seen(&h, &clock, past), 0);
                        assert_true(h.last >= past);
                        break;
                case 3:
                        now = hlc_after(&h, &clock, past);
                        assert_true(now > past && now > last);
                        last = now;
                        break;
                default:
                        now = hlc_now(&h, &clock);
                        assert_true(now > last);
                        assert_true(now >= hlc_of(ms, 0));
                        last = now;
                }
        }
}

static void a_remote_clock_that_is_days_ahead_is_not_believed(void **state)
{
        int64_t ms = 1780000000000;
        struct clock clock = clock_of(&ms);
        struct hlc h = { 0 };

        (void)state;
        assert_int_equal(hlc_seen(&h, &clock, hlc_of(ms + HLC_DRIFT_MAX_MS + 1, 0)), -ERANGE);
        assert_int_equal(hlc_seen(&h, &clock, UINT64_MAX), -ERANGE);
        assert_int_equal(h.last, 0);
        assert_int_equal(hlc_seen(&h, &clock, hlc_of(ms + HLC_DRIFT_MAX_MS, 0)), 0);
        assert_int_equal(hlc_now(&h, &clock), hlc_of(ms + HLC_DRIFT_MAX_MS, 1));
}

static void the_last_value_of_all_is_not_passed(void **state)
{
        int64_t ms = 0;
        struct clock clock = clock_of(&ms);
        struct hlc h = { 0 };

        (void)state;
        assert_int_equal(hlc_after(&h, &clock, UINT64_MAX), HLC_MAX);
        assert_int_equal(hlc_now(&h, &clock), HLC_MAX);
}

static void clamping_keeps_within_and_prefers_the_lower_bound(void **state)
{
        (void)state;
        assert_int_equal(hlc_clamp(5, 10, 20), 10);
        assert_int_equal(hlc_clamp(15, 10, 20), 15);
        assert_int_equal(hlc_clamp(25, 10, 20), 20);
        assert_int_equal(hlc_clamp(25, 30, 20), 30);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_value_has_its_ms_above_its_counter),
                cmocka_unit_test(it_follows_the_wall_clock_and_counts_within_a_ms),
                cmocka_unit_test(a_full_counter_moves_the_ms_on),
                cmocka_unit_test(it_never_goes_back_whatever_the_wall_clock_does),
                cmocka_unit_test(a_remote_clock_that_is_days_ahead_is_not_believed),
                cmocka_unit_test(the_last_value_of_all_is_not_passed),
                cmocka_unit_test(clamping_keeps_within_and_prefers_the_lower_bound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

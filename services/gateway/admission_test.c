/* A storm of clients that come back: all get in, at the pace that was set, in a time that is told to each. */
#include "admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { RATE = 100, STORM = 5000 };
static const int64_t second = 1000000;

static void a_second_s_worth_gets_in_at_once_and_the_next_when_there_is_room(void **state)
{
        struct admission a;
        int64_t wait = 0;

        (void)state;
        admission_init(&a, RATE);
        for (int i = 0; i < RATE; i++)
                assert_true(admission_take(&a, 5 * second, &wait));
        assert_false(admission_take(&a, 5 * second, &wait));
        assert_in_range(wait, ADMISSION_RETRY_MIN_MS, ADMISSION_RETRY_MIN_MS + 2 * 1000 / RATE);
        assert_false(admission_take(&a, 5 * second + second / RATE - 1, &wait));
        assert_true(admission_take(&a, 5 * second + second / RATE, &wait));
        for (int i = 0; i < RATE; i++)
                assert_true(admission_take(&a, 60 * second, &wait));
        assert_false(admission_open(&a, 60 * second, &wait));
}

static void who_only_looks_takes_no_place(void **state)
{
        struct admission a;
        int64_t wait = 0;

        (void)state;
        admission_init(&a, RATE);
        for (int i = 0; i < 10 * RATE; i++)
                assert_true(admission_open(&a, 5 * second, &wait));
        for (int i = 0; i < RATE; i++)
                assert_true(admission_take(&a, 5 * second, &wait));
        assert_false(admission_open(&a, 5 * second, &wait));
}

/* Each one that is turned away comes back at a random moment of the time that it was told. */
static void a_storm_is_let_in_at_the_pace_and_hardly_anybody_asks_often(void **state)
{
        struct admission a;
        static int64_t due[STORM];
        int64_t now = 7 * second, in = 0, asked = 0, begun = now;

        (void)state;
        srand(11);
        admission_init(&a, RATE);
        for (int i = 0; i < STORM; i++)
                due[i] = now + rand() % 100000;
        while (in < STORM) {
                for (int i = 0; i < STORM; i++) {
                        int64_t wait;

                        if (!due[i] || due[i] > now)
                                continue;
                        asked++;
                        if (admission_take(&a, now, &wait)) {
                                due[i] = 0;
                                in++;
                        } else {
                                due[i] = now + 1 + rand() % (wait * 1000);
                        }
                }
                assert_true(in <= RATE + (now - begun) * RATE / second);
                now += 10000;
        }
        assert_in_range((now - begun) / second, STORM / RATE - 1, 5 * STORM / RATE);
        assert_true(asked < 6 * STORM);
}

static void nobody_is_told_to_wait_for_longer_than_a_minute(void **state)
{
        struct admission a;
        int64_t wait = 0;

        (void)state;
        admission_init(&a, 1);
        for (int i = 0; i < 10000; i++)
                admission_take(&a, second, &wait);
        assert_int_equal(wait, ADMISSION_RETRY_MAX_MS);
        assert_int_equal(admission_spread_ms(&a, 0), ADMISSION_RETRY_MIN_MS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_second_s_worth_gets_in_at_once_and_the_next_when_there_is_room),
                cmocka_unit_test(who_only_looks_takes_no_place),
                cmocka_unit_test(a_storm_is_let_in_at_the_pace_and_hardly_anybody_asks_often),
                cmocka_unit_test(nobody_is_told_to_wait_for_longer_than_a_minute),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The last hour, as who begins to look is told of it. */
#include "fault.h"
#include "past.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

struct told {
        struct past past;
        struct past_sums sums;
        struct tally tally;
        int64_t now_us;
        struct past_sample list[PAST_MINUTES + 1];
        size_t n;
};

static int64_t wall_ms(const struct told *t)
{
        return 1790000000000 + t->now_us / 1000;
}

static void look(struct told *t)
{
        uint64_t waiting = t->sums.waiting;

        t->sums = (struct past_sums){ .waiting = waiting };
        past_add(&t->sums, &t->tally);
        past_take(&t->past, t->now_us, wall_ms(t), &t->sums);
        t->n = past_list(&t->past, wall_ms(t), &t->sums, t->list);
}

static void a_minute_ends_with_the_first_look_behind_it(void **state)
{
        struct told t = { .now_us = 5000000 };

        (void)state;
        look(&t);
        assert_int_equal(t.n, 1);
        assert_int_equal(t.list[0].ms, 0);
        for (int i = 0; i < 7; i++)
                tally_note(&t.tally, i < 4 ? 0 : i < 6 ? FAULT_INTERNAL : FAULT_FORBIDDEN, 200);
        t.sums.waiting = 3;
        t.now_us += PAST_MINUTE_US - 1000;
        look(&t);
        assert_int_equal(t.n, 1);       /* it is not over, but told of */
        assert_int_equal(t.list[0].calls, 7);
        t.now_us += 31000000;
        look(&t);
        assert_int_equal(t.n, 2);
        assert_int_equal(t.list[0].ms, 90999);
        assert_int_equal(t.list[0].at_ms, wall_ms(&t));
        assert_int_equal(t.list[0].calls, 7);
        assert_int_equal(t.list[0].failed, 2);
        assert_int_equal(t.list[0].refused, 1);
        assert_int_equal(t.list[0].took[1], 7);
        assert_int_equal(t.list[0].waiting, 3);
        assert_int_equal(t.list[1].calls, 0);
        assert_int_equal(t.list[1].ms, 0);
        tally_note(&t.tally, FAULT_UNAVAILABLE, -1);
        t.now_us += 1000000;
        look(&t);
        assert_int_equal(t.list[1].failed, 1);
        assert_int_equal(t.list[1].took[1], 0);
        assert_int_equal(t.list[1].ms, 1000);
}

static void an_hour_is_kept_and_what_is_older_goes(void **state)
{
        struct told t = { .now_us = 1 };

        (void)state;
        look(&t);
        for (int minute = 0; minute < 3 * PAST_MINUTES + 7; minute++) {
                for (int i = 0; i < minute; i++)
                        tally_note(&t.tally, 0, 50);
                t.now_us += PAST_MINUTE_US;
                look(&t);
                assert_int_equal(t.n, minute < PAST_MINUTES ? minute + 2 : PAST_MINUTES + 1);
                for (size_t i = 0; i < t.n - 1; i++) {
                        assert_int_equal(t.list[i].calls, minute - (int)(t.n - 2 - i));
                        assert_int_equal(t.list[i].took[0], t.list[i].calls);
                        assert_int_equal(t.list[i].ms, 60000);
                }
        }
        assert_true(sizeof(t.past) < 8192);
}

static void a_clock_that_is_set_back_makes_no_negative_length(void **state)
{
        struct told t = { .now_us = 1 };

        (void)state;
        look(&t);
        past_take(&t.past, t.now_us + PAST_MINUTE_US, wall_ms(&t) - 3600000, &t.sums);
        assert_int_equal(past_list(&t.past, wall_ms(&t) - 7200000, &t.sums, t.list), 2);
        assert_int_equal(t.list[0].ms, 0);
        assert_int_equal(t.list[1].ms, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_minute_ends_with_the_first_look_behind_it),
                cmocka_unit_test(an_hour_is_kept_and_what_is_older_goes),
                cmocka_unit_test(a_clock_that_is_set_back_makes_no_negative_length),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What libassist's live side promises beside the rules of live_machine.script. */
#include "live_machine_room.h"

#include <errno.h>

static void that_it_broke_is_told_once(void **state)
{
        struct room *r = *state;

        begin(r);
        live_machine_closed(&r->m, 0);
        assert_true(expect(r, LIVE_DROP).first);
        for (int i = 0; i < 3; i++) {
                r->now_us += LIVE_PAUSE_MAX_MS * 1000;
                live_machine_tick(&r->m);
                expect(r, LIVE_CONNECT);
                live_machine_unreachable(&r->m, 0);
                assert_false(expect(r, LIVE_DROP).first);
        }
        r->now_us += LIVE_PAUSE_MAX_MS * 1000;
        greet(r, HELLO("replay", "c1"));
        live_machine_closed(&r->m, 0);
        assert_true(expect(r, LIVE_DROP).first);
}

static void it_is_busy_as_long_as_a_message_was_not_given_out(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c3", EVENT("a") "," EVENT("b")));
        hear(r, FRAME("c3", "c4", EVENT("c")));
        for (size_t i = 0; i < 3; i++) {
                assert_true(live_machine_busy(&r->m));
                expect_event(r, (const char *[]){ "a", "b", "c" }[i]);
        }
        assert_false(live_machine_busy(&r->m));
}

static void a_cursor_that_can_be_none_is_not_begun_with(void **state)
{
        struct room *r = *state;

        live_machine_deinit(&r->m);
        assert_int_equal(live_machine_init(&r->m, &r->clock, longest, STR("c1 HTTP/1.1\r\nHost: x")), -EINVAL);
        assert_int_equal(live_machine_init(&r->m, &r->clock, longest, (struct str){ 0 }), 0);
}

static void when_it_is_over_nothing_is_due(void **state)
{
        struct room *r = *state;

        live_machine_tick(&r->m);
        expect(r, LIVE_CONNECT);
        live_machine_refused(&r->m, 403, 0);
        expect(r, LIVE_OVER);
        assert_int_equal(live_machine_due_us(&r->m), INT64_MAX);
}

static uint32_t asked_below;

static uint32_t half(uint32_t below)
{
        asked_below = below;
        return below / 2;
}

static void every_pause_is_any_time_within_its_bound(void **state)
{
        struct room *r = *state;

        begin(r);
        r->m.random = half;
        hear(r, "{\"type\":\"bye\",\"retry_after_ms\":5000}");
        expect_dropped(r, 2500);
        assert_int_equal(asked_below, 5001);
        live_machine_refused(&r->m, 503, 3000);
        expect_dropped(r, 1500);
        assert_int_equal(asked_below, 3001);
        live_machine_unreachable(&r->m, 0);
        expect_dropped(r, 100);
        assert_int_equal(asked_below, 201);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(that_it_broke_is_told_once, enter, leave),
                cmocka_unit_test_setup_teardown(it_is_busy_as_long_as_a_message_was_not_given_out, enter, leave),
                cmocka_unit_test_setup_teardown(a_cursor_that_can_be_none_is_not_begun_with, enter, leave),
                cmocka_unit_test_setup_teardown(when_it_is_over_nothing_is_due, enter, leave),
                cmocka_unit_test_setup_teardown(every_pause_is_any_time_within_its_bound, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

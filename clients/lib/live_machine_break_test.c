/* When a connection is given up, and when it is made again. */
#include "live_machine_room.h"

#include "fault.h"

#include <errno.h>

/* ---- breaking ---- */

static void pauses_double_to_ten_seconds_and_begin_anew_with_a_hello(void **state)
{
        static const int64_t pauses_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
        struct room *r = *state;

        live_machine_tick(&r->m);
        expect(r, LIVE_CONNECT);
        for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(*pauses_ms); i++) {
                live_machine_unreachable(&r->m, 0);
                expect_dropped(r, pauses_ms[i]);
        }
        live_machine_accepted(&r->m);
        hear(r, HELLO("live", "c1"));
        expect(r, LIVE_CONNECTED);
        live_machine_closed(&r->m, 1001);
        expect_dropped(r, 100);
}

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

static void what_came_before_the_end_is_given_out(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c3", EVENT("a") "," EVENT("b")));
        live_machine_closed(&r->m, 1001);
        expect_event(r, "a");
        expect_event(r, "b");
        expect(r, LIVE_DROP);
        assert_true(at(r, "c3"));
}

static void forty_seconds_of_silence_end_the_connection_with_a_ping_before(void **state)
{
        struct room *r = *state;

        begin(r);
        pass_ms(r, 30000);
        expect_sent(r, "{\"type\":\"ping\"}");
        pass_ms(r, 10000);
        expect_dropped(r, 100);
        live_machine_accepted(&r->m);
        hear(r, HELLO("replay", "c1"));
        expect(r, LIVE_CONNECTED);
        pass_ms(r, 30000);
        expect_sent(r, "{\"type\":\"ping\"}");
        live_machine_heard(&r->m);              /* any bytes do */
        pass_ms(r, 30000);
        expect_sent(r, "{\"type\":\"ping\"}");
}

static void a_desk_that_accepts_and_says_nothing_is_left(void **state)
{
        struct room *r = *state;

        live_machine_tick(&r->m);
        expect(r, LIVE_CONNECT);
        r->now_us += 1000000;
        live_machine_accepted(&r->m);
        pass_ms(r, LIVE_CONNECT_MS - 1000);
        expect_dropped(r, 100);
        pass_ms(r, LIVE_CONNECT_MS);            /* as one that does not even accept */
        expect_dropped(r, 200);
}

static void a_gateway_that_says_bye_is_left_for_the_time_it_names(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c2", EVENT("a")));
        hear(r, "{\"type\":\"bye\",\"retry_after_ms\":4321}");
        live_machine_closed(&r->m, 1001);
        expect_event(r, "a");
        expect_dropped(r, 4321);
        live_machine_accepted(&r->m);
        hear(r, HELLO("replay", "c2"));
        expect(r, LIVE_CONNECTED);
}

static void a_desk_that_is_full_is_asked_within_its_own_time_and_then_ever_later(void **state)
{
        struct room *r = *state;

        begin(r);
        live_machine_closed(&r->m, 1001);
        expect_dropped(r, 100);
        live_machine_refused(&r->m, 503, 700);
        expect_dropped(r, 700);
        live_machine_refused(&r->m, 429, 700);
        expect_dropped(r, 700);
        live_machine_refused(&r->m, 503, 700);
        expect_dropped(r, 800);
        live_machine_refused(&r->m, 503, INT64_C(1) << 40);
        expect_dropped(r, LIVE_AFTER_MAX_MS);
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

/* ---- the session ---- */

static void a_session_that_is_over_is_opened_anew_and_nothing_is_missed(void **state)
{
        struct room *r = *state;

        begin(r);
        live_machine_closed(&r->m, 4001);
        expect(r, LIVE_DROP);
        pass_ms(r, 100);
        assert_true(expect(r, LIVE_CONNECT).renew);
        live_machine_unreachable(&r->m, 0);
        expect(r, LIVE_DROP);
        pass_ms(r, 200);
        assert_true(expect(r, LIVE_CONNECT).renew);     /* until it worked */
        live_machine_accepted(&r->m);
        hear(r, HELLO("replay", "c1"));
        expect(r, LIVE_CONNECTED);
        live_machine_closed(&r->m, 0);
        expect_dropped(r, 200);                         /* 4001 after each hello must not make it hurry */
}

static void in_another_role_everything_is_fetched_anew(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c2", EVENT("role.changed")));
        live_machine_closed(&r->m, 4002);
        expect_event(r, "role.changed");
        expect(r, LIVE_DROP);
        assert_true(at(r, ""));
        pass_ms(r, 100);
        assert_true(expect(r, LIVE_CONNECT).renew);
        live_machine_accepted(&r->m);
        hear(r, HELLO("live", "c9"));
        expect(r, LIVE_CONNECTED);
        assert_true(str_is(expect(r, LIVE_RESET).text, "the role changed"));
        expect(r, LIVE_NOTHING);
        assert_true(at(r, "c9"));
}

static void a_stale_token_is_renewed_at_once_and_once(void **state)
{
        struct room *r = *state;

        live_machine_tick(&r->m);
        assert_false(expect(r, LIVE_CONNECT).renew);
        live_machine_refused(&r->m, 401, 0);
        pass_ms(r, 0);
        assert_true(expect(r, LIVE_CONNECT).renew);
        live_machine_refused(&r->m, 401, 0);
        assert_int_equal(expect(r, LIVE_OVER).code, FAULT_UNAUTHENTICATED);
        r->now_us += INT64_C(1) << 40;
        live_machine_tick(&r->m);
        expect(r, LIVE_NOTHING);
        assert_int_equal(live_machine_due_us(&r->m), INT64_MAX);
}

static void what_will_never_work_is_over(void **state)
{
        static const struct { const char *cursor; int status, code; } cases[] = {
                { "forged", 400, FAULT_INVALID_PARAMS }, { "", 403, FAULT_FORBIDDEN }, { "", 404, -EPROTO }, { "", 400, -EPROTO } };
        struct room *r = *state;

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                live_machine_deinit(&r->m);
                assert_int_equal(live_machine_init(&r->m, &r->clock, longest, str_of(cases[i].cursor)), 0);
                live_machine_tick(&r->m);
                expect(r, LIVE_CONNECT);
                live_machine_refused(&r->m, cases[i].status, 0);
                assert_int_equal(expect(r, LIVE_OVER).code, cases[i].code);
                live_machine_message(&r->m, STR(HELLO("live", "c1")));
                live_machine_closed(&r->m, 0);
                expect(r, LIVE_NOTHING);
        }
        live_machine_deinit(&r->m);
        assert_int_equal(live_machine_init(&r->m, &r->clock, longest, STR("c1 HTTP/1.1\r\nHost: x")), -EINVAL);
        assert_int_equal(live_machine_init(&r->m, &r->clock, longest, (struct str){ 0 }), 0);
        begin(r);
        live_machine_closed(&r->m, 0);
        expect_dropped(r, 100);
        live_machine_refused(&r->m, 404, 0);    /* where there was a desk, there will be one again */
        expect_dropped(r, 200);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(pauses_double_to_ten_seconds_and_begin_anew_with_a_hello, enter, leave),
                cmocka_unit_test_setup_teardown(that_it_broke_is_told_once, enter, leave),
                cmocka_unit_test_setup_teardown(what_came_before_the_end_is_given_out, enter, leave),
                cmocka_unit_test_setup_teardown(forty_seconds_of_silence_end_the_connection_with_a_ping_before, enter, leave),
                cmocka_unit_test_setup_teardown(a_desk_that_accepts_and_says_nothing_is_left, enter, leave),
                cmocka_unit_test_setup_teardown(a_gateway_that_says_bye_is_left_for_the_time_it_names, enter, leave),
                cmocka_unit_test_setup_teardown(a_desk_that_is_full_is_asked_within_its_own_time_and_then_ever_later, enter, leave),
                cmocka_unit_test_setup_teardown(every_pause_is_any_time_within_its_bound, enter, leave),
                cmocka_unit_test_setup_teardown(a_session_that_is_over_is_opened_anew_and_nothing_is_missed, enter, leave),
                cmocka_unit_test_setup_teardown(in_another_role_everything_is_fetched_anew, enter, leave),
                cmocka_unit_test_setup_teardown(a_stale_token_is_renewed_at_once_and_once, enter, leave),
                cmocka_unit_test_setup_teardown(what_will_never_work_is_over, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

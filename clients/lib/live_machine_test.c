/* The live side's rules, each as a story, on a clock that stands still until the test moves it, and with dice that always fall on the
 * longest pause. live_machine_random_test.c throws all of them together. */
#include "live_machine.h"

#include "fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define HELLO(mode, cursor) "{\"type\":\"hello\",\"session\":\"01J00000000000000000000000\",\"mode\":\"" mode "\",\"cursor\":\"" cursor "\"}"
#define EVENT(name) "{\"type\":\"" name "\",\"op_id\":\"01J00000000000000000000000\",\"actor\":\"01J00000000000000000000000\",\"at\":1,\"data\":{}}"
#define FRAME(from, to, events) "{\"from\":\"" from "\",\"to\":\"" to "\",\"events\":[" events "]}"
#define PAGE(from, to, events) "{\"from\":\"" from "\",\"to\":\"" to "\",\"events\":[" events "],\"more\":true}"

struct room {
        int64_t now_us;
        struct clock clock;
        struct live_machine m;
};

static int64_t held_us(void *data)
{
        return *(int64_t *)data;
}

static uint32_t longest(uint32_t below)
{
        return below - 1;
}

static int enter(void **state)
{
        static struct room r;

        r = (struct room){ .now_us = 5000000 };
        r.clock = (struct clock){ .steady_us = held_us, .data = &r.now_us };
        *state = &r;
        return live_machine_init(&r.m, &r.clock, longest, (struct str){ 0 });
}

static int leave(void **state)
{
        live_machine_deinit(&((struct room *)*state)->m);
        return 0;
}

static struct live_action expect(struct room *r, enum live_what what)
{
        struct live_action a = live_machine_next(&r->m);

        assert_int_equal(a.what, what);
        return a;
}

static void expect_event(struct room *r, const char *name)
{
        assert_true(str_is(expect(r, LIVE_EVENT).event->type, name));
}

static void expect_sent(struct room *r, const char *text)
{
        assert_true(str_is(expect(r, LIVE_SEND).text, text));
}

static void hear(struct room *r, const char *text)
{
        live_machine_heard(&r->m);
        live_machine_message(&r->m, str_of(text));
}

static bool at(const struct room *r, const char *cursor)
{
        return str_is(buf_view(&r->m.cursor), cursor);
}

/* Nothing happens before so long; then, there is an action. */
static void pass_ms(struct room *r, int64_t ms)
{
        expect(r, LIVE_NOTHING);
        assert_int_equal(live_machine_due_us(&r->m) - r->now_us, ms * 1000);
        r->now_us += ms * 1000 - 1;
        live_machine_tick(&r->m);
        expect(r, LIVE_NOTHING);
        r->now_us++;
        live_machine_tick(&r->m);
}

static void connect(struct room *r)
{
        live_machine_tick(&r->m);
        expect(r, LIVE_CONNECT);
        live_machine_accepted(&r->m);
        expect(r, LIVE_NOTHING);
}

static void greet(struct room *r, const char *hello)
{
        connect(r);
        hear(r, hello);
        expect(r, LIVE_CONNECTED);
}

/* Connected, at the cursor c1, and silent. */
static void begin(struct room *r)
{
        greet(r, HELLO("live", "c1"));
        expect(r, LIVE_NOTHING);
        assert_true(at(r, "c1"));
}

static void expect_dropped(struct room *r, int64_t pause_ms)
{
        expect(r, LIVE_DROP);
        pass_ms(r, pause_ms);
        assert_false(expect(r, LIVE_CONNECT).renew);
}

/* ---- hello ---- */

static void it_connects_at_once_and_says_so_at_the_hello(void **state)
{
        struct room *r = *state;

        live_machine_tick(&r->m);
        assert_false(expect(r, LIVE_CONNECT).renew);
        expect(r, LIVE_NOTHING);
        live_machine_accepted(&r->m);
        expect(r, LIVE_NOTHING);
        hear(r, HELLO("live", "c1"));
        expect(r, LIVE_CONNECTED);
        expect(r, LIVE_NOTHING);
        assert_true(at(r, "c1"));
        assert_false(ulid_is_zero(r->m.session));
}

static void a_replay_goes_on_from_the_cursor_that_was_asked_for(void **state)
{
        struct room *r = *state;

        begin(r);
        live_machine_closed(&r->m, 0);
        expect(r, LIVE_DROP);
        r->now_us += 100000;
        greet(r, HELLO("replay", "c1"));
        expect(r, LIVE_NOTHING);
        live_machine_closed(&r->m, 0);
        expect(r, LIVE_DROP);
        r->now_us += 100000;
        connect(r);
        hear(r, HELLO("replay", "c0"));         /* of another one: this is no desk to believe */
        expect(r, LIVE_DROP);
        assert_true(at(r, "c1"));
}

static void a_live_hello_says_that_nothing_was_missed_up_to_its_cursor(void **state)
{
        struct room *r = *state;

        begin(r);
        live_machine_closed(&r->m, 0);
        expect(r, LIVE_DROP);
        r->now_us += 100000;
        greet(r, HELLO("live", "c7"));
        assert_true(at(r, "c7"));
        hear(r, FRAME("c7", "c8", EVENT("a")));
        expect_event(r, "a");
}

static void a_reset_is_told_and_goes_on_from_its_cursor(void **state)
{
        struct room *r = *state;

        begin(r);
        live_machine_closed(&r->m, 0);
        expect(r, LIVE_DROP);
        r->now_us += 100000;
        greet(r, "{\"type\":\"hello\",\"session\":\"01J00000000000000000000000\",\"mode\":\"reset\",\"reason\":\"restored\",\"cursor\":\"z1\"}");
        assert_true(str_is(expect(r, LIVE_RESET).text, "restored"));
        assert_true(at(r, "z1"));
        hear(r, "{\"type\":\"reset\",\"reason\":\"too much\",\"cursor\":\"z5\"}");
        hear(r, FRAME("z5", "z6", EVENT("a")));
        assert_true(str_is(expect(r, LIVE_RESET).text, "too much"));
        expect_event(r, "a");
        assert_true(at(r, "z6"));
}

static void a_hello_without_session_or_with_a_cursor_that_is_none_is_not_believed(void **state)
{
        static const char *const wrong[] = {
                "{\"type\":\"hello\",\"mode\":\"live\",\"cursor\":\"c1\"}",
                "{\"type\":\"hello\",\"mode\":\"live\",\"session\":\"me\",\"cursor\":\"c1\"}",
                "{\"type\":\"hello\",\"mode\":\"live\",\"session\":\"01J00000000000000000000000\"}",
                HELLO("live", "c1 HTTP/1.1"),
                HELLO("sometimes", "c1"),
                "hello",
                FRAME("c1", "c2", ""),
        };
        struct room *r = *state;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
                connect(r);
                hear(r, wrong[i]);
                expect(r, LIVE_DROP);
                assert_true(at(r, "") && ulid_is_zero(r->m.session));
                r->now_us += LIVE_PAUSE_MAX_MS * 1000;
        }
        begin(r);
        hear(r, HELLO("live", "c1"));           /* and once is enough */
        expect(r, LIVE_DROP);
}

/* ---- frames ---- */

static void the_cursor_moves_behind_the_last_event_only(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c3", EVENT("a") "," EVENT("b")));
        hear(r, FRAME("c3", "c4", EVENT("c")));
        assert_true(live_machine_busy(&r->m));
        expect_event(r, "a");
        assert_true(at(r, "c1"));
        expect_event(r, "b");
        assert_true(at(r, "c3"));
        expect_event(r, "c");
        assert_true(at(r, "c4"));
        assert_false(live_machine_busy(&r->m));
        expect(r, LIVE_NOTHING);
}

static void an_empty_frame_moves_the_cursor(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c2", ""));
        expect(r, LIVE_NOTHING);
        assert_true(at(r, "c2"));
        hear(r, FRAME("c2", "c2", ""));
        expect(r, LIVE_NOTHING);
        assert_true(at(r, "c2"));
}

static void a_frame_that_was_seen_is_not_given_out_again(void **state)
{
        struct room *r = *state;

        begin(r);
        for (int i = 0; i < 2; i++)
                hear(r, FRAME("c1", "c2", EVENT("a")));
        hear(r, FRAME("c2", "c3", EVENT("b")));
        expect_event(r, "a");
        expect_event(r, "b");
        expect(r, LIVE_NOTHING);
}

static void behind_a_gap_it_connects_again_with_its_cursor(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c2", EVENT("a")));
        hear(r, FRAME("c3", "c4", EVENT("c")));
        hear(r, FRAME("c2", "c3", EVENT("b")));         /* in another order it is worth nothing either */
        expect_event(r, "a");
        expect(r, LIVE_DROP);
        assert_true(at(r, "c2"));
        pass_ms(r, 100);
        expect(r, LIVE_CONNECT);
        live_machine_accepted(&r->m);
        hear(r, HELLO("replay", "c2"));
        hear(r, FRAME("c2", "c4", EVENT("b") "," EVENT("c")));
        expect(r, LIVE_CONNECTED);
        expect_event(r, "b");
        expect_event(r, "c");
}

static void a_desk_that_leaves_a_gap_at_each_hello_is_not_asked_ever_faster(void **state)
{
        static const int64_t pauses_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
        struct room *r = *state;

        begin(r);
        for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(*pauses_ms); i++) {
                hear(r, FRAME("x1", "x2", EVENT("a")));
                expect_dropped(r, pauses_ms[i]);
                live_machine_accepted(&r->m);
                hear(r, HELLO("replay", "c1"));
                expect(r, LIVE_CONNECTED);
        }
        hear(r, FRAME("c1", "c2", ""));         /* one that goes on makes up for it */
        hear(r, FRAME("x1", "x2", ""));
        expect_dropped(r, 100);
}

static void half_a_frame_and_text_that_is_no_message_end_the_connection(void **state)
{
        static const char *const wrong[] = { "{\"from\":\"c1\",\"events\":[]}", "{\"to\":\"c2\",\"events\":[]}", "{", "[]", "{\"events\":[{}]}",
                                             "{\"type\":\"reset\"}", "{\"from\":\"c1\",\"to\":\"c 2\",\"events\":[]}" };
        struct room *r = *state;

        begin(r);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
                hear(r, wrong[i]);
                expect(r, LIVE_DROP);
                assert_true(at(r, "c1"));
                r->now_us += LIVE_PAUSE_MAX_MS * 1000;
                greet(r, HELLO("replay", "c1"));
        }
}

static void what_is_ephemeral_is_given_out_and_leaves_the_cursor_alone(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, "{\"events\":[{\"type\":\"presence.changed\",\"op_id\":\"01J00000000000000000000000\",\"actor\":\"01J00000000000000000000000\",\"at\":1,\"data\":{}}]}");
        hear(r, FRAME("c1", "c2", EVENT("a")));
        expect_event(r, "presence.changed");
        assert_true(at(r, "c1"));
        expect_event(r, "a");
        assert_true(at(r, "c2"));
}

static void messages_of_an_unknown_type_are_ignored(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, "{\"type\":\"pong\"}");
        hear(r, "{\"type\":\"newer.than.us\",\"events\":[" EVENT("a") "],\"to\":\"c9\"}");
        hear(r, "{\"type\":\"error\",\"code\":-32601,\"message\":\"MethodNotFound\"}");
        expect(r, LIVE_NOTHING);
        assert_true(at(r, "c1"));
}

/* ---- pages ---- */

static void a_page_is_acknowledged_behind_its_last_event(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, PAGE("c1", "c3", EVENT("a") "," EVENT("b")));
        expect_event(r, "a");
        expect_event(r, "b");
        expect_sent(r, "{\"type\":\"ack\",\"cursor\":\"c3\"}");
        expect(r, LIVE_NOTHING);
        hear(r, PAGE("c3", "c4", ""));          /* all of it was for others */
        expect_sent(r, "{\"type\":\"ack\",\"cursor\":\"c4\"}");
        hear(r, FRAME("c4", "c5", EVENT("c")));
        expect_event(r, "c");
        expect(r, LIVE_NOTHING);
}

static void told_to_pull_it_acknowledges_what_it_has_given_out(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, FRAME("c1", "c2", EVENT("a")));
        hear(r, "{\"type\":\"pull\"}");
        expect_event(r, "a");
        expect_sent(r, "{\"type\":\"ack\",\"cursor\":\"c2\"}");
        expect(r, LIVE_NOTHING);
}

static void an_acknowledgement_that_was_refused_is_sent_again(void **state)
{
        struct room *r = *state;

        begin(r);
        hear(r, PAGE("c1", "c2", EVENT("a")));
        expect_event(r, "a");
        expect_sent(r, "{\"type\":\"ack\",\"cursor\":\"c2\"}");
        hear(r, "{\"type\":\"error\",\"code\":-32005,\"message\":\"RateLimited\"}");
        pass_ms(r, LIVE_ACK_AGAIN_MS);
        expect_sent(r, "{\"type\":\"ack\",\"cursor\":\"c2\"}");
        hear(r, FRAME("c2", "c3", ""));
        hear(r, "{\"type\":\"error\",\"code\":-32005,\"message\":\"RateLimited\"}");
        pass_ms(r, LIVE_PING_MS);               /* that one was of something else */
}

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
                cmocka_unit_test_setup_teardown(it_connects_at_once_and_says_so_at_the_hello, enter, leave),
                cmocka_unit_test_setup_teardown(a_replay_goes_on_from_the_cursor_that_was_asked_for, enter, leave),
                cmocka_unit_test_setup_teardown(a_live_hello_says_that_nothing_was_missed_up_to_its_cursor, enter, leave),
                cmocka_unit_test_setup_teardown(a_reset_is_told_and_goes_on_from_its_cursor, enter, leave),
                cmocka_unit_test_setup_teardown(a_hello_without_session_or_with_a_cursor_that_is_none_is_not_believed, enter, leave),
                cmocka_unit_test_setup_teardown(the_cursor_moves_behind_the_last_event_only, enter, leave),
                cmocka_unit_test_setup_teardown(an_empty_frame_moves_the_cursor, enter, leave),
                cmocka_unit_test_setup_teardown(a_frame_that_was_seen_is_not_given_out_again, enter, leave),
                cmocka_unit_test_setup_teardown(behind_a_gap_it_connects_again_with_its_cursor, enter, leave),
                cmocka_unit_test_setup_teardown(a_desk_that_leaves_a_gap_at_each_hello_is_not_asked_ever_faster, enter, leave),
                cmocka_unit_test_setup_teardown(half_a_frame_and_text_that_is_no_message_end_the_connection, enter, leave),
                cmocka_unit_test_setup_teardown(what_is_ephemeral_is_given_out_and_leaves_the_cursor_alone, enter, leave),
                cmocka_unit_test_setup_teardown(messages_of_an_unknown_type_are_ignored, enter, leave),
                cmocka_unit_test_setup_teardown(a_page_is_acknowledged_behind_its_last_event, enter, leave),
                cmocka_unit_test_setup_teardown(told_to_pull_it_acknowledges_what_it_has_given_out, enter, leave),
                cmocka_unit_test_setup_teardown(an_acknowledgement_that_was_refused_is_sent_again, enter, leave),
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

/* What a desk's messages mean, each rule as a story. live_machine_random_test.c throws all of them together. */
#include "live_machine_room.h"

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

static void a_hello_in_another_role_is_a_reset_too(void **state)
{
        static const char as_customer[] = "{\"type\":\"hello\",\"session\":\"01J00000000000000000000000\",\"mode\":\"live\",\"role\":\"customer\","
                                          "\"cursor\":\"c1\"}";
        static const char as_agent[] = "{\"type\":\"hello\",\"session\":\"01J00000000000000000000000\",\"mode\":\"live\",\"role\":\"agent\","
                                       "\"cursor\":\"c1\"}";
        struct room *r = *state;

        for (int i = 0; i < 4; i++) {
                greet(r, i < 2 ? as_customer : as_agent);
                if (i == 2)
                        assert_true(str_is(expect(r, LIVE_RESET).text, "the role changed"));
                expect(r, LIVE_NOTHING);
                live_machine_closed(&r->m, 0);
                expect(r, LIVE_DROP);
                r->now_us += 100000;
        }
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
        hear(r, "{\"events\":[{\"type\":\"presence.changed\",\"at\":1,\"data\":{}}]}");
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
        hear(r, FRAME("c2", "c2", ""));         /* a heartbeat */
        hear(r, "{\"type\":\"error\",\"code\":-32005,\"message\":\"RateLimited\"}");
        hear(r, FRAME("c2", "c2", ""));
        pass_ms(r, LIVE_ACK_AGAIN_MS);
        expect_sent(r, "{\"type\":\"ack\",\"cursor\":\"c2\"}");
        hear(r, FRAME("c2", "c3", ""));
        hear(r, "{\"type\":\"error\",\"code\":-32005,\"message\":\"RateLimited\"}");
        pass_ms(r, LIVE_PING_MS);               /* that one was of something else */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_connects_at_once_and_says_so_at_the_hello, enter, leave),
                cmocka_unit_test_setup_teardown(a_replay_goes_on_from_the_cursor_that_was_asked_for, enter, leave),
                cmocka_unit_test_setup_teardown(a_live_hello_says_that_nothing_was_missed_up_to_its_cursor, enter, leave),
                cmocka_unit_test_setup_teardown(a_reset_is_told_and_goes_on_from_its_cursor, enter, leave),
                cmocka_unit_test_setup_teardown(a_hello_in_another_role_is_a_reset_too, enter, leave),
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
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

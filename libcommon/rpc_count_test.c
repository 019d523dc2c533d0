/* What a server counts of the calls that it answers. */
#include "rpc_test_room.h"

static struct rpc_figures seen;

static void look(struct echo *e)
{
        rpc_server_figures(e->server, &seen);
}

static const struct tally *calls_of(const struct schema_method *m)
{
        for (size_t i = 0; i < seen.n_counts; i++)
                if (seen.counts[i].method == m)
                        return &seen.counts[i].calls;
        fail();
        return NULL;
}

static uint64_t outcomes(const struct schema_method *m, const char *which)
{
        for (int i = 0; i < TALLY_OUTCOMES; i++)
                if (strcmp(tally_outcome(i), which) == 0)
                        return calls_of(m)->outcomes[i];
        fail();
        return 0;
}

static uint64_t timed(const struct schema_method *m)
{
        uint64_t n = 0;

        for (int i = 0; i <= TALLY_BOUNDS; i++)
                n += calls_of(m)->took[i];
        return n;
}

static void every_call_is_counted_by_method_and_result(void **state)
{
        struct room *r = *state;
        struct echo_say_result said;
        struct echo_follow_result followed;

        for (int i = 0; i < 3; i++)
                assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("hello") }, &said, NULL), 0);
        ask(r, &method_say, &(struct echo_say){ .text = STR("") }, NULL, NULL);
        ask(r, &method_fail, &(struct echo_fail){ FAULT_NOT_FOUND }, NULL, NULL);
        ask(r, &method_fail, &(struct echo_fail){ -ENOENT }, NULL, NULL);
        ask(r, &method_fail, &(struct echo_fail){ 4711 }, NULL, NULL);
        ask(r, &method_nowhere, &(struct echo_follow){ 0 }, NULL, NULL);
        ask(r, &method_follow, &(struct echo_follow){ 0 }, &followed, NULL);
        on_service(r, look);
        assert_int_equal(outcomes(&method_say, "ok"), 3);
        assert_int_equal(outcomes(&method_say, "InvalidParams"), 1);
        assert_int_equal(timed(&method_say), 4);
        assert_true(calls_of(&method_say)->us > 0);
        assert_int_equal(outcomes(&method_fail, "NotFound"), 1);
        assert_int_equal(outcomes(&method_fail, "Internal"), 1);
        assert_int_equal(outcomes(&method_fail, "Error"), 1);
        assert_int_equal(outcomes(NULL, "MethodNotFound"), 1);
        assert_int_equal(outcomes(&method_follow, "ok"), 1);
        assert_int_equal(timed(&method_follow), 0);     /* it may have waited for news */
        assert_int_equal(outcomes(&method_write, "ok"), 0);
        assert_int_equal(seen.connections, 1);
        assert_int_equal(seen.busy, 0);
}

static void a_time_is_counted_under_the_first_bound_that_it_does_not_pass(void **state)
{
        struct tally t = { 0 };

        (void)state;
        tally_note(&t, 0, 0);
        tally_note(&t, 0, tally_bounds_us[0]);
        tally_note(&t, 0, tally_bounds_us[0] + 1);
        tally_note(&t, FAULT_CONFLICT, tally_bounds_us[TALLY_BOUNDS - 1] + 1);
        tally_note(&t, 0, -1);
        assert_int_equal(t.took[0], 2);
        assert_int_equal(t.took[1], 1);
        assert_int_equal(t.took[TALLY_BOUNDS], 1);
        assert_int_equal(t.us, 2 * tally_bounds_us[0] + 1 + tally_bounds_us[TALLY_BOUNDS - 1] + 1);
        assert_int_equal(t.outcomes[0], 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(every_call_is_counted_by_method_and_result, room_enter_served, room_leave),
                cmocka_unit_test(a_time_is_counted_under_the_first_bound_that_it_does_not_pass),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

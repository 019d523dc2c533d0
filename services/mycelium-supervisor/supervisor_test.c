/* The process, followed over its socket, with the driver that needs no daemon. */
#include "supervisor_room.h"

static void the_loopback_driver_is_up_at_its_address(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f;

        spawn(r);
        f = follow(r, 0);
        assert_true(f.head > 0);
        assert_true(str_is(f.overlay.driver, "loopback"));
        assert_int_equal(f.overlay.state, OVERLAY_STATE_UP);
        assert_true(str_is(f.overlay.ifname, "lo"));
        assert_true(f.overlay.ifindex > 0);
        assert_true(str_is(f.overlay.address, "127.0.0.1"));
        assert_true(str_is(f.overlay.subnet, "127.0.0.0/8"));
        assert_int_equal(f.overlay.pubkey.n, 0);
        assert_int_equal(end(r, SIGTERM), 0);
}

static void nothing_new_is_answered_late_and_the_same(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f, again;
        int64_t start;

        spawn(r);
        f = follow(r, 0);
        start = clock_steady_us(&clock_system);
        again = follow(r, f.head);
        assert_true(clock_steady_us(&clock_system) - start >= RPC_PARK_MS * 1000);
        assert_int_equal(again.head, f.head);
}

static void a_changed_address_is_heard_by_who_follows(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f, next;

        spawn(r);
        f = follow(r, 0);
        settings(r, "driver = loopback\nloopback_address = 127.0.0.7");
        kill(r->pid, SIGHUP);
        do      /* a read that was parked before the signal may still say the same */
                next = follow(r, f.head);
        while (next.head == f.head);
        assert_true(str_is(next.overlay.address, "127.0.0.7"));
}

static void a_reload_without_a_change_says_nothing(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f;

        spawn(r);
        f = follow(r, 0);
        kill(r->pid, SIGHUP);
        assert_int_equal(follow(r, f.head).head, f.head);
}

static void after_a_restart_a_followers_old_position_is_answered_at_once(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f, next;

        spawn(r);
        f = follow(r, 0);
        end(r, SIGKILL);
        spawn(r);
        next = follow(r, f.head);
        assert_int_not_equal(next.head, f.head);
        assert_true(str_is(next.overlay.address, "127.0.0.1"));
        next = follow(r, next.head + 1000);     /* of a run that was ahead */
        assert_int_equal(next.overlay.state, OVERLAY_STATE_UP);
}

static void who_wants_to_know_is_told_how_it_does(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result told = { 0 };
        struct rpc_request request = { .method = &schema_method_overlay_follow,
                                       .params = &(struct overlay_follow){ .after = 0, .max_bytes = 4096, .tell = true } };

        spawn(r);
        assert_null(follow(r, 0).stats);
        assert_int_equal(rpc_call_wait(r->client, &request, &r->arena, &told, NULL), 0);
        assert_non_null(told.stats);
        assert_true(told.stats->up && str_is(told.stats->service, "mycelium-supervisor") && told.stats->past);
}

static void loopback_addresses_have_no_key_and_others_are_not_found(void **state)
{
        struct room *r = *state;
        struct overlay_pubkey_result ret;

        spawn(r);
        assert_int_equal(pubkey(r, "127.0.0.5", &ret), 0);
        assert_int_equal(ret.pubkey.n, 0);
        assert_int_equal(pubkey(r, "10.0.0.1", &ret), FAULT_NOT_FOUND);
        assert_int_equal(pubkey(r, "::1", &ret), FAULT_NOT_FOUND);
        assert_int_equal(pubkey(r, "127.0.0.1.example.org", &ret), FAULT_NOT_FOUND);
        assert_int_equal(pubkey(r, "1", &ret), FAULT_INVALID_PARAMS);
}

static void it_does_not_start_with_a_wrong_address(void **state)
{
        struct room *r = *state;
        int status;

        settings(r, "driver = loopback\nloopback_address = 10.0.0.1");
        spawn(r);
        waitpid(r->pid, &status, 0);
        assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
        r->pid = 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_loopback_driver_is_up_at_its_address, enter, leave),
                cmocka_unit_test_setup_teardown(nothing_new_is_answered_late_and_the_same, enter, leave),
                cmocka_unit_test_setup_teardown(a_changed_address_is_heard_by_who_follows, enter, leave),
                cmocka_unit_test_setup_teardown(a_reload_without_a_change_says_nothing, enter, leave),
                cmocka_unit_test_setup_teardown(after_a_restart_a_followers_old_position_is_answered_at_once, enter, leave),
                cmocka_unit_test_setup_teardown(who_wants_to_know_is_told_how_it_does, enter, leave),
                cmocka_unit_test_setup_teardown(loopback_addresses_have_no_key_and_others_are_not_found, enter, leave),
                cmocka_unit_test_setup_teardown(it_does_not_start_with_a_wrong_address, enter, leave),
        };

        if (argc > 1 && strcmp(argv[1], "serve") == 0)
                return service_main(&supervisor_service, argc - 1, argv + 1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

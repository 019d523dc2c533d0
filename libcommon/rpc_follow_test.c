/* Parked reads, and those who follow. */
#include "rpc_test_room.h"

static void set_head(struct echo *e)
{
        e->head++;
        feed_wake(&e->feed);
}

static void wake(struct echo *e)
{
        feed_wake(&e->feed);
}

static void on_head(void *data, const struct rpc_reply *reply)
{
        struct room *r = data;

        r->codes[r->done++] = reply->code ? -1 : (int)((const struct echo_follow_result *)reply->result)->head;
}

static void follow_after(struct room *r, int64_t after)
{
        assert_int_equal(rpc_call(r->client, &(struct rpc_request){ .method = &method_follow,
                                                                    .params = &(struct echo_follow){ after } }, on_head, r), 0);
}

static void run_until(struct room *r, const int *value, int n)
{
        int64_t deadline = deadline_in_s(20);

        while (*value < n && before(deadline))
                loop_dispatch(r->loop, 100);
        assert_true(*value >= n);
}

static void count_parked(struct echo *e)
{
        e->n_held = 0;
        for (struct call *c = e->feed.first; c; c = c->next)
                e->n_held++;
}

/* Until the service holds n parked calls. */
static void wait_parked(struct room *r, int n)
{
        int64_t deadline = deadline_in_s(20);

        do {
                loop_dispatch(r->loop, 1);
                on_service(r, count_parked);
        } while (r->echo.n_held != n && before(deadline));
        assert_int_equal(r->echo.n_held, n);
        r->echo.n_held = 0;
}

static void what_is_there_is_answered_at_once(void **state)
{
        struct room *r = *state;

        on_service(r, set_head);
        on_service(r, set_head);
        follow_after(r, 1);
        run_until(r, &r->done, 1);
        assert_int_equal(r->codes[0], 2);
}

static void a_parked_read_is_answered_when_there_is_more(void **state)
{
        struct room *r = *state;

        follow_after(r, 0);
        follow_after(r, 1);
        wait_parked(r, 2);
        on_service(r, wake);            /* for nothing: they wait on */
        wait_parked(r, 2);
        on_service(r, set_head);        /* enough for the first alone */
        run_until(r, &r->done, 1);
        assert_int_equal(r->codes[0], 1);
        wait_parked(r, 1);
        on_service(r, set_head);
        run_until(r, &r->done, 2);
        assert_int_equal(r->codes[1], 2);
        assert_int_equal(rpc_server_busy(r->echo.server), 0);
}

static void with_nothing_new_it_is_answered_with_its_head_after_its_time(void **state)
{
        struct room *r = *state;
        int64_t start = clock_steady_us(&clock_system), waited;

        follow_after(r, 0);
        run_until(r, &r->done, 1);
        waited = clock_steady_us(&clock_system) - start;
        assert_int_equal(r->codes[0], 0);
        assert_true(waited >= RPC_PARK_MS * 1000 && waited < RPC_TIMEOUT_MS * 1000);
}

static void drain(struct echo *e)
{
        feed_drain(&e->feed);
}

static void a_service_that_stops_answers_those_parked_at_once_and_parks_nobody(void **state)
{
        struct room *r = *state;
        int64_t start = clock_steady_us(&clock_system);

        follow_after(r, 0);
        wait_parked(r, 1);
        on_service(r, drain);
        run_until(r, &r->done, 1);
        follow_after(r, 0);
        run_until(r, &r->done, 2);
        assert_int_equal(r->codes[0], 0);
        assert_int_equal(r->codes[1], 0);
        assert_true(clock_steady_us(&clock_system) - start < RPC_PARK_MS * 1000);
}

static void waking_does_not_make_it_wait_longer(void **state)
{
        struct room *r = *state;
        int64_t start = clock_steady_us(&clock_system);
        int wakes = 0;

        follow_after(r, 0);
        while (r->done == 0 && before(start + 20 * INT64_C(1000000))) {
                on_service(r, wake);
                wakes++;
                loop_dispatch(r->loop, 10);
        }
        assert_int_equal(r->done, 1);
        assert_true(wakes > 3);
        assert_true(clock_steady_us(&clock_system) - start < 3 * RPC_PARK_MS * 1000);
}

static void what_is_parked_when_the_service_ends_is_told_so(void **state)
{
        struct room *r = *state;

        follow_after(r, 0);
        wait_parked(r, 1);
        room_close(r);
        room_open(r, echo_key);         /* it is answered Unavailable, or asked again of the next: never lost */
        on_service(r, set_head);
        run_until(r, &r->done, 1);
        assert_true(r->codes[0] == -1 || r->codes[0] == 1);
}

/* ---- followers ---- */

struct reader {
        struct room *room;
        struct follower *follower;
        int64_t position;
        int taken, failed;
        bool leave;
};

static void reader_ask(void *data, void *params)
{
        const struct reader *f = data;

        ((struct echo_follow *)params)->after = f->position;
}

static void reader_take(void *data, const void *result)
{
        struct reader *f = data;
        const struct echo_follow_result *in = result;

        if (in->head > f->position)
                f->taken++;
        f->position = in->head;
        if (f->leave) {
                follower_free(f->follower);
                f->follower = NULL;
        }
}

static void reader_failed(void *data, int code)
{
        struct reader *f = data;

        assert_true(code > 0);
        f->failed++;
}

static void reader_start(struct reader *f)
{
        assert_int_equal(follower_new(f->room->loop,
                                      &(struct follower_options){ .client = f->room->client, .method = &method_follow, .data = f,
                                                                  .ask = reader_ask, .take = reader_take, .failed = reader_failed },
                                      &f->follower), 0);
}

static void a_follower_reads_on_and_on(void **state)
{
        struct room *r = *state;
        struct reader f = { .room = r };

        reader_start(&f);
        for (int i = 1; i <= 50; i++) {
                on_service(r, set_head);
                run_until(r, &f.taken, i);
                assert_int_equal(f.position, i);
        }
        assert_int_equal(f.failed, 0);
        follower_free(f.follower);
        loop_dispatch(r->loop, 0);
}

static void a_follower_may_leave_while_it_takes(void **state)
{
        struct room *r = *state;
        struct reader f = { .room = r, .leave = true };

        on_service(r, set_head);
        reader_start(&f);
        run_until(r, &f.taken, 1);
        assert_null(f.follower);
        on_service(r, set_head);
        loop_dispatch(r->loop, 20);
        assert_int_equal(f.taken, 1);
}

static void a_follower_finds_a_service_that_was_killed_and_started_again(void **state)
{
        struct room *r = *state;
        struct reader f = { .room = r };

        reader_start(&f);
        for (int i = 1; i <= 3; i++) {
                char mode[24];
                pid_t pid;

                snprintf(mode, sizeof(mode), "head:%d", i);
                pid = echo_spawn(r->path, mode);
                run_until(r, &f.taken, i);
                assert_int_equal(f.position, i);
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
        }
        follower_free(f.follower);
}

static void a_follower_that_is_refused_pauses_longer_each_time(void **state)
{
        struct room *r = *state;
        struct reader f = { .room = r };
        int64_t start;

        r->peers.uid[0] = geteuid();    /* we are the store, which may not follow */
        r->peers.uid[3] = (uid_t)-1;
        rpc_client_free(r->client);
        assert_int_equal(rpc_client_new(r->loop, &(struct rpc_client_options){ r->path, SCHEMA_PEER_STORE, &r->peers },
                                        &r->client), 0);
        room_open(r, echo_key);
        reader_start(&f);
        run_until(r, &f.failed, 1);
        start = clock_steady_us(&clock_system);
        run_until(r, &f.failed, 6);
        assert_true(clock_steady_us(&clock_system) - start >= (10 + 20 + 40 + 80 + 160) * 1000);
        assert_int_equal(f.taken, 0);
        follower_free(f.follower);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_there_is_answered_at_once, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_parked_read_is_answered_when_there_is_more, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(with_nothing_new_it_is_answered_with_its_head_after_its_time, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(waking_does_not_make_it_wait_longer, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_service_that_stops_answers_those_parked_at_once_and_parks_nobody, room_enter_served,
                                                room_leave),
                cmocka_unit_test_setup_teardown(what_is_parked_when_the_service_ends_is_told_so, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_follower_reads_on_and_on, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_follower_may_leave_while_it_takes, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_follower_finds_a_service_that_was_killed_and_started_again, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_follower_that_is_refused_pauses_longer_each_time, room_enter, room_leave),
        };

        if (argc == 4 && strcmp(argv[1], "--serve") == 0)
                return echo_serve(argv[2], argv[3]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

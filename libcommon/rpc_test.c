/* Calls between a service and its client, over real sockets. */
#include "rpc_test_room.h"

static void a_call_is_answered(void **state)
{
        struct room *r = *state;
        struct echo_say_result out;
        struct fault fault;

        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("hello"), .has_times = true, .times = 3 }, &out,
                             &fault), 0);
        assert_true(str_is(out.text, "hellohellohello"));
}

static void a_service_that_starts_late_is_waited_for(void **state)
{
        struct room *r = *state;
        struct echo_say_result out;
        pid_t pid = echo_spawn(r->path, "plain");

        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("hello") }, &out, NULL), 0);
        assert_true(str_is(out.text, "hello"));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static void every_fault_arrives_as_it_was_said(void **state)
{
        struct room *r = *state;
        struct fault f;

        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_NOT_FOUND }, NULL, &f), FAULT_NOT_FOUND);
        assert_true(f.has_request && str_is(f.request, "req-1"));
        assert_false(f.has_reason);
        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_FORBIDDEN }, NULL, &f), FAULT_FORBIDDEN);
        assert_true(str_is(f.reason, "no"));
        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_INVALID_PARAMS }, NULL, &f), FAULT_INVALID_PARAMS);
        assert_true(str_is(f.field, "r") && str_is(f.reason, "it is 32602"));
        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_CONFLICT }, NULL, &f), FAULT_CONFLICT);
        assert_true(str_is(f.newer, "{\"after\":7}") && str_is(f.reason, "newer"));
        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_TOO_LARGE }, NULL, &f), FAULT_TOO_LARGE);
        assert_int_equal(f.limit, 12);
        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_RATE_LIMITED }, NULL, &f), FAULT_RATE_LIMITED);
        assert_int_equal(f.retry_after_ms, 345);
        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_EXPIRED }, NULL, &f), FAULT_EXPIRED);
        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ FAULT_UNAVAILABLE }, NULL, &f), FAULT_UNAVAILABLE);
        assert_int_equal(f.retry_after_ms, 99);
}

static void a_handlers_errno_says_nothing_of_itself(void **state)
{
        static const int unavailable[] = { -ENOSPC, -EIO, -EBUSY };
        struct room *r = *state;
        struct fault f;

        assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ -ENOENT }, NULL, &f), FAULT_INTERNAL);
        assert_false(f.has_reason);
        assert_true(str_is(f.request, "req-1"));
        for (int i = 0; i < 3; i++) {
                assert_int_equal(ask(r, &method_fail, &(struct echo_fail){ unavailable[i] }, NULL, &f), FAULT_UNAVAILABLE);
                assert_true(f.has_retry_after_ms);
        }
}

static void parameters_are_checked_before_the_handler(void **state)
{
        struct room *r = *state;
        struct fault f;

        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("") }, NULL, &f), FAULT_INVALID_PARAMS);
        assert_true(str_is(f.field, "text"));
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x"), .has_times = true, .times = 1001 }, NULL, &f),
                         FAULT_INVALID_PARAMS);
        assert_true(str_is(f.field, "times"));
}

static void a_method_that_is_not_here_is_not_found(void **state)
{
        struct room *r = *state;

        assert_int_equal(ask(r, &method_nowhere, &(struct echo_follow){ 0 }, NULL, NULL), FAULT_METHOD_NOT_FOUND);
}

static void a_mutation_needs_its_op_id_and_answers_with_it(void **state)
{
        struct room *r = *state;
        struct str customer = sealed_as(r, SCHEMA_ROLE_CUSTOMER, INT64_MAX / 2);
        struct ulid id = { { 1, 2, 3 } };
        struct echo_write_result out;
        struct fault f;

        assert_int_equal(call_as(r, &method_write, &(struct echo_write){ .text = STR("x") }, customer, &out, &f),
                         FAULT_INVALID_PARAMS);
        assert_true(str_is(f.field, "op_id"));
        assert_int_equal(call_as(r, &method_write, &(struct echo_write){ .text = STR("x"), .has_op_id = true, .op_id = id },
                                 customer, &out, &f), 0);
        assert_int_equal(out.count, 1);
        assert_true(ulid_eq(out.op_id, id));
}

static void a_method_serves_the_roles_it_names_and_those_above(void **state)
{
        struct room *r = *state;
        struct echo_follow in = { 0 };
        struct echo_follow_result out;

        for (int role = SCHEMA_ROLE_STRANGER; role <= SCHEMA_ROLE_ADMIN; role++) {
                struct str caller = sealed_as(r, (enum schema_role)role, INT64_MAX / 2);

                assert_int_equal(call_as(r, &method_agents, &in, caller, &out, NULL),
                                 role >= SCHEMA_ROLE_AGENT ? 0 : role == SCHEMA_ROLE_STRANGER ? FAULT_UNAUTHENTICATED : FAULT_FORBIDDEN);
                assert_int_equal(call_as(r, &method_strangers, &in, caller, &out, NULL), 0);
                assert_int_equal(out.head, role);
                assert_int_equal(call_as(r, &method_follow, &in, caller, &out, NULL), 0);
        }
        assert_int_equal(ask(r, &method_agents, &in, &out, NULL), FAULT_UNAUTHENTICATED);
        assert_int_equal(ask(r, &method_strangers, &in, &out, NULL), FAULT_UNAUTHENTICATED);
        assert_int_equal(ask(r, &method_either, &in, &out, NULL), FAULT_UNAUTHENTICATED);
}

static void a_false_or_stale_identity_is_refused(void **state)
{
        struct room *r = *state;
        struct str good = sealed_as(r, SCHEMA_ROLE_ADMIN, INT64_MAX / 2), old = sealed_as(r, SCHEMA_ROLE_ADMIN, 1);
        struct echo_follow in = { 0 };

        assert_int_equal(call_as(r, &method_agents, &in, old, NULL, NULL), FAULT_UNAUTHENTICATED);
        ((char *)(uintptr_t)good.p)[good.n - 1] ^= 1;
        assert_int_equal(call_as(r, &method_agents, &in, good, NULL, NULL), FAULT_UNAUTHENTICATED);
        assert_int_equal(call_as(r, &method_say, &(struct echo_say){ .text = STR("x") }, good, NULL, NULL), FAULT_UNAUTHENTICATED);
        assert_int_equal(call_as(r, &method_agents, &in, STR("x"), NULL, NULL), FAULT_UNAUTHENTICATED);
}

static void a_service_without_the_key_takes_no_callers(void **state)
{
        struct room *r = *state;
        struct str admin = sealed_as(r, SCHEMA_ROLE_ADMIN, INT64_MAX / 2);

        room_open(r, NULL);
        assert_int_equal(call_as(r, &method_agents, &(struct echo_follow){ 0 }, admin, NULL, NULL), FAULT_FORBIDDEN);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &(struct echo_say_result){ { 0 } }, NULL), 0);
}

static void another_process_may_call_in_its_own_name_only_what_names_it(void **state)
{
        struct room *r = *state;
        struct str stranger = sealed_as(r, SCHEMA_ROLE_STRANGER, INT64_MAX / 2);
        struct echo_follow in = { 5 };
        struct echo_follow_result out;

        r->peers.uid[0] = geteuid();    /* the store; the gateway is somebody else */
        r->peers.uid[3] = (uid_t)-1;
        room_open(r, echo_key);
        rpc_client_free(r->client);
        assert_int_equal(rpc_client_new(r->loop, &(struct rpc_client_options){ r->path, SCHEMA_PEER_STORE, &r->peers },
                                        &r->client), 0);
        assert_int_equal(ask(r, &method_either, &in, &out, NULL), 0);
        assert_int_equal(out.head, 5);
        assert_int_equal(call_as(r, &method_either, &in, stranger, &out, NULL), FAULT_UNAUTHENTICATED);
        assert_int_equal(ask(r, &method_agents, &in, &out, NULL), FAULT_FORBIDDEN);
        assert_int_equal(ask(r, &method_inside, &in, &out, NULL), FAULT_FORBIDDEN);
        assert_int_equal(ask(r, &method_follow, &in, &out, NULL), FAULT_FORBIDDEN);
}

static void messages_have_a_largest_size_both_ways(void **state)
{
        struct room *r = *state;
        struct str big = { arena_zalloc(&r->arena, RPC_MESSAGE_MAX + 1), RPC_MESSAGE_MAX + 1 };
        struct echo_say_result out;

        memset((char *)(uintptr_t)big.p, 'x', big.n);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = big }, &out, NULL), -EMSGSIZE);
        big.n = RPC_MESSAGE_MAX - 1000;
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = big }, &out, NULL), 0);
        assert_int_equal(out.text.n, big.n);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = big, .has_times = true, .times = 2 }, &out, NULL),
                         FAULT_INTERNAL);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("still there") }, &out, NULL), 0);
}

/* ---- many at once ---- */

struct many {
        struct room *room;
        int asked, answered, wrong;
};

enum { CALLS = 10000 };

static void ask_next(struct many *m);

static void on_many(void *data, const struct rpc_reply *reply)
{
        struct many *m = data;

        m->answered++;
        if (reply->code || !str_is(((const struct echo_say_result *)reply->result)->text, "abcabc"))
                m->wrong++;
        ask_next(m);
}

static void ask_next(struct many *m)
{
        struct echo_say in = { .text = STR("abc"), .has_times = true, .times = 2 };

        if (m->asked == CALLS)
                return;
        m->asked++;
        assert_int_equal(rpc_call(m->room->client, &(struct rpc_request){ .method = &method_say, .params = &in }, on_many, m), 0);
}

static void ten_thousand_calls_with_64_in_flight(void **state)
{
        struct room *r = *state;
        struct many m = { .room = r };
        int64_t deadline = deadline_in_s(60);

        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                ask_next(&m);
        while (m.answered < CALLS && before(deadline))
                loop_dispatch(r->loop, 1000);
        assert_int_equal(m.answered, CALLS);
        assert_int_equal(m.wrong, 0);
}

static void more_calls_than_lanes_wait_in_line(void **state)
{
        struct room *r = *state;
        struct many m = { .room = r };
        int64_t deadline = deadline_in_s(60);

        for (int i = 0; i < 5 * RPC_IN_FLIGHT; i++)
                ask_next(&m);
        while (m.answered < CALLS && before(deadline))
                loop_dispatch(r->loop, 1000);
        assert_int_equal(m.answered, CALLS);
        assert_int_equal(m.wrong, 0);
}

/* ---- no answer ---- */

static void on_code(void *data, const struct rpc_reply *reply)
{
        struct room *r = data;

        if (r->done < 16)
                r->codes[r->done] = reply->code;
        r->done++;
}

static int call_for(struct room *r, const struct schema_method *m, const void *params, int64_t timeout_ms, void *data)
{
        return rpc_call(r->client, &(struct rpc_request){ .method = m, .params = params, .timeout_ms = timeout_ms }, on_code, data);
}

static void wait_done(struct room *r, int n)
{
        int64_t deadline = deadline_in_s(20);

        while (r->done < n && before(deadline))
                loop_dispatch(r->loop, 1000);
        assert_int_equal(r->done, n);
}

static void without_a_service_a_call_ends_at_its_deadline(void **state)
{
        struct room *r = *state;
        int64_t start = clock_steady_us(&clock_system);

        call_for(r, &method_silent, &(struct echo_follow){ 0 }, 30, r);
        wait_done(r, 1);
        assert_int_equal(r->codes[0], FAULT_UNAVAILABLE);
        assert_true(clock_steady_us(&clock_system) - start >= 30000);
        for (int i = 0; i < 3 * RPC_IN_FLIGHT; i++)     /* those in line too, and lanes are not lost */
                call_for(r, &method_silent, &(struct echo_follow){ 0 }, 30, r);
        wait_done(r, 1 + 3 * RPC_IN_FLIGHT);
        room_open(r, echo_key);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &(struct echo_say_result){ { 0 } }, NULL), 0);
}

static void a_service_that_does_not_answer_is_given_up_in_time(void **state)
{
        struct room *r = *state;
        struct fault f;
        struct str customer = sealed_as(r, SCHEMA_ROLE_CUSTOMER, INT64_MAX / 2);
        int64_t deadline = deadline_in_s(20);

        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                call_for(r, &method_silent, &(struct echo_follow){ 0 }, 1000, r);
        while (atomic_load(&r->echo.entered) < RPC_IN_FLIGHT && before(deadline))
                loop_dispatch(r->loop, 10);
        wait_done(r, RPC_IN_FLIGHT);
        assert_int_equal(r->codes[0], FAULT_UNAVAILABLE);
        /* All that the service takes from us is under way: the next call is not even read, and says what to retry with. */
        assert_int_equal(rpc_call_wait(r->client,
                                       &(struct rpc_request){ .method = &method_write, .caller = customer, .timeout_ms = 20,
                                                              .params = &(struct echo_write){ .text = STR("x"), .has_op_id = true,
                                                                                              .op_id = { { 5 } } } },
                                       &r->arena, NULL, &f), FAULT_UNAVAILABLE);
        assert_true(f.has_op_id && f.op_id.b[0] == 5);
}

static void hold_all(struct room *r)
{
        int64_t deadline = deadline_in_s(20);

        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                call_for(r, &method_silent, &(struct echo_follow){ 0 }, 20000, r);
        while (atomic_load(&r->echo.entered) < RPC_IN_FLIGHT && before(deadline))
                loop_dispatch(r->loop, 10);
        assert_int_equal(atomic_load(&r->echo.entered), RPC_IN_FLIGHT);
}

static void release_held(struct echo *e);

static void a_caller_with_all_its_calls_under_way_is_in_no_others_way(void **state)
{
        struct room *r = *state;
        struct rpc_client *busy = r->client;
        struct echo_say_result out;

        hold_all(r);
        assert_int_equal(rpc_client_new(r->loop, &(struct rpc_client_options){ r->path, SCHEMA_PEER_GATEWAY, &r->peers },
                                        &r->client), 0);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &out, NULL), 0);
        on_service(r, release_held);
        wait_done(r, RPC_IN_FLIGHT);
        rpc_client_free(busy);
}

static void what_a_caller_gave_up_holds_it_back_until_it_is_answered(void **state)
{
        struct room *r = *state;
        struct echo_say_result out;
        int64_t deadline = deadline_in_s(20);

        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                call_for(r, &method_silent, &(struct echo_follow){ 0 }, 1000, r);
        wait_done(r, RPC_IN_FLIGHT);
        assert_int_equal(atomic_load(&r->echo.entered), RPC_IN_FLIGHT);
        /* Asked, but not read: a large one too, of which the socket takes a part. */
        call_for(r, &method_say, &(struct echo_say){ .text = { arena_zalloc(&r->arena, 1500000), 1500000 } }, 20000, r);
        call_for(r, &method_say, &(struct echo_say){ .text = STR("x") }, 20000, r);
        loop_dispatch(r->loop, 10);
        assert_int_equal(r->done, RPC_IN_FLIGHT);
        on_service(r, release_held);    /* nobody hears these */
        while (r->done < RPC_IN_FLIGHT + 2 && before(deadline))
                loop_dispatch(r->loop, 1000);
        assert_int_equal(r->done, RPC_IN_FLIGHT + 2);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &out, NULL), 0);
        while (rpc_server_busy(r->echo.server) && before(deadline))
                sched_yield();
        assert_int_equal(rpc_server_busy(r->echo.server), 0);
}

static void one_uid_has_so_many_connections_and_no_more(void **state)
{
        struct room *r = *state;
        struct rpc_client *all[RPC_CONNECTIONS];
        struct rpc_client_options options = { r->path, SCHEMA_PEER_GATEWAY, &r->peers };
        struct echo_say in = { .text = STR("x") };
        struct echo_say_result out;

        for (int i = 0; i < RPC_CONNECTIONS; i++) {
                all[i] = r->client;
                assert_int_equal(ask(r, &method_say, &in, &out, NULL), 0);
                assert_int_equal(rpc_client_new(r->loop, &options, &r->client), 0);
        }
        assert_int_equal(rpc_call_wait(r->client, &(struct rpc_request){ .method = &method_say, .params = &in, .timeout_ms = 100 },
                                       &r->arena, &out, NULL), FAULT_UNAVAILABLE);
        rpc_client_free(all[0]);
        assert_int_equal(ask(r, &method_say, &in, &out, NULL), 0);
        for (int i = 1; i < RPC_CONNECTIONS; i++)
                rpc_client_free(all[i]);
}

static void a_place_that_is_listened_at_is_left_alone_and_a_dead_one_taken(void **state)
{
        struct room *r = *state;
        struct rpc_server_options options = { .path = r->path, .handlers = echo_handlers, .peers = &r->peers, .clock = &clock_system };
        struct rpc_server *second;
        struct echo_say_result out;
        pid_t pid;

        assert_int_equal(rpc_server_new(r->loop, &options, &second), -EADDRINUSE);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &out, NULL), 0);
        room_close(r);
        assert_int_equal(access(r->path, F_OK), -1);
        pid = echo_spawn(r->path, "plain");
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &out, NULL), 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        assert_int_equal(access(r->path, F_OK), 0);
        room_open(r, echo_key);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &out, NULL), 0);
}

static void release_held(struct echo *e)
{
        for (int i = 0; i < e->n_held; i++)
                call_answer(e->held[i], call_has_time(e->held[i]) ? 0 : FAULT_CONFLICT);
        e->n_held = 0;
}

static void an_answer_that_comes_later_finds_its_call(void **state)
{
        struct room *r = *state;
        int64_t deadline = deadline_in_s(20);

        call_for(r, &method_silent, &(struct echo_follow){ 0 }, 10000, r);
        while (atomic_load(&r->echo.entered) < 1 && before(deadline))
                loop_dispatch(r->loop, 10);
        assert_int_equal(rpc_server_busy(r->echo.server), 1);
        on_service(r, release_held);
        wait_done(r, 1);
        assert_int_equal(r->codes[0], 0);
}

static void a_cancelled_call_is_never_heard_of(void **state)
{
        struct room *r = *state;
        struct room other = { 0 };

        for (int i = 0; i < 2 * RPC_IN_FLIGHT; i++)
                call_for(r, &method_silent, &(struct echo_follow){ 0 }, 50, i % 2 ? (void *)&other : (void *)r);
        rpc_cancel(r->client, &other);
        wait_done(r, RPC_IN_FLIGHT);
        assert_int_equal(other.done, 0);
        room_close(r);
        room_open(r, echo_key);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &(struct echo_say_result){ { 0 } }, NULL), 0);
        assert_int_equal(other.done, 0);
}

static void a_client_may_be_freed_with_calls_under_way(void **state)
{
        struct room *r = *state;

        for (int i = 0; i < 2 * RPC_IN_FLIGHT; i++) {
                call_for(r, &method_say, &(struct echo_say){ .text = STR("x") }, 1000, r);
                call_for(r, &method_silent, &(struct echo_follow){ 0 }, 1000, r);
        }
        rpc_client_free(r->client);
        r->client = NULL;
        loop_dispatch(r->loop, 0);
        assert_int_equal(r->done, 0);
}

/* ---- services that go ---- */

static void a_service_that_is_killed_between_calls_is_found_again(void **state)
{
        struct room *r = *state;
        struct echo_say_result out;

        for (int i = 0; i < 5; i++) {
                pid_t pid = echo_spawn(r->path, "plain");

                for (int k = 0; k < 20; k++)
                        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("hello") }, &out, NULL), 0);
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
        }
}

static void calls_under_way_when_a_service_dies_are_asked_again(void **state)
{
        struct room *r = *state;
        struct many m = { .room = r };
        int64_t deadline = deadline_in_s(60);
        pid_t pid = echo_spawn(r->path, "plain");

        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                ask_next(&m);
        for (int kills = 0; m.answered < CALLS && before(deadline);) {
                loop_dispatch(r->loop, 1000);
                if (kills < 2 && m.answered > (kills + 1) * CALLS / 3) {
                        kills++;
                        kill(pid, SIGKILL);
                        waitpid(pid, NULL, 0);
                        pid = echo_spawn(r->path, "plain");
                }
        }
        assert_int_equal(m.answered, CALLS);
        assert_int_equal(m.wrong, 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static void a_call_that_kills_its_service_does_not_do_so_for_ever(void **state)
{
        struct room *r = *state;
        struct fault f;
        pid_t pids[5];
        int status, r2;

        /* Each one dies of the write and leaves its socket to the next. */
        pids[0] = echo_spawn(r->path, "fragile");
        r->done = 0;
        assert_int_equal(rpc_call(r->client,
                                  &(struct rpc_request){ .method = &method_write, .timeout_ms = 20000,
                                                         .caller = sealed_as(r, SCHEMA_ROLE_CUSTOMER, INT64_MAX / 2),
                                                         .params = &(struct echo_write){ .text = STR("x"), .has_op_id = true,
                                                                                         .op_id = { { 5 } } } },
                                  on_code, r), 0);
        for (int i = 0; i < 4; i++) {
                int64_t deadline = deadline_in_s(20);

                while (waitpid(pids[i], &status, WNOHANG) == 0 && before(deadline))
                        loop_dispatch(r->loop, 5);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                pids[i + 1] = echo_spawn(r->path, "fragile");
        }
        wait_done(r, 1);
        assert_int_equal(r->codes[0], FAULT_UNAVAILABLE);
        r2 = ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &(struct echo_say_result){ { 0 } }, &f);
        assert_int_equal(r2, 0);
        kill(pids[4], SIGKILL);
        waitpid(pids[4], NULL, 0);
}

static void stop_taking(struct echo *e)
{
        rpc_server_stop(e->server);
}

static void a_stopping_service_answers_what_it_took_and_takes_no_more(void **state)
{
        struct room *r = *state;
        int64_t deadline = deadline_in_s(20);

        call_for(r, &method_silent, &(struct echo_follow){ 0 }, 10000, r);
        while (atomic_load(&r->echo.entered) < 1 && before(deadline))
                loop_dispatch(r->loop, 10);
        on_service(r, stop_taking);
        call_for(r, &method_silent, &(struct echo_follow){ 0 }, 10000, r);
        on_service(r, release_held);
        wait_done(r, 1);
        assert_int_equal(r->codes[0], 0);
        while (rpc_server_busy(r->echo.server) && before(deadline))
                sched_yield();
        assert_int_equal(rpc_server_busy(r->echo.server), 0);
        assert_int_equal(atomic_load(&r->echo.entered), 1);
        room_close(r);
        room_open(r, echo_key);         /* the second call is asked again of the next one */
        while (atomic_load(&r->echo.entered) < 1 && before(deadline))
                loop_dispatch(r->loop, 10);
        on_service(r, release_held);
        wait_done(r, 2);
        assert_int_equal(r->codes[1], 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_call_is_answered, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_service_that_starts_late_is_waited_for, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(every_fault_arrives_as_it_was_said, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_handlers_errno_says_nothing_of_itself, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(parameters_are_checked_before_the_handler, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_method_that_is_not_here_is_not_found, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_mutation_needs_its_op_id_and_answers_with_it, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_method_serves_the_roles_it_names_and_those_above, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_false_or_stale_identity_is_refused, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_service_without_the_key_takes_no_callers, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(another_process_may_call_in_its_own_name_only_what_names_it, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(messages_have_a_largest_size_both_ways, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(ten_thousand_calls_with_64_in_flight, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(more_calls_than_lanes_wait_in_line, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(without_a_service_a_call_ends_at_its_deadline, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_service_that_does_not_answer_is_given_up_in_time, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_caller_with_all_its_calls_under_way_is_in_no_others_way, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(what_a_caller_gave_up_holds_it_back_until_it_is_answered, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(one_uid_has_so_many_connections_and_no_more, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_place_that_is_listened_at_is_left_alone_and_a_dead_one_taken, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(an_answer_that_comes_later_finds_its_call, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_cancelled_call_is_never_heard_of, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_client_may_be_freed_with_calls_under_way, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_service_that_is_killed_between_calls_is_found_again, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(calls_under_way_when_a_service_dies_are_asked_again, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_call_that_kills_its_service_does_not_do_so_for_ever, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_stopping_service_answers_what_it_took_and_takes_no_more, room_enter_served, room_leave),
        };

        if (argc == 4 && strcmp(argv[1], "--serve") == 0)
                return echo_serve(argv[2], argv[3]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

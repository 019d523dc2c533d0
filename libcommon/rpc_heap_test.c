/* In steady state a call takes nothing from the heap: counted, not timed. */
#include "heap_count.h"
#include "rpc_test_room.h"

struct burst {
        struct room *room;
        struct str caller;
        int asked, answered, calls, wrong;
};

static void ask_next(struct burst *b);

static void on_answer(void *data, const struct rpc_reply *reply)
{
        struct burst *b = data;

        b->answered++;
        b->wrong += reply->code != 0;
        ask_next(b);
}

static void ask_next(struct burst *b)
{
        struct echo_write in = { .text = STR("a few words"), .has_op_id = true, .op_id = { { 1 } } };

        if (b->asked++ < b->calls)
                rpc_call(b->room->client, &(struct rpc_request){ .method = &method_write, .params = &in, .caller = b->caller },
                         on_answer, b);
}

static long taken_by(struct burst *b, int calls)
{
        int64_t deadline = deadline_in_s(60);
        long before_them = atomic_load(&heap_taken);

        b->asked = b->answered = 0;
        b->calls = calls;
        for (int i = 0; i < RPC_IN_FLIGHT; i++)
                ask_next(b);
        while (b->answered < calls && before(deadline))
                loop_dispatch(b->room->loop, 1000);
        assert_int_equal(b->answered, calls);
        assert_int_equal(b->wrong, 0);
        return atomic_load(&heap_taken) - before_them;
}

static void a_warm_client_and_server_allocate_nothing(void **state)
{
        struct room *r = *state;
        struct burst b = { .room = r, .caller = sealed_as(r, SCHEMA_ROLE_CUSTOMER, INT64_MAX / 2) };
        long cold = taken_by(&b, 2000);

        if (!heap_counts) {
                print_message("skipped: a_warm_client_and_server_allocate_nothing: the sanitizer has the heap\n");
                skip();
        }
        assert_true(cold > 0);
        assert_int_equal(taken_by(&b, 5000), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_warm_client_and_server_allocate_nothing, room_enter_served, room_leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

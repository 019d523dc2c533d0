/* A gateway's queue: who is told, once, in order, until it was taken. */
#include "fanout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct room {
        struct loop *loop;
        struct outlet *outlets, *outlet;
        struct arena arena;
        struct live_follow_result got;
};

static const struct ulid alice = { { 1 } }, bob = { { 2 } }, agnes = { { 3 } }, ada = { { 4 } }, gateway = { { 9 } };

static int setup(void **state)
{
        struct room *room = *state = calloc(1, sizeof(*room));

        room->loop = loop_new(&clock_system);
        room->outlet = outlet_of(&room->outlets, room->loop, gateway);
        outlet_attach(room->outlet, 1, &(struct caller){ .user = alice, .role = SCHEMA_ROLE_CUSTOMER });
        outlet_attach(room->outlet, 2, &(struct caller){ .user = bob, .role = SCHEMA_ROLE_CUSTOMER });
        outlet_attach(room->outlet, 3, &(struct caller){ .user = agnes, .role = SCHEMA_ROLE_AGENT });
        outlet_attach(room->outlet, 4, &(struct caller){ .user = ada, .role = SCHEMA_ROLE_ADMIN });
        outlet_attach(room->outlet, 5, &(struct caller){ .role = SCHEMA_ROLE_STRANGER });
        outlet_attach(room->outlet, 6, &(struct caller){ .user = alice, .role = SCHEMA_ROLE_CUSTOMER }); /* her phone */
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        outlet_free(&room->outlets, room->outlet);
        loop_free(room->loop);
        arena_deinit(&room->arena);
        free(room);
        return 0;
}

static bool offer(struct room *room, const char *cursor, struct log_item audience)
{
        struct event event = { .type = STR("comment.added"), .data = STR("{\"comment\":{}}"), .at = 7 };
        struct shared_event *shared = shared_event_new(&event, str_of(cursor));
        bool any = outlet_offer(room->outlet, shared, &audience);

        shared_event_unref(shared);
        return any;
}

static void read_on(struct room *room, int64_t after, int64_t max_bytes)
{
        room->got = (struct live_follow_result){ 0 };
        outlet_read(room->outlet, after, max_bytes, &room->arena, &room->got);
}

static void told(struct room *room, size_t item, const char *expected)
{
        char text[64] = "";

        for (size_t i = 0; i < room->got.items.items[item].sessions.n; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%lld", (long long)room->got.items.items[item].sessions.items[i]);
        assert_string_equal(text, expected);
}

static void each_audience_reaches_its_own_sessions_and_no_others(void **state)
{
        struct room *room = *state;
        struct ulid users[] = { alice };

        assert_true(offer(room, "ticket", (struct log_item){ .audience = AUDIENCE_TICKET, .users = { users, 1 } }));
        assert_true(offer(room, "agents", (struct log_item){ .audience = AUDIENCE_AGENTS }));
        assert_true(offer(room, "user", (struct log_item){ .audience = AUDIENCE_USER, .target = alice }));
        assert_true(offer(room, "all", (struct log_item){ .audience = AUDIENCE_ALL }));
        assert_false(offer(room, "nobody", (struct log_item){ .audience = AUDIENCE_USER, .target = { { 77 } } }));
        read_on(room, 0, 100000);
        assert_int_equal(room->got.items.n, 4);
        told(room, 0, "1346");
        told(room, 1, "34");
        told(room, 2, "16");
        told(room, 3, "123456");
        assert_true(str_is(room->got.items.items[3].cursor, "all"));
        assert_true(str_is(room->got.items.items[3].event.data, "{\"comment\":{}}"));
}

static void what_was_not_acknowledged_is_told_again_and_the_rest_forgotten(void **state)
{
        struct room *room = *state;

        for (int i = 0; i < 5; i++)
                assert_true(offer(room, "c", (struct log_item){ .audience = AUDIENCE_ALL }));
        read_on(room, 0, 1); /* at least one, however little room there is */
        assert_int_equal(room->got.items.n, 1);
        assert_int_equal(room->got.head, 1);
        read_on(room, 0, 100000);
        assert_int_equal(room->got.items.n, 5);
        outlet_acknowledge(room->outlet, 3);
        read_on(room, 3, 100000);
        assert_int_equal(room->got.items.n, 2);
        assert_int_equal(room->got.head, 5);
        outlet_acknowledge(room->outlet, 5);
        assert_int_equal(room->outlet->bytes, 0);
        assert_null(room->outlet->first);
}

static void who_left_or_changed_role_is_told_as_they_are_now(void **state)
{
        struct room *room = *state;

        assert_true(outlet_detach(room->outlet, 1));
        assert_false(outlet_detach(room->outlet, 1));
        outlet_attach(room->outlet, 2, &(struct caller){ .user = bob, .role = SCHEMA_ROLE_AGENT });
        outlet_attach(room->outlet, 3, &(struct caller){ .user = agnes, .role = SCHEMA_ROLE_CUSTOMER });
        assert_true(offer(room, "agents", (struct log_item){ .audience = AUDIENCE_AGENTS }));
        read_on(room, 0, 100000);
        told(room, 0, "24");
        assert_int_equal(HASH_COUNT(room->outlet->sessions), 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_audience_reaches_its_own_sessions_and_no_others, setup, teardown),
                cmocka_unit_test_setup_teardown(what_was_not_acknowledged_is_told_again_and_the_rest_forgotten, setup, teardown),
                cmocka_unit_test_setup_teardown(who_left_or_changed_role_is_told_as_they_are_now, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Gateways' queues: who is told, once, in order, until it was taken. */
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
        struct sessions sessions;
        struct recipients recipients;
        struct tail tail;
        struct outlet *outlets, *outlet, *other;
        struct arena arena;
        struct live_follow_result got;
};

static const struct ulid alice = { { 1 } }, bob = { { 2 } }, agnes = { { 3 } }, ada = { { 4 } };
static const struct ulid here = { { 9 } }, there = { { 10 } }, ticket = { { 50 } }, nobody = { { 0 } };

static struct session *attach(struct room *room, struct outlet *o, uint8_t id, int64_t number, struct ulid user, enum schema_role role)
{
        struct session *s = sessions_attach(&room->sessions, o, (struct ulid){ { 77, id } }, number,
                                            &(struct caller){ .user = user, .role = role }, role >= SCHEMA_ROLE_AGENT);

        if (s)
                s->pushed = true;
        return s;
}

static struct session *session(struct room *room, uint8_t id)
{
        return sessions_find(&room->sessions, (struct ulid){ { 77, id } });
}

static int setup(void **state)
{
        static const uint8_t secret[32] = { 7 }, instance[8] = { 1 };
        struct room *room = *state = calloc(1, sizeof(*room));

        room->loop = loop_new(&clock_system);
        room->outlet = outlet_of(&room->outlets, room->loop, here);
        room->other = outlet_of(&room->outlets, room->loop, there);
        tail_init(&room->tail, secret, 1024 * 1024);
        tail_begin(&room->tail, instance, 0, NULL);
        attach(room, room->outlet, 1, 1, alice, SCHEMA_ROLE_CUSTOMER);
        attach(room, room->outlet, 2, 2, bob, SCHEMA_ROLE_CUSTOMER);
        attach(room, room->outlet, 3, 3, agnes, SCHEMA_ROLE_AGENT);
        attach(room, room->outlet, 4, 4, ada, SCHEMA_ROLE_ADMIN);
        attach(room, room->outlet, 6, 6, alice, SCHEMA_ROLE_CUSTOMER); /* her phone */
        attach(room, room->other, 7, 1, alice, SCHEMA_ROLE_CUSTOMER);  /* her laptop, by another gateway */
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        while (room->sessions.by_id)
                sessions_detach(&room->sessions, room->sessions.by_id);
        assert_null(room->sessions.parties);
        assert_null(room->sessions.agents);
        outlet_free(&room->outlets, room->outlet);
        outlet_free(&room->outlets, room->other);
        tail_deinit(&room->tail);
        recipients_deinit(&room->recipients);
        loop_free(room->loop);
        arena_deinit(&room->arena);
        free(room);
        return 0;
}

/* An op happens; how many sessions are told. */
static size_t happens(struct room *room, enum audience audience, struct ulid target, struct ulid reader)
{
        struct event event = { .type = STR("comment.added"), .data = STR("{\"comment\":{}}"), .at = 7 };
        struct log_item item = { .seq = tail_end(&room->tail) + 1, .hash = STR("hash hsh"), .audience = audience, .target = target,
                                 .event = &event };
        struct shared_event *e;

        item.users.items = &reader;
        item.users.n = !ulid_eq(reader, nobody);
        e = tail_add(&room->tail, &item);
        sessions_select(&room->sessions, e->readers, &room->recipients);
        outlets_deliver(e, &room->recipients);
        return room->recipients.n;
}

static void read_on(struct room *room, struct outlet *o, int64_t after, int64_t max_bytes)
{
        room->got = (struct live_follow_result){ 0 };
        outlet_read(o, after, max_bytes, &room->arena, &room->got);
}

static int by_number(const void *a, const void *b)
{
        return *(const int64_t *)a < *(const int64_t *)b ? -1 : 1;
}

static void told(struct room *room, size_t item, const char *expected)
{
        struct delivery *d = &room->got.items.items[item];
        char text[64] = "";

        qsort(d->sessions.items, d->sessions.n, sizeof(int64_t), by_number);
        for (size_t i = 0; i < d->sessions.n; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%lld", (long long)d->sessions.items[i]);
        assert_string_equal(text, expected);
}

static void each_audience_reaches_its_own_sessions_and_no_others(void **state)
{
        struct room *room = *state;

        assert_int_equal(happens(room, AUDIENCE_TICKET, ticket, alice), 5);
        assert_int_equal(happens(room, AUDIENCE_AGENTS, nobody, nobody), 2);
        assert_int_equal(happens(room, AUDIENCE_USER, alice, nobody), 3);
        assert_int_equal(happens(room, AUDIENCE_ALL, nobody, nobody), 6);
        assert_int_equal(happens(room, AUDIENCE_USER, (struct ulid){ { 99 } }, nobody), 0);
        read_on(room, room->outlet, 0, 100000);
        assert_int_equal(room->got.items.n, 4);
        told(room, 0, "1346");
        told(room, 1, "34");
        told(room, 2, "16");
        told(room, 3, "12346");
        assert_int_equal(room->got.items.items[3].cursor.n, CURSOR_TEXT);
        assert_true(str_is(room->got.items.items[3].event->data, "{\"comment\":{}}"));
        read_on(room, room->other, 0, 100000);
        assert_int_equal(room->got.items.n, 3);
        told(room, 0, "1");
}

static void an_agent_who_is_among_a_ticket_s_readers_is_told_once(void **state)
{
        struct room *room = *state;

        assert_int_equal(happens(room, AUDIENCE_TICKET, ticket, agnes), 2);
        read_on(room, room->outlet, 0, 100000);
        told(room, 0, "34");
}

static void what_was_not_acknowledged_is_told_again_and_the_rest_forgotten(void **state)
{
        struct room *room = *state;

        for (int i = 0; i < 5; i++)
                happens(room, AUDIENCE_ALL, nobody, nobody);
        read_on(room, room->outlet, 0, 1); /* at least one, however little room there is */
        assert_int_equal(room->got.items.n, 1);
        assert_int_equal(room->got.head, 1);
        read_on(room, room->outlet, 0, 100000);
        assert_int_equal(room->got.items.n, 5);
        assert_true(room->outlet->bytes > room->tail.bytes);    /* what waits counts with all that it holds */
        outlet_acknowledge(room->outlet, 3);
        read_on(room, room->outlet, 3, 100000);
        assert_int_equal(room->got.items.n, 2);
        assert_int_equal(room->got.head, 5);
        outlet_acknowledge(room->outlet, 5);
        assert_int_equal(room->outlet->bytes, 0);
        assert_null(room->outlet->first);
}

static void who_left_or_changed_role_is_told_as_they_are_now(void **state)
{
        struct room *room = *state;

        sessions_detach(&room->sessions, session(room, 4));
        attach(room, room->outlet, 2, 22, bob, SCHEMA_ROLE_AGENT);
        attach(room, room->outlet, 3, 33, agnes, SCHEMA_ROLE_CUSTOMER);
        session(room, 6)->pushed = false;       /* reads on by itself */
        happens(room, AUDIENCE_AGENTS, nobody, nobody);
        happens(room, AUDIENCE_TICKET, ticket, alice);
        read_on(room, room->outlet, 0, 100000);
        told(room, 0, "22");
        told(room, 1, "122");
        assert_int_equal(sessions_count(&room->sessions), 5);
}

static void a_session_s_name_is_its_own_user_s_and_gateway_s(void **state)
{
        struct room *room = *state;

        assert_null(attach(room, room->outlet, 1, 8, bob, SCHEMA_ROLE_CUSTOMER));
        assert_null(attach(room, room->other, 1, 8, alice, SCHEMA_ROLE_CUSTOMER));
        assert_int_equal(session(room, 1)->number, 1);
}

static void what_waits_of_a_ticket_is_withdrawn_from_one_session_alone(void **state)
{
        struct room *room = *state;

        happens(room, AUDIENCE_TICKET, ticket, alice);
        happens(room, AUDIENCE_TICKET, (struct ulid){ { 51 } }, alice);
        happens(room, AUDIENCE_USER, alice, nobody);
        outlet_withdraw(session(room, 1), ticket);
        read_on(room, room->outlet, 0, 100000);
        told(room, 0, "346");
        told(room, 1, "1346");
        told(room, 2, "16");
}

static void what_is_kept_comes_in_order_with_the_rest(void **state)
{
        struct room *room = *state;

        happens(room, AUDIENCE_ALL, nobody, nobody);
        outlet_keep(session(room, 2), STR("keep this"));
        read_on(room, room->outlet, 0, 100000);
        assert_int_equal(room->got.items.n, 2);
        told(room, 1, "2");
        assert_null(room->got.items.items[1].event);
        assert_true(room->got.items.items[1].has_keep);
        assert_true(str_is(room->got.items.items[1].keep, "keep this"));
        outlet_acknowledge(room->outlet, 2);
        assert_int_equal(room->outlet->bytes, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_audience_reaches_its_own_sessions_and_no_others, setup, teardown),
                cmocka_unit_test_setup_teardown(an_agent_who_is_among_a_ticket_s_readers_is_told_once, setup, teardown),
                cmocka_unit_test_setup_teardown(what_was_not_acknowledged_is_told_again_and_the_rest_forgotten, setup, teardown),
                cmocka_unit_test_setup_teardown(who_left_or_changed_role_is_told_as_they_are_now, setup, teardown),
                cmocka_unit_test_setup_teardown(a_session_s_name_is_its_own_user_s_and_gateway_s, setup, teardown),
                cmocka_unit_test_setup_teardown(what_waits_of_a_ticket_is_withdrawn_from_one_session_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_kept_comes_in_order_with_the_rest, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

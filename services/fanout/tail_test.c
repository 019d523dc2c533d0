/* The newest ops in memory: what a client that comes back is told from it, and what it is not. */
#include "tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct ulid alice = { { 1 } }, bob = { { 2 } }, printer = { { 50 } }, phone = { { 51 } };
static const uint8_t instance[8] = { 9 }, secret[32] = { 7 };

struct room {
        struct tail tail;
        struct arena arena;
        struct tail_page page;
};

static int setup(void **state)
{
        struct room *room = *state = calloc(1, sizeof(*room));

        tail_init(&room->tail, secret, 1024 * 1024);
        tail_begin(&room->tail, instance, 100, (const uint8_t *)"hash 100");
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        tail_deinit(&room->tail);
        arena_deinit(&room->arena);
        free(room);
        return 0;
}

static void add_item(struct room *room, enum audience audience, struct ulid target, struct ulid reader, const char *type, bool as_agent)
{
        int64_t seq = tail_end(&room->tail) + 1;
        struct event event = { .type = str_of(type), .data = STR("{}") };
        struct log_item item = { .seq = seq, .audience = audience, .target = target, .event = type ? &event : NULL,
                                 .as_agent = as_agent };
        char hash[32];

        snprintf(hash, sizeof(hash), "hash%4lld", (long long)seq);
        item.hash = (struct str){ hash, 8 };
        item.users.items = &reader;
        item.users.n = !ulid_eq(reader, (struct ulid){ 0 });
        tail_add(&room->tail, &item);
}

static void add(struct room *room, enum audience audience, struct ulid target, struct ulid reader, const char *type)
{
        add_item(room, audience, target, reader, type, false);
}

static const char *seen(struct room *room, int64_t after, struct ulid user, bool agent, size_t max)
{
        const struct tail_reader reader = { .user = user, .agent = agent, .max = max, .max_bytes = 100000 };
        static char text[2000];

        tail_read(&room->tail, after, &reader, &room->arena, &room->page);
        text[0] = '\0';
        for (size_t i = 0; i < room->page.n; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s ", STR_ARG(room->page.events[i].type));
        return text;
}

static enum tail_place find(struct room *room, const uint8_t of[8], int64_t seq, const char *hash, int64_t *ret_seq)
{
        struct cursor c = { .seq = seq };
        char text[CURSOR_TEXT];

        memcpy(c.instance, of, 8);
        memcpy(c.hash, hash, 8);
        cursor_write(&room->tail.key, &c, text);
        return tail_find(&room->tail, (struct str){ text, CURSOR_TEXT }, ret_seq);
}

static void each_is_told_what_they_may_see_from_where_they_were(void **state)
{
        struct room *room = *state;

        add(room, AUDIENCE_TICKET, printer, alice, "hers");
        add(room, AUDIENCE_TICKET, phone, bob, "his");
        add(room, AUDIENCE_AGENTS, (struct ulid){ 0 }, (struct ulid){ 0 }, "note");
        add(room, AUDIENCE_USER, bob, (struct ulid){ 0 }, "bob");
        add(room, AUDIENCE_TICKET, printer, alice, NULL);
        add(room, AUDIENCE_ALL, (struct ulid){ 0 }, (struct ulid){ 0 }, "all");
        assert_string_equal(seen(room, 100, alice, false, 100), "hers all ");
        assert_string_equal(seen(room, 100, bob, false, 100), "his bob all ");
        assert_string_equal(seen(room, 100, bob, true, 100), "hers his note bob all ");
        assert_string_equal(seen(room, 102, bob, true, 100), "note bob all ");
        assert_string_equal(seen(room, 106, bob, true, 100), "");
        assert_int_equal(room->page.to, 106);
}

static void what_is_for_an_agent_is_not_told_where_they_have_a_customers_rights(void **state)
{
        struct room *room = *state;

        add_item(room, AUDIENCE_USER, bob, (struct ulid){ 0 }, "view", true);
        add(room, AUDIENCE_USER, bob, (struct ulid){ 0 }, "gained");
        assert_string_equal(seen(room, 100, bob, true, 100), "view gained ");
        assert_string_equal(seen(room, 100, bob, false, 100), "gained ");
        assert_string_equal(seen(room, 100, alice, true, 100), "");
}

static void a_page_ends_before_what_has_no_room_and_goes_on_from_there(void **state)
{
        struct room *room = *state;

        for (int i = 0; i < 5; i++)
                add(room, AUDIENCE_TICKET, i == 2 ? phone : printer, i == 2 ? bob : alice, "e");
        assert_string_equal(seen(room, 100, alice, false, 2), "e e ");
        assert_true(room->page.more);
        assert_int_equal(room->page.to, 103);    /* past what is not hers */
        assert_string_equal(seen(room, room->page.to, alice, false, 2), "e e ");
        assert_false(room->page.more);
        assert_int_equal(room->page.to, 105);
}

static void what_somebody_lost_access_to_is_not_told_however_old(void **state)
{
        struct room *room = *state;

        add(room, AUDIENCE_TICKET, printer, alice, "secret");
        assert_string_equal(seen(room, 100, alice, false, 100), "secret ");
        add(room, AUDIENCE_TICKET, printer, bob, "watchers");
        add(room, AUDIENCE_USER, alice, (struct ulid){ 0 }, "access.lost");
        assert_string_equal(seen(room, 100, alice, false, 100), "access.lost ");
        assert_string_equal(seen(room, 100, bob, false, 100), "secret watchers ");
}

static void who_meets_a_change_of_their_own_role_begins_anew(void **state)
{
        struct room *room = *state;

        add(room, AUDIENCE_ALL, (struct ulid){ 0 }, (struct ulid){ 0 }, "all");
        add(room, AUDIENCE_USER, alice, (struct ulid){ 0 }, "role.changed");
        assert_string_equal(seen(room, 100, bob, false, 100), "all ");
        assert_false(room->page.role_changed);
        seen(room, 100, alice, false, 100);
        assert_true(room->page.role_changed);
        assert_string_equal(seen(room, 102, alice, false, 100), "");
        assert_false(room->page.role_changed);
}

static void a_cursor_is_taken_at_its_word_only_where_its_hash_is_the_op_s(void **state)
{
        static const uint8_t other[8] = { 8 };
        struct room *room = *state;
        int64_t seq = 0;
        char text[CURSOR_TEXT];

        add(room, AUDIENCE_ALL, (struct ulid){ 0 }, (struct ulid){ 0 }, "all");
        assert_int_equal(find(room, instance, 100, "hash 100", &seq), TAIL_HERE);
        assert_int_equal(seq, 100);
        assert_int_equal(find(room, instance, 101, "hash 101", &seq), TAIL_HERE);
        assert_int_equal(seq, 101);
        assert_int_equal(find(room, instance, 101, "hash 999", &seq), TAIL_LOST);
        assert_int_equal(find(room, other, 101, "hash 101", &seq), TAIL_UNKNOWN);
        assert_int_equal(find(room, instance, 99, "hash  99", &seq), TAIL_UNKNOWN);
        assert_int_equal(find(room, instance, 102, "hash 102", &seq), TAIL_UNKNOWN);
        memcpy(text, tail_cursor(&room->tail, 101, &room->arena).p, CURSOR_TEXT);
        assert_int_equal(tail_find(&room->tail, (struct str){ text, CURSOR_TEXT }, &seq), TAIL_HERE);
        text[7] = text[7] == 'A' ? 'B' : 'A';
        assert_int_equal(tail_find(&room->tail, (struct str){ text, CURSOR_TEXT }, &seq), TAIL_FORGED);
        assert_int_equal(tail_find(&room->tail, STR("x"), &seq), TAIL_FORGED);
}

static void old_ops_make_room_and_their_readers_are_forgotten_with_them(void **state)
{
        struct room *room = *state;
        int64_t seq = 0;
        char hash[32];

        tail_deinit(&room->tail);
        tail_init(&room->tail, secret, 20000);
        tail_begin(&room->tail, instance, 100, NULL);
        assert_int_equal(find(room, instance, 100, "hash 100", &seq), TAIL_UNKNOWN);     /* its hash is not known */
        for (int i = 0; i < 3000; i++)
                add(room, AUDIENCE_TICKET, (struct ulid){ { 3, (uint8_t)(i >> 8), (uint8_t)i } }, alice, "e");
        assert_true(room->tail.bytes <= 20000);
        assert_int_equal(HASH_COUNT(room->tail.by_ticket), room->tail.n);
        assert_int_equal(tail_end(&room->tail), 3100);
        assert_true(room->tail.start > 100);
        snprintf(hash, sizeof(hash), "hash%4lld", (long long)room->tail.start);
        assert_int_equal(find(room, instance, room->tail.start, hash, &seq), TAIL_HERE);
        assert_int_equal(strlen(seen(room, room->tail.start, alice, false, 4096)), 2 * room->tail.n);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_is_told_what_they_may_see_from_where_they_were, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_for_an_agent_is_not_told_where_they_have_a_customers_rights, setup, teardown),
                cmocka_unit_test_setup_teardown(a_page_ends_before_what_has_no_room_and_goes_on_from_there, setup, teardown),
                cmocka_unit_test_setup_teardown(what_somebody_lost_access_to_is_not_told_however_old, setup, teardown),
                cmocka_unit_test_setup_teardown(who_meets_a_change_of_their_own_role_begins_anew, setup, teardown),
                cmocka_unit_test_setup_teardown(a_cursor_is_taken_at_its_word_only_where_its_hash_is_the_op_s, setup, teardown),
                cmocka_unit_test_setup_teardown(old_ops_make_room_and_their_readers_are_forgotten_with_them, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

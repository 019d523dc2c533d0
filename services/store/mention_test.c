/* Who is told that they were named, and who is not. */
#include "store_room.h"
#include "schema/mention.h"

static size_t mentions(struct room *room, enum who who, struct mention_list_result *ret)
{
        struct mention_list_result page = { 0 };

        ret = ret ? ret : &page;
        assert_int_equal(room_call(room, who, &schema_method_mention_list, &(struct mention_list){ .limit = 200 }, ret), 0);
        return ret->items.n;
}

static void a_name_behind_an_at_is_told_to_who_has_it(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        const struct {
                const char *body;
                bool told;
        } all[] = {
                { "@Arthur, please", true }, { "Ask @arthur", true }, { "(@ARTHUR)", true }, { "@Arthur", true }, { "é @Arthur", true },
                { "Arthur", false }, { "arthur@Arthur.example", false }, { "@Arthurs", false }, { "@ Arthur", false }, { "@Arth", false }, { "@", false },
                { "@Arthur9", false }, { "@@Arthur", true },
        };
        size_t n = 0;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                assert_int_equal(room_reply(room, AGNES, ticket, all[i].body, NULL), 0);
                n += all[i].told;
                if (mentions(room, ARTHUR, NULL) != n)
                        fail_msg("%s", all[i].body);
        }
        assert_int_equal(mentions(room, AGNES, NULL), 0);
        room_proof(room);
}

static void the_longest_name_is_meant(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;

        room_person(room, ARTHUR, "Agnes Miller", SCHEMA_ROLE_AGENT, true);
        assert_int_equal(room_reply(room, ALICE, ticket, "@Agnes Miller knows", NULL), 0);
        assert_int_equal(mentions(room, ARTHUR, NULL), 1);
        assert_int_equal(mentions(room, AGNES, NULL), 0);
        assert_int_equal(room_reply(room, ALICE, ticket, "@Agnes Mill knows", NULL), 0);
        assert_int_equal(mentions(room, ARTHUR, NULL), 1);
        assert_int_equal(mentions(room, AGNES, NULL), 1);
        room_proof(room);
}

static void only_who_may_see_it_is_told(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct mention_list_result list;
        struct comment note;

        assert_int_equal(room_reply(room, AGNES, ticket, "@Bob @Alice @Agnes", NULL), 0);
        assert_int_equal(mentions(room, ALICE, NULL), 1);
        assert_int_equal(mentions(room, BOB, NULL), 0);   /* not their ticket */
        assert_int_equal(mentions(room, AGNES, NULL), 0); /* oneself */
        assert_int_equal(room_note(room, AGNES, ticket, "@Alice must not know, @Arthur", &note), 0);
        assert_int_equal(mentions(room, ALICE, NULL), 1);
        assert_int_equal(mentions(room, ARTHUR, &list), 1);
        assert_true(list.items.items[0].note && ulid_eq(list.items.items[0].comment, note.id) && ulid_eq(list.items.items[0].by, room->users[AGNES]));
        room_person(room, ARTHUR, "Arthur", SCHEMA_ROLE_CUSTOMER, true);
        room_proof(room);
}

static void an_edit_tells_whom_it_names_anew_and_nobody_twice(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct comment comment;
        const char *const bodies[] = { "@Arthur, @Ada", "@Arthur", "@Ada and @Arthur" };

        assert_int_equal(room_reply(room, AGNES, ticket, "@Arthur @Arthur", &comment), 0);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(room_call(room, AGNES, &schema_method_comment_edit,
                                           &(struct comment_edit){ .comment = comment.id, .body = str_of(bodies[i]), .has_op_id = true, .op_id = room_id(room) },
                                           &(struct comment_edit_result){ 0 }), 0);
        assert_int_equal(mentions(room, ARTHUR, NULL), 1);
        assert_int_equal(mentions(room, ADMIN, NULL), 1);
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_delete,
                                   &(struct comment_delete){ .comment = comment.id, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_delete_result){ 0 }), 0);
        assert_int_equal(mentions(room, ARTHUR, NULL), 0); /* there is nothing to read any more */
        room_proof(room);
}

static void who_watches_no_more_finds_no_mention(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct ticket_set set = { .ticket = ticket, .has_add_watchers = true, .add_watchers = { &room->users[BOB], 1 } };

        assert_int_equal(room_set(room, AGNES, set, NULL), 0);
        assert_int_equal(room_reply(room, AGNES, ticket, "@Bob", NULL), 0);
        assert_int_equal(mentions(room, BOB, NULL), 1);
        set.has_add_watchers = false;
        set.has_remove_watchers = true;
        set.remove_watchers.items = &room->users[BOB];
        set.remove_watchers.n = 1;
        assert_int_equal(room_set(room, AGNES, set, NULL), 0);
        assert_int_equal(mentions(room, BOB, NULL), 0);
        room_proof(room);
}

static void pages_go_back_in_time(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct mention_list list = { .limit = 2 };
        struct mention_list_result page;
        int64_t last = INT64_MAX;
        size_t n = 0;

        for (int i = 0; i < 5; i++) {
                room->now_ms += 1000;
                assert_int_equal(room_reply(room, AGNES, ticket, "@Arthur", NULL), 0);
        }
        do {
                assert_int_equal(room_call(room, ARTHUR, &schema_method_mention_list, &list, &page), 0);
                for (size_t i = 0; i < page.items.n; i++) {
                        assert_true(page.items.items[i].at < last);
                        last = page.items.items[i].at;
                }
                n += page.items.n;
                list.has_after = page.has_next;
                list.after = page.next;
        } while (page.has_next);
        assert_int_equal(n, 5);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_name_behind_an_at_is_told_to_who_has_it, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(the_longest_name_is_meant, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(only_who_may_see_it_is_told, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(an_edit_tells_whom_it_names_anew_and_nobody_twice, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(who_watches_no_more_finds_no_mention, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(pages_go_back_in_time, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Invented tickets: the same for the same seed, filed once, and a desk like any other. */
#include "store_room.h"
#include "schema/search.h"
#include "schema/seed.h"

static int seed(struct room *room, struct store_seed in, struct store_seed_result *ret)
{
        static struct ulid agents[2], customers[2];

        agents[0] = room->users[AGNES];
        agents[1] = room->users[ARTHUR];
        customers[0] = room->users[ALICE];
        customers[1] = room->users[BOB];
        in.agents.items = agents;
        in.agents.n = 2;
        in.customers.items = customers;
        in.customers.n = 2;
        in.until_at = in.until_at ? in.until_at : room->now_ms;
        in.total = in.total ? in.total : 60;
        in.has_op_id = true;
        in.op_id = room_id(room);
        return room_call(room, OPERATOR, &schema_method_store_seed, &in, ret);
}

/* The subjects in the order of their numbers. */
static struct str subjects(struct room *room)
{
        struct buf all = { 0 };
        struct str r;

        for (int64_t n = 1;; n++) {
                struct ticket_get_result got;

                if (room_call(room, AGNES, &schema_method_ticket_get, &(struct ticket_get){ .has_number = true, .number = n }, &got))
                        break;
                buf_format(&all, "%.*s %lld %lld\n", STR_ARG(got.ticket.subject), (long long)got.ticket.created_at, (long long)got.ticket.comments);
        }
        r = arena_str(&room->arena, buf_view(&all));
        buf_deinit(&all);
        return r;
}

static void the_same_seed_gives_the_same_tickets_in_whatever_pages(void **state)
{
        struct room *room = *state, *other;
        struct store_seed_result made, again;
        void *second;

        assert_int_equal(seed(room, (struct store_seed){ .seed = 7, .count = 60 }, &made), 0);
        assert_true(made.tickets == 60 && made.comments > 300 && made.attachments > 0 && made.bytes > 50000);
        assert_int_equal(room_setup(&second), 0);
        other = second;
        assert_int_equal(seed(other, (struct store_seed){ .seed = 7, .count = 20 }, &again), 0);
        assert_int_equal(seed(other, (struct store_seed){ .seed = 7, .count = 40, .first = 20 }, &again), 0);
        assert_true(str_eq(subjects(room), subjects(other)));
        room_proof(room);
        room_proof(other);
        room_teardown(&second);
}

static void what_is_there_is_not_filed_again(void **state)
{
        struct room *room = *state;
        struct store_seed_result made;

        assert_int_equal(seed(room, (struct store_seed){ .seed = 1, .count = 10 }, &made), 0);
        assert_int_equal(seed(room, (struct store_seed){ .seed = 1, .count = 20 }, &made), 0);
        assert_int_equal(made.tickets, 10);
        assert_int_equal(seed(room, (struct store_seed){ .seed = 2, .count = 5 }, &made), 0);
        assert_int_equal(made.tickets, 5);
        room_proof(room);
}

static void it_is_a_desk_to_work_on(void **state)
{
        struct room *room = *state;
        struct store_seed_result made;
        struct ticket_list_result list;
        struct attachment_read_result piece;
        struct comment_list_result comments;
        bool found = false;

        assert_int_equal(seed(room, (struct store_seed){ .seed = 3, .count = 60 }, &made), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_list, &(struct ticket_list){ .limit = 200 }, &list), 0);
        assert_int_equal(list.items.n, 60);
        for (size_t i = 0; i < list.items.n && !found; i++) {
                assert_int_equal(room_call(room, AGNES, &schema_method_comment_list,
                                           &(struct comment_list){ .ticket = list.items.items[i].id, .limit = 200 }, &comments), 0);
                assert_int_equal(comments.items.n, list.items.items[i].comments);
                assert_true(ulid_eq(comments.items.items[0].author, list.items.items[i].requester)); /* who asks */
                for (size_t k = 0; k < comments.items.n && !found; k++) {
                        if (!comments.items.items[k].attachments.n)
                                continue;
                        assert_int_equal(room_call(room, AGNES, &schema_method_attachment_read,
                                                   &(struct attachment_read){ .attachment = comments.items.items[k].attachments.items[0].id, .length = 1000 },
                                                   &piece), 0);
                        assert_memory_equal(piece.data.p, "\x89PNG", 4);
                        found = true;
                }
        }
        assert_true(found);
        assert_int_equal(room_reply(room, AGNES, list.items.items[0].id, "A real answer", NULL), 0);
        room_proof(room);
}

static void what_is_wrong_is_said_and_leaves_nothing(void **state)
{
        struct room *room = *state;
        struct store_seed_result made;
        struct ticket_list_result list;

        assert_int_equal(seed(room, (struct store_seed){ .seed = 1, .count = 61 }, &made), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "total"));
        room_person(room, BOB, "Bob", SCHEMA_ROLE_CUSTOMER, false);
        assert_int_equal(seed(room, (struct store_seed){ .seed = 1, .count = 60 }, &made), FAULT_CONFLICT);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_list, &(struct ticket_list){ .limit = 200 }, &list), 0);
        assert_int_equal(list.items.n, 0);
}

/* To rank a text it is read, so of those with a word that all have, only the newest are. */
static void the_best_are_looked_for_among_the_newest_texts(void **state)
{
        struct ticket_search in = { .query = STR("the"), .limit = 10, .order = SEARCH_ORDER_BEST };
        struct room *room = *state;
        struct ticket_search_result found;
        struct store_seed_result made;
        struct ulid old = room_ticket(room, ALICE, "The the the the").id;
        int64_t texts;

        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &in, &found), 0);
        assert_true(found.items.n == 1 && ulid_eq(found.items.items[0].ticket.id, old));
        for (int i = 0; i < 25; i++)
                assert_int_equal(seed(room, (struct store_seed){ .seed = 3, .first = 60 * i, .count = 60, .total = 1500 }, &made), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &in, &found), 0);
        assert_int_equal(found.items.n, 10);
        for (size_t i = 0; i < found.items.n; i++)
                assert_false(ulid_eq(found.items.items[i].ticket.id, old));
        assert_int_equal(db_int(room->store->follow_db, &texts, "SELECT count(*) FROM search_public WHERE search_public MATCH 'the'", ""), 0);
        assert_true(texts > 10000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_best_are_looked_for_among_the_newest_texts, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_tickets_in_whatever_pages, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_there_is_not_filed_again, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(it_is_a_desk_to_work_on, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_wrong_is_said_and_leaves_nothing, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Links: seen from both ends by those who may see both, limited, without circles. */
#include "store_room.h"
#include "link.h"

static int add(struct room *room, enum who who, struct ulid ticket, int kind, struct ulid other, struct link_add_result *ret)
{
        struct link_add_result made;

        return room_call(room, who, &schema_method_link_add,
                         &(struct link_add){ .ticket = ticket, .kind = kind, .other = other, .has_op_id = true, .op_id = room_id(room) },
                         ret ? ret : &made);
}

static int cut(struct room *room, struct ulid ticket, int kind, struct ulid other)
{
        struct link_remove_result made;

        return room_call(room, AGNES, &schema_method_link_remove,
                         &(struct link_remove){ .ticket = ticket, .kind = kind, .other = other, .has_op_id = true, .op_id = room_id(room) }, &made);
}

static struct link_list_result list(struct room *room, enum who who, struct ulid ticket)
{
        struct link_list_result all;

        assert_int_equal(room_call(room, who, &schema_method_link_list, &(struct link_list){ .ticket = ticket }, &all), 0);
        return all;
}

static int64_t ops(struct room *room)
{
        int64_t n;

        assert_int_equal(db_int(room->store->follow_db, &n, "SELECT count(*) FROM op", ""), 0);
        return n;
}

static void a_link_is_seen_from_both_ends(void **state)
{
        static const int kinds[][2] = { { LINK_KIND_PARENT, LINK_KIND_CHILD },
                                        { LINK_KIND_BLOCKS, LINK_KIND_BLOCKED_BY },
                                        { LINK_KIND_DUPLICATE_OF, LINK_KIND_DUPLICATED_BY },
                                        { LINK_KIND_RELATES, LINK_KIND_RELATES } };
        struct room *room = *state;
        struct ticket one = room_ticket(room, ALICE, "One"), two = room_ticket(room, BOB, "Two");
        struct link_list_result seen;
        struct link_add_result made;

        for (size_t i = 0; i < 4; i++) {
                for (int from_other_end = 0; from_other_end < 2; from_other_end++) {
                        if (from_other_end)
                                assert_int_equal(add(room, AGNES, two.id, kinds[i][1], one.id, &made), 0);
                        else
                                assert_int_equal(add(room, AGNES, one.id, kinds[i][0], two.id, &made), 0);
                        assert_true(made.links.n == 1 && made.links.items[0].kind == kinds[i][from_other_end]);
                        seen = list(room, ARTHUR, two.id);
                        assert_true(seen.links.n == 1 && seen.links.items[0].kind == kinds[i][1]);
                        assert_true(ulid_eq(seen.links.items[0].ticket, one.id) && seen.links.items[0].number == one.number);
                        assert_true(str_is(seen.links.items[0].subject, "One") && seen.links.items[0].state == TICKET_STATE_NEW);
                        assert_int_equal(cut(room, two.id, kinds[i][1], one.id), 0);
                        assert_int_equal(list(room, AGNES, one.id).links.n, 0);
                }
        }
        room_proof(room);
}

static void what_is_there_already_is_no_change(void **state)
{
        struct room *room = *state;
        struct ulid one = room_ticket(room, ALICE, "One").id, two = room_ticket(room, BOB, "Two").id;
        int64_t before;

        assert_int_equal(add(room, AGNES, one, LINK_KIND_RELATES, two, NULL), 0);
        before = ops(room);
        assert_int_equal(add(room, AGNES, one, LINK_KIND_RELATES, two, NULL), 0);
        assert_int_equal(add(room, AGNES, two, LINK_KIND_RELATES, one, NULL), 0);
        assert_int_equal(cut(room, one, LINK_KIND_BLOCKS, two), 0);
        assert_int_equal(ops(room), before);
        assert_int_equal(cut(room, two, LINK_KIND_RELATES, one), 0);
        assert_int_equal(list(room, AGNES, one).links.n, 0);
}

static void customers_see_links_whose_other_end_they_see(void **state)
{
        struct room *room = *state;
        struct ticket one = room_ticket(room, ALICE, "One"), two = room_ticket(room, ALICE, "Two"), hers = room_ticket(room, BOB, "Hers"), now = { 0 };
        struct op_since_result since;
        struct str cursor;

        assert_int_equal(room_get(room, ALICE, one.id, &one, &cursor), 0);
        room->now_ms += 1000;
        assert_int_equal(add(room, AGNES, one.id, LINK_KIND_BLOCKS, hers.id, NULL), 0);
        assert_int_equal(list(room, ALICE, one.id).links.n, 0);
        assert_int_equal(room_get(room, ALICE, one.id, &now, NULL), 0);
        assert_int_equal(now.changed_at, one.changed_at);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_int_equal(since.events.n, 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_true(since.events.n == 1 && str_is(since.events.items[0].type, "link.added"));
        assert_int_equal(add(room, AGNES, one.id, LINK_KIND_PARENT, two.id, NULL), 0);
        assert_int_equal(list(room, ALICE, one.id).links.n, 1);
        assert_int_equal(list(room, ALICE, two.id).links.items[0].kind, LINK_KIND_CHILD);
        assert_int_equal(add(room, ALICE, one.id, LINK_KIND_RELATES, two.id, NULL), FAULT_FORBIDDEN);
        assert_int_equal(room_call(room, BOB, &schema_method_link_list, &(struct link_list){ .ticket = one.id }, &(struct link_list_result){ 0 }),
                         FAULT_NOT_FOUND);
        room_proof(room);
}

static void no_ticket_is_a_part_of_its_own_parts(void **state)
{
        struct room *room = *state;
        struct ulid t[4];

        for (int i = 0; i < 4; i++)
                t[i] = room_ticket(room, ALICE, "Part").id;
        for (int i = 0; i < 3; i++)
                assert_int_equal(add(room, AGNES, t[i], LINK_KIND_PARENT, t[i + 1], NULL), 0);
        assert_int_equal(add(room, AGNES, t[3], LINK_KIND_PARENT, t[0], NULL), FAULT_CONFLICT);
        assert_int_equal(add(room, AGNES, t[0], LINK_KIND_CHILD, t[3], NULL), FAULT_CONFLICT);
        assert_int_equal(add(room, AGNES, t[3], LINK_KIND_BLOCKS, t[0], NULL), 0);
        assert_int_equal(cut(room, t[1], LINK_KIND_PARENT, t[2]), 0);
        assert_int_equal(add(room, AGNES, t[3], LINK_KIND_PARENT, t[0], NULL), 0);
        room_plans(room);
        room_proof(room);
}

static void what_cannot_be_linked_is_refused(void **state)
{
        struct room *room = *state;
        struct ulid one = room_ticket(room, ALICE, "One").id, two = room_ticket(room, ALICE, "Two").id, other;

        assert_int_equal(add(room, AGNES, one, LINK_KIND_RELATES, one, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "other"));
        assert_int_equal(add(room, AGNES, one, LINK_KIND_FOLLOWED_UP_BY, two, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "kind"));
        assert_int_equal(add(room, AGNES, one, LINK_KIND_RELATES, room_id(room), NULL), FAULT_NOT_FOUND);
        for (int i = 0; i < LINKS_MAX; i++) {
                other = room_ticket(room, ALICE, "Many").id;
                assert_int_equal(i % 2 ? add(room, AGNES, one, LINK_KIND_BLOCKS, other, NULL) : add(room, AGNES, other, LINK_KIND_RELATES, one, NULL), 0);
        }
        assert_int_equal(add(room, AGNES, one, LINK_KIND_BLOCKS, two, NULL), FAULT_TOO_LARGE);
        assert_int_equal(add(room, AGNES, two, LINK_KIND_BLOCKS, one, NULL), FAULT_TOO_LARGE);
        assert_int_equal(list(room, AGNES, one).links.n, LINKS_MAX);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_link_is_seen_from_both_ends, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_there_already_is_no_change, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(customers_see_links_whose_other_end_they_see, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(no_ticket_is_a_part_of_its_own_parts, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_linked_is_refused, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* In steady state a comment takes nothing from the heap but what SQLite takes for itself: counted, not timed. */
#include "heap_count.h"
#include "schema/search.h"
#include "store_room.h"

static void add_comments(struct room *room, struct str caller, struct ulid ticket, int n)
{
        struct comment_add_result made;

        for (int i = 0; i < n; i++) {
                struct comment_add in = { .ticket = ticket, .body = STR("a few words"), .has_op_id = true, .op_id = room_id(room) };

                assert_int_equal(rpc_call_wait(room->client, &(struct rpc_request){ .method = &schema_method_comment_add, .params = &in,
                                                                                    .caller = caller, .request = STR("test") },
                                               &room->arena, &made, &room->fault), 0);
                arena_reset(&room->arena);
        }
}

static void a_warm_store_adds_comments_without_the_heap(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "A question");
        struct caller caller = { .user = room->users[AGNES], .device = STR("loopback:127.0.0.2"), .role = SCHEMA_ROLE_AGENT,
                                 .expires_at = room->now_ms + 600000 };
        struct buf sealed = { 0 };
        struct ticket_search_result found;
        long before;

        if (!heap_counts) {
                print_message("skipped: a_warm_store_adds_comments_without_the_heap: the sanitizer has the heap\n");
                skip();
        }
        caller_seal(room->store->caller_key, &caller, &sealed);
        assert_true(atomic_load(&heap_taken) > 0); /* it does count */
        add_comments(room, buf_view(&sealed), ticket.id, STORE_CHECKPOINT_OPS); /* past the first of all that is done now and then */
        /* The index of texts has all, and takes in nothing while it is not that far behind again, however slow the machine is. */
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &(struct ticket_search){ .query = STR("words"), .limit = 1 }, &found), 0);
        add_comments(room, buf_view(&sealed), ticket.id, 20);
        before = atomic_load(&heap_taken);
        add_comments(room, buf_view(&sealed), ticket.id, 200);
        assert_int_equal(atomic_load(&heap_taken) - before, 0);
        buf_deinit(&sealed);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_warm_store_adds_comments_without_the_heap, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a customer's reply makes of a ticket that is over. */
#include "reopen.h"
#include "store_room.h"
#include "schema/link.h"
#include "schema/merge.h"

static const int64_t late_ms = (int64_t)REOPEN_DAYS * 24 * 60 * 60 * 1000;

static struct ticket seen(struct room *room, enum who who, struct ulid ticket)
{
        struct ticket now = { 0 };

        assert_int_equal(room_get(room, who, ticket, &now, NULL), 0);
        return now;
}

/* What it is a follow-up of, as somebody sees it; zero: of none. */
static struct ulid follows(struct room *room, enum who who, struct ulid ticket)
{
        struct link_list_result got;

        assert_int_equal(room_call(room, who, &schema_method_link_list, &(struct link_list){ .ticket = ticket }, &got), 0);
        for (size_t i = 0; i < got.links.n; i++)
                if (got.links.items[i].kind == LINK_KIND_FOLLOW_UP)
                        return got.links.items[i].ticket;
        return (struct ulid){ 0 };
}

/* A ticket of Alice's that was closed just now. */
static struct ticket closed(struct room *room, const char *subject)
{
        struct ticket ticket = room_ticket(room, ALICE, subject), now;

        room->now_ms += 1000;
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_CLOSED }, &now), 0);
        return now;
}

static struct comment_add_result reply(struct room *room, enum who who, struct comment_add params)
{
        struct comment_add_result made = { 0 };

        params.body = STR("It is back.");
        if (!params.has_op_id)
                params.op_id = room_id(room);
        params.has_op_id = true;
        assert_int_equal(room_call(room, who, &schema_method_comment_add, &params, &made), 0);
        return made;
}

static void a_reply_in_the_last_millisecond_reopens(void **state)
{
        struct room *room = *state;
        struct ticket ticket = closed(room, "The printer is on fire");
        struct comment_add_result made;

        room->now_ms += late_ms - 1;
        made = reply(room, ALICE, (struct comment_add){ .ticket = ticket.id });
        assert_null(made.follow_up);
        assert_true(ulid_eq(made.comment.ticket, ticket.id));
        assert_int_equal(seen(room, ALICE, ticket.id).state, TICKET_STATE_OPEN);
        room_proof(room);
}

static void a_reply_one_millisecond_later_begins_a_follow_up(void **state)
{
        struct room *room = *state;
        struct ulid watchers[] = { room->users[BOB], room->users[ARTHUR] };
        struct ticket ticket = closed(room, "The printer is on fire"), now;
        struct comment_add add = { .ticket = ticket.id, .has_op_id = true };
        struct comment_add_result made, again;
        int64_t head;

        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_add_watchers = true, .add_watchers = { watchers, 2 } }, NULL), 0);
        room->now_ms += late_ms;
        add.op_id = room_id(room);
        made = reply(room, ALICE, add);
        assert_non_null(made.follow_up);
        now = *made.follow_up;
        assert_int_equal(now.number, 2);
        assert_true(str_is(now.subject, "The printer is on fire"));
        assert_true(ulid_eq(follows(room, ALICE, now.id), ticket.id));
        assert_true(ulid_eq(now.requester, room->users[ALICE]) && now.watchers.n == 2);
        assert_int_equal(now.state, TICKET_STATE_NEW);
        assert_int_equal(now.comments, 1);
        assert_true(ulid_eq(now.newest_comment, made.comment.id) && ulid_eq(made.comment.ticket, now.id));
        assert_int_equal(seen(room, ALICE, ticket.id).state, TICKET_STATE_CLOSED);
        assert_int_equal(seen(room, BOB, now.id).comments, 1);

        head = room->store->head;
        again = reply(room, ALICE, add);
        assert_true(again.follow_up && again.follow_up->number == 2 && ulid_eq(again.comment.id, made.comment.id));
        assert_int_equal(room->store->head, head);
        room_proof(room);
}

static void who_replies_again_finds_the_same_follow_up(void **state)
{
        struct room *room = *state;
        struct ticket ticket = closed(room, "Again"), other;
        struct comment_add_result made;

        room->now_ms += late_ms;
        made = reply(room, ALICE, (struct comment_add){ .ticket = ticket.id });
        other = *made.follow_up;
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = other.id, .has_state = true, .state = TICKET_STATE_SOLVED }, NULL), 0);
        made = reply(room, ALICE, (struct comment_add){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_OPEN });
        assert_true(made.follow_up && ulid_eq(made.follow_up->id, other.id) && made.follow_up->state == TICKET_STATE_OPEN);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = other.id, .has_state = true, .state = TICKET_STATE_CLOSED }, NULL), 0);
        room->now_ms += late_ms + 1;
        made = reply(room, ALICE, (struct comment_add){ .ticket = ticket.id });
        assert_true(made.follow_up && made.follow_up->number == 3 && ulid_eq(follows(room, ALICE, made.follow_up->id), other.id));
        room_proof(room);
}

static void what_is_over_stays_so_by_other_ways(void **state)
{
        struct room *room = *state;
        struct ticket ticket = closed(room, "Over");
        struct comment_add_result made;

        room->now_ms += late_ms;
        for (int to = TICKET_STATE_OPEN; to <= TICKET_STATE_SOLVED; to += TICKET_STATE_SOLVED - TICKET_STATE_OPEN) {
                assert_int_equal(room_set(room, ALICE, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = to }, NULL), FAULT_INVALID_PARAMS);
                assert_true(str_is(room->fault.field, "state"));
        }
        made = reply(room, ALICE, (struct comment_add){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_CLOSED });
        assert_null(made.follow_up); /* "thank you" */
        made = reply(room, AGNES, (struct comment_add){ .ticket = ticket.id });
        assert_null(made.follow_up);
        assert_int_equal(seen(room, ALICE, ticket.id).state, TICKET_STATE_CLOSED);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_OPEN }, NULL), 0);
        room_proof(room);
}

/* Work goes on at the target, which is over for long; Bob, who sees the source alone, writes there. */
static void a_late_reply_to_a_merged_ticket_follows_up_on_the_one_it_was_merged_into(void **state)
{
        struct room *room = *state;
        struct ulid source = room_ticket(room, ALICE, "Source").id, target = closed(room, "Target").id;
        struct ticket_merge merge = { .ticket = source, .into = target, .has_op_id = true, .op_id = room_id(room) };
        struct comment_add_result made;

        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = source, .has_add_watchers = true, .add_watchers = { &room->users[BOB], 1 } }, NULL), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_merge, &merge, &(struct ticket_merge_result){ 0 }), 0);
        room->now_ms += late_ms;
        made = reply(room, ALICE, (struct comment_add){ .ticket = source });
        assert_true(made.follow_up && ulid_eq(follows(room, ALICE, made.follow_up->id), target));
        assert_int_equal(seen(room, ALICE, target).state, TICKET_STATE_CLOSED);
        made = reply(room, BOB, (struct comment_add){ .ticket = source });
        assert_null(made.follow_up);
        assert_int_equal(seen(room, AGNES, target).state, TICKET_STATE_OPEN); /* nobody overlooks what he wrote */
        room_proof(room);
}

/* Bob watches the follow-up alone: he does not learn of what it follows. */
static void a_follow_up_tells_of_the_other_one_only_who_sees_that(void **state)
{
        struct room *room = *state;
        struct ticket ticket = closed(room, "Private");
        struct ticket_set set = { .has_add_watchers = true, .add_watchers = { &room->users[BOB], 1 } };
        struct comment_add_result made;

        room->now_ms += late_ms;
        made = reply(room, ALICE, (struct comment_add){ .ticket = ticket.id });
        set.ticket = made.follow_up->id;
        assert_int_equal(room_set(room, AGNES, set, NULL), 0);
        assert_true(ulid_is_zero(follows(room, BOB, set.ticket)));
        assert_true(ulid_eq(follows(room, ALICE, set.ticket), ticket.id));
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_reply_in_the_last_millisecond_reopens, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_reply_one_millisecond_later_begins_a_follow_up, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(who_replies_again_finds_the_same_follow_up, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_over_stays_so_by_other_ways, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_late_reply_to_a_merged_ticket_follows_up_on_the_one_it_was_merged_into, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_follow_up_tells_of_the_other_one_only_who_sees_that, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

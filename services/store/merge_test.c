/* Merging and splitting are pointers: what was written stays where it was written, and undoing one brings back what was. */
#include "store_room.h"
#include "fold.h"
#include "thread.h"
#include "schema/merge.h"
#include "schema/read.h"
#include "schema/undo.h"

static int merge(struct room *room, struct ulid ticket, struct ulid into, struct ulid *ret_command)
{
        struct ticket_merge in = { .ticket = ticket, .into = into, .has_op_id = true, .op_id = room_id(room) };

        if (ret_command)
                *ret_command = in.op_id;
        return room_call(room, AGNES, &schema_method_ticket_merge, &in, &(struct ticket_merge_result){ 0 });
}

static int split(struct room *room, struct ulid ticket, const struct ulid *comments, size_t n, struct ticket_split_result *ret)
{
        struct ticket_split in = { .ticket = ticket, .comments = { (struct ulid *)(uintptr_t)comments, n }, .subject = STR("Split off"), .has_op_id = true,
                                   .op_id = room_id(room) };

        return room_call(room, AGNES, &schema_method_ticket_split, &in, ret);
}

static int undo_as(struct room *room, enum who who, struct ulid command)
{
        return room_call(room, who, &schema_method_command_undo,
                         &(struct command_undo){ .has_command = true, .command = command, .has_op_id = true, .op_id = room_id(room) },
                         &(struct command_undo_result){ 0 });
}

static int undo(struct room *room, struct ulid command)
{
        return undo_as(room, AGNES, command);
}

static void reply(struct room *room, enum who who, struct ulid ticket, const char *body, struct comment *ret)
{
        room->now_ms += 1000;
        assert_int_equal(room_reply(room, who, ticket, body, ret), 0);
}

/* The bodies of what shows, "|" between them. The tickets' own first words are "Please help." */
static const char *thread(struct room *room, enum who who, struct ulid ticket)
{
        struct comment_list_result page;
        struct buf out = { 0 };
        const char *text;

        assert_int_equal(room_call(room, who, &schema_method_comment_list, &(struct comment_list){ .ticket = ticket, .limit = 200 }, &page), 0);
        for (size_t i = 0; i < page.items.n; i++) {
                if (str_is(page.items.items[i].body, "Please help."))
                        continue;
                buf_text(&out, out.n ? "|" : "");
                buf_str(&out, page.items.items[i].body);
        }
        text = arena_str(&room->arena, buf_view(&out)).p;
        text = text ? text : "";
        buf_deinit(&out);
        return text;
}

static bool listed(struct room *room, enum who who, struct ulid ticket, bool merged)
{
        struct ticket_list_result page;
        bool there = false;

        assert_int_equal(room_call(room, who, &schema_method_ticket_list, &(struct ticket_list){ .limit = 200, .merged = merged }, &page), 0);
        for (size_t i = 0; i < page.items.n; i++)
                there = there || ulid_eq(page.items.items[i].id, ticket);
        return there;
}

static struct ticket get(struct room *room, enum who who, struct ulid ticket)
{
        struct ticket now = { 0 };

        assert_int_equal(room_get(room, who, ticket, &now, NULL), 0);
        return now;
}

static void replies_on_both_sides_are_where_they_were_addressed_after_an_undo(void **state)
{
        struct room *room = *state;
        struct ulid source = room_ticket(room, ALICE, "Source").id, target = room_ticket(room, ALICE, "Target").id, command;
        struct comment c;

        reply(room, ALICE, source, "s1", &c);
        reply(room, ALICE, target, "t1", &c);
        assert_int_equal(merge(room, source, target, &command), 0);
        reply(room, ALICE, source, "s2", &c);
        assert_true(ulid_eq(c.ticket, source));
        reply(room, AGNES, target, "t2", &c);
        reply(room, AGNES, source, "s3", &c);
        assert_string_equal(thread(room, AGNES, target), "s1|t1|s2|t2|s3");
        assert_string_equal(thread(room, ALICE, target), "s1|t1|s2|t2|s3");
        assert_string_equal(thread(room, ALICE, source), "s1|s2|s3");
        assert_int_equal(get(room, AGNES, target).comments, 7);
        assert_true(ulid_eq(get(room, AGNES, target).newest_comment, c.id));
        assert_true(get(room, ALICE, source).has_merged_into && ulid_eq(get(room, ALICE, source).merged_into, target));
        assert_false(listed(room, AGNES, source, false) || listed(room, ALICE, source, false));
        assert_true(listed(room, AGNES, source, true) && listed(room, ALICE, source, true) && listed(room, ALICE, target, false));

        assert_int_equal(undo(room, command), 0);
        assert_string_equal(thread(room, AGNES, target), "t1|t2");
        assert_string_equal(thread(room, AGNES, source), "s1|s2|s3");
        assert_true(listed(room, AGNES, source, false) && !get(room, AGNES, source).has_merged_into);
        assert_int_equal(get(room, AGNES, target).comments, 3);
        assert_int_equal(undo(room, command), FAULT_CONFLICT);
        room_proof(room);
}

static void comments_keep_the_audience_of_the_ticket_that_they_were_written_on(void **state)
{
        struct room *room = *state;
        struct ulid source = room_ticket(room, ALICE, "Source").id, target = room_ticket(room, BOB, "Target").id;
        struct comment c;

        assert_int_equal(merge(room, source, target, NULL), 0);
        reply(room, ALICE, source, "alice", &c);
        reply(room, BOB, target, "bob", &c);
        reply(room, AGNES, target, "to bob", &c);
        reply(room, AGNES, source, "to alice", &c);
        assert_string_equal(thread(room, AGNES, target), "alice|bob|to bob|to alice");
        assert_string_equal(thread(room, BOB, target), "bob|to bob");
        assert_string_equal(thread(room, ALICE, source), "alice|to alice");
        assert_false(get(room, ALICE, source).has_merged_into);
        assert_true(listed(room, ALICE, source, false) && !listed(room, AGNES, source, false));
        assert_int_equal(get(room, BOB, target).comments, 3);
        assert_int_equal(get(room, BOB, target).unread, 1);
        assert_int_equal(room_reply(room, ALICE, target, "no", NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = target, .has_add_watchers = true,
                                                                    .add_watchers = { &room->users[ALICE], 1 } }, NULL), 0);
        assert_string_equal(thread(room, ALICE, target), "alice|bob|to bob|to alice");
        assert_false(listed(room, ALICE, source, false));
        room_proof(room);
}

static void a_reply_to_a_merged_ticket_moves_the_one_where_work_goes_on(void **state)
{
        struct room *room = *state;
        struct ulid a = room_ticket(room, ALICE, "A").id, b = room_ticket(room, ALICE, "B").id, end = room_ticket(room, BOB, "End").id;
        struct ticket_set solve = { .ticket = end, .has_state = true, .state = TICKET_STATE_SOLVED };
        struct comment c;

        assert_int_equal(merge(room, a, b, NULL), 0);
        assert_int_equal(merge(room, b, end, NULL), 0);
        assert_int_equal(room_set(room, AGNES, solve, NULL), 0);
        room->now_ms += 60000;
        reply(room, ALICE, a, "still broken", &c);
        assert_int_equal(get(room, AGNES, end).state, TICKET_STATE_OPEN);
        assert_int_equal(get(room, AGNES, a).state, TICKET_STATE_NEW);
        assert_int_equal(get(room, AGNES, end).changed_at, room->now_ms);
        assert_int_equal(get(room, AGNES, end).unread, 4);
        assert_string_equal(thread(room, AGNES, end), "still broken");
        assert_int_equal(room_call(room, AGNES, &schema_method_read_mark, &(struct read_mark){ .ticket = end, .comment = c.id, .has_op_id = true,
                                   .op_id = room_id(room) }, &(struct read_mark_result){ 0 }), 0);
        assert_int_equal(get(room, AGNES, end).unread, 0);
        /* a state that a customer names is of what they see */
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_add, &(struct comment_add){ .ticket = a, .body = STR("fixed"), .has_state = true,
                                   .state = TICKET_STATE_SOLVED, .has_op_id = true, .op_id = room_id(room) }, &(struct comment_add_result){ 0 }), 0);
        assert_int_equal(get(room, AGNES, a).state, TICKET_STATE_SOLVED);
        assert_int_equal(get(room, AGNES, end).state, TICKET_STATE_OPEN);
        room_proof(room);
}

static void a_writer_who_has_not_seen_the_other_sides_newest_reply_is_told(void **state)
{
        struct room *room = *state;
        struct ulid source = room_ticket(room, ALICE, "Source").id, target = room_ticket(room, ALICE, "Target").id;
        struct comment seen, newer;
        struct comment_add late = { .ticket = target, .body = STR("late"), .has_seen_comment = true, .has_op_id = true, .op_id = room_id(room) };

        assert_int_equal(merge(room, source, target, NULL), 0);
        reply(room, ALICE, target, "t", &seen);
        reply(room, ALICE, source, "s", &newer);
        late.seen_comment = seen.id;
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_add, &late, &(struct comment_add_result){ 0 }), FAULT_CONFLICT);
        late.seen_comment = newer.id;
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_add, &late, &(struct comment_add_result){ 0 }), 0);
}

static void of_two_merges_in_a_chain_the_middle_can_be_undone(void **state)
{
        struct room *room = *state;
        struct ulid a = room_ticket(room, ALICE, "A").id, b = room_ticket(room, ALICE, "B").id, end = room_ticket(room, ALICE, "C").id, first, second;
        struct comment c;

        assert_int_equal(merge(room, a, b, &first), 0);
        assert_int_equal(merge(room, b, end, &second), 0);
        reply(room, ALICE, a, "a", &c);
        reply(room, ALICE, b, "b", &c);
        reply(room, ALICE, end, "c", &c);
        assert_string_equal(thread(room, AGNES, end), "a|b|c");
        assert_int_equal(merge(room, end, a, NULL), FAULT_CONFLICT); /* a circle */
        assert_int_equal(merge(room, a, end, NULL), FAULT_CONFLICT); /* it is merged already */
        assert_int_equal(merge(room, a, a, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(undo(room, second), 0);
        assert_string_equal(thread(room, AGNES, end), "c");
        assert_string_equal(thread(room, AGNES, b), "a|b");
        assert_int_equal(merge(room, end, b, NULL), 0);
        assert_int_equal(undo(room, first), 0);
        assert_string_equal(thread(room, AGNES, b), "b|c");
        assert_string_equal(thread(room, AGNES, a), "a");
        room_proof(room);
}

static void an_undo_is_refused_where_the_pointer_is_another_ones(void **state)
{
        struct room *room = *state;
        struct ulid a = room_ticket(room, ALICE, "A").id, b = room_ticket(room, ALICE, "B").id, other = room_ticket(room, ALICE, "C").id, first, again;

        assert_int_equal(merge(room, a, b, &first), 0);
        assert_int_equal(undo_as(room, ARTHUR, first), FAULT_FORBIDDEN);
        assert_int_equal(undo_as(room, ADMIN, first), 0);
        assert_int_equal(merge(room, a, other, &again), 0);
        assert_int_equal(undo(room, first), FAULT_CONFLICT);
        assert_non_null(strstr(room->fault.reason.p, "merged_into of #1"));
        assert_int_equal(undo(room, again), 0);
        assert_false(get(room, AGNES, a).has_merged_into);
        assert_int_equal(undo(room, room_id(room)), FAULT_NOT_FOUND);
        room_proof(room);
}

static void a_split_is_of_pointers_and_undone_as_one(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Two questions").id;
        struct comment one, two, note, c;
        struct ticket_split_result made;
        struct ulid both[2], split_command;

        reply(room, ALICE, ticket, "one", &one);
        reply(room, ALICE, ticket, "two", &two);
        assert_int_equal(room_note(room, AGNES, ticket, "secret", &note), 0);
        both[0] = two.id;
        both[1] = note.id;
        assert_int_equal(split(room, ticket, both, 2, &made), 0);
        split_command = made.value.id; /* a ticket's id is its command's */
        assert_true(ulid_eq(made.value.requester, room->users[ALICE]) && made.value.comments == 1 && made.value.notes == 1);
        assert_string_equal(thread(room, ALICE, ticket), "one");
        assert_string_equal(thread(room, ALICE, made.value.id), "two");
        assert_int_equal(get(room, AGNES, ticket).notes, 0);
        assert_int_equal(split(room, ticket, both, 1, &made), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "comments"));
        both[1] = both[0] = one.id;
        assert_int_equal(split(room, ticket, both, 2, &made), FAULT_INVALID_PARAMS);
        assert_int_equal(undo(room, split_command), 0);
        assert_string_equal(thread(room, ALICE, ticket), "one|two");
        assert_int_equal(get(room, AGNES, ticket).notes, 1);
        assert_true(ulid_eq(get(room, AGNES, split_command).merged_into, ticket) && !listed(room, AGNES, split_command, false));
        reply(room, ALICE, split_command, "to the old number", &c);
        assert_string_equal(thread(room, AGNES, ticket), "one|two|to the old number");
        room_proof(room);
}

static void what_was_written_on_the_split_ticket_meanwhile_stays_there(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Two questions").id;
        struct ticket_split_result made;
        struct comment one, c;

        reply(room, ALICE, ticket, "one", &one);
        assert_int_equal(split(room, ticket, &one.id, 1, &made), 0);
        reply(room, ALICE, made.value.id, "meanwhile", &c);
        assert_string_equal(thread(room, ALICE, made.value.id), "one|meanwhile");
        assert_int_equal(undo(room, made.value.id), 0);
        assert_string_equal(thread(room, ALICE, ticket), "one");
        assert_string_equal(thread(room, ALICE, made.value.id), "meanwhile");
        assert_true(listed(room, ALICE, made.value.id, false));
        room_proof(room);
}

static void a_split_part_that_is_merged_elsewhere_goes_with_it(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Two questions").id, bobs = room_ticket(room, BOB, "Bob's").id, merged;
        struct ticket_split_result part, again;
        struct comment one, two;

        reply(room, ALICE, ticket, "one", &one);
        reply(room, ALICE, ticket, "two", &two);
        assert_int_equal(split(room, ticket, &one.id, 1, &part), 0);
        assert_int_equal(merge(room, part.value.id, bobs, &merged), 0);
        assert_string_equal(thread(room, AGNES, bobs), "one");
        assert_string_equal(thread(room, BOB, bobs), "");
        assert_string_equal(thread(room, ALICE, part.value.id), "one");
        assert_int_equal(split(room, bobs, &one.id, 1, &again), 0); /* out of the merged thread, for Bob, who may not see it */
        assert_string_equal(thread(room, AGNES, again.value.id), "one");
        assert_string_equal(thread(room, BOB, again.value.id), "");
        assert_int_equal(undo(room, part.value.id), FAULT_CONFLICT);
        assert_int_equal(undo(room, again.value.id), 0);
        assert_string_equal(thread(room, AGNES, bobs), "one");
        assert_int_equal(undo(room, part.value.id), 0);
        assert_string_equal(thread(room, AGNES, ticket), "one|two");
        assert_string_equal(thread(room, AGNES, bobs), "");
        assert_int_equal(merge(room, ticket, bobs, NULL), 0);
        assert_string_equal(thread(room, AGNES, bobs), "one|two");
        room_plans(room);
        room_proof(room);
}

/* Two instances each accept a merge that alone is fine. */
static void a_circle_that_two_instances_make_ends(void **state)
{
        struct room *room = *state;
        struct ulid t[2] = { room_ticket(room, ALICE, "A").id, room_ticket(room, ALICE, "B").id }, root;
        struct db *db = room->store->writer.db;
        int64_t n;

        for (int i = 0; i < 2; i++) {
                struct op_ticket_merge body = { .ticket = t[i], .has_into = true, .into = t[1 - i] };
                struct log_entry e = { .kind = &schema_op_ticket_merge, .scope = SCHEMA_TO_AGENTS,
                                       .op = { .op_id = room_id(room), .hlc = hlc_of(room->now_ms, 7), .target = t[i] } };

                assert_int_equal(fold_apply(db, &e, &body), 0);
        }
        for (int i = 0; i < 2; i++) {
                assert_int_equal(thread_root(db, t[i], &root), 0);
                assert_true(ulid_eq(root, ulid_cmp(t[0], t[1]) < 0 ? t[0] : t[1]));
                assert_int_equal(thread_tickets(db, t[i], &n), 0);
                assert_int_equal(n, 2);
        }
        assert_int_equal(room_reply(room, ALICE, t[0], "still there", NULL), 0);
        assert_string_equal(thread(room, AGNES, t[1]), "still there");
}

static void customers_hear_nothing_of_a_merge(void **state)
{
        struct room *room = *state;
        struct ticket source = room_ticket(room, ALICE, "Source"), target = room_ticket(room, BOB, "Target");
        struct op_since_result since;
        struct str cursor;
        struct ticket now = { 0 };
        struct comment one;

        reply(room, ALICE, source.id, "one", &one);
        assert_int_equal(room_get(room, ALICE, source.id, &source, &cursor), 0);
        room->now_ms += 1000;
        assert_int_equal(merge(room, source.id, target.id, NULL), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_int_equal(since.events.n, 0);
        assert_int_equal(room_get(room, ALICE, source.id, &now, NULL), 0);
        assert_int_equal(now.changed_at, source.changed_at);
        assert_int_equal(room_get(room, BOB, target.id, &now, NULL), 0);
        assert_int_equal(now.changed_at, target.changed_at);
        assert_int_equal(room_call(room, AGNES, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_true(since.events.n == 1 && str_is(since.events.items[0].type, "ticket.merged"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(replies_on_both_sides_are_where_they_were_addressed_after_an_undo, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(comments_keep_the_audience_of_the_ticket_that_they_were_written_on, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_reply_to_a_merged_ticket_moves_the_one_where_work_goes_on, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_writer_who_has_not_seen_the_other_sides_newest_reply_is_told, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(of_two_merges_in_a_chain_the_middle_can_be_undone, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(an_undo_is_refused_where_the_pointer_is_another_ones, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_split_is_of_pointers_and_undone_as_one, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_was_written_on_the_split_ticket_meanwhile_stays_there, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_split_part_that_is_merged_elsewhere_goes_with_it, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_circle_that_two_instances_make_ends, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(customers_hear_nothing_of_a_merge, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

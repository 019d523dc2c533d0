/* The desk's rules, told as stories on a real store behind its real socket. */
#include "store_room.h"

static void a_ticket_is_filed_answered_and_reopened(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "The printer is on fire");
        struct comment_list_result comments;
        struct comment reply;
        struct ticket now = { 0 };

        assert_int_equal(ticket.number, 1);
        assert_int_equal(ticket.state, TICKET_STATE_NEW);
        assert_true(ulid_eq(ticket.requester, room->users[ALICE]));
        assert_int_equal(ticket.comments, 1);
        assert_false(ticket.has_notes);
        assert_int_equal(room_ticket(room, BOB, "Me too").number, 2);

        assert_int_equal(room_reply(room, AGNES, ticket.id, "Water is on its way.", &reply), 0);
        assert_int_equal(room_get(room, ALICE, ticket.id, &now, NULL), 0);
        assert_int_equal(now.state, TICKET_STATE_OPEN);
        assert_int_equal(now.comments, 2);
        assert_true(ulid_eq(now.newest_comment, reply.id));
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_SOLVED }, &now), 0);
        assert_int_equal(room_reply(room, ALICE, ticket.id, "It burns again.", NULL), 0);
        assert_int_equal(room_get(room, AGNES, ticket.id, &now, NULL), 0);
        assert_int_equal(now.state, TICKET_STATE_OPEN);
        assert_true(now.has_notes);

        assert_int_equal(room_call(room, ALICE, &schema_method_comment_list, &(struct comment_list){ .ticket = ticket.id, .limit = 50 }, &comments), 0);
        assert_int_equal(comments.items.n, 3);
        assert_true(str_is(comments.items.items[0].body, "Please help."));
        assert_true(str_is(comments.items.items[2].body, "It burns again."));
        room_proof(room);
}

static void a_stranger_to_a_ticket_cannot_tell_that_it_exists(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Private"), got;
        struct ticket_list_result list;
        struct comment comment;

        assert_int_equal(room_reply(room, ALICE, ticket.id, "More", &comment), 0);
        assert_int_equal(room_get(room, BOB, ticket.id, &got, NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_get(room, BOB, room_id(room), &got, NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_reply(room, BOB, ticket.id, "Hello?", NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_set(room, BOB, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_CLOSED }, NULL),
                         FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, BOB, &schema_method_comment_edit, &(struct comment_edit){ .has_op_id = true, .op_id = room_id(room), .comment = comment.id, .body = STR("x") },
                                   &(struct comment_edit_result){ 0 }), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, BOB, &schema_method_ticket_list, &(struct ticket_list){ .limit = 50 }, &list), 0);
        assert_int_equal(list.items.n, 0);
        assert_int_equal(room_call(room, BOB, &schema_method_ticket_get, &(struct ticket_get){ .has_number = true, .number = 1 },
                                   &(struct ticket_get_result){ 0 }), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, STRANGER, &schema_method_ticket_list, &(struct ticket_list){ .limit = 50 }, &list), FAULT_UNAUTHENTICATED);
}

static void a_grant_is_of_the_caller_the_ticket_and_the_hour(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Who looks at it?");
        struct ticket_get get = { .has_ticket = true, .ticket = ticket.id };
        struct ticket_get_result got;
        struct grant grant;

        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_get, &get, &got), 0);
        assert_int_equal(grant_parse(&room->store->grant_key, got.grant, room->now_ms, &grant), 0);
        assert_true(ulid_eq(grant.user, room->users[ALICE]) && ulid_eq(grant.ticket, ticket.id) && !grant.agent);
        assert_int_equal(grant_parse(&room->store->grant_key, got.grant, room->now_ms + 599999, &grant), 0);
        assert_int_equal(grant_parse(&room->store->grant_key, got.grant, room->now_ms + 600000, &grant), -ESTALE);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_get, &get, &got), 0);
        assert_int_equal(grant_parse(&room->store->grant_key, got.grant, room->now_ms, &grant), 0);
        assert_true(ulid_eq(grant.user, room->users[AGNES]) && grant.agent);
}

static struct str comment_json(struct room *room, const struct comment *comment)
{
        struct buf json = { 0 };
        struct str r;

        json_write(&schema_type_comment, comment, &json);
        r = arena_str(&room->arena, buf_view(&json));
        buf_deinit(&json);
        return r;
}

static void the_answer_to_a_comment_is_what_others_read(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "What does it say?");
        struct comment_list_result list;
        struct comment reply, note;

        room->now_ms += 1234;
        assert_int_equal(room_reply(room, AGNES, ticket.id, "It says \"PC LOAD LETTER\".", &reply), 0);
        assert_int_equal(room_note(room, ARTHUR, ticket.id, "What does that mean?", &note), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_list, &(struct comment_list){ .ticket = ticket.id, .limit = 50 }, &list), 0);
        assert_true(str_eq(comment_json(room, &reply), comment_json(room, &list.items.items[1])));
        assert_int_equal(room_call(room, AGNES, &schema_method_note_list, &(struct note_list){ .ticket = ticket.id, .limit = 50 }, &list), 0);
        assert_true(str_eq(comment_json(room, &note), comment_json(room, &list.items.items[0])));
}

static void an_op_id_that_is_another_comments_id_is_refused(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "My first comment has an id that is no op_id");
        struct ulid taken = op_entity(ticket.id, 1);
        struct ticket now = { 0 };

        assert_true(ulid_eq(ticket.newest_comment, taken));
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_add,
                                   &(struct comment_add){ .ticket = ticket.id, .body = STR("x"), .has_op_id = true, .op_id = taken },
                                   &(struct comment_add_result){ 0 }), FAULT_CONFLICT);
        assert_int_equal(room_call(room, AGNES, &schema_method_note_add,
                                   &(struct note_add){ .ticket = ticket.id, .body = STR("x"), .has_op_id = true, .op_id = taken },
                                   &(struct note_add_result){ 0 }), FAULT_CONFLICT);
        assert_int_equal(room_get(room, AGNES, ticket.id, &now, NULL), 0);
        assert_int_equal(now.comments + now.notes, 1);
        room_proof(room);
}

static void a_retry_acts_once_and_another_command_under_its_op_id_not_at_all(void **state)
{
        struct room *room = *state;
        struct ticket_create create = { .subject = STR("Once"), .body = STR("b"), .has_op_id = true, .op_id = room_id(room) };
        struct ticket_create_result first, again;
        struct ticket_list_result list;
        struct comment_add reply;
        struct comment_add_result made;

        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_create, &create, &first), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_create, &create, &again), 0);
        assert_true(ulid_eq(first.value.id, again.value.id));
        assert_int_equal(again.value.number, 1);
        assert_true(ulid_eq(again.op_id, create.op_id));
        create.subject = STR("Twice");
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_create, &create, &again), FAULT_CONFLICT);
        create.subject = STR("Once");
        assert_int_equal(room_call(room, BOB, &schema_method_ticket_create, &create, &again), FAULT_CONFLICT);
        reply = (struct comment_add){ .ticket = first.value.id, .body = STR("b"), .has_op_id = true, .op_id = create.op_id };
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_add, &reply, &made), FAULT_CONFLICT);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_list, &(struct ticket_list){ .limit = 50 }, &list), 0);
        assert_int_equal(list.items.n, 1);
        room_proof(room);
}

static void a_retry_after_access_was_lost_tells_nothing(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Watched");
        struct ulid bob[1] = { room->users[BOB] };
        struct comment_add reply = { .ticket = ticket.id, .body = STR("I watch"), .has_op_id = true, .op_id = room_id(room) };
        struct ticket_set watch = { .ticket = ticket.id, .has_add_watchers = true, .add_watchers = { bob, 1 } };
        struct ticket_set unwatch = { .ticket = ticket.id, .has_remove_watchers = true, .remove_watchers = { bob, 1 } };
        struct comment_add_result made;
        struct ticket now = { 0 };

        assert_int_equal(room_set(room, ALICE, watch, NULL), FAULT_INVALID_PARAMS);
        assert_int_equal(room_set(room, AGNES, watch, &now), 0);
        assert_int_equal(now.watchers.n, 1);
        assert_int_equal(room_call(room, BOB, &schema_method_comment_add, &reply, &made), 0);
        assert_int_equal(room_set(room, AGNES, unwatch, &now), 0);
        assert_int_equal(now.watchers.n, 0);
        assert_int_equal(room_call(room, BOB, &schema_method_comment_add, &reply, &made), FAULT_NOT_FOUND);
        assert_int_equal(room_get(room, ALICE, ticket.id, &now, NULL), 0);
        assert_int_equal(now.comments, 2);
        room_proof(room);
}

static void a_reply_that_did_not_see_the_newest_comment_is_refused_with_it(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Race");
        struct comment_add late = { .ticket = ticket.id, .body = STR("late"), .has_seen_comment = true, .seen_comment = ticket.newest_comment,
                                    .has_op_id = true, .op_id = room_id(room) };
        struct comment_add_result made;

        assert_int_equal(room_reply(room, AGNES, ticket.id, "first", NULL), 0);
        assert_int_equal(room_call(room, ARTHUR, &schema_method_comment_add, &late, &made), FAULT_CONFLICT);
        assert_true(room->fault.has_newer);
        assert_non_null(memmem(room->fault.newer.p, room->fault.newer.n, "\"first\"", 7));
        room_proof(room);
}

static void online_edits_win_and_concurrent_ones_become_a_conflict_until_settled(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Two triage at once"), now = { 0 };
        struct str seen;

        assert_int_equal(room_get(room, ARTHUR, ticket.id, &now, &seen), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_priority = true, .priority = PRIORITY_HIGH }, &now), 0);
        assert_int_equal(now.priority, PRIORITY_HIGH);
        assert_int_equal(now.conflicts.n, 0);
        /* Arthur was offline, his clock 5 minutes behind: his edit did not know hers, and is older */
        assert_int_equal(room_set(room, ARTHUR, (struct ticket_set){ .ticket = ticket.id, .has_priority = true, .priority = PRIORITY_LOW,
                                                                     .has_seen = true, .seen = seen, .has_made_at = true,
                                                                     .made_at = room->now_ms - 300000 }, &now), 0);
        assert_int_equal(now.priority, PRIORITY_HIGH);
        assert_int_equal(now.conflicts.n, 1);
        assert_true(str_is(now.conflicts.items[0], "priority"));
        /* somebody who sees both settles it, even by saying what shows already */
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_priority = true, .priority = PRIORITY_HIGH }, &now), 0);
        assert_int_equal(now.priority, PRIORITY_HIGH);
        assert_int_equal(now.conflicts.n, 0);
        /* and with a clock 5 minutes ahead, clamped to now, the later accepted one shows */
        assert_int_equal(room_set(room, ARTHUR, (struct ticket_set){ .ticket = ticket.id, .has_priority = true, .priority = PRIORITY_URGENT,
                                                                     .has_seen = true, .seen = seen, .has_made_at = true,
                                                                     .made_at = room->now_ms + 300000 }, &now), 0);
        assert_int_equal(now.priority, PRIORITY_URGENT);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_PENDING,
                                                                     .has_seen = true, .seen = STR("forged") }, &now), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "seen"));
        room_proof(room);
}

static void an_assignee_is_an_agent_and_null_means_nobody(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Whose is it"), now = { 0 };
        struct ticket_set set = { .ticket = ticket.id, .has_assignee = SCHEMA_PRESENT, .assignee = room->users[BOB] };

        assert_int_equal(room_set(room, AGNES, set, &now), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "assignee"));
        set.assignee = room->users[ARTHUR];
        assert_int_equal(room_set(room, AGNES, set, &now), 0);
        assert_true(now.has_assignee && ulid_eq(now.assignee, room->users[ARTHUR]));
        set.has_assignee = SCHEMA_NULL;
        assert_int_equal(room_set(room, AGNES, set, &now), 0);
        assert_false(now.has_assignee);
        room_proof(room);
}

static void tags_are_a_set_and_a_commands_effects_all_happen_or_none(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Tags"), now = { 0 };
        struct str tags[] = { STR("vpn"), STR("vpn"), STR("urgent") }, bad[] = { STR("fine"), STR("a,b") };
        struct ulid nobody[1] = { room_id(room) };
        struct ticket_set set = { .ticket = ticket.id, .has_add_tags = true, .add_tags = { tags, 3 }, .has_state = true,
                                  .state = TICKET_STATE_PENDING, .has_op_id = true, .op_id = room_id(room) };

        assert_int_equal(room_set(room, AGNES, set, &now), 0);
        assert_int_equal(now.tags.n, 2);
        assert_int_equal(now.state, TICKET_STATE_PENDING);
        assert_int_equal(room_set(room, AGNES, set, &now), 0); /* again: once */
        assert_int_equal(now.tags.n, 2);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_add_tags = true, .add_tags = { bad, 2 } }, &now),
                         FAULT_INVALID_PARAMS);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_CLOSED,
                                                                     .has_remove_tags = true, .remove_tags = { tags, 1 },
                                                                     .has_add_watchers = true, .add_watchers = { nobody, 1 } }, &now),
                         FAULT_INVALID_PARAMS);
        assert_int_equal(room_get(room, AGNES, ticket.id, &now, NULL), 0);
        assert_int_equal(now.state, TICKET_STATE_PENDING);
        assert_int_equal(now.tags.n, 2);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_remove_tags = true, .remove_tags = { tags, 1 } }, &now), 0);
        assert_int_equal(now.tags.n, 1);
        room_proof(room);
}

static void customers_set_no_more_than_the_state_of_their_own(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Mine"), now = { 0 };

        assert_int_equal(room_set(room, ALICE, (struct ticket_set){ .ticket = ticket.id, .has_priority = true, .priority = PRIORITY_URGENT }, &now),
                         FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "priority"));
        assert_int_equal(room_set(room, ALICE, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_PENDING }, &now),
                         FAULT_INVALID_PARAMS);
        assert_int_equal(room_set(room, ALICE, (struct ticket_set){ .ticket = ticket.id, .has_state = true, .state = TICKET_STATE_CLOSED }, &now), 0);
        assert_int_equal(now.state, TICKET_STATE_CLOSED);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_create,
                                   &(struct ticket_create){ .subject = STR("s"), .body = STR("b"), .has_priority = true, .priority = PRIORITY_HIGH },
                                   &(struct ticket_create_result){ 0 }), FAULT_INVALID_PARAMS);
}

static void notes_are_nowhere_for_customers(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Notes"), before, after;
        struct comment note, edited = { 0 };
        struct comment_list_result comments;
        struct note_list_result notes;
        struct op_since_result since;
        struct str cursor;

        assert_int_equal(room_get(room, ALICE, ticket.id, &before, &cursor), 0);
        assert_int_equal(room_note(room, ALICE, ticket.id, "x", NULL), FAULT_FORBIDDEN);
        room->now_ms += 1000;
        assert_int_equal(room_note(room, AGNES, ticket.id, "He is difficult", &note), 0);
        assert_int_equal(room_get(room, ALICE, ticket.id, &after, NULL), 0);
        assert_memory_equal(&before.changed_at, &after.changed_at, sizeof(before.changed_at));
        assert_int_equal(after.comments, before.comments);
        assert_false(after.has_notes);
        assert_true(ulid_eq(after.newest_comment, before.newest_comment));
        assert_int_equal(room_get(room, AGNES, ticket.id, &after, NULL), 0);
        assert_int_equal(after.notes, 1);
        assert_true(after.changed_at > before.changed_at);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_list, &(struct comment_list){ .ticket = ticket.id, .limit = 50 }, &comments), 0);
        assert_int_equal(comments.items.n, 1);
        assert_int_equal(room_call(room, ALICE, &schema_method_note_list, &(struct note_list){ .ticket = ticket.id, .limit = 50 }, &notes), FAULT_FORBIDDEN);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_edit, &(struct comment_edit){ .has_op_id = true, .op_id = room_id(room), .comment = note.id, .body = STR("x") },
                                   &(struct comment_edit_result){ 0 }), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_delete, &(struct comment_delete){ .has_op_id = true, .op_id = room_id(room), .comment = note.id },
                                   &(struct comment_delete_result){ 0 }), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 262144 }, &since), 0);
        assert_int_equal(since.mode, SINCE_MODE_REPLAY);
        assert_int_equal(since.events.n, 0);
        assert_int_equal(room_call(room, ARTHUR, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 262144 }, &since), 0);
        assert_int_equal(since.events.n, 1);
        assert_true(str_is(since.events.items[0].type, "note.added"));
        assert_int_equal(room_call(room, ARTHUR, &schema_method_note_edit, &(struct note_edit){ .has_op_id = true, .op_id = room_id(room), .comment = note.id, .body = STR("x") },
                                   &(struct note_edit_result){ 0 }), FAULT_FORBIDDEN);
        assert_int_equal(room_call(room, AGNES, &schema_method_note_edit, &(struct note_edit){ .has_op_id = true, .op_id = room_id(room), .comment = note.id, .body = STR("He is kind") },
                                   &(struct note_edit_result){ 0 }), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_note_list, &(struct note_list){ .ticket = ticket.id, .limit = 50 }, &notes), 0);
        edited = notes.items.items[0];
        assert_true(str_is(edited.body, "He is kind") && edited.has_edited_at);
        room_proof(room);
}

static void comments_are_edited_deleted_and_redacted(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Words"), now = { 0 };
        struct comment_redact_result redacted;
        struct comment_delete_result deleted;
        struct comment_edit_result edited;
        struct comment comment;
        char command[160];

        assert_int_equal(room_reply(room, ALICE, ticket.id, "my pasSword-4711 is here", &comment), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_edit, &(struct comment_edit){ .has_op_id = true, .op_id = room_id(room), .comment = comment.id, .body = STR("my pasSword-4712") },
                                   &edited), 0);
        assert_true(str_is(edited.comment.body, "my pasSword-4712"));
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_edit, &(struct comment_edit){ .has_op_id = true, .op_id = room_id(room), .comment = comment.id, .body = STR("x") }, &edited),
                         FAULT_FORBIDDEN);
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_redact, &(struct comment_redact){ .has_op_id = true, .op_id = room_id(room), .comment = comment.id }, &redacted), FAULT_FORBIDDEN);
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &(struct comment_redact){ .has_op_id = true, .op_id = room_id(room), .comment = comment.id }, &redacted), 0);
        assert_true(redacted.comment.redacted);
        assert_int_equal(redacted.comment.body.n, 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_edit, &(struct comment_edit){ .has_op_id = true, .op_id = room_id(room), .comment = comment.id, .body = STR("back") }, &edited),
                         FAULT_CONFLICT);
        assert_int_equal(room_reply(room, ALICE, ticket.id, "other", &comment), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_delete, &(struct comment_delete){ .has_op_id = true, .op_id = room_id(room), .comment = comment.id }, &deleted), 0);
        assert_true(deleted.comment.deleted);
        assert_int_equal(deleted.comment.body.n, 0);
        assert_int_equal(room_get(room, ALICE, ticket.id, &now, NULL), 0);
        assert_int_equal(now.comments, 2); /* the first words and the redacted ones */
        room_proof(room);
        /* the bytes are gone from the disk, once the log is checkpointed */
        room_close(room);
        snprintf(command, sizeof(command), "! grep -rq 'pasSword-47' '%s'", room->folder);
        assert_int_equal(system(command), 0);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        room_proof(room);
}

static void notes_are_edited_deleted_and_redacted_like_comments(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Between us"), now = { 0 };
        struct comment_redact_result redacted;
        struct note_delete_result deleted;
        struct note_edit_result edited;
        struct comment note;
        char command[160];

        assert_int_equal(room_note(room, AGNES, ticket.id, "her pasSword-4711 was here", &note), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_note_edit, &(struct note_edit){ .has_op_id = true, .op_id = room_id(room), .comment = note.id, .body = STR("it was pasSword-4712") }, &edited), 0);
        assert_true(str_is(edited.comment.body, "it was pasSword-4712"));
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &(struct comment_redact){ .has_op_id = true, .op_id = room_id(room), .comment = note.id }, &redacted), 0);
        assert_true(redacted.comment.redacted);
        assert_int_equal(redacted.comment.body.n, 0);
        assert_int_equal(room_note(room, AGNES, ticket.id, "other", &note), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_note_delete, &(struct note_delete){ .has_op_id = true, .op_id = room_id(room), .comment = note.id }, &deleted), 0);
        assert_true(deleted.comment.deleted);
        assert_int_equal(room_get(room, AGNES, ticket.id, &now, NULL), 0);
        assert_int_equal(now.notes, 1); /* the redacted one */
        assert_int_equal(now.comments, 1);
        room_proof(room);
        room_close(room);
        snprintf(command, sizeof(command), "! grep -rq 'pasSword-47' '%s'", room->folder);
        assert_int_equal(system(command), 0);
        assert_int_equal(room_open_vfs(room, NULL), 0);
}

static void a_replay_pages_through_what_the_caller_may_see_and_stops_at_a_changed_role(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Replay"), now = { 0 };
        struct op_since_result since;
        struct str cursor, start;
        size_t events = 0, pages = 0;

        assert_int_equal(room_get(room, ALICE, ticket.id, &now, &cursor), 0);
        start = cursor;
        for (int i = 0; i < 40; i++) {
                char body[200];

                memset(body, 'x', sizeof(body));
                body[199] = '\0';
                assert_int_equal(room_reply(room, i % 2 ? ALICE : AGNES, ticket.id, body, NULL), 0);
                room_ticket(room, BOB, "Not Alice's");
        }
        do {
                assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 2048 }, &since), 0);
                assert_int_equal(since.mode, SINCE_MODE_REPLAY);
                assert_true(str_eq(since.from, cursor));
                for (size_t i = 0; i < since.events.n; i++)
                        assert_null(memmem(since.events.items[i].data.p, since.events.items[i].data.n, "Not Alice's", 11));
                cursor = since.to;
                events += since.events.n;
                pages++;
        } while (since.more);
        assert_int_equal(events, 41); /* 40 replies, and the state that the first answer set */
        assert_true(pages > 3);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 2048 }, &since), 0);
        assert_int_equal(since.events.n, 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = STR("nonsense"), .max_bytes = 2048 }, &since),
                         FAULT_INVALID_PARAMS);
        room_person(room, ALICE, "Alice", SCHEMA_ROLE_AGENT, true);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = start, .max_bytes = 262144 }, &since), 0);
        assert_int_equal(since.mode, SINCE_MODE_RESET);
        room_proof(room);
}

static void access_gained_and_lost_are_events_of_the_one_concerned(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Shared"), other = room_ticket(room, BOB, "Own"), now = { 0 };
        struct ulid bob[1] = { room->users[BOB] };
        struct op_since_result since;
        struct str cursor;

        assert_int_equal(room_get(room, BOB, other.id, &now, &cursor), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_add_watchers = true, .add_watchers = { bob, 1 } }, NULL), 0);
        assert_int_equal(room_call(room, BOB, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 262144 }, &since), 0);
        assert_int_equal(since.events.n, 2);
        assert_true(str_is(since.events.items[1].type, "access.gained"));
        assert_int_equal(room_get(room, BOB, ticket.id, &now, NULL), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_remove_watchers = true, .remove_watchers = { bob, 1 } }, NULL), 0);
        assert_int_equal(room_call(room, BOB, &schema_method_op_since, &(struct op_since){ .cursor = since.to, .max_bytes = 262144 }, &since), 0);
        assert_int_equal(since.events.n, 1);
        assert_true(str_is(since.events.items[0].type, "access.lost"));
        room_proof(room);
}

static void a_page_of_long_comments_ends_early_and_the_next_one_goes_on(void **state)
{
        enum { LONG = 40 };
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Logs");
        struct comment_list in = { .ticket = ticket.id, .limit = 200 };
        struct comment_list_result page;
        static char text[65536 + 1];
        size_t n = 0, pages = 0;

        memset(text, 'x', sizeof(text) - 1);
        for (int i = 0; i < LONG; i++)
                assert_int_equal(room_reply(room, ALICE, ticket.id, text, NULL), 0);
        do {
                assert_int_equal(room_call(room, AGNES, &schema_method_comment_list, &in, &page), 0);
                assert_true(page.items.n > 0);
                n += page.items.n;
                pages++;
                in.has_after = page.has_next;
                in.after = page.next;
        } while (page.has_next);
        assert_int_equal(n, LONG + 1);
        assert_true(pages > 1);
}

static void everything_acknowledged_is_there_after_a_new_start(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Durable"), now = { 0 };

        for (int i = 0; i < 300; i++)
                assert_int_equal(room_reply(room, ALICE, ticket.id, "again", NULL), 0);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_equal(room_get(room, AGNES, ticket.id, &now, NULL), 0);
        assert_int_equal(now.comments, 301);
        assert_int_equal(room_reply(room, ALICE, ticket.id, "on we go", NULL), 0);
        room_proof(room);
}

/* Ahead by a year, behind where it began, through new starts: what is said later stands later, and the newest edit shows. */
static void a_clock_that_jumps_changes_no_order_and_loses_no_edit(void **state)
{
        static const int64_t jumps_days[] = { 0, 365, -366, 0, 1, -1 };
        const size_t n = sizeof(jumps_days) / sizeof(jumps_days[0]);
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Time"), now = { 0 };
        struct comment_list_result list;
        struct str cursor;
        char body[8];

        for (size_t i = 0; i < n; i++) {
                room->now_ms += jumps_days[i] * 24 * 60 * 60 * 1000 + 1;
                if (i % 2) {
                        room_close(room);
                        assert_int_equal(room_open_vfs(room, NULL), 0);
                }
                snprintf(body, sizeof(body), "%zu", i);
                assert_int_equal(room_reply(room, ALICE, ticket.id, body, NULL), 0);
                assert_int_equal(room_get(room, AGNES, ticket.id, &now, &cursor), 0);
                assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_subject = true, .subject = str_of(body),
                                                                             .has_seen = true, .seen = cursor }, &now), 0);
                assert_true(str_is(now.subject, body));
                assert_int_equal(now.conflicts.n, 0);
        }
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_list, &(struct comment_list){ .ticket = ticket.id, .limit = 50 }, &list), 0);
        assert_int_equal(list.items.n, n + 1);
        for (size_t i = 0; i < n; i++) {
                snprintf(body, sizeof(body), "%zu", i);
                assert_true(str_is(list.items.items[i + 1].body, body));
        }
        room_proof(room);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)
int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(a_ticket_is_filed_answered_and_reopened),
                STORY(a_stranger_to_a_ticket_cannot_tell_that_it_exists),
                STORY(a_grant_is_of_the_caller_the_ticket_and_the_hour),
                STORY(the_answer_to_a_comment_is_what_others_read),
                STORY(an_op_id_that_is_another_comments_id_is_refused),
                STORY(a_retry_acts_once_and_another_command_under_its_op_id_not_at_all),
                STORY(a_retry_after_access_was_lost_tells_nothing),
                STORY(a_reply_that_did_not_see_the_newest_comment_is_refused_with_it),
                STORY(online_edits_win_and_concurrent_ones_become_a_conflict_until_settled),
                STORY(an_assignee_is_an_agent_and_null_means_nobody),
                STORY(tags_are_a_set_and_a_commands_effects_all_happen_or_none),
                STORY(customers_set_no_more_than_the_state_of_their_own),
                STORY(notes_are_nowhere_for_customers),
                STORY(comments_are_edited_deleted_and_redacted),
                STORY(notes_are_edited_deleted_and_redacted_like_comments),
                STORY(a_replay_pages_through_what_the_caller_may_see_and_stops_at_a_changed_role),
                STORY(access_gained_and_lost_are_events_of_the_one_concerned),
                STORY(a_page_of_long_comments_ends_early_and_the_next_one_goes_on),
                STORY(everything_acknowledged_is_there_after_a_new_start),
                STORY(a_clock_that_jumps_changes_no_order_and_loses_no_edit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

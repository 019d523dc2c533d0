/* What a follower of the log is told. */
#include "store_room.h"
#include "schema/attachment.h"

#include <malloc.h>

static struct ops_follow_result follow(struct room *room, int64_t after, int64_t max_bytes)
{
        struct ops_follow_result r;

        assert_int_equal(room_call(room, OPERATOR, &schema_method_ops_follow, &(struct ops_follow){ .after = after, .max_bytes = max_bytes }, &r), 0);
        return r;
}

static int64_t head(struct room *room)
{
        return follow(room, INT64_C(1) << 50, 1024).head;
}

/* "comment.added to the ticket", or "nothing to agents", for each op after a position. */
static void told(const struct ops_follow_result *followed, const char *expected)
{
        static const char *const audiences[] = { "the ticket", "agents", "a user", "all" };
        struct buf text = { 0 };

        for (size_t i = 0; i < followed->items.n; i++) {
                const struct log_item *item = &followed->items.items[i];

                buf_format(&text, "%.*s to %s\n", STR_ARG(item->event ? item->event->type : STR("nothing")), audiences[item->audience]);
                if (item->event)
                        assert_true(item->event->has_op_id && item->event->has_actor);
        }
        assert_string_equal(buf_z(&text), expected);
        buf_deinit(&text);
}

static void each_op_is_told_with_who_may_see_it_now(void **state)
{
        struct room *room = *state;
        int64_t before = head(room);
        struct ticket ticket = room_ticket(room, ALICE, "My phone rings");
        struct ops_follow_result got;

        assert_int_equal(room_note(room, AGNES, ticket.id, "Again.", NULL), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_add_watchers = true, .add_watchers = { &room->users[BOB], 1 } }, NULL), 0);
        got = follow(room, before, 262144);
        told(&got, "ticket.created to the ticket\ncomment.added to the ticket\nnote.added to agents\n"
                         "ticket.changed to the ticket\naccess.gained to a user\n");
        assert_true(ulid_eq(got.items.items[1].target, ticket.id));
        assert_int_equal(got.items.items[1].users.n, 2); /* Bob is told of what was there before he came */
        assert_int_equal(got.items.items[2].users.n, 0);
        assert_true(ulid_eq(got.items.items[4].target, room->users[BOB]));
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_remove_watchers = true, .remove_watchers = { &room->users[BOB], 1 } }, NULL), 0);
        got = follow(room, before, 262144);
        assert_int_equal(got.items.items[1].users.n, 1);
        assert_true(ulid_eq(got.items.items[1].users.items[0], room->users[ALICE]));
}

/* A comment with a file: an op of its own, which the comment's event tells of. */
static void file_comment(struct room *room, enum who who, struct ulid ticket)
{
        struct attachment_start_result made;
        struct attachment_write_result wrote;

        assert_int_equal(room_call(room, who, &schema_method_attachment_start,
                                   &(struct attachment_start){ .name = STR("a.txt"), .size = 5, .has_op_id = true, .op_id = room_id(room) }, &made), 0);
        assert_int_equal(room_call(room, who, &schema_method_attachment_write,
                                   &(struct attachment_write){ .upload = made.upload, .data = STR("bytes") }, &wrote), 0);
        assert_int_equal(room_call(room, who, &schema_method_comment_add,
                                   &(struct comment_add){ .ticket = ticket, .body = STR("see the file"), .has_attachments = true,
                                                          .attachments = { &made.upload, 1 }, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_add_result){ 0 }), 0);
}

static void ops_without_an_event_are_told_too_and_each_hash_makes_the_cursor_of_its_position(void **state)
{
        struct room *room = *state;
        struct ops_follow_result got, page;
        struct op_since_result since;
        struct cursor cursor = { 0 };
        char text[CURSOR_TEXT];
        size_t silent = 0;

        file_comment(room, ALICE, room_ticket(room, ALICE, "With a file").id);
        got = follow(room, 0, 262144);
        assert_int_equal(got.head, head(room));
        assert_int_equal(got.items.n, got.head); /* none is left out */
        for (size_t i = 0; i < got.items.n; i++) {
                const struct log_item *item = &got.items.items[i];

                assert_int_equal(item->seq, i + 1);
                silent += !item->event;
                memcpy(cursor.instance, got.instance.p, sizeof(cursor.instance));
                memcpy(cursor.hash, item->hash.p, sizeof(cursor.hash));
                cursor.seq = item->seq;
                cursor_write(&room->store->cursor_key, &cursor, text);
                assert_int_equal(room_call(room, ADMIN, &schema_method_op_since,
                                           &(struct op_since){ .cursor = { text, sizeof(text) }, .until = { text, sizeof(text) }, .has_until = true,
                                                               .max_bytes = 1024 }, &since), 0);
                assert_int_equal(since.mode, SINCE_MODE_REPLAY);
        }
        assert_int_equal(silent, 1);
        page = follow(room, 0, 1024);
        assert_true(page.items.n > 0 && page.items.n < got.items.n);
        assert_int_equal(page.head, page.items.n);
        assert_true(str_eq(page.head_hash, got.items.items[page.head - 1].hash));
        page = follow(room, got.head, 1024); /* nothing new: the head, after a while */
        assert_int_equal(page.items.n, 0);
        assert_true(page.head == got.head && str_eq(page.head_hash, got.head_hash));
}

/* The event of the comment that was written first, as JSON. */
static const char *comment_told(struct room *room, int64_t after)
{
        struct ops_follow_result got = follow(room, after, 262144);

        for (size_t i = 0; i < got.items.n; i++)
                if (got.items.items[i].event && str_is(got.items.items[i].event->type, "comment.added"))
                        return arena_str(&room->arena, got.items.items[i].event->data).p;
        fail_msg("nothing was told of a comment");
        return NULL;
}

/* Each item, as JSON. */
static struct str all_told(struct room *room)
{
        struct ops_follow_result got = follow(room, 0, 1048576);
        struct buf json = { 0 };
        struct str r;

        for (size_t i = 0; i < got.items.n; i++)
                json_write(&schema_type_log_item, &got.items.items[i], &json);
        r = arena_str(&room->arena, buf_view(&json));
        buf_deinit(&json);
        return r;
}

static bool fresh_has(struct room *room, int64_t seq)
{
        struct log_entry entry;
        struct comment comment;

        return fresh_find(&room->store->fresh, seq, &room->arena, &entry, &comment);
}

static void what_is_told_from_memory_is_what_the_log_says(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "What happens?");
        char *long_body = arena_zalloc(&room->arena, FRESH_BODY_MAX + 2);
        struct str told_live;

        memset(long_body, 'x', FRESH_BODY_MAX + 1);
        for (int i = 0; i < 5; i++) {
                room->now_ms += 7;
                assert_int_equal(room_reply(room, ALICE, ticket.id, "It \"burns\", \xe2\x82\xac 5\nnow", NULL), 0);
                assert_int_equal(room_note(room, AGNES, ticket.id, "Does it?", NULL), 0);
                assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket.id, .has_priority = true,
                                                                            .priority = PRIORITY_HIGH + i % 2 }, NULL), 0);
        }
        assert_true(fresh_has(room, head(room) - 1)); /* the last note, before the priority */
        assert_int_equal(room_reply(room, ARTHUR, ticket.id, long_body, NULL), 0);
        assert_false(fresh_has(room, head(room)));
        told_live = all_told(room);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_false(fresh_has(room, head(room)));
        assert_true(str_eq(all_told(room), told_live));
}

static void a_comment_that_changed_is_told_as_it_is_and_its_words_are_gone_from_memory(void **state)
{
        static const char secret[] = "my password is hunter2";
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Words");
        struct comment edited, redacted;
        int64_t before = head(room), middle;

        assert_int_equal(room_reply(room, ALICE, ticket.id, "frist", &edited), 0);
        assert_non_null(strstr(comment_told(room, before), "frist"));
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_edit,
                                   &(struct comment_edit){ .comment = edited.id, .body = STR("first"), .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_edit_result){ 0 }), 0);
        assert_non_null(strstr(comment_told(room, before), "first"));
        middle = head(room);
        assert_int_equal(room_reply(room, ALICE, ticket.id, secret, &redacted), 0);
        assert_non_null(strstr(comment_told(room, middle), secret));
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact,
                                   &(struct comment_redact){ .comment = redacted.id, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_redact_result){ 0 }), 0);
        assert_null(strstr(comment_told(room, middle), "hunter2"));
        assert_null(memmem(room->store->fresh.slots, malloc_usable_size(room->store->fresh.slots), secret, strlen(secret)));
}

static void a_position_that_is_written_anew_is_not_told_as_it_was(void **state)
{
        struct room *room = *state;
        struct fresh *fresh = &room->store->fresh;
        int64_t next = store_position(room->store) + 1; /* no command is under way */
        struct log_entry comment = { .seq = next, .kind = &schema_op_comment_add }, tag = { .seq = next, .kind = &schema_op_tag_add };

        fresh_append(fresh, &comment);
        assert_false(fresh_has(room, next));
        fresh_show(fresh, next, &(struct comment){ .body = STR("undone with its batch") });
        assert_true(fresh_has(room, next));
        assert_false(fresh_has(room, next + FRESH_OPS));
        fresh_append(fresh, &tag);
        assert_false(fresh_has(room, next));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_op_is_told_with_who_may_see_it_now, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(ops_without_an_event_are_told_too_and_each_hash_makes_the_cursor_of_its_position, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_told_from_memory_is_what_the_log_says, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_comment_that_changed_is_told_as_it_is_and_its_words_are_gone_from_memory, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_position_that_is_written_anew_is_not_told_as_it_was, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tickets as they were. */
#include "asof.h"
#include "store_room.h"
#include "schema/link.h"
#include "schema/merge.h"

enum { MOMENTS = 24, COMMENTS = 64 };

struct moment {
        int64_t at_ms;
        char cursor[64];
        size_t cursor_n;
        struct str ticket, comments, notes; /* as JSON */
};

static struct str json(struct room *room, const struct schema_struct *type, const void *value)
{
        struct buf out = { 0 };
        struct str r;

        json_write(type, value, &out);
        r = arena_str(&room->service.arena, buf_view(&out));
        buf_deinit(&out);
        return r;
}

/* How Agnes sees it, now or then. */
static int look(struct room *room, struct ulid ticket, const int64_t *at_ms, const struct str *cursor, struct moment *ret)
{
        struct ticket_get get = { .has_ticket = true, .ticket = ticket, .has_at = at_ms != NULL, .at = at_ms ? *at_ms : 0,
                                  .has_at_cursor = cursor != NULL, .at_cursor = cursor ? *cursor : STR("") };
        struct comment_list list = { .ticket = ticket, .limit = 200, .has_at = get.has_at, .at = get.at, .has_at_cursor = get.has_at_cursor,
                                     .at_cursor = get.at_cursor };
        struct comment_list_result rows;
        struct ticket_get_result got;
        int r = room_call(room, AGNES, &schema_method_ticket_get, &get, &got);

        if (r)
                return r;
        assert_true(got.ticket.has_unread == (!at_ms && !cursor));
        got.ticket.has_unread = false;
        ret->at_ms = room->now_ms;
        memcpy(ret->cursor, got.cursor.p, got.cursor.n);
        ret->cursor_n = got.cursor.n;
        ret->ticket = json(room, &schema_type_ticket, &got.ticket);
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_list, &list, &rows), 0);
        ret->comments = json(room, schema_method_comment_list.result, &(struct comment_list_result){ .items = rows.items });
        assert_int_equal(room_call(room, AGNES, &schema_method_note_list, &list, &rows), 0);
        ret->notes = json(room, schema_method_note_list.result, &(struct comment_list_result){ .items = rows.items });
        arena_reset(&room->arena);
        return 0;
}

struct work {
        struct ulid ticket, comments[COMMENTS], notes[COMMENTS];
        size_t n_comments, n_notes;
};

static void change_something(struct room *room, struct work *w)
{
        struct comment made;
        struct str tag[] = { STR("vpn") };
        struct ticket_set set = { .ticket = w->ticket };
        struct comment_edit edit = { .body = STR("Better words"), .has_op_id = true, .op_id = room_id(room) };
        struct comment_delete del = { .has_op_id = true, .op_id = room_id(room) };
        uint64_t dice = room_random(room);

        room->now_ms += 1000;
        switch (dice % 9) {
        case 0:
                if (!room_reply(room, dice & 64 ? ALICE : AGNES, w->ticket, "Words", &made))
                        w->comments[w->n_comments++] = made.id;
                return;
        case 1:
                if (!room_note(room, ARTHUR, w->ticket, "A note", &made))
                        w->notes[w->n_notes++] = made.id;
                return;
        case 2:
                if (w->n_comments) {
                        edit.comment = w->comments[room_random(room) % w->n_comments];
                        room_call(room, ADMIN, &schema_method_comment_edit, &edit, &(struct comment_edit_result){ 0 });
                }
                return;
        case 3:
                if (w->n_notes) {
                        edit.comment = w->notes[room_random(room) % w->n_notes];
                        room_call(room, ADMIN, &schema_method_note_edit, &edit, &(struct note_edit_result){ 0 });
                }
                return;
        case 4:
                if (w->n_notes) {
                        del.comment = w->notes[room_random(room) % w->n_notes];
                        room_call(room, ADMIN, &schema_method_note_delete, &del, &(struct note_delete_result){ 0 });
                }
                return;
        case 5:
                if (w->n_comments && dice & 64) {
                        del.comment = w->comments[room_random(room) % w->n_comments];
                        room_call(room, ADMIN, &schema_method_comment_delete, &del, &(struct comment_delete_result){ 0 });
                }
                return;
        case 6:
                set.has_subject = true;
                set.subject = dice & 64 ? STR("One subject") : STR("Another subject");
                break;
        case 7:
                set.has_add_tags = dice & 64;
                set.has_remove_tags = !set.has_add_tags;
                set.add_tags.items = set.remove_tags.items = tag;
                set.add_tags.n = set.remove_tags.n = 1;
                break;
        default:
                set.has_state = true;
                set.state = (int)(room_random(room) % 5);
                set.has_assignee = dice & 64 ? SCHEMA_PRESENT : SCHEMA_NULL;
                set.assignee = room->users[ARTHUR];
        }
        room_set(room, AGNES, set, NULL);
}

static void same(const struct moment *then, const struct moment *now)
{
        assert_string_equal(now->ticket.p, then->ticket.p);
        assert_string_equal(now->comments.p, then->comments.p);
        assert_string_equal(now->notes.p, then->notes.p);
}

static void a_ticket_is_shown_as_it_was_at_each_position_and_time(void **state)
{
        struct room *room = *state;
        struct work w = { .ticket = room_ticket(room, ALICE, "History").id };
        struct moment moments[MOMENTS], now;

        room_ticket(room, BOB, "Another");
        for (size_t i = 0; i < MOMENTS; i++) {
                for (int k = 0; k < 4; k++)
                        change_something(room, &w);
                assert_int_equal(look(room, w.ticket, NULL, NULL, &moments[i]), 0);
        }
        assert_true(w.n_comments > 3 && w.n_notes > 3);
        for (size_t i = 0; i < MOMENTS; i++) {
                struct str cursor = { moments[i].cursor, moments[i].cursor_n };

                assert_int_equal(look(room, w.ticket, NULL, &cursor, &now), 0);
                same(&moments[i], &now);
                assert_int_equal(look(room, w.ticket, &moments[i].at_ms, NULL, &now), 0);
                same(&moments[i], &now);
        }
        room_proof(room);
}

static void what_was_redacted_stays_so_and_what_was_not_there_is_not_found(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "A password").id;
        int64_t before = room->now_ms - 1, then;
        struct moment now;
        struct comment made, note;
        struct comment_redact redact = { .has_op_id = true };

        room->now_ms += 1000;
        assert_int_equal(room_reply(room, ALICE, ticket, "It is hunter2.", &made), 0);
        assert_int_equal(room_note(room, AGNES, ticket, "She wrote hunter2!", &note), 0);
        then = room->now_ms;
        assert_int_equal(look(room, ticket, &then, NULL, &now), 0);
        assert_non_null(strstr(now.comments.p, "hunter2"));
        room->now_ms += 1000;
        for (int i = 0; i < 2; i++) {
                redact.comment = i ? note.id : made.id;
                redact.op_id = room_id(room);
                assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &redact, &(struct comment_redact_result){ 0 }), 0);
        }
        assert_int_equal(look(room, ticket, &then, NULL, &now), 0);
        assert_null(strstr(now.comments.p, "hunter2"));
        assert_null(strstr(now.notes.p, "hunter2"));
        assert_non_null(strstr(now.comments.p, "\"redacted\":true"));
        assert_non_null(strstr(now.notes.p, "\"redacted\":true"));
        assert_int_equal(look(room, ticket, &before, NULL, &now), FAULT_NOT_FOUND);
        assert_int_equal(look(room, ticket, NULL, &STR("AAAA"), &now), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "at_cursor"));
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_get, &(struct ticket_get){ .has_ticket = true, .ticket = ticket, .has_at = true, .at = then },
                                   &(struct ticket_get_result){ 0 }), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "at"));
        room_proof(room);
}

/* Merged, answered, split and taken back: at each moment what showed then. */
static void what_showed_on_it_from_other_tickets_is_there_too(void **state)
{
        struct room *room = *state;
        struct ulid source = room_ticket(room, ALICE, "Source").id, target = room_ticket(room, ALICE, "Target").id;
        struct ticket_merge merge = { .ticket = source, .into = target, .has_op_id = true, .op_id = room_id(room) };
        struct command_undo undo = { .has_command = true, .command = merge.op_id, .has_op_id = true, .op_id = room_id(room) };
        struct ticket_split split = { .ticket = target, .subject = STR("Another matter"), .has_op_id = true, .op_id = room_id(room) };
        struct moment moments[6], now;
        struct ticket_split_result parted;
        struct comment reply;
        size_t n = 0;

        assert_int_equal(room_reply(room, ALICE, target, "On the target", &reply), 0);
        assert_int_equal(look(room, target, NULL, NULL, &moments[n++]), 0);
        room->now_ms += 1000;
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_merge, &merge, &(struct ticket_merge_result){ 0 }), 0);
        assert_int_equal(room_reply(room, ALICE, source, "On the source", NULL), 0);
        assert_int_equal(look(room, target, NULL, NULL, &moments[n++]), 0);
        assert_non_null(strstr(moments[1].comments.p, "On the source"));
        room->now_ms += 1000;
        split.comments.items = &reply.id;
        split.comments.n = 1;
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_split, &split, &parted), 0);
        assert_int_equal(look(room, target, NULL, NULL, &moments[n++]), 0);
        assert_int_equal(look(room, split.op_id, NULL, NULL, &moments[n++]), 0);
        assert_non_null(strstr(moments[3].comments.p, "On the target"));
        assert_int_equal(look(room, source, NULL, NULL, &moments[n++]), 0);
        room->now_ms += 1000;
        assert_int_equal(room_call(room, AGNES, &schema_method_command_undo, &undo, &(struct command_undo_result){ 0 }), 0);
        assert_int_equal(look(room, target, NULL, NULL, &moments[n++]), 0);
        for (size_t i = 0; i < n; i++) {
                struct ulid of = i == 3 ? split.op_id : i == 4 ? source : target;
                struct str cursor = { moments[i].cursor, moments[i].cursor_n };

                assert_int_equal(look(room, of, NULL, &cursor, &now), 0);
                same(&moments[i], &now);
        }
        room_proof(room);
}

/* A log from before ops for agents had their ticket beside them. */
static void an_old_log_knows_the_tickets_of_its_notes_too(void **state)
{
        struct room *room = *state;
        struct work w = { .ticket = room_ticket(room, ALICE, "Old").id };
        struct link_add link = { .ticket = w.ticket, .kind = LINK_KIND_RELATES, .other = room_ticket(room, BOB, "Another").id, .has_op_id = true,
                                 .op_id = room_id(room) };
        struct moment then, now;
        struct db *db;
        int64_t before, none, after;
        struct str cursor;

        for (int k = 0; k < 60; k++)
                change_something(room, &w);
        assert_int_equal(room_call(room, AGNES, &schema_method_link_add, &link, &(struct link_add_result){ 0 }), 0);
        assert_int_equal(look(room, w.ticket, NULL, NULL, &then), 0);
        cursor = (struct str){ then.cursor, then.cursor_n };
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        db = room->store->writer.db;
        assert_int_equal(db_int(db, &before, "SELECT count(*) FROM op WHERE scope = 1 AND audience = ?1", "u", w.ticket), 0);
        assert_true(before > 10);
        room_records_whole(room, db);
        assert_int_equal(db_run(db, "UPDATE op SET audience = NULL WHERE scope = 1"), 0);
        for (int i = 0; i < store_migrations.n; i++)
                if (strncmp(store_migrations.steps[i], "UPDATE op SET audience", 22) == 0)
                        assert_int_equal(db_run(db, store_migrations.steps[i]), 0);
        assert_int_equal(db_int(db, &after, "SELECT count(*) FROM op WHERE scope = 1 AND audience = ?1", "u", w.ticket), 0);
        assert_int_equal(after, before);
        assert_int_equal(db_int(db, &none, "SELECT count(*) FROM op WHERE scope = 1 AND audience IS NULL AND instr(record, CAST('note.' AS BLOB))", ""), 0);
        assert_int_equal(none, 0);
        assert_int_equal(look(room, w.ticket, NULL, &cursor, &now), 0);
        same(&then, &now);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_ticket_is_shown_as_it_was_at_each_position_and_time, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_was_redacted_stays_so_and_what_was_not_there_is_not_found, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_showed_on_it_from_other_tickets_is_there_too, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(an_old_log_knows_the_tickets_of_its_notes_too, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

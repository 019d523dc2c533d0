/* Who changed what, who looked at what, and what was refused. */
#include "store_room.h"
#include "schema/audit.h"
#include "schema/draft.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static struct audit_list_result list(struct room *room, struct audit_list in)
{
        struct audit_list_result got = { 0 };

        in.limit = in.limit ? in.limit : 200;
        assert_int_equal(room_call(room, ADMIN, &schema_method_audit_list, &in, &got), 0);
        return got;
}

static struct audit_access_result accesses(struct room *room, struct audit_access in)
{
        struct audit_access_result got = { 0 };

        in.limit = in.limit ? in.limit : 200;
        assert_int_equal(room_call(room, ADMIN, &schema_method_audit_access, &in, &got), 0);
        return got;
}

static void shows(struct str text, const char *part)
{
        if (!memmem(text.p, text.n, part, strlen(part)))
                print_error("%.*s has no %s\n", STR_ARG(text), part);
        assert_non_null(memmem(text.p, text.n, part, strlen(part)));
}

static void a_change_has_what_was_before_and_after(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "First words").id;
        struct audit_list_result got;
        struct comment comment;
        const struct audit_entry *e;

        room->now_ms += 1000;
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_state = true, .state = TICKET_STATE_OPEN }, NULL), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_state = true, .state = TICKET_STATE_SOLVED }, NULL), 0);
        assert_int_equal(room_set(room, ADMIN, (struct ticket_set){ .ticket = ticket, .has_priority = true, .priority = PRIORITY_URGENT }, NULL), 0);
        assert_int_equal(room_set(room, ADMIN, (struct ticket_set){ .ticket = ticket, .has_subject = true, .subject = STR("Second words") }, NULL), 0);
        assert_int_equal(room_set(room, ADMIN, (struct ticket_set){ .ticket = ticket, .has_assignee = SCHEMA_PRESENT, .assignee = room->users[AGNES] }, NULL), 0);
        assert_int_equal(room_note(room, AGNES, ticket, "A note", &comment), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_note_edit, &(struct note_edit){ .comment = comment.id, .body = STR("A better note"),
                                                                                            .has_op_id = true, .op_id = room_id(room) },
                                   &(struct note_edit_result){ 0 }), 0);
        got = list(room, (struct audit_list){ .has_ticket = true, .ticket = ticket });
        assert_int_equal(got.items.n, 9);
        assert_false(got.has_next);
        e = &got.items.items[0];
        assert_true(str_is(e->kind, "note.edit") && ulid_eq(e->actor, room->users[AGNES]) && str_is(e->device, "loopback:127.0.0.2"));
        assert_int_equal(e->at, room->now_ms);
        shows(e->before, "\"A note\"");
        shows(e->after, "\"A better note\"");
        assert_true(got.items.items[1].has_ticket && !got.items.items[1].has_before);
        assert_true(str_is(got.items.items[2].kind, "ticket.assignee"));
        assert_null(memmem(got.items.items[2].before.p, got.items.items[2].before.n, "assignee", 8));
        shows(got.items.items[3].before, "\"First words\"");
        shows(got.items.items[3].after, "\"Second words\"");
        shows(got.items.items[4].before, "\"priority\":\"normal\"");
        shows(got.items.items[4].after, "\"priority\":\"urgent\"");
        shows(got.items.items[5].before, "\"state\":\"open\"");
        shows(got.items.items[6].before, "\"state\":\"new\"");
        assert_true(str_is(got.items.items[8].kind, "ticket.create"));

        assert_int_equal(list(room, (struct audit_list){ .has_actor = true, .actor = room->users[ADMIN] }).items.n, 3);
        assert_int_equal(list(room, (struct audit_list){ .has_kind = true, .kind = STR("ticket.state") }).items.n, 2);
        assert_int_equal(list(room, (struct audit_list){ .has_number = true, .number = 1, .has_to_at = true, .to_at = room->now_ms }).items.n, 2);
        assert_int_equal(list(room, (struct audit_list){ .has_number = true, .number = 1, .has_from_at = true, .from_at = room->now_ms }).items.n, 7);
        assert_int_equal(room_call(room, AGNES, &schema_method_audit_list, &(struct audit_list){ .limit = 1 }, &got), FAULT_FORBIDDEN);
        room_proof(room);
}

static void pages_have_everything_once_and_redacted_words_are_gone(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Pages").id;
        struct comment_redact redact = { .has_op_id = true };
        struct audit_list in = { .limit = 7, .has_ticket = true, .ticket = ticket };
        struct comment comment;
        size_t n = 0;

        for (int i = 0; i < 20; i++)
                assert_int_equal(room_reply(room, ALICE, ticket, "My pin is quokka7", &comment), 0);
        redact.comment = comment.id;
        redact.op_id = room_id(room);
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &redact, &(struct comment_redact_result){ 0 }), 0);
        for (;;) {
                struct audit_list_result got = list(room, in);

                for (size_t i = 0; i < got.items.n; i++, n++)
                        if (n == 1)
                                assert_null(memmem(got.items.items[i].after.p, got.items.items[i].after.n, "quokka", 6));
                        else if (n > 1 && n < 21)
                                shows(got.items.items[i].after, "quokka7");
                if (!got.has_next)
                        break;
                in.has_after = true;
                in.after = arena_str(&room->service.arena, got.next);
        }
        assert_int_equal(n, 23);
        in.after = STR("AAAA");
        assert_int_equal(room_call(room, ADMIN, &schema_method_audit_list, &in, &(struct audit_list_result){ 0 }), FAULT_INVALID_PARAMS);
        room_proof(room);
}

static void looks_at_tickets_are_counted_by_the_hour_and_refusals_are_kept(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Look").id, other = room_ticket(room, BOB, "Bob's").id;
        struct audit_access_result got;
        struct comment comment;
        struct ticket now;
        int64_t began = room->now_ms;

        assert_int_equal(room_reply(room, ALICE, ticket, "Mine", &comment), 0);
        for (int i = 0; i < 5; i++) {
                assert_int_equal(room_get(room, AGNES, ticket, &now, NULL), 0);
                assert_int_equal(room_get(room, ALICE, ticket, &now, NULL), 0);
        }
        room->now_ms += HOUR_MS;
        assert_int_equal(room_get(room, AGNES, ticket, &now, NULL), 0);
        assert_int_equal(room_get(room, ALICE, other, &now, NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_get(room, ALICE, other, &now, NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_get(room, ALICE, room_id(room), &now, NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_get(room, ALICE, room_id(room), &now, NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, ALICE, &schema_method_draft_get, &(struct draft_get){ .ticket = ticket }, &(struct draft_get_result){ 0 }), FAULT_NOT_FOUND);
        assert_int_equal(room_note(room, ALICE, ticket, "By role", NULL), FAULT_FORBIDDEN);
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_delete, &(struct comment_delete){ .comment = comment.id, .has_op_id = true,
                                                                                                       .op_id = room_id(room) },
                                   &(struct comment_delete_result){ 0 }), FAULT_FORBIDDEN);

        got = accesses(room, (struct audit_access){ .has_user = true, .user = room->users[AGNES], .has_kind = true, .kind = ACCESS_KIND_VIEWED });
        assert_int_equal(got.items.n, 2);
        assert_int_equal(got.items.items[0].count + got.items.items[1].count, 6);
        got = accesses(room, (struct audit_access){ .has_ticket = true, .ticket = other });
        assert_int_equal(got.items.n, 1);
        assert_true(got.items.items[0].count == 2 && got.items.items[0].kind == ACCESS_KIND_NOT_FOUND && str_is(got.items.items[0].method, "ticket.get"));
        assert_true(ulid_eq(got.items.items[0].user, room->users[ALICE]));
        got = accesses(room, (struct audit_access){ .has_user = true, .user = room->users[ALICE], .has_kind = true, .kind = ACCESS_KIND_NOT_FOUND });
        assert_int_equal(got.items.n, 2); /* what never was is one row, and a draft that there is none of is none */
        got = accesses(room, (struct audit_access){ .has_kind = true, .kind = ACCESS_KIND_FORBIDDEN });
        assert_int_equal(got.items.n, 2);
        assert_int_equal(accesses(room, (struct audit_access){ .has_to_at = true, .to_at = began + 1 }).items.n, 1);
        got = accesses(room, (struct audit_access){ .limit = 2 });
        assert_true(got.has_next);
        got = accesses(room, (struct audit_access){ .has_after = true, .after = arena_str(&room->service.arena, got.next) });
        assert_int_equal(got.items.n, 4);
        assert_int_equal(room_call(room, AGNES, &schema_method_audit_access, &(struct audit_access){ .limit = 1 }, &got), FAULT_FORBIDDEN);
        room_proof(room);
}

static void what_was_noted_outlives_the_store_and_is_swept_in_time(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Once").id;
        struct ticket now;
        int64_t rows;

        for (int i = 0; i < 3; i++) {
                assert_int_equal(room_get(room, AGNES, ticket, &now, NULL), 0);
                assert_int_equal(accesses(room, (struct audit_access){ 0 }).items.items[0].count, i + 1);
        }
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_equal(accesses(room, (struct audit_access){ 0 }).items.items[0].count, 3);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_equal(access_sweep(room->store->writer.db, room->now_ms + (int64_t)(ACCESS_KEPT_DAYS - 1) * 24 * HOUR_MS), 0);
        assert_int_equal(db_int(room->store->writer.db, &rows, "SELECT count(*) FROM access_audit", ""), 0);
        assert_int_equal(rows, 1);
        assert_int_equal(access_sweep(room->store->writer.db, room->now_ms + (int64_t)(ACCESS_KEPT_DAYS + 1) * 24 * HOUR_MS), 0);
        assert_int_equal(db_int(room->store->writer.db, &rows, "SELECT count(*) FROM access_audit", ""), 0);
        assert_int_equal(rows, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_change_has_what_was_before_and_after, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(pages_have_everything_once_and_redacted_words_are_gone, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(looks_at_tickets_are_counted_by_the_hour_and_refusals_are_kept, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_was_noted_outlives_the_store_and_is_swept_in_time, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

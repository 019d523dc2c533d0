/* What is a user's own: how far they have read, and what they are writing. */
#include "store_room.h"

#include "schema/search.h"
#include "draft.h"
#include "read.h"
#include "schema/personal.h"

/* ---- short ways ---- */

static int64_t unread(struct room *room, enum who who, struct ulid ticket)
{
        struct ticket now = { 0 };

        assert_int_equal(room_get(room, who, ticket, &now, NULL), 0);
        assert_true(now.has_unread);
        return now.unread;
}

static int mark(struct room *room, enum who who, struct ulid ticket, struct ulid comment, struct mark *ret)
{
        struct read_mark_result made;
        int r = room_call(room, who, &schema_method_read_mark,
                          &(struct read_mark){ .ticket = ticket, .comment = comment, .has_op_id = true, .op_id = room_id(room) }, &made);

        if (!r && ret)
                *ret = made.mark;
        return r;
}

static struct comment written(struct room *room, enum who who, struct ulid ticket, const char *body)
{
        struct comment comment;

        room->now_ms += 10;
        assert_int_equal(room_reply(room, who, ticket, body, &comment), 0);
        return comment;
}

static struct comment noted(struct room *room, enum who who, struct ulid ticket, const char *body)
{
        struct comment note;

        room->now_ms += 10;
        assert_int_equal(room_note(room, who, ticket, body, &note), 0);
        return note;
}

static int save(struct room *room, enum who who, struct ulid ticket, bool note, const char *body, int64_t version, int64_t *ret_version)
{
        struct draft_save_result made;
        int r;

        room->now_ms += 10;
        r = room_call(room, who, &schema_method_draft_save,
                      &(struct draft_save){ .ticket = ticket, .note = note, .body = str_of(body), .has_version = version != 0, .version = version,
                                            .has_op_id = true, .op_id = room_id(room) }, &made);
        if (!r) {
                assert_false(made.draft.has_body);
                *ret_version = made.draft.version;
        }
        return r;
}

static int discard(struct room *room, enum who who, struct ulid ticket, int64_t version)
{
        struct draft_discard_result made;

        room->now_ms += 10;
        return room_call(room, who, &schema_method_draft_discard,
                         &(struct draft_discard){ .ticket = ticket, .has_version = version != 0, .version = version, .has_op_id = true,
                                                  .op_id = room_id(room) }, &made);
}

/* The draft's text, or NULL where there is none. */
static const char *draft(struct room *room, enum who who, struct ulid ticket, bool note)
{
        struct draft_get_result got;
        int r = room_call(room, who, &schema_method_draft_get, &(struct draft_get){ .ticket = ticket, .note = note }, &got);

        assert_true(!r || r == FAULT_NOT_FOUND);
        return r ? NULL : arena_str(&room->arena, got.draft.body).p;
}

static size_t drafts(struct room *room, enum who who)
{
        struct draft_list_result got;

        assert_int_equal(room_call(room, who, &schema_method_draft_list, &(struct draft_list){ 0 }, &got), 0);
        return got.items.n;
}

static struct read_list_result marks(struct room *room, enum who who, int64_t after, int64_t limit)
{
        struct read_list_result got;

        assert_int_equal(room_call(room, who, &schema_method_read_list,
                                   &(struct read_list){ .has_after = after != 0, .after = after, .limit = limit }, &got), 0);
        return got;
}

/* What fanout is told from a position (-1: none) on: "alice read.marked {...}" lines. Moves the position on. */
static const char *followed(struct room *room, int64_t *after)
{
        static const char *const names[] = { "Alice", "Bob", "Agnes", "Arthur", "Ada" };
        struct personal_follow_result got;
        struct buf text = { 0 };
        const char *r;

        assert_int_equal(room_call(room, OPERATOR, &schema_method_personal_follow,
                                   &(struct personal_follow){ .has_after = *after >= 0, .after = *after, .max_bytes = 262144 }, &got), 0);
        for (size_t i = 0; i < got.items.n; i++) {
                const struct personal_item *item = &got.items.items[i];

                assert_false(item->event.has_op_id || item->event.has_actor);
                for (enum who who = ALICE; who <= ADMIN; who++)
                        if (ulid_eq(item->user, room->users[who]))
                                buf_format(&text, "%s %.*s %.*s\n", names[who], STR_ARG(item->event.type), STR_ARG(item->event.data));
        }
        *after = got.head;
        r = arena_str(&room->arena, (struct str){ buf_z(&text), text.n }).p;
        buf_deinit(&text);
        return r;
}

static int64_t followed_head(struct room *room)
{
        int64_t after = INT64_C(1) << 50;

        followed(room, &after);
        return after;
}

static const char *line(struct room *room, const char *format, struct ulid ticket)
{
        char id[ULID_TEXT + 1];

        ulid_text(ticket, id);
        return arena_format(&room->arena, format, id).p;
}

/* ---- read marks ---- */

static void unread_is_what_others_wrote_behind_the_mark_as_far_as_one_may_see_it(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "A question").id;
        struct comment first, second, note;
        struct mark read;

        assert_int_equal(unread(room, ALICE, ticket), 0);
        assert_int_equal(unread(room, AGNES, ticket), 1);
        first = written(room, AGNES, ticket, "An answer");
        note = noted(room, AGNES, ticket, "Did I get that right?");
        second = written(room, AGNES, ticket, "And another one");
        assert_int_equal(unread(room, AGNES, ticket), 0); /* who answers has read */
        assert_int_equal(unread(room, ALICE, ticket), 2); /* notes are nothing to her */
        assert_int_equal(unread(room, ARTHUR, ticket), 4);

        assert_int_equal(mark(room, ALICE, ticket, first.id, &read), 0);
        assert_int_equal(read.unread, 1);
        assert_int_equal(mark(room, ALICE, ticket, second.id, &read), 0);
        assert_int_equal(read.unread, 0);
        assert_int_equal(mark(room, ALICE, ticket, first.id, &read), 0); /* her old tablet: nothing moves backwards */
        assert_true(ulid_eq(read.comment, second.id));
        assert_int_equal(unread(room, ALICE, ticket), 0);

        assert_int_equal(mark(room, ARTHUR, ticket, note.id, &read), 0);
        assert_int_equal(read.unread, 1);
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_delete,
                                   &(struct comment_delete){ .comment = second.id, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_delete_result){ 0 }), 0);
        assert_int_equal(unread(room, ARTHUR, ticket), 0);
        written(room, ALICE, ticket, "Thanks");
        assert_int_equal(unread(room, ARTHUR, ticket), 1);
        assert_int_equal(unread(room, ALICE, ticket), 0);
        room_proof(room);
}

static void nobody_marks_what_they_may_not_see(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Mine").id, other = room_ticket(room, ALICE, "Mine, too").id;
        struct comment comment = written(room, AGNES, ticket, "Hello"), note = noted(room, AGNES, ticket, "Hm");

        assert_int_equal(mark(room, ALICE, ticket, note.id, NULL), FAULT_NOT_FOUND);
        assert_int_equal(mark(room, ALICE, other, comment.id, NULL), FAULT_NOT_FOUND);
        assert_int_equal(mark(room, BOB, ticket, comment.id, NULL), FAULT_NOT_FOUND);
        assert_int_equal(mark(room, ALICE, ticket, room_id(room), NULL), FAULT_NOT_FOUND);
        assert_int_equal(mark(room, STRANGER, ticket, comment.id, NULL), FAULT_UNAUTHENTICATED);
        assert_int_equal(followed_head(room), 0);
        assert_int_equal(mark(room, ARTHUR, ticket, note.id, NULL), 0);
        assert_int_equal(marks(room, ARTHUR, 0, 200).items.n, 1);
        room->users[BOB] = room->users[ARTHUR]; /* Arthur, with Bob's role: an agent no more, who is not on the ticket */
        assert_int_equal(marks(room, BOB, 0, 200).items.n, 0);
}

static void no_more_than_a_hundred_are_counted(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "A long one").id;

        for (int i = 0; i < READ_UNREAD_MAX + 5; i++)
                written(room, ALICE, ticket, "More");
        assert_int_equal(unread(room, AGNES, ticket), READ_UNREAD_MAX);
}

static void marks_are_listed_from_a_version_on(void **state)
{
        struct room *room = *state;
        struct ulid tickets[5];
        struct comment comments[5];
        struct read_list_result page;
        struct mark read;

        for (int i = 0; i < 5; i++) {
                tickets[i] = room_ticket(room, ALICE, "One of five").id;
                comments[i] = written(room, AGNES, tickets[i], "Answered");
        }
        for (int i = 0; i < 5; i++) /* in one millisecond: versions grow all the same */
                assert_int_equal(mark(room, ALICE, tickets[i], comments[i].id, NULL), 0);
        page = marks(room, ALICE, 0, 3);
        assert_int_equal(page.items.n, 3);
        assert_true(page.more);
        assert_true(ulid_eq(page.items.items[0].ticket, tickets[0]));
        page = marks(room, ALICE, page.version, 3);
        assert_int_equal(page.items.n, 2);
        assert_false(page.more);
        assert_int_equal(marks(room, ALICE, page.version, 3).items.n, 0);
        assert_int_equal(marks(room, ALICE, page.version, 3).version, page.version);
        assert_int_equal(mark(room, ALICE, tickets[1], written(room, AGNES, tickets[1], "More").id, &read), 0);
        written(room, AGNES, tickets[1], "And more");
        page = marks(room, ALICE, page.version, 3);
        assert_int_equal(page.items.n, 1);
        assert_int_equal(page.items.items[0].version, read.version);
        assert_int_equal(page.items.items[0].unread, 1);
        assert_int_equal(marks(room, BOB, 0, 200).items.n, 0);
}

/* The closed store's database, as the first program made it: what was not there yet is left out. */
static void make_old(struct room *room)
{
        static const char columns[] = "SELECT m.name, group_concat(c.name, ', ') FROM old.sqlite_schema m JOIN pragma_table_info(m.name, 'old') c"
                                      " WHERE m.type = 'table' AND m.name <> 'op_text' GROUP BY m.name";
        const struct db_migrations first = { store_migrations.steps, 1 };
        const char *path = arena_format(&room->arena, "%s/store.db", room->folder).p, *old = arena_format(&room->arena, "%s/old.db", room->folder).p;
        struct buf copy = { 0 };
        sqlite3_stmt *q;
        struct db *db;

        assert_int_equal(db_open(old, 0, NULL, &first, &db), 0);
        db_close(db);
        assert_int_equal(db_open(path, 0, NULL, &store_migrations, &db), 0);
        assert_int_equal(db_run(db, ROOM_COMMENTS_BY_OP), 0);
        assert_int_equal(db_run(db, arena_format(&room->arena, "ATTACH '%s' AS old", old).p), 0);
        q = db_query(db, columns, "");
        while (db_step(db, q) > 0) {
                struct str table = db_column_str(q, 0), names = db_column_str(q, 1);

                buf_format(&copy, "INSERT INTO old.%.*s(%.*s) SELECT %.*s FROM main.%.*s;", STR_ARG(table), STR_ARG(names), STR_ARG(names),
                           STR_ARG(table));
        }
        buf_format(&copy, "INSERT INTO old.op_text SELECT o.op_id, o.n, t.id & 63, t.salt, t.text FROM main.op_text t JOIN main.op o ON o.seq = t.id >> 6;");
        buf_format(&copy, "DELETE FROM old.position");
        if (db_run(db, buf_z(&copy)))
                fail_msg("%s", db_error(db));
        buf_deinit(&copy);
        db_close(db);
        assert_int_equal(rename(old, path), 0);
}

static void a_store_of_before_gets_its_tables_when_it_is_opened(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "From before").id;
        struct comment comment = written(room, AGNES, ticket, "Answered");
        struct ticket_search_result found;

        room_records_whole(room, room->store->writer.db);
        room_close(room);
        make_old(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_equal(unread(room, ALICE, ticket), 1);
        assert_int_equal(mark(room, ALICE, ticket, comment.id, NULL), 0);
        assert_int_equal(unread(room, ALICE, ticket), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_search, &(struct ticket_search){ .query = STR("answered"), .limit = 1 }, &found), 0);
        assert_int_equal(found.items.n, 1);
        room_proof(room);
}

/* ---- drafts ---- */

static void a_draft_survives_and_of_two_devices_neither_overwrites_the_others_unseen(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Writing").id;
        int64_t phone, tablet = 0, newest;

        assert_int_equal(save(room, ALICE, ticket, false, "Dear", 0, &phone), 0);
        assert_int_equal(save(room, ALICE, ticket, false, "Dear desk", phone, &phone), 0);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_string_equal(draft(room, ALICE, ticket, false), "Dear desk");

        assert_int_equal(save(room, ALICE, ticket, false, "Hi", 0, &tablet), FAULT_CONFLICT); /* it knew of none */
        assert_true(room->fault.has_newer);
        assert_non_null(memmem(room->fault.newer.p, room->fault.newer.n, "Dear desk", 9));
        assert_int_equal(save(room, ALICE, ticket, false, "Dear desk", 0, &tablet), 0); /* the same text takes nothing away */
        assert_int_equal(tablet, phone);
        assert_int_equal(save(room, ALICE, ticket, false, "Dear desk, hi", tablet, &tablet), 0);
        assert_int_equal(save(room, ALICE, ticket, false, "Dear desk, I", phone, &newest), FAULT_CONFLICT);
        assert_string_equal(draft(room, ALICE, ticket, false), "Dear desk, hi");

        assert_int_equal(discard(room, ALICE, ticket, phone), FAULT_CONFLICT); /* sent without the tablet's words: they stay */
        assert_int_equal(discard(room, ALICE, ticket, tablet), 0);
        assert_null(draft(room, ALICE, ticket, false));
        assert_int_equal(discard(room, ALICE, ticket, tablet), 0);
        assert_int_equal(save(room, ALICE, ticket, false, "Dear desk, I", phone, &newest), FAULT_CONFLICT); /* the phone learns of it */
        assert_int_equal(save(room, ALICE, ticket, false, "One more thing", 0, &newest), 0);
        assert_true(newest > tablet);
        assert_int_equal(drafts(room, ALICE), 1);
        room_proof(room);
}

static void drafts_of_notes_are_for_agents_and_all_are_their_writers_own(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Whose?").id;
        int64_t version;

        assert_int_equal(save(room, ALICE, ticket, true, "Hm", 0, &version), FAULT_NOT_FOUND);
        assert_int_equal(save(room, AGNES, ticket, true, "Is she joking?", 0, &version), 0);
        assert_int_equal(save(room, AGNES, ticket, false, "Dear Alice", 0, &version), 0);
        assert_string_equal(draft(room, AGNES, ticket, true), "Is she joking?");
        assert_string_equal(draft(room, AGNES, ticket, false), "Dear Alice");
        assert_null(draft(room, ARTHUR, ticket, true));
        assert_null(draft(room, ALICE, ticket, false));
        assert_int_equal(drafts(room, AGNES), 2);
        assert_int_equal(drafts(room, ARTHUR), 0);
        assert_int_equal(save(room, BOB, ticket, false, "Me, too", 0, &version), FAULT_NOT_FOUND);
}

static void a_draft_is_gone_with_access_with_its_user_and_with_age(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Watched").id, bob[] = { room->users[BOB] };
        struct ticket_set watch = { .ticket = ticket, .has_add_watchers = true, .add_watchers = { bob, 1 } };
        struct ticket_set unwatch = { .ticket = ticket, .has_remove_watchers = true, .remove_watchers = { bob, 1 } };
        int64_t version, n;

        assert_int_equal(room_set(room, AGNES, watch, NULL), 0);
        assert_int_equal(save(room, BOB, ticket, false, "I have it, too", 0, &version), 0);
        assert_int_equal(room_set(room, AGNES, unwatch, NULL), 0);
        assert_null(draft(room, BOB, ticket, false));
        assert_int_equal(drafts(room, BOB), 0);
        assert_int_equal(save(room, BOB, ticket, false, "x", version, &version), FAULT_NOT_FOUND);

        assert_int_equal(save(room, ALICE, ticket, false, "Never mind", 0, &version), 0);
        room_person(room, BOB, "Bob", SCHEMA_ROLE_CUSTOMER, false);
        assert_int_equal(db_int(room->store->follow_db, &n, "SELECT count(*) FROM draft", ""), 0);
        assert_int_equal(n, 1);

        room->now_ms += DRAFT_KEPT_MS;
        assert_int_equal(draft_sweep(room->store->writer.db, room->now_ms), 0); /* the writer has nothing to do */
        assert_string_equal(draft(room, ALICE, ticket, false), "Never mind");
        assert_int_equal(draft_sweep(room->store->writer.db, room->now_ms + 1), 0);
        assert_null(draft(room, ALICE, ticket, false));
}

static void two_hundred_drafts_are_kept_for_a_user(void **state)
{
        struct room *room = *state;
        struct ulid first = room_ticket(room, ALICE, "The first").id, ticket = first;
        int64_t version;

        for (int i = 0; i < DRAFT_MAX; i++) {
                if (i)
                        ticket = room_ticket(room, ALICE, "Another").id;
                assert_int_equal(save(room, AGNES, ticket, false, "Begun", 0, &version), 0);
        }
        ticket = room_ticket(room, ALICE, "One too many").id;
        assert_int_equal(save(room, AGNES, ticket, false, "Begun", 0, &version), FAULT_TOO_LARGE);
        assert_int_equal(drafts(room, AGNES), DRAFT_MAX);
        assert_int_equal(discard(room, AGNES, first, 0), 0);
        assert_int_equal(save(room, AGNES, ticket, false, "Begun", 0, &version), 0);
        assert_int_equal(save(room, ARTHUR, ticket, false, "Begun", 0, &version), 0);
}

/* ---- told to the user's other devices ---- */

static void what_changed_is_told_once_to_its_user_alone_and_without_the_text(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Told").id, bob[] = { room->users[BOB] };
        struct ticket_set watch = { .ticket = ticket, .has_add_watchers = true, .add_watchers = { bob, 1 } };
        struct ticket_set unwatch = { .ticket = ticket, .has_remove_watchers = true, .remove_watchers = { bob, 1 } };
        int64_t after = -1, version;
        const char *told;

        assert_string_equal(followed(room, &after), "");
        assert_int_equal(after, 0);
        assert_int_equal(mark(room, ALICE, ticket, written(room, AGNES, ticket, "Yes?").id, NULL), 0);
        assert_int_equal(save(room, ALICE, ticket, false, "Dear", 0, &version), 0);
        assert_int_equal(save(room, ALICE, ticket, false, "Dear desk", version, &version), 0);
        assert_int_equal(save(room, AGNES, ticket, true, "Hm", 0, &version), 0);
        told = followed(room, &after);
        assert_int_equal(after, 4);
        assert_non_null(strstr(told, line(room, "Alice read.marked {\"ticket\":\"%s\"", ticket)));
        assert_non_null(strstr(told, "\"unread\":0}"));
        assert_non_null(strstr(told, line(room, "Alice draft.changed {\"ticket\":\"%s\",\"note\":false,\"version\":", ticket)));
        assert_non_null(strstr(told, line(room, "Agnes draft.changed {\"ticket\":\"%s\",\"note\":true,\"version\":", ticket)));
        assert_null(strstr(strstr(told, "Alice draft.changed") + 1, "Alice draft.changed")); /* once, as it is */
        assert_null(strstr(told, "Dear"));

        assert_int_equal(room_set(room, AGNES, watch, NULL), 0);
        assert_int_equal(save(room, BOB, ticket, false, "Me, too", 0, &version), 0);
        assert_int_equal(room_set(room, AGNES, unwatch, NULL), 0);
        assert_string_equal(followed(room, &after), ""); /* he may not know of it any more */
        assert_int_equal(after, 5);
        assert_string_equal(followed(room, &after), "");
}

static void who_begins_to_follow_is_told_of_the_last_minute_and_a_position_outlives_the_store(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Positions").id;
        int64_t after = -1, version;

        assert_int_equal(save(room, ALICE, ticket, false, "Old", 0, &version), 0);
        room->now_ms += 50000;
        assert_int_equal(save(room, AGNES, ticket, false, "New", 0, &version), 0);
        room->now_ms += 20000;
        assert_non_null(strstr(followed(room, &after), "Agnes"));
        assert_int_equal(after, 2);
        after = -1;
        assert_null(strstr(followed(room, &after), "Alice"));
        assert_int_equal(draft_forget(room->store->writer.db, room->users[AGNES]), 0);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_equal(followed_head(room), 2); /* no count is given twice, whatever was swept */
        assert_int_equal(save(room, ALICE, ticket, false, "Old and new", version, &version), FAULT_CONFLICT);
        assert_int_equal(discard(room, ALICE, ticket, 0), 0);
        assert_non_null(strstr(followed(room, &after), "Alice"));
        assert_int_equal(after, 3);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(unread_is_what_others_wrote_behind_the_mark_as_far_as_one_may_see_it),
                STORY(nobody_marks_what_they_may_not_see),
                STORY(no_more_than_a_hundred_are_counted),
                STORY(marks_are_listed_from_a_version_on),
                STORY(a_store_of_before_gets_its_tables_when_it_is_opened),
                STORY(a_draft_survives_and_of_two_devices_neither_overwrites_the_others_unseen),
                STORY(drafts_of_notes_are_for_agents_and_all_are_their_writers_own),
                STORY(a_draft_is_gone_with_access_with_its_user_and_with_age),
                STORY(two_hundred_drafts_are_kept_for_a_user),
                STORY(what_changed_is_told_once_to_its_user_alone_and_without_the_text),
                STORY(who_begins_to_follow_is_told_of_the_last_minute_and_a_position_outlives_the_store),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Files: pieces that resume, limits, whose they are, and what becomes of those that nobody uses. */
#include "store_room.h"
#include "schema/attachment.h"

static int start_upload(struct room *room, enum who who, const char *name, int64_t size, struct ulid *ret)
{
        struct attachment_start_result made;
        int r = room_call(room, who, &schema_method_attachment_start,
                          &(struct attachment_start){ .name = str_of(name), .size = size, .has_op_id = true, .op_id = room_id(room) }, &made);

        if (!r)
                *ret = made.upload;
        return r;
}

static int piece(struct room *room, enum who who, struct ulid upload, int64_t at, const char *data, struct attachment_write_result *ret)
{
        return room_call(room, who, &schema_method_attachment_write,
                         &(struct attachment_write){ .upload = upload, .offset = at, .data = str_of(data) }, ret);
}

static struct ulid uploaded(struct room *room, enum who who, const char *data)
{
        struct attachment_write_result wrote;
        struct ulid upload;

        assert_int_equal(start_upload(room, who, "file.txt", (int64_t)strlen(data), &upload), 0);
        assert_int_equal(piece(room, who, upload, 0, data, &wrote), 0);
        assert_true(wrote.complete);
        return upload;
}

static int comment_with(struct room *room, enum who who, struct ulid ticket, struct ulid upload, struct comment *ret)
{
        struct comment_add_result made;
        int r = room_call(room, who, &schema_method_comment_add,
                          &(struct comment_add){ .ticket = ticket, .body = STR("see the file"), .has_attachments = true,
                                                 .attachments = { &upload, 1 }, .has_op_id = true, .op_id = room_id(room) }, &made);

        if (!r)
                *ret = made.comment;
        return r;
}

static int read_back(struct room *room, enum who who, struct ulid id, struct attachment_read_result *ret)
{
        return room_call(room, who, &schema_method_attachment_read, &(struct attachment_read){ .attachment = id, .length = 1000 }, ret);
}

/* The files below a folder of the room. */
static int files_in(struct room *room, const char *folder)
{
        char command[160];
        FILE *f;
        int n = -1;

        snprintf(command, sizeof(command), "find '%s/%s' -type f | wc -l", room->folder, folder);
        f = popen(command, "r");
        assert_non_null(f);
        assert_int_equal(fscanf(f, "%d", &n), 1);
        pclose(f);
        return n;
}

struct wait {
        struct task task;
        struct store *store;
        int (*work)(struct store *s);
        _Atomic int done;
};

static int wait_run(struct task *task)
{
        return ((struct wait *)task)->work(((struct wait *)task)->store);
}

static void wait_done(struct task *task, int r)
{
        ((struct wait *)task)->done = r ? -1 : 1;
}

static void on_worker(struct store *s, struct worker *w, int (*work)(struct store *s))
{
        struct wait wait = { .task = { .run = wait_run, .done = wait_done }, .store = s, .work = work };

        queue_task(&w->queue, &wait.task);
        while (!wait.done)
                sched_yield();
        assert_int_equal(wait.done, 1);
}

static int sweep_rows(struct store *s)
{
        return upload_sweep(s->writer.db, clock_now_ms(s->service->clock));
}

static int sweep_files(struct store *s)
{
        upload_swept(s);
        return 0;
}

static void sweep(struct room *room)
{
        on_worker(room->store, &room->store->writer, sweep_rows);
        on_worker(room->store, &room->store->files, sweep_files);
}

static void a_file_arrives_in_pieces_in_any_repetition(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Files");
        struct attachment_status_result status;
        struct attachment_write_result wrote;
        struct attachment_read_result got;
        struct comment comment;
        struct ulid upload;

        assert_int_equal(start_upload(room, ALICE, "notes.txt", 12, &upload), 0);
        assert_int_equal(piece(room, ALICE, upload, 0, "hello ", &wrote), 0);
        assert_int_equal(wrote.offset, 6);
        assert_int_equal(piece(room, ALICE, upload, 0, "hello ", &wrote), 0);
        assert_int_equal(wrote.offset, 6);
        assert_int_equal(piece(room, ALICE, upload, 9, "ld!", &wrote), FAULT_CONFLICT);
        assert_int_equal(piece(room, ALICE, upload, 6, "too many bytes", &wrote), FAULT_TOO_LARGE);
        assert_int_equal(room_call(room, ALICE, &schema_method_attachment_status, &(struct attachment_status){ upload }, &status), 0);
        assert_int_equal(status.offset, 6);
        assert_int_equal(comment_with(room, ALICE, ticket.id, upload, &comment), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "attachments"));
        assert_int_equal(piece(room, ALICE, upload, 4, "o world!", &wrote), 0); /* half of it came already */
        assert_true(wrote.complete);
        assert_int_equal(piece(room, ALICE, upload, 4, "o world!", &wrote), 0);
        assert_true(wrote.complete);
        assert_int_equal(comment_with(room, ALICE, ticket.id, upload, &comment), 0);
        assert_true(str_is(comment.attachments.items[0].name, "notes.txt"));
        assert_true(str_is(comment.attachments.items[0].type, "text/plain"));
        assert_int_equal(read_back(room, AGNES, upload, &got), 0);
        assert_true(str_is(got.data, "hello world!"));
        assert_int_equal(read_back(room, BOB, upload, &got), FAULT_NOT_FOUND);
        room_proof(room);
}

static void an_upload_that_a_crash_left_whole_wants_its_last_byte_again(void **state)
{
        struct room *room = *state;
        struct attachment_status_result status;
        struct attachment_write_result wrote;
        struct ulid upload;
        char path[512];
        FILE *f;

        assert_int_equal(start_upload(room, ALICE, "notes.txt", 6, &upload), 0);
        f = fopen(upload_path(room->store, upload, path, sizeof(path)), "w");
        assert_non_null(f);
        assert_int_equal(fputs("hello!", f), 1);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_attachment_status, &(struct attachment_status){ upload }, &status), 0);
        assert_int_equal(status.offset, 5);
        assert_int_equal(piece(room, ALICE, upload, 5, "!", &wrote), 0);
        assert_true(wrote.complete);
        assert_int_equal(room_call(room, ALICE, &schema_method_attachment_status, &(struct attachment_status){ upload }, &status), 0);
        assert_int_equal(status.offset, 6);
}

static void an_upload_is_its_users_own_and_good_once(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Files"), bobs = room_ticket(room, BOB, "Files");
        struct ulid upload = uploaded(room, ALICE, "mine alone");
        struct attachment_status_result status;
        struct attachment_write_result wrote;
        struct comment comment;

        assert_int_equal(comment_with(room, BOB, bobs.id, upload, &comment), FAULT_INVALID_PARAMS);
        assert_int_equal(comment_with(room, BOB, bobs.id, room_id(room), &comment), FAULT_INVALID_PARAMS);
        assert_int_equal(piece(room, BOB, upload, 0, "x", &wrote), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, BOB, &schema_method_attachment_status, &(struct attachment_status){ upload }, &status), FAULT_NOT_FOUND);
        assert_int_equal(comment_with(room, ALICE, ticket.id, upload, &comment), 0);
        assert_int_equal(comment_with(room, ALICE, ticket.id, upload, &comment), FAULT_INVALID_PARAMS);
        room_proof(room);
}

static void the_file_of_a_note_is_for_agents(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Files");
        struct ulid upload = uploaded(room, AGNES, "what we think of it");
        struct attachment_read_result got;
        struct note_add_result made;

        assert_int_equal(room_call(room, AGNES, &schema_method_note_add,
                                   &(struct note_add){ .ticket = ticket.id, .body = STR("see the file"), .has_attachments = true,
                                                       .attachments = { &upload, 1 }, .has_op_id = true, .op_id = room_id(room) }, &made), 0);
        assert_int_equal(made.comment.attachments.n, 1);
        assert_true(str_is(made.comment.attachments.items[0].name, "file.txt"));
        assert_int_equal(read_back(room, ARTHUR, upload, &got), 0);
        assert_true(str_is(got.data, "what we think of it"));
        assert_int_equal(read_back(room, ALICE, upload, &got), FAULT_NOT_FOUND);
        room_proof(room);
}

static void what_is_open_or_unused_is_limited(void **state)
{
        struct room *room = *state;
        struct ulid upload;

        assert_int_equal(start_upload(room, ALICE, "a", 26214401, &upload), FAULT_INVALID_PARAMS);
        room->service.settings.blob_bytes_max = 1000;
        assert_int_equal(start_upload(room, ALICE, "a", 1001, &upload), FAULT_TOO_LARGE);
        assert_int_equal(room->fault.limit, 1000);
        room->service.settings.blob_bytes_max = 26214400;
        for (int i = 0; i < UPLOAD_OPEN_MAX; i++)
                assert_int_equal(start_upload(room, ALICE, "a", 10, &upload), 0);
        assert_int_equal(start_upload(room, ALICE, "a", 10, &upload), FAULT_TOO_LARGE);
        assert_int_equal(start_upload(room, BOB, "a", 26214400, &upload), 0);
        for (int i = 1; i < 10; i++)
                assert_int_equal(start_upload(room, BOB, "a", 26214400, &upload), 0);
        assert_int_equal(start_upload(room, BOB, "a", 10, &upload), FAULT_TOO_LARGE);
}

static void what_nobody_uses_goes_after_a_day_and_what_is_used_stays(void **state)
{
        struct room *room = *state;
        struct attachment_write_result wrote;
        struct attachment_read_result got;
        struct comment comment;
        struct ticket ticket;
        struct ulid half, used;

        room->now_ms = clock_now_ms(&clock_system); /* files bear the machine's time */
        ticket = room_ticket(room, ALICE, "Files");
        used = uploaded(room, ALICE, "used by a comment");
        uploaded(room, ALICE, "used by nobody");
        assert_int_equal(start_upload(room, ALICE, "half", 10, &half), 0);
        assert_int_equal(piece(room, ALICE, half, 0, "01234", &wrote), 0);
        assert_int_equal(comment_with(room, ALICE, ticket.id, used, &comment), 0);
        sweep(room);
        assert_int_equal(files_in(room, "blobs"), 2);
        assert_int_equal(files_in(room, "uploads"), 1);
        room->now_ms += UPLOAD_UNUSED_MS + 1;
        sweep(room);
        assert_int_equal(files_in(room, "blobs"), 1);
        assert_int_equal(files_in(room, "uploads"), 0);
        assert_int_equal(read_back(room, ALICE, used, &got), 0);
        assert_int_equal(piece(room, ALICE, half, 5, "56789", &wrote), FAULT_NOT_FOUND);
        room_proof(room);
}

static void equal_files_share_a_blob_until_the_last_is_redacted(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Files");
        struct comment_redact_result redacted;
        struct attachment_read_result got;
        struct comment first, second;
        struct ulid a, b;

        a = uploaded(room, ALICE, "the same bytes");
        b = uploaded(room, AGNES, "the same bytes");
        assert_int_equal(comment_with(room, ALICE, ticket.id, a, &first), 0);
        assert_int_equal(comment_with(room, AGNES, ticket.id, b, &second), 0);
        assert_int_equal(files_in(room, "blobs"), 1);
        room->now_ms = clock_now_ms(&clock_system) + 2 * 60 * 60 * 1000;
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact,
                                   &(struct comment_redact){ .comment = first.id, .has_op_id = true, .op_id = room_id(room) }, &redacted), 0);
        sweep(room);
        assert_int_equal(read_back(room, ALICE, a, &got), FAULT_NOT_FOUND);
        assert_int_equal(read_back(room, ALICE, b, &got), 0);
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact,
                                   &(struct comment_redact){ .comment = second.id, .has_op_id = true, .op_id = room_id(room) }, &redacted), 0);
        sweep(room);
        assert_int_equal(files_in(room, "blobs"), 0);
        room_proof(room);
}

static void a_link_is_good_on_its_device_for_five_minutes_and_while_the_right_lasts(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Files");
        struct ulid upload = uploaded(room, ALICE, "linked");
        struct attachment_link_result link;
        struct attachment_read_result got;
        struct attachment_read read = { .attachment = upload, .length = 100, .has_link = true, .has_device = true,
                                        .device = STR("loopback:127.0.0.2") };
        struct comment comment;
        char *text;

        assert_int_equal(comment_with(room, ALICE, ticket.id, upload, &comment), 0);
        assert_int_equal(room_call(room, BOB, &schema_method_attachment_link, &(struct attachment_link){ upload }, &link), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, ALICE, &schema_method_attachment_link, &(struct attachment_link){ upload }, &link), 0);
        text = strchr(arena_str(&room->arena, link.url).p, '=') + 1;
        read.link = str_of(text);
        assert_int_equal(room_call(room, OPERATOR, &schema_method_attachment_read, &read, &got), 0);
        assert_true(str_is(got.data, "linked"));
        read.device = STR("loopback:127.0.0.3");
        assert_int_equal(room_call(room, OPERATOR, &schema_method_attachment_read, &read, &got), FAULT_NOT_FOUND);
        read.device = STR("loopback:127.0.0.2");
        text[10] = text[10] == 'A' ? 'B' : 'A';
        assert_int_equal(room_call(room, OPERATOR, &schema_method_attachment_read, &read, &got), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, ALICE, &schema_method_attachment_link, &(struct attachment_link){ upload }, &link), 0);
        read.link = str_of(strchr(arena_str(&room->arena, link.url).p, '=') + 1);
        room_person(room, ALICE, "Alice", SCHEMA_ROLE_CUSTOMER, false); /* disabled */
        assert_int_equal(room_call(room, OPERATOR, &schema_method_attachment_read, &read, &got), FAULT_NOT_FOUND);
        room_person(room, ALICE, "Alice", SCHEMA_ROLE_CUSTOMER, true);
        assert_int_equal(room_call(room, OPERATOR, &schema_method_attachment_read, &read, &got), 0);
        room->now_ms += 5 * 60 * 1000;
        assert_int_equal(room_call(room, OPERATOR, &schema_method_attachment_read, &read, &got), FAULT_EXPIRED);
}

static void what_a_backup_may_name_stays_until_it_is_done(void **state)
{
        struct room *room = *state;
        struct store_backup_result begun;
        struct store_job_follow params = { .has_job = true };
        struct store_job_follow_result at;
        sqlite3 *other;

        room->now_ms = clock_now_ms(&clock_system);
        uploaded(room, ALICE, "Nobody wants this");
        room->now_ms += UPLOAD_UNUSED_MS + 1;
        /* somebody else has the file that it folds the log into, so that it waits */
        assert_int_equal(sqlite3_open(arena_format(&room->service.arena, "%s/store.db.rebuild", room->folder).p, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_backup, &(struct store_backup){ 0 }, &begun), 0);
        sweep(room);
        assert_int_equal(files_in(room, "blobs"), 1);
        sqlite3_close(other);
        params.job = begun.value.id;
        do
                assert_int_equal(room_call(room, OPERATOR, &schema_method_store_job_follow, &params, &at), 0);
        while (at.value.state == JOB_STATE_RUNNING);
        assert_int_equal(at.value.state, JOB_STATE_DONE);
        sweep(room);
        assert_int_equal(files_in(room, "blobs"), 0);
        room_proof(room);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)
int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(a_file_arrives_in_pieces_in_any_repetition),
                STORY(an_upload_that_a_crash_left_whole_wants_its_last_byte_again),
                STORY(an_upload_is_its_users_own_and_good_once),
                STORY(the_file_of_a_note_is_for_agents),
                STORY(what_is_open_or_unused_is_limited),
                STORY(what_nobody_uses_goes_after_a_day_and_what_is_used_stays),
                STORY(what_a_backup_may_name_stays_until_it_is_done),
                STORY(equal_files_share_a_blob_until_the_last_is_redacted),
                STORY(a_link_is_good_on_its_device_for_five_minutes_and_while_the_right_lasts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

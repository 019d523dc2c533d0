/* The store's part of a backup: what lies in the folder, and what it says of it. */
#include "store_room.h"
#include "backup.h"
#include "schema/attachment.h"
#include "upload.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *in_room(struct room *room, const char *name)
{
        return arena_format(&room->service.arena, "%s/%s", room->folder, name).p;
}

static struct ulid uploaded(struct room *room, const char *data)
{
        struct attachment_start_result made;
        struct attachment_write_result wrote;

        assert_int_equal(room_call(room, ALICE, &schema_method_attachment_start,
                                   &(struct attachment_start){ .name = STR("a.txt"), .size = (int64_t)strlen(data), .has_op_id = true, .op_id = room_id(room) },
                                   &made), 0);
        assert_int_equal(room_call(room, ALICE, &schema_method_attachment_write, &(struct attachment_write){ .upload = made.upload, .data = str_of(data) },
                                   &wrote), 0);
        assert_true(wrote.complete);
        return made.upload;
}

static void filed(struct room *room, const char *data)
{
        struct ulid upload = uploaded(room, data), ticket = room_ticket(room, ALICE, "With a file").id;
        struct comment_add_result made;

        assert_int_equal(room_call(room, ALICE, &schema_method_comment_add,
                                   &(struct comment_add){ .ticket = ticket, .body = STR("see it"), .has_attachments = true, .attachments = { &upload, 1 },
                                                          .has_op_id = true, .op_id = room_id(room) }, &made), 0);
}

/* Where a blob of these bytes lies, below "blobs" or "backup/blobs". */
static const char *blob(struct room *room, const char *blobs, const char *data)
{
        uint8_t hash[BLOB_HASH_BYTES];
        struct buf hex = { 0 };
        const char *path;

        crypto_generichash(hash, sizeof(hash), (const uint8_t *)data, strlen(data), NULL, 0);
        buf_hex(&hex, hash, sizeof(hash));
        path = in_room(room, arena_format(&room->service.arena, "%s/%.2s/%.*s", blobs, hex.p, (int)hex.n, hex.p).p);
        buf_deinit(&hex);
        return path;
}

static struct store_job backed_up(struct room *room)
{
        struct store_backup_result begun;
        struct store_job_follow params = { .has_job = true };
        struct store_job_follow_result at;

        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_backup, &(struct store_backup){ 0 }, &begun), 0);
        params.job = begun.value.id;
        do
                assert_int_equal(room_call(room, OPERATOR, &schema_method_store_job_follow, &params, &at), 0);
        while (at.value.state == JOB_STATE_RUNNING);
        return at.value;
}

static void it_is_whole_checked_and_what_nothing_names_is_not_in_it(void **state)
{
        struct room *room = *state;
        struct store_job job;
        struct db *copy;
        int64_t n;

        filed(room, "one file");
        filed(room, "another one");
        filed(room, "one file"); /* the same bytes: one blob */
        uploaded(room, "announced");
        job = backed_up(room);
        assert_int_equal(job.state, JOB_STATE_DONE);
        assert_non_null(job.backed_up);
        assert_true(job.backed_up->sound && !job.backed_up->problems.n && !job.rebuilt && !job.verified);
        assert_int_equal(job.backed_up->ops, room->store->head);
        assert_int_equal(job.backed_up->files, 3);
        assert_int_equal(job.backed_up->file_bytes, strlen("one file") + strlen("another one") + strlen("announced"));
        assert_int_equal(access(blob(room, "backup/blobs", "announced"), F_OK), 0);
        assert_int_equal(db_open(in_room(room, "backup/store.db"), DB_READ_ONLY, NULL, &store_migrations, &copy), 0);
        assert_int_equal(db_int(copy, &n, "SELECT max(seq) FROM op", ""), 0);
        assert_int_equal(n, room->store->head);
        db_close(copy);
        assert_int_not_equal(access(in_room(room, "backup.part"), F_OK), 0);
        assert_int_equal(backed_up(room).state, JOB_STATE_DONE); /* in the place of the one before */
        room_close(room);
        assert_int_equal(access(in_room(room, "backup"), F_OK), 0);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_int_not_equal(access(in_room(room, "backup"), F_OK), 0);
}

static bool is_said(const struct store_job *job, const char *words)
{
        for (size_t i = 0; i < job->backed_up->problems.n; i++)
                if (memmem(job->backed_up->problems.items[i].p, job->backed_up->problems.items[i].n, words, strlen(words)))
                        return true;
        return false;
}

static void what_is_damaged_is_said_and_the_rest_is_there(void **state)
{
        struct room *room = *state;
        struct store_job job;
        int fd;

        filed(room, "lost");
        filed(room, "changed");
        filed(room, "as it was");
        assert_int_equal(unlink(blob(room, "blobs", "lost")), 0);
        fd = open(blob(room, "blobs", "changed"), O_WRONLY | O_CLOEXEC);
        assert_int_equal(write(fd, "C", 1), 1);
        close(fd);
        assert_int_equal(db_do(room->store->writer.db, "UPDATE op_text SET text = x'00' WHERE id = (SELECT min(id) FROM op_text)", ""), 0);
        job = backed_up(room);
        assert_int_equal(job.state, JOB_STATE_DONE);
        assert_false(job.backed_up->sound);
        assert_int_equal(job.backed_up->problems.n, 3);
        assert_true(is_said(&job, "op 1: its record, or a text of it, "));
        assert_true(is_said(&job, ": the file of an attachment is missing, or can't be read: No such file"));
        assert_true(is_said(&job, ": the file of an attachment has other bytes than were stored"));
        assert_int_equal(job.backed_up->files, 2);
        assert_int_equal(access(blob(room, "backup/blobs", "as it was"), F_OK), 0);
}

static void tables_that_do_not_follow_from_the_log_are_damage(void **state)
{
        struct room *room = *state;
        struct store_job job;

        room_ticket(room, ALICE, "One");
        assert_int_equal(db_do(room->store->writer.db, "UPDATE ticket SET comments = comments + 1", ""), 0);
        job = backed_up(room);
        assert_int_equal(job.state, JOB_STATE_DONE);
        assert_false(job.backed_up->sound);
        assert_true(is_said(&job, "ticket"));
        assert_int_equal(db_do(room->store->writer.db, "UPDATE ticket SET comments = comments - 1", ""), 0);
        assert_true(backed_up(room).backed_up->sound);
}

static void what_one_left_that_was_killed_goes_away_and_none_begins_at_the_end(void **state)
{
        struct room *room = *state;
        struct store_job job;
        const char *part = in_room(room, "backup.part");

        filed(room, "a file");
        assert_int_equal(close(open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)), 0);
        job = backed_up(room);
        assert_int_equal(job.state, JOB_STATE_DONE);
        assert_int_not_equal(access(part, F_OK), 0);
        job_close(&room->store->job);
        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_backup, &(struct store_backup){ 0 }, &job), FAULT_UNAVAILABLE);
}

static void the_last_one_that_was_kept_is_told_of(void **state)
{
        struct room *room = *state;
        struct arena arena = { 0 };
        struct process_stats told = { .figures.items = arena_array(&arena, 10, sizeof(struct figure)) };
        struct stats stats = { .arena = &arena, .to = &told };
        int64_t at = 1790000000123;

        backup_stats(&stats, room->store->follow_db);
        assert_int_equal(told.figures.items[0].samples.items[0].value, 0);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(room_call(room, OPERATOR, &schema_method_store_backup_kept,
                                           &(struct store_backup_kept){ .at = at + i * 1000, .bytes = 77 + i, .has_op_id = true, .op_id = room_id(room) },
                                           &(struct store_backup_kept_result){ 0 }), 0);
                told.figures.n = 0;
                backup_stats(&stats, room->store->follow_db);
                assert_true(str_is(told.figures.items[0].name, "backup_timestamp_seconds"));
                assert_int_equal(told.figures.items[0].samples.items[0].value, at / 1000 + i);
                assert_int_equal(told.figures.items[1].samples.items[0].value, 77 + i);
        }
        arena_deinit(&arena);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)
int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(it_is_whole_checked_and_what_nothing_names_is_not_in_it),
                STORY(what_is_damaged_is_said_and_the_rest_is_there),
                STORY(tables_that_do_not_follow_from_the_log_are_damage),
                STORY(what_one_left_that_was_killed_goes_away_and_none_begins_at_the_end),
                STORY(the_last_one_that_was_kept_is_told_of),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

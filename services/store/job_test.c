/* What takes longer than a call may: one at a time, beside everything else, and gone without a trace where it is stopped. */
#include "store_room.h"

static struct store_job begun(struct room *room, const struct schema_method *method)
{
        struct store_rebuild_result got; /* of either */

        assert_int_equal(room_call(room, OPERATOR, method, &(struct store_rebuild){ 0 }, &got), 0);
        return got.value;
}

static int follow(struct room *room, const struct ulid *job, struct store_job *ret)
{
        struct store_job_follow params = { .has_job = job != NULL };
        struct store_job_follow_result at;
        int r;

        if (job)
                params.job = *job;
        r = room_call(room, OPERATOR, &schema_method_store_job_follow, &params, &at);
        if (!r)
                *ret = at.value;
        return r;
}

static struct store_job ended(struct room *room, struct ulid job)
{
        struct store_job at;

        do
                assert_int_equal(follow(room, &job, &at), 0);
        while (at.state == JOB_STATE_RUNNING);
        assert_true(at.has_ended_at);
        return at;
}

static void grow(struct room *room, int replies)
{
        struct ulid ticket = room_ticket(room, ALICE, "History").id;

        for (int i = 0; i < replies; i++) {
                assert_int_equal(room_reply(room, i % 2 ? ALICE : AGNES, ticket, "Words and more words", NULL), 0);
                arena_reset(&room->arena);
        }
}

/* Another has the file of the rebuild, so that it waits with its first op. */
static sqlite3 *hold(struct room *room)
{
        sqlite3 *other;

        assert_int_equal(sqlite3_open(arena_format(&room->service.arena, "%s/store.db.rebuild", room->folder).p, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        return other;
}

static bool is_left(struct room *room)
{
        return access(arena_format(&room->service.arena, "%s/store.db.rebuild", room->folder).p, F_OK) == 0;
}

static void what_is_written_beside_a_rebuild_is_compared_too(void **state)
{
        struct room *room = *state;
        struct store_job job;

        grow(room, JOB_SLICE_OPS + 200);
        for (int i = 0; i < 3; i++) {
                struct ulid note = room_ticket(room, BOB, "Beside it").id;
                struct comment made;

                job = begun(room, &schema_method_store_rebuild);
                assert_int_equal(job.of_ops, room->store->head);
                assert_int_equal(room_note(room, AGNES, note, "Something secret", &made), 0);
                assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &(struct comment_redact){ .comment = made.id, .has_op_id = true,
                                                                                                        .op_id = room_id(room) },
                                           &(struct comment_redact_result){ 0 }), 0);
                grow(room, 100);
                job = ended(room, job.id);
                assert_int_equal(job.state, JOB_STATE_DONE);
                assert_non_null(job.rebuilt);
                for (size_t k = 0; k < job.rebuilt->differences.n; k++)
                        print_error("%.*s\n", STR_ARG(job.rebuilt->differences.items[k]));
                assert_true(job.rebuilt->equal);
                assert_null(job.verified);
        }
        room_proof(room);
}

static void there_is_one_at_a_time_and_the_last_one_is_told_of(void **state)
{
        struct room *room = *state;
        struct store_job first, at;
        sqlite3 *other;

        assert_int_equal(follow(room, NULL, &at), FAULT_NOT_FOUND);
        room_ticket(room, ALICE, "One");
        other = hold(room);
        first = begun(room, &schema_method_store_rebuild);
        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_rebuild, &(struct store_rebuild){ 0 }, &at), FAULT_CONFLICT);
        assert_non_null(memmem(room->fault.reason.p, room->fault.reason.n, "a rebuild is under way", 22));
        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_verify, &(struct store_verify){ 0 }, &at), FAULT_CONFLICT);
        assert_int_equal(follow(room, NULL, &at), 0); /* it answers though nothing came of it yet */
        assert_true(ulid_eq(at.id, first.id) && at.state == JOB_STATE_RUNNING && at.ops == 0);
        assert_int_equal(follow(room, &(struct ulid){ { 1 } }, &at), FAULT_NOT_FOUND);
        sqlite3_close(other);
        assert_int_equal(ended(room, first.id).state, JOB_STATE_DONE);
        at = begun(room, &schema_method_store_verify);
        assert_int_equal(follow(room, &first.id, &first), FAULT_NOT_FOUND);
        at = ended(room, at.id);
        assert_true(at.verified && at.verified->sound && at.verified->ops == room->store->head && !at.rebuilt);
}

static void one_that_is_stopped_has_no_result_and_the_next_one_begins_anew(void **state)
{
        struct room *room = *state;
        struct store_job_stop_result stopped;
        struct store_job job;
        sqlite3 *other;

        grow(room, 50);
        other = hold(room);
        job = begun(room, &schema_method_store_rebuild);
        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_job_stop, &(struct store_job_stop){ .job = { { 1 } } }, &stopped), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_job_stop, &(struct store_job_stop){ .job = job.id }, &stopped), 0);
        sqlite3_close(other);
        job = ended(room, job.id);
        assert_true(job.state == JOB_STATE_STOPPED && !job.rebuilt && !is_left(room));
        assert_int_equal(room_call(room, OPERATOR, &schema_method_store_job_stop, &(struct store_job_stop){ .job = job.id }, &stopped), 0);
        assert_int_equal(stopped.value.state, JOB_STATE_STOPPED);
        room_proof(room);
}

static void a_store_that_ends_takes_it_along_and_clears_up_what_was_left(void **state)
{
        struct room *room = *state;
        struct store_job at;

        grow(room, 2 * JOB_SLICE_OPS);
        begun(room, &schema_method_store_rebuild);
        room_close(room);
        assert_false(is_left(room));
        sqlite3_close(hold(room)); /* as of one that was killed */
        assert_true(is_left(room));
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_false(is_left(room));
        assert_int_equal(follow(room, NULL, &at), FAULT_NOT_FOUND);
        room_proof(room);
}

static void one_that_cannot_go_on_says_why(void **state)
{
        struct room *room = *state;
        struct store_job job;
        const char *path = arena_format(&room->service.arena, "%s/store.db.rebuild", room->folder).p;

        assert_int_equal(mkdir(path, 0700), 0);
        job = ended(room, begun(room, &schema_method_store_rebuild).id);
        assert_int_equal(job.state, JOB_STATE_FAILED);
        assert_true(job.has_reason && job.reason.n > 0 && !job.rebuilt);
        assert_int_equal(rmdir(path), 0);
        room_proof(room);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)
int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(what_is_written_beside_a_rebuild_is_compared_too),
                STORY(there_is_one_at_a_time_and_the_last_one_is_told_of),
                STORY(one_that_is_stopped_has_no_result_and_the_next_one_begins_anew),
                STORY(a_store_that_ends_takes_it_along_and_clears_up_what_was_left),
                STORY(one_that_cannot_go_on_says_why),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

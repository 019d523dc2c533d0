/* Commands that share a commit: what becomes of one is nothing to the others. */
#include "store_room.h"

enum { COMMANDS = 9 };

/* Holds the writer in a batch of its own, until the next one is complete. */
struct hold {
        struct task task;
        _Atomic bool begun, let_go, done;
};

static int hold_run(struct task *task)
{
        struct hold *hold = (struct hold *)task;

        hold->begun = true;
        while (!hold->let_go)
                sched_yield();
        return 0;
}

static void hold_done(struct task *task, int r)
{
        assert_int_equal(r, 0);
        ((struct hold *)task)->done = true;
}

static size_t waiting(struct queue *q)
{
        size_t n = 0;

        pthread_mutex_lock(&q->mutex);
        for (const struct call *c = q->calls; c; c = c->next)
                n++;
        pthread_mutex_unlock(&q->mutex);
        return n;
}

struct answers {
        int n, accepted, refused;
};

static void on_answer(void *data, const struct rpc_reply *reply)
{
        struct answers *a = data;

        a->n++;
        a->accepted += reply->code == 0;
        a->refused += reply->code == FAULT_INVALID_PARAMS;
}

static void in_one_commit_a_command_that_fails_behind_its_first_write_is_undone_alone(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Many voices"), now = { 0 };
        struct caller caller = { .user = room->users[AGNES], .device = STR("loopback:127.0.0.2"), .role = SCHEMA_ROLE_AGENT,
                                 .expires_at = room->now_ms + 600000 };
        struct hold hold = { .task = { .run = hold_run, .done = hold_done } };
        struct ulid missing = room_id(room);
        struct comment_list_result list;
        struct answers answers = { 0 };
        struct buf sealed = { 0 };
        int64_t commits = room->store->commits;

        caller_seal(room->store->caller_key, &caller, &sealed);
        queue_task(&room->store->writer.queue, &hold.task);
        while (!hold.begun)
                sched_yield();
        for (int i = 0; i < COMMANDS; i++) {
                struct comment_add in = { .ticket = ticket.id, .body = i % 3 == 1 ? STR("with a file that is not there") : STR("good"),
                                          .has_attachments = i % 3 == 1, .attachments = { &missing, 1 }, .has_op_id = true,
                                          .op_id = room_id(room) };

                assert_int_equal(rpc_call(room->client, &(struct rpc_request){ .method = &schema_method_comment_add, .params = &in,
                                                                               .caller = buf_view(&sealed), .request = STR("test") },
                                          on_answer, &answers), 0);
        }
        while (waiting(&room->store->writer.queue) < COMMANDS)
                loop_dispatch(room->service.loop, 100);
        hold.let_go = true;
        while (answers.n < COMMANDS)
                loop_dispatch(room->service.loop, 100);
        assert_int_equal(answers.refused, 3);
        assert_int_equal(answers.accepted, COMMANDS - 3);
        assert_int_equal(room->store->commits, commits + 1);
        assert_true(hold.done);

        assert_int_equal(room_get(room, AGNES, ticket.id, &now, NULL), 0);
        assert_int_equal(now.comments, 1 + COMMANDS - 3);
        assert_int_equal(room_call(room, AGNES, &schema_method_comment_list, &(struct comment_list){ .ticket = ticket.id, .limit = 50 }, &list), 0);
        assert_int_equal(list.items.n, 1 + COMMANDS - 3);
        for (size_t i = 1; i < list.items.n; i++)
                assert_true(str_is(list.items.items[i].body, "good"));
        room_proof(room);
        buf_deinit(&sealed);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(in_one_commit_a_command_that_fails_behind_its_first_write_is_undone_alone, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

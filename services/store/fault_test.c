/* Every write, sync and truncate fails once in turn, and the disk fills: what was acknowledged is there, nothing is half done, and a
 * retry by op id gives one. The store lives in a child process, because an unknown outcome ends it, as it should. */
#include "fault_vfs.h"
#include "store_room.h"
#include <sys/wait.h>

enum { COMMANDS = 12 };

struct acknowledged {
        bool done[COMMANDS];
};

static struct ulid nth_op(struct room *room, int i)
{
        uint8_t random[10] = { 7, 7, (uint8_t)i };

        return ulid_of(room->now_ms, random);
}

/* The first files a ticket, the others reply to it; each with its own op id, the same every time. */
static int command(struct room *room, int i)
{
        struct ulid ticket = nth_op(room, 0);

        if (i == 0)
                return room_call(room, ALICE, &schema_method_ticket_create,
                                 &(struct ticket_create){ .subject = STR("Faults"), .body = STR("b"), .has_op_id = true, .op_id = ticket },
                                 &(struct ticket_create_result){ 0 });
        return room_call(room, i % 2 ? AGNES : ALICE, &schema_method_comment_add,
                         &(struct comment_add){ .ticket = ticket, .body = STR("reply"), .has_op_id = true, .op_id = nth_op(room, i) },
                         &(struct comment_add_result){ 0 });
}

/* The child: `fault_test FOLDER FAIL_AT`, its acknowledgements on stdout. Ends without closing anything, as if it was killed. */
static int child(const char *folder, long fail_at)
{
        struct room *room = room_new(folder);
        int report = STDOUT_FILENO;

        fault_register();
        fault_plan.fail_at = fail_at;
        if (room_open_vfs(room, "fault"))
                _exit(3);
        for (int i = 0; i < COMMANDS; i++)
                if (command(room, i) == 0 && write(report, &i, sizeof(i)) != sizeof(i))
                        _exit(4);
        _exit(fault_plan.calls >= fault_plan.fail_at ? 0 : 2); /* 2: there are fewer calls than that */
}

static void check(struct room *room, const struct acknowledged *before)
{
        struct ticket now = { 0 };

        for (int i = 0; i < COMMANDS; i++) {
                struct comment_list_result list;
                size_t found = 0;

                if (!before->done[i] || i == 0)
                        continue;
                assert_int_equal(room_call(room, AGNES, &schema_method_comment_list,
                                           &(struct comment_list){ .ticket = nth_op(room, 0), .limit = 200 }, &list), 0);
                for (size_t k = 0; k < list.items.n; k++)
                        found += ulid_eq(list.items.items[k].id, nth_op(room, i));
                assert_int_equal(found, 1);
        }
        for (int i = 0; i < COMMANDS; i++) /* whoever heard nothing asks again */
                assert_int_equal(command(room, i), 0);
        assert_int_equal(room_get(room, ALICE, nth_op(room, 0), &now, NULL), 0);
        assert_int_equal(now.comments, COMMANDS);
        assert_int_equal(now.number, 1);
        room_proof(room);
}

static void every_write_sync_and_truncate_may_fail(void **state)
{
        struct room *room = *state;
        long fail_at = 0;
        int status = 0;

        do {
                struct acknowledged before = { 0 };
                char command_line[128];
                char number[24];
                int pipes[2], i;
                pid_t pid;

                fail_at++;
                room_close(room); /* no thread of ours lives on in the child */
                snprintf(command_line, sizeof(command_line), "cd '%s' && rm -rf store.db* blobs uploads && cp -r fresh/* .", room->folder);
                assert_int_equal(system(command_line), 0);
                assert_int_equal(pipe(pipes), 0);
                snprintf(number, sizeof(number), "%ld", fail_at);
                pid = fork();
                if (pid == 0) {
                        dup2(pipes[1], STDOUT_FILENO);
                        execl("/proc/self/exe", "fault_test", room->folder, number, NULL);
                        _exit(4);
                }
                close(pipes[1]);
                while (read(pipes[0], &i, sizeof(i)) == sizeof(i))
                        before.done[i] = true;
                close(pipes[0]);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 4);
                assert_int_equal(room_open_vfs(room, NULL), 0);
                check(room, &before);
        } while (WEXITSTATUS(status) != 2);
        print_message("%ld calls failed, one at a time\n", fail_at - 1);
        assert_true(fail_at > COMMANDS * 2);
}

static void a_full_disk_refuses_and_heals_without_a_restart(void **state)
{
        struct room *room = *state;
        struct ticket now = { 0 };
        struct acknowledged none = { 0 };

        assert_int_equal(command(room, 0), 0);
        assert_int_equal(command(room, 1), 0);
        fault_plan.full = 1;
        for (int i = 2; i < 6; i++)
                assert_int_equal(command(room, i), FAULT_UNAVAILABLE);
        assert_int_equal(room_get(room, ALICE, nth_op(room, 0), &now, NULL), 0); /* reads go on */
        assert_int_equal(now.comments, 2);
        fault_plan.full = 0;
        check(room, &none);
}

/* A desk with its people, to begin each time with. */
static int setup_fresh(void **state)
{
        char command_line[128];
        struct room *room;

        room_setup(state);
        room = *state;
        room_close(room);
        snprintf(command_line, sizeof(command_line), "cd '%s' && mkdir fresh && cp -r store.db blobs uploads fresh", room->folder);
        return system(command_line);
}

static int setup_faulty(void **state)
{
        fault_register();
        fault_plan.fail_at = 0;
        return room_setup_vfs(state, "fault");
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(every_write_sync_and_truncate_may_fail, setup_fresh, room_teardown),
                cmocka_unit_test_setup_teardown(a_full_disk_refuses_and_heals_without_a_restart, setup_faulty, room_teardown),
        };

        if (argc == 3)
                return child(argv[1], atol(argv[2]));
        return cmocka_run_group_tests(tests, NULL, NULL);
}

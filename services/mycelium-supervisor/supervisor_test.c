/* The process, followed over its socket. The program under test is this one, called again. */
#include "supervisor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct room {
        char root[64], path[128];
        pid_t pid;
        struct loop *loop;
        struct rpc_peers peers;
        struct rpc_client *client;
        struct arena arena;
};

static void settings(struct room *r, const char *overlay)
{
        char path[96];
        FILE *f;

        snprintf(path, sizeof(path), "%s/etc/assist.conf", r->root);
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "[project]\ndevelopment = yes\n[overlay]\n%s\n", overlay);
        fclose(f);
}

static void spawn(struct room *r)
{
        r->pid = fork();
        if (r->pid == 0) {
                int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(fd, STDERR_FILENO);
                execl("/proc/self/exe", "supervisor", "serve", "--root", r->root, (char *)NULL);
                _exit(127);
        }
}

static int end(struct room *r, int signal)
{
        int status;

        kill(r->pid, signal);
        waitpid(r->pid, &status, 0);
        r->pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int enter(void **state)
{
        struct room *r = calloc(1, sizeof(*r));
        char command[96];

        log_open("test", LOG_LEVEL_ERROR);
        strcpy(r->root, "/tmp/supervisor_test.XXXXXX");
        if (!mkdtemp(r->root))
                return -1;
        snprintf(command, sizeof(command), "mkdir %s/etc", r->root);
        if (system(command))
                return -1;
        settings(r, "driver = loopback");
        snprintf(r->path, sizeof(r->path), "%s/run/assist-mycelium-supervisor/rpc.sock", r->root);
        rpc_peers_load(true, &r->peers);
        r->loop = loop_new(&clock_system);
        *state = r;
        return rpc_client_new(r->loop, &(struct rpc_client_options){ r->path, SCHEMA_PEER_SUPERVISOR, &r->peers }, &r->client);
}

static int leave(void **state)
{
        struct room *r = *state;
        char command[96];

        if (r->pid > 0)
                end(r, SIGKILL);
        rpc_client_free(r->client);
        loop_free(r->loop);
        arena_deinit(&r->arena);
        snprintf(command, sizeof(command), "rm -r %s", r->root);
        free(r);
        return system(command);
}

static struct overlay_follow_result follow(struct room *r, int64_t after)
{
        struct overlay_follow_result ret = { 0 };
        struct rpc_request request = { .method = &schema_method_overlay_follow,
                                       .params = &(struct overlay_follow){ .after = after, .max_bytes = 4096 } };

        assert_int_equal(rpc_call_wait(r->client, &request, &r->arena, &ret, NULL), 0);
        return ret;
}

static int pubkey(struct room *r, const char *address, struct overlay_pubkey_result *ret)
{
        struct rpc_request request = { .method = &schema_method_overlay_pubkey,
                                       .params = &(struct overlay_pubkey){ str_of(address) } };

        return rpc_call_wait(r->client, &request, &r->arena, ret, NULL);
}

static void the_loopback_driver_is_up_at_its_address(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f;

        spawn(r);
        f = follow(r, 0);
        assert_true(f.head > 0);
        assert_true(str_is(f.overlay.driver, "loopback"));
        assert_int_equal(f.overlay.state, OVERLAY_STATE_UP);
        assert_true(str_is(f.overlay.ifname, "lo"));
        assert_true(f.overlay.ifindex > 0);
        assert_true(str_is(f.overlay.address, "127.0.0.1"));
        assert_true(str_is(f.overlay.subnet, "127.0.0.0/8"));
        assert_int_equal(f.overlay.pubkey.n, 0);
        assert_int_equal(end(r, SIGTERM), 0);
}

static void nothing_new_is_answered_late_and_the_same(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f, again;
        int64_t start;

        spawn(r);
        f = follow(r, 0);
        start = clock_steady_us(&clock_system);
        again = follow(r, f.head);
        assert_true(clock_steady_us(&clock_system) - start >= RPC_PARK_MS * 1000);
        assert_int_equal(again.head, f.head);
}

static void a_changed_address_is_heard_by_who_follows(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f, next;

        spawn(r);
        f = follow(r, 0);
        settings(r, "driver = loopback\nloopback_address = 127.0.0.7");
        kill(r->pid, SIGHUP);
        do      /* a read that was parked before the signal may still say the same */
                next = follow(r, f.head);
        while (next.head == f.head);
        assert_true(str_is(next.overlay.address, "127.0.0.7"));
}

static void a_reload_without_a_change_says_nothing(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f;

        spawn(r);
        f = follow(r, 0);
        kill(r->pid, SIGHUP);
        assert_int_equal(follow(r, f.head).head, f.head);
}

static void after_a_restart_a_followers_old_position_is_answered_at_once(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f, next;

        spawn(r);
        f = follow(r, 0);
        end(r, SIGKILL);
        spawn(r);
        next = follow(r, f.head);
        assert_int_not_equal(next.head, f.head);
        assert_true(str_is(next.overlay.address, "127.0.0.1"));
        next = follow(r, next.head + 1000);     /* of a run that was ahead */
        assert_int_equal(next.overlay.state, OVERLAY_STATE_UP);
}

static void loopback_addresses_have_no_key_and_others_are_not_found(void **state)
{
        struct room *r = *state;
        struct overlay_pubkey_result ret;

        spawn(r);
        assert_int_equal(pubkey(r, "127.0.0.5", &ret), 0);
        assert_int_equal(ret.pubkey.n, 0);
        assert_int_equal(pubkey(r, "10.0.0.1", &ret), FAULT_NOT_FOUND);
        assert_int_equal(pubkey(r, "::1", &ret), FAULT_NOT_FOUND);
        assert_int_equal(pubkey(r, "127.0.0.1.example.org", &ret), FAULT_NOT_FOUND);
        assert_int_equal(pubkey(r, "1", &ret), FAULT_INVALID_PARAMS);
}

static void it_does_not_start_without_a_driver_or_with_a_wrong_address(void **state)
{
        struct room *r = *state;
        int status;

        settings(r, "driver = mycelium");
        spawn(r);
        waitpid(r->pid, &status, 0);
        assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
        settings(r, "driver = loopback\nloopback_address = 10.0.0.1");
        spawn(r);
        waitpid(r->pid, &status, 0);
        assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
        r->pid = 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_loopback_driver_is_up_at_its_address, enter, leave),
                cmocka_unit_test_setup_teardown(nothing_new_is_answered_late_and_the_same, enter, leave),
                cmocka_unit_test_setup_teardown(a_changed_address_is_heard_by_who_follows, enter, leave),
                cmocka_unit_test_setup_teardown(a_reload_without_a_change_says_nothing, enter, leave),
                cmocka_unit_test_setup_teardown(after_a_restart_a_followers_old_position_is_answered_at_once, enter, leave),
                cmocka_unit_test_setup_teardown(loopback_addresses_have_no_key_and_others_are_not_found, enter, leave),
                cmocka_unit_test_setup_teardown(it_does_not_start_without_a_driver_or_with_a_wrong_address, enter, leave),
        };

        if (argc > 1 && strcmp(argv[1], "serve") == 0)
                return service_main(&supervisor_service, argc - 1, argv + 1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

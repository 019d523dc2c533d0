/* Who may stand at the other end of a pipe. */
#include "rpc_test_room.h"

static void uids_become_peers(void **state)
{
        struct rpc_peers p = { .uid = { 101, 102, 103, 104, 104, (uid_t)-1, 0, 65534 } };

        (void)state;
        assert_int_equal(rpc_peers_of(&p, 101), SCHEMA_PEER_STORE);
        assert_int_equal(rpc_peers_of(&p, 104), SCHEMA_PEER_GATEWAY | SCHEMA_PEER_COURIER);
        assert_int_equal(rpc_peers_of(&p, 0), SCHEMA_PEER_OPERATOR);
        assert_int_equal(rpc_peers_of(&p, 999), 0);
}

static void nobody_is_never_anybody(void **state)
{
        struct rpc_peers p = { .uid = { 65534, 65534, 65534, 65534, (uid_t)-1, 65534, 65534, 65534 }, .development = true };

        (void)state;
        assert_int_equal(rpc_peers_of(&p, 65534), 0);
        assert_int_equal(rpc_peers_of(&p, (uid_t)-1), 0);
}

static void in_development_our_own_uid_is_everybody(void **state)
{
        struct rpc_peers p;

        (void)state;
        memset(p.uid, 0xff, sizeof(p.uid));
        p.development = true;
        assert_int_equal(rpc_peers_of(&p, geteuid()), 255);
        assert_int_equal(rpc_peers_of(&p, geteuid() + 1), 0);
        p.development = false;
        assert_int_equal(rpc_peers_of(&p, geteuid()), 0);
}

static void the_operator_is_root(void **state)
{
        struct rpc_peers p;

        (void)state;
        assert_int_equal(rpc_peers_load(false, &p), 0);
        assert_int_equal(rpc_peers_of(&p, 0), SCHEMA_PEER_OPERATOR);
        assert_false(p.development);
}

/* A caller of another uid: 0 and the answer's code as exit status, where it had one within its time. */
static int call_from(struct room *r, uid_t uid)
{
        pid_t pid = fork();
        char text[16];
        int status;

        if (pid == 0) {
                snprintf(text, sizeof(text), "%u", (unsigned)uid);
                execl("/proc/self/exe", "echo", "--call", r->path, text, (char *)NULL);
                _exit(127);
        }
        waitpid(pid, &status, 0);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

enum { ANSWERED = 0, UNAVAILABLE = 10, OTHER = 11 };

static int call_once(const char *path, const char *uid)
{
        struct rpc_client *client;
        struct echo_say_result out;
        struct arena arena = { 0 };
        struct rpc_peers peers;
        struct loop *loop = loop_new(&clock_system);
        int code;

        log_open("call", 0);
        if (setgid((gid_t)atoi(uid)) || setuid((uid_t)atoi(uid)))
                return 1;
        memset(peers.uid, 0, sizeof(peers.uid));        /* root is whom we want to talk to */
        peers.development = false;
        if (rpc_client_new(loop, &(struct rpc_client_options){ path, SCHEMA_PEER_STORE, &peers }, &client))
                return 1;
        code = rpc_call_wait(client, &(struct rpc_request){ .method = &method_say, .params = &(struct echo_say){ .text = STR("x") },
                                                             .timeout_ms = 300 }, &arena, &out, NULL);
        rpc_client_free(client);
        loop_free(loop);
        arena_deinit(&arena);
        return code == 0 ? ANSWERED : code == FAULT_UNAVAILABLE ? UNAVAILABLE : OTHER;
}

static void needs_root(void)
{
        if (geteuid() == 0)
                return;
        print_message("skipped: needs root, to be somebody else\n");
        skip();
}

static void a_caller_of_a_foreign_uid_is_refused(void **state)
{
        struct room *r = *state;

        needs_root();
        r->peers.uid[3] = 12345;
        room_open(r, echo_key);
        assert_int_equal(chmod(r->path, 0666), 0);      /* the permissions alone would let them in */
        assert_int_equal(call_from(r, 12345), ANSWERED);
        assert_int_equal(call_from(r, 12346), UNAVAILABLE);
        assert_int_equal(call_from(r, 12345), ANSWERED);
}

static void nobodys_uid_is_refused(void **state)
{
        struct room *r = *state;

        needs_root();
        r->peers.uid[3] = 65534;
        room_open(r, echo_key);
        assert_int_equal(chmod(r->path, 0666), 0);
        assert_int_equal(call_from(r, 65534), UNAVAILABLE);
}

static void a_listener_of_a_foreign_uid_is_not_talked_to(void **state)
{
        struct room *r = *state;
        struct echo_say in = { .text = STR("secret") };
        struct rpc_request request = { .method = &method_say, .params = &in, .timeout_ms = 300 };
        struct echo_say_result out;
        pid_t pid;

        needs_root();
        assert_int_equal(chmod(r->dir, 0777), 0);
        pid = echo_spawn(r->path, "uid:12345");
        assert_int_equal(rpc_call_wait(r->client, &request, &r->arena, &out, NULL), FAULT_UNAVAILABLE);
        r->peers.uid[3] = 12345;
        request.timeout_ms = 5000;      /* now it is heard: it knows root as the operator, who may not call this */
        assert_int_equal(rpc_call_wait(r->client, &request, &r->arena, &out, NULL), FAULT_FORBIDDEN);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static void only_owner_and_group_reach_the_socket(void **state)
{
        struct room *r = *state;
        struct stat st;

        assert_int_equal(stat(r->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0660);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
        struct room *r = *state;
        char path[120];
        struct rpc_client *client;
        struct echo e = { .loop = r->loop };

        memset(path, 'x', sizeof(path));
        memcpy(path, "/tmp/", 5);
        path[101] = 0;
        assert_int_equal(rpc_client_new(r->loop, &(struct rpc_client_options){ path, SCHEMA_PEER_STORE, &r->peers }, &client),
                         -ENAMETOOLONG);
        assert_int_equal(echo_start(&e, path, &r->peers, NULL), -ENAMETOOLONG);
        feed_deinit(&e.feed);
        assert_int_equal(echo_start(&e, "/nonexistent/rpc.sock", &r->peers, NULL), -ENOENT);
        feed_deinit(&e.feed);
}

static void a_socket_that_is_served_already_is_refused(void **state)
{
        struct room *r = *state;
        struct echo second = { .loop = r->loop };

        assert_int_equal(echo_start(&second, r->path, &r->peers, echo_key), -EADDRINUSE);
        feed_deinit(&second.feed);
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &(struct echo_say_result){ { 0 } }, NULL), 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(uids_become_peers),
                cmocka_unit_test(nobody_is_never_anybody),
                cmocka_unit_test(in_development_our_own_uid_is_everybody),
                cmocka_unit_test(the_operator_is_root),
                cmocka_unit_test_setup_teardown(a_caller_of_a_foreign_uid_is_refused, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(nobodys_uid_is_refused, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_listener_of_a_foreign_uid_is_not_talked_to, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(only_owner_and_group_reach_the_socket, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_path_that_is_too_long_is_refused, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_socket_that_is_served_already_is_refused, room_enter_served, room_leave),
        };

        if (argc == 4 && strcmp(argv[1], "--serve") == 0)
                return echo_serve(argv[2], argv[3]);
        if (argc == 4 && strcmp(argv[1], "--call") == 0)
                return call_once(argv[2], argv[3]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

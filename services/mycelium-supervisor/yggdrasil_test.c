/* The yggdrasil driver against two real nodes, in two networks of the test's own. */
#include "supervisor_room.h"
#include <net/if.h>
#include <sched.h>

struct nodes {
        struct room *room;
        pid_t other_network;    /* a process that is in it */
        pid_t ours, other;
};

static const char *path_of(struct room *r, const char *name)
{
        return arena_format(&r->arena, "%s/%s", r->root, name).p;
}

static void run(const char *command)
{
        if (system(command) != 0)
                fail_msg("%s", command);
}

/* The member's text in what -genconf made. */
static struct str member(struct room *r, const char *json, const char *name)
{
        const char *at = strstr(json, arena_format(&r->arena, "\"%s\": \"", name).p);

        assert_non_null(at);
        at = strchr(at, ':') + 3;
        return arena_str(&r->arena, (struct str){ at, strcspn(at, "\"") });
}

static void configure(struct room *r, const char *name, const char *listen, const char *peers)
{
        char json[16384];
        FILE *f = popen("yggdrasil -genconf -json", "r");
        struct str public, private;

        json[fread(json, 1, sizeof(json) - 1, f)] = '\0';
        assert_int_equal(pclose(f), 0);
        public = member(r, json, "PublicKey");
        private = member(r, json, "PrivateKey");
        put_text(r, arena_format(&r->arena, "%s.json", name).p, arena_format(&r->arena,
                "{\"PublicKey\":\"%.*s\",\"PrivateKey\":\"%.*s\",\"AdminListen\":\"unix://%s/%s.sock\",\"Listen\":[%s],\"Peers\":[%s],"
                "\"MulticastInterfaces\":[],\"IfName\":\"ygg0\",\"IfMTU\":1400,\"NodeInfoPrivacy\":true}",
                STR_ARG(public), STR_ARG(private), r->root, name, listen, peers).p);
}

static pid_t start_node(struct room *r, const char *name, pid_t network)
{
        pid_t pid = fork();
        char path[64];

        if (pid == 0) {
                int fd;

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)network);
                fd = open(path, O_RDONLY | O_CLOEXEC);
                if (network && setns(fd, CLONE_NEWNET) < 0)
                        _exit(126);
                fd = open(path_of(r, "nodes.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                dup2(fd, STDOUT_FILENO);
                dup2(fd, STDERR_FILENO);
                execlp("yggdrasil", "yggdrasil", "-useconffile", path_of(r, arena_format(&r->arena, "%s.json", name).p), "-loglevel", "warn", (char *)NULL);
                _exit(127);
        }
        return pid;
}

static void stop(pid_t *pid)
{
        if (*pid > 0) {
                kill(*pid, SIGKILL);
                waitpid(*pid, NULL, 0);
        }
        *pid = 0;
}

static int set_up(void **state)
{
        struct nodes *n = calloc(1, sizeof(*n));
        int ready[2];
        char c;

        if (enter((void **)&n->room) || pipe2(ready, O_CLOEXEC) < 0)
                return -1;
        *state = n;
        n->other_network = fork();
        if (n->other_network == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        close(ready[1]);
        if (read(ready[0], &c, 1) != 1)
                return -1;
        close(ready[0]);
        run(arena_format(&n->room->arena, "ip link add yv0 type veth peer name yv1 netns %d && ip addr add 192.0.2.1/30 dev yv0 && ip link set yv0 up && "
                         "nsenter --net=/proc/%d/ns/net sh -c 'ip link set lo up; ip addr add 192.0.2.2/30 dev yv1; ip link set yv1 up'",
                         (int)n->other_network, (int)n->other_network).p);
        configure(n->room, "ours", "\"tcp://192.0.2.1:9651\"", "");
        configure(n->room, "other", "", "\"tcp://192.0.2.1:9651\"");
        settings(n->room, arena_format(&n->room->arena, "driver = yggdrasil\nadmin = unix://%s/ours.sock", n->room->root).p);
        return 0;
}

static int tear_down(void **state)
{
        struct nodes *n = *state;
        int r;

        stop(&n->ours);
        stop(&n->other);
        run("ip link delete yv0");      /* its network takes it along too, but not at once */
        stop(&n->other_network);
        r = leave((void **)&n->room);
        free(n);
        return r;
}

static bool listens(void)
{
        return system("ss -Hltn 'sport = :9651' | grep -q .") == 0;
}

static void is_our_node(struct room *r, struct overlay o)
{
        char command[256], address[64] = "";
        FILE *f;

        snprintf(command, sizeof(command), "yggdrasil -useconffile %s/ours.json -address", r->root);
        f = popen(command, "r");
        assert_int_equal(fscanf(f, "%63s", address), 1);
        pclose(f);
        assert_true(str_is(o.driver, "yggdrasil"));
        assert_true(str_is(o.address, address));
        assert_true(str_is(o.ifname, "ygg0"));
        assert_int_equal(o.ifindex, if_nametoindex("ygg0"));
        assert_int_equal(o.pubkey.n, 32);
        assert_true(o.subnet.n > 4 && o.subnet.p[0] == '3');
}

static void a_node_comes_up_with_its_peer_and_down_and_up_with_its_daemon(void **state)
{
        struct nodes *n = *state;
        struct room *r = n->room;
        struct overlay_pubkey_result key;
        struct overlay o;
        unsigned index;

        spawn(r);
        overlay_in(r, OVERLAY_STATE_DOWN, false);
        n->ours = start_node(r, "ours", 0);
        is_our_node(r, overlay_in(r, OVERLAY_STATE_STARTING, true));
        UNTIL(listens());      /* a dialler that fails waits a minute */
        n->other = start_node(r, "other", n->other_network);
        o = overlay_in(r, OVERLAY_STATE_UP, true);
        is_our_node(r, o);
        index = (unsigned)o.ifindex;
        assert_int_equal(pubkey(r, arena_str(&r->arena, o.address).p, &key), 0);
        assert_int_equal(key.pubkey.n, 0);      /* nobody needs it: the overlay checks whole addresses */
        assert_int_equal(pubkey(r, "400::1", &key), FAULT_NOT_FOUND);
        assert_int_equal(pubkey(r, "300::1", &key), FAULT_NOT_FOUND);
        stop(&n->other);        /* which would wait before it dials again */
        stop(&n->ours);
        overlay_in(r, OVERLAY_STATE_DOWN, false);
        n->ours = start_node(r, "ours", 0);
        o = overlay_in(r, OVERLAY_STATE_STARTING, true);
        is_our_node(r, o);
        assert_int_not_equal(o.ifindex, index);
        UNTIL(listens());
        n->other = start_node(r, "other", n->other_network);
        is_our_node(r, overlay_in(r, OVERLAY_STATE_UP, true));
        assert_int_equal(end(r, SIGTERM), 0);
}

static void another_node_at_the_socket_is_refused(void **state)
{
        struct nodes *n = *state;
        struct room *r = n->room;

        n->ours = start_node(r, "ours", 0);
        spawn(r);
        is_our_node(r, overlay_in(r, OVERLAY_STATE_STARTING, true));
        stop(&n->ours);
        configure(r, "ours", "", "");   /* with a new key */
        n->ours = start_node(r, "ours", 0);
        UNTIL(logged(r, "another key than ours"));
        overlay_in(r, OVERLAY_STATE_DOWN, false);
}

static int skipped(const char *why)
{
        printf("skipped: services-mycelium-supervisor-yggdrasil_test: %s\n", why);
        return 77;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_node_comes_up_with_its_peer_and_down_and_up_with_its_daemon, set_up, tear_down),
                cmocka_unit_test_setup_teardown(another_node_at_the_socket_is_refused, set_up, tear_down),
        };

        if (argc > 1 && strcmp(argv[1], "serve") == 0)
                return service_main(&supervisor_service, argc - 1, argv + 1);
        if (system("command -v yggdrasil >/dev/null && command -v ip >/dev/null && command -v ss >/dev/null"))
                return skipped("yggdrasil or iproute2 is not installed");
        if (unshare(CLONE_NEWNET) < 0)
                return skipped("no network namespace");
        if (access("/dev/net/tun", R_OK | W_OK) < 0)
                return skipped("no /dev/net/tun");
        if (system("ip link set lo up"))
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The mycelium driver against a daemon that plays every release's part, and parts that no daemon should, in a network of the test's own. */
#include "supervisor_room.h"
#include "launcher.h"
#include "node.h"
#include "recorded_daemon.h"
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>

/* The secret key 01 02 ... 20. */
#define KEY "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
#define ADDRESS "5a6:f0c6:f365:177d:66be:4a2b:d9fd:b59e"

static char self[PATH_MAX];     /* this program */

static const char *path_of(struct room *r, const char *name)
{
        return arena_format(&r->arena, "%s/%s", r->root, name).p;
}

static int set_up(void **state)
{
        uint8_t secret[32];
        struct room *r;

        if (enter(state))
                return -1;
        r = *state;
        for (int i = 0; i < 32; i++)
                secret[i] = (uint8_t)(i + 1);
        setenv("RECORDED", r->root, 1);
        put(r, "first.key", secret, sizeof(secret));
        put_text(r, "release", "0.7.8");
        put_text(r, "alive", "1");
        settings(r, "driver = mycelium\nstart = no");
        return 0;
}

static pid_t daemon_pid(struct room *r)
{
        return (pid_t)atoi(get(r, "daemon.pid").p);
}

/* Ends the daemon, whoever started it, and waits until it is gone. */
static void stop_daemon(struct room *r)
{
        pid_t pid = daemon_pid(r);

        if (pid <= 0)
                return;
        kill(pid, SIGKILL);
        if (waitpid(pid, NULL, 0) < 0)
                UNTIL(kill(pid, 0) < 0);
        put_text(r, "daemon.pid", NULL);
}

static int tear_down(void **state)
{
        struct room *r = *state;

        if (r->pid > 0)
                end(r, SIGKILL);
        stop_daemon(r);
        return leave(state);
}

/* Ours, as somebody else's unit would start it. */
static void start_daemon(struct room *r, const char *key)
{
        pid_t pid = fork();

        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                execl(self, self, "-k", path_of(r, key), "--api-addr", "127.0.0.1:8989", "--jsonrpc-addr", "127.0.0.1:8990", (char *)NULL);
                _exit(127);
        }
        UNTIL(daemon_pid(r) == pid);
}

static void is_first(struct overlay o)
{
        uint8_t key[32];

        assert_true(str_is(o.driver, "mycelium"));
        if (!str_is(o.address, ADDRESS))
                fail_msg("the address is %.*s", STR_ARG(o.address));
        assert_true(str_is(o.subnet, "5a6:f0c6:f365:177d::/64"));
        assert_int_equal(str_from_hex(STR(KEY), key, sizeof(key)), 0);
        if (o.pubkey.n)
                assert_memory_equal(o.pubkey.p, key, sizeof(key));
}

static void every_release_is_found_by_each_of_its_ways(void **state)
{
        static const char *const releases[] = { "0.5.0", "0.5.4", "0.7.8" }, *const apis[] = { "jsonrpc", "rest" };
        struct room *r = *state;

        for (int i = 0; i < 6; i++) {
                struct overlay o;

                put_text(r, "release", releases[i / 2]);
                put_text(r, "apis", apis[i % 2]);
                put_text(r, "state/mycelium-supervisor/mycelium.pubkey", NULL);
                start_daemon(r, "first.key");
                spawn(r);
                o = overlay_in(r, OVERLAY_STATE_UP, true);
                is_first(o);
                assert_true(str_is(o.ifname, "mycelium"));
                assert_int_equal(o.ifindex, if_nametoindex("mycelium"));
                assert_int_equal(o.pubkey.n, i / 2 ? 32 : 0);   /* the oldest don't say it */
                assert_int_equal(end(r, SIGTERM), 0);
                stop_daemon(r);
        }
}

static void without_a_peer_it_is_starting_and_then_up(void **state)
{
        struct room *r = *state;

        put_text(r, "alive", "0");
        start_daemon(r, "first.key");
        spawn(r);
        is_first(overlay_in(r, OVERLAY_STATE_STARTING, true));
        put_text(r, "alive", "2");
        is_first(overlay_in(r, OVERLAY_STATE_UP, true));
}

static void a_daemon_that_comes_later_is_found_and_one_that_goes_is_missed(void **state)
{
        struct room *r = *state;
        struct overlay o;

        spawn(r);
        o = overlay_in(r, OVERLAY_STATE_DOWN, false);
        assert_int_equal(o.address.n, 0);
        start_daemon(r, "first.key");
        is_first(overlay_in(r, OVERLAY_STATE_UP, true));
        stop_daemon(r);
        is_first(overlay_in(r, OVERLAY_STATE_DOWN, false));     /* its address is still ours */
        start_daemon(r, "first.key");
        is_first(overlay_in(r, OVERLAY_STATE_UP, true));
}

/* By rtnetlink: the next probe would be NODE_HEALTH_MS away. */
static void an_interface_made_anew_is_heard_of_at_once(void **state)
{
        struct room *r = *state;
        struct overlay_follow_result f;
        struct overlay o;
        size_t requests;
        int64_t start;

        start_daemon(r, "first.key");
        spawn(r);
        o = overlay_in(r, OVERLAY_STATE_UP, true);
        requests = lines(r, "requests");
        start = clock_steady_us(&clock_system);
        kill(daemon_pid(r), SIGHUP);
        f = follow(r, 0);
        while (f.overlay.ifindex == 0 || f.overlay.ifindex == o.ifindex)
                f = follow(r, f.head);
        is_first(f.overlay);
        assert_true(clock_steady_us(&clock_system) - start < NODE_HEALTH_MS * 1000 / 2);
        UNTIL(lines(r, "requests") > requests); /* and the daemon is asked whether it is still the one */
        overlay_in(r, OVERLAY_STATE_UP, true);
        kill(daemon_pid(r), SIGUSR1);
        is_first(overlay_in(r, OVERLAY_STATE_DOWN, false));
        UNTIL(logged(r, "no interface has its address"));
}

static void a_daemon_without_its_interface_is_not_used_and_gets_no_second_one_beside_it(void **state)
{
        struct room *r = *state;
        size_t requests;

        put_text(r, "tun", "no");
        settings(r, arena_format(&r->arena, "driver = mycelium\nprogram = %s", self).p);
        start_daemon(r, "first.key");
        spawn(r);
        UNTIL(logged(r, "no interface has its address"));
        requests = lines(r, "requests");
        UNTIL(lines(r, "requests") > requests + 2);
        is_first(overlay_in(r, OVERLAY_STATE_DOWN, false));
        assert_int_equal(lines(r, "starts"), 1);
}

static void another_key_than_the_pinned_one_is_refused(void **state)
{
        struct room *r = *state;
        size_t requests;
        struct str pinned;

        start_daemon(r, "first.key");
        spawn(r);
        overlay_in(r, OVERLAY_STATE_UP, true);
        pinned = arena_str(&r->arena, get(r, "state/mycelium-supervisor/mycelium.pubkey"));
        assert_true(str_eq(str_trim(pinned), STR(KEY)));
        stop_daemon(r);
        start_daemon(r, "second.key");          /* it makes itself one */
        UNTIL(logged(r, "another key than ours"));
        is_first(overlay_in(r, OVERLAY_STATE_DOWN, false));
        requests = lines(r, "requests");
        UNTIL(lines(r, "requests") > requests + 2);
        is_first(overlay_in(r, OVERLAY_STATE_DOWN, false));
        /* nor after a restart; and an old daemon, that tells its network alone, is no way around */
        end(r, SIGTERM);
        put_text(r, "release", "0.5.0");
        spawn(r);
        requests = lines(r, "requests");
        UNTIL(lines(r, "requests") > requests + 2);
        is_first(overlay_in(r, OVERLAY_STATE_DOWN, false));
        assert_true(str_eq(get(r, "state/mycelium-supervisor/mycelium.pubkey"), pinned));
        stop_daemon(r);
        start_daemon(r, "first.key");
        is_first(overlay_in(r, OVERLAY_STATE_UP, true));
}

static void a_pin_that_cannot_be_read_stops_the_start(void **state)
{
        struct room *r = *state;
        int status;

        start_daemon(r, "first.key");
        spawn(r);
        overlay_in(r, OVERLAY_STATE_UP, true);
        end(r, SIGTERM);
        put_text(r, "state/mycelium-supervisor/mycelium.pubkey", "07a3\n");
        spawn(r);
        waitpid(r->pid, &status, 0);
        r->pid = 0;
        assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
        assert_true(logged(r, "can't be read"));
}

/* ---- started by us ---- */

static void where_none_runs_one_is_started_and_outlives_us(void **state)
{
        struct room *r = *state;
        pid_t pid;
        struct str address;

        settings(r, arena_format(&r->arena, "driver = mycelium\nprogram = %s\ntun_name = desk0\npeers = tcp://192.0.2.1:9651", self).p);
        spawn(r);
        address = overlay_in(r, OVERLAY_STATE_UP, true).address;
        pid = daemon_pid(r);
        assert_int_equal(get(r, "state/mycelium-supervisor/mycelium.key").n, 32);
        assert_true(logged(r, "pinned"));
        assert_int_equal(end(r, SIGTERM), 0);
        assert_int_equal(kill(pid, 0), 0);
        spawn(r);
        assert_true(str_eq(overlay_in(r, OVERLAY_STATE_UP, true).address, address));
        assert_int_equal(daemon_pid(r), pid);
        assert_int_equal(lines(r, "starts"), 1);
        /* whoever's child it is: where it ends, another one is started with the same key */
        kill(pid, SIGKILL);
        overlay_in(r, OVERLAY_STATE_DOWN, false);
        assert_true(str_eq(overlay_in(r, OVERLAY_STATE_UP, true).address, address));
        assert_int_equal(lines(r, "starts"), 2);
        /* our own child likewise */
        kill(daemon_pid(r), SIGKILL);
        overlay_in(r, OVERLAY_STATE_DOWN, false);
        assert_true(str_eq(overlay_in(r, OVERLAY_STATE_UP, true).address, address));
        assert_true(logged(r, "ended by signal 9"));
}

/* ---- started by systemd, which a process of ours plays on a bus of our own ---- */

static int on_unit(sd_bus_message *m, void *data, sd_bus_error *error)
{
        struct room *r = data;
        const char *unit, *mode;

        (void)error;
        if (sd_bus_message_read(m, "ss", &unit, &mode) < 0)
                return -EINVAL;
        recorded_note("units", arena_format(&r->arena, "%s %s %s", sd_bus_message_get_member(m), unit, mode).p);
        if (lines(r, "units") > 1)      /* the first one fails, as units do */
                start_daemon(r, "first.key");
        return sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/job/1");
}

static void play_systemd(struct room *r)
{
        static const sd_bus_vtable methods[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_METHOD("StartUnit", "ss", "o", on_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD("RestartUnit", "ss", "o", on_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_VTABLE_END,
        };
        sd_bus *bus = NULL;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (sd_bus_open_system(&bus) < 0)    /* until the bus listens */
                usleep(10000);
        if (sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", methods, r) < 0 ||
            sd_bus_request_name(bus, "org.freedesktop.systemd1", 0) < 0)
                _exit(1);
        put_text(r, "systemd", "ready");
        for (;;)
                if (sd_bus_process(bus, NULL) <= 0)
                        sd_bus_wait(bus, UINT64_MAX);
}

static void under_systemd_its_unit_is_started_and_the_next_time_restarted(void **state)
{
        struct room *r = *state;
        pid_t bus, systemd;

        if (access("/usr/bin/dbus-daemon", X_OK) < 0) {
                printf("skipped: under_systemd_its_unit_is_started_and_the_next_time_restarted: no dbus-daemon\n");
                skip();
        }
        put_text(r, "bus.conf", arena_format(&r->arena, "<busconfig><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth><policy context=\"default\">"
                                             "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>",
                                             r->root).p);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", arena_format(&r->arena, "unix:path=%s/bus", r->root).p, 1);
        assert_int_equal(mkdir("/run/systemd", 0755), 0);
        assert_int_equal(mkdir("/run/systemd/system", 0755), 0);        /* what sd_booted looks at */
        settings(r, "driver = mycelium\nprogram = /bin/false");
        /* before there is a bus: it is tried again */
        spawn(r);
        UNTIL(logged(r, "assist-mycelium.service could not be started: D-Bus"));
        bus = fork();
        if (bus == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                execl("/usr/bin/dbus-daemon", "dbus-daemon", "--nofork", "--config-file", path_of(r, "bus.conf"), (char *)NULL);
                _exit(127);
        }
        systemd = fork();
        if (systemd == 0)
                play_systemd(r);
        UNTIL(get(r, "systemd").n > 0);
        end(r, SIGTERM);
        spawn(r);
        is_first(overlay_in(r, OVERLAY_STATE_UP, true));
        assert_string_equal(get(r, "units").p, "StartUnit assist-mycelium.service replace\nRestartUnit assist-mycelium.service replace\n");
        assert_int_equal(end(r, SIGTERM), 0);
        kill(systemd, SIGKILL);
        waitpid(systemd, NULL, 0);
        kill(bus, SIGKILL);
        waitpid(bus, NULL, 0);
        UNTIL(kill(daemon_pid(r), 0) < 0);      /* it was systemd's, and died with it */
        put_text(r, "daemon.pid", NULL);
        rmdir("/run/systemd/system");
        rmdir("/run/systemd");
        unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

static void with_a_lost_key_none_is_started(void **state)
{
        struct room *r = *state;
        struct overlay o;
        char key[32];

        settings(r, arena_format(&r->arena, "driver = mycelium\nprogram = %s", self).p);
        spawn(r);
        o = overlay_in(r, OVERLAY_STATE_UP, true);
        memcpy(key, get(r, "state/mycelium-supervisor/mycelium.key").p, sizeof(key));
        end(r, SIGTERM);
        stop_daemon(r);
        put_text(r, "state/mycelium-supervisor/mycelium.key", NULL);
        spawn(r);
        UNTIL(logged(r, "no daemon is started: the node's key file is lost"));
        assert_true(str_eq(overlay_in(r, OVERLAY_STATE_DOWN, false).address, o.address));
        put(r, "state/mycelium-supervisor/mycelium.key", "another one, that somebody made.", 32);
        UNTIL(logged(r, "no daemon is started: the node's key file has another key than the pinned one"));
        put(r, "state/mycelium-supervisor/mycelium.key", "short", 5);
        UNTIL(logged(r, "no daemon is started: the node's key file can't be read, or is not 32 bytes"));
        assert_int_equal(lines(r, "starts"), 1);
        put(r, "state/mycelium-supervisor/mycelium.key", key, sizeof(key));
        assert_true(str_eq(overlay_in(r, OVERLAY_STATE_UP, true).address, o.address));
        assert_int_equal(lines(r, "starts"), 2);
}

static void one_that_ends_is_started_again_after_growing_pauses(void **state)
{
        struct room *r = *state;
        const char *script = path_of(r, "script");
        long long at[4];
        FILE *f;

        put_text(r, "script", "#!/bin/sh\ndate +%s%N >>\"$RECORDED/starts\"\nexit 1\n");
        assert_int_equal(chmod(script, 0700), 0);
        settings(r, arena_format(&r->arena, "driver = mycelium\nprogram = %s", script).p);
        spawn(r);
        UNTIL(lines(r, "starts") >= 4);
        f = fopen(path_of(r, "starts"), "re");
        assert_int_equal(fscanf(f, "%lld%lld%lld%lld", &at[0], &at[1], &at[2], &at[3]), 4);
        fclose(f);
        for (int i = 0; i < 3; i++)     /* less what the script's own start may take */
                assert_true((at[i + 1] - at[i]) / 1000000 > (LAUNCHER_PAUSE_MIN_MS << i) - 500);
        assert_true(logged(r, "ended with status 1"));
        overlay_in(r, OVERLAY_STATE_DOWN, false);
        assert_int_equal(end(r, SIGTERM), 0);
}

static void a_daemon_that_only_does_not_answer_keeps_its_interface_and_is_left_alone(void **state)
{
        struct room *r = *state;
        struct overlay o;

        settings(r, arena_format(&r->arena, "driver = mycelium\nprogram = %s", self).p);
        start_daemon(r, "first.key");
        spawn(r);
        overlay_in(r, OVERLAY_STATE_UP, true);
        put_text(r, "behave", "silent");
        kill(daemon_pid(r), SIGHUP);            /* so that it is asked now */
        o = overlay_in(r, OVERLAY_STATE_DOWN, true);
        is_first(o);
        assert_int_equal(o.ifindex, if_nametoindex("mycelium"));
        assert_true(logged(r, "the daemon does not answer"));
        assert_int_equal(lines(r, "starts"), 1);
        put_text(r, "behave", "");
        is_first(overlay_in(r, OVERLAY_STATE_UP, true));
}

/* ---- hostile ---- */

static void nothing_that_answers_there_can_hurt(void **state)
{
        static const char *const parts[] = { "silent", "close", "html", "fails", "redirects", "short", "noise", "long", "long-head", "long-chunk" };
        struct room *r = *state;
        long peak;

        put_text(r, "behave", "close");
        start_daemon(r, "first.key");
        spawn(r);
        UNTIL(lines(r, "requests") > 1);
        peak = peak_kib(r->pid);
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                size_t requests = lines(r, "requests");
                int64_t asked;

                put_text(r, "behave", parts[i]);
                UNTIL(lines(r, "requests") > requests + 1);
                asked = clock_steady_us(&clock_system);
                assert_int_equal(follow(r, 0).overlay.state, OVERLAY_STATE_DOWN);
                assert_true(clock_steady_us(&clock_system) - asked < 1000 * 1000);      /* it never waits itself */
        }
        assert_true(peak > 0 && peak_kib(r->pid) < peak + 16 * 1024);
        put_text(r, "behave", "");
        is_first(overlay_in(r, OVERLAY_STATE_UP, true));
        assert_int_equal(end(r, SIGTERM), 0);
}

/* ---- keys of others ---- */

static void a_key_is_told_where_there_is_a_route_and_only_where_it_is_the_address_own(void **state)
{
        static const char *const apis[] = { "jsonrpc", "rest" };
        struct overlay_pubkey_result ret;
        struct room *r = *state;
        uint8_t key[32];

        for (int i = 0; i < 2; i++) {
                put_text(r, "apis", apis[i]);
                start_daemon(r, "first.key");
                spawn(r);
                overlay_in(r, OVERLAY_STATE_UP, true);
                assert_int_equal(pubkey(r, RECORDED_OTHER, &ret), 0);
                str_from_hex(STR(RECORDED_OTHER_KEY), key, sizeof(key));
                assert_memory_equal(ret.pubkey.p, key, sizeof(key));
                assert_int_equal(pubkey(r, "5a6:f0c6:f365:177d::99", &ret), 0);         /* ourselves */
                str_from_hex(STR(KEY), key, sizeof(key));
                assert_memory_equal(ret.pubkey.p, key, sizeof(key));
                assert_int_equal(pubkey(r, "4ff::1", &ret), FAULT_UNAVAILABLE);         /* no route */
                assert_true(r->fault.has_retry_after_ms);
                put_text(r, "behave", "noroute");
                assert_int_equal(pubkey(r, RECORDED_OTHER, &ret), FAULT_UNAVAILABLE);
                put_text(r, "behave", "lies");
                assert_int_equal(pubkey(r, RECORDED_OTHER, &ret), FAULT_UNAVAILABLE);
                assert_true(logged(r, "not the one of its address"));
                put_text(r, "behave", "");
                end(r, SIGTERM);
                stop_daemon(r);
        }
}

static void an_address_that_is_not_the_overlays_never_gets_to_the_daemon(void **state)
{
        static const char *const wrong[] = { "192.0.2.1", "::ffff:192.0.2.1", "127.0.0.1", "2001:db8::1", "200::1", "fe80::1%1", "x\\\"]}", "4ff::1/64" };
        struct overlay_pubkey_result ret;
        struct room *r = *state;

        start_daemon(r, "first.key");
        spawn(r);
        overlay_in(r, OVERLAY_STATE_UP, true);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(pubkey(r, wrong[i], &ret), FAULT_NOT_FOUND);
        assert_null(strstr(get(r, "requests").p, "getPublicKey"));
}

static void while_no_daemon_answers_keys_are_unavailable(void **state)
{
        struct overlay_pubkey_result ret;
        struct room *r = *state;

        spawn(r);
        assert_int_equal(pubkey(r, RECORDED_OTHER, &ret), FAULT_UNAVAILABLE);
        start_daemon(r, "first.key");
        overlay_in(r, OVERLAY_STATE_UP, true);
        put_text(r, "behave", "silent");
        assert_int_equal(pubkey(r, RECORDED_OTHER, &ret), FAULT_UNAVAILABLE);
        assert_int_equal(end(r, SIGTERM), 0);
}

/* ---- the real one ---- */

static void a_real_daemon_is_started_found_and_asked(void **state)
{
        const char *program = getenv("MYCELIUM_BIN");
        struct overlay_pubkey_result ret;
        struct room *r = *state;
        struct overlay o;
        char key[32];

        if (!program) {
                printf("skipped: a_real_daemon_is_started_found_and_asked: MYCELIUM_BIN names no mycelium\n");
                skip();
        }
        settings(r, arena_format(&r->arena, "driver = mycelium\nprogram = %s", program).p);
        spawn(r);
        o = overlay_in(r, OVERLAY_STATE_STARTING, true);        /* it has no peer */
        assert_int_equal(o.pubkey.n, sizeof(key));
        memcpy(key, o.pubkey.p, sizeof(key));
        assert_int_equal(pubkey(r, arena_str(&r->arena, o.address).p, &ret), 0);
        assert_memory_equal(ret.pubkey.p, key, sizeof(key));
        assert_int_equal(pubkey(r, RECORDED_OTHER, &ret), FAULT_UNAVAILABLE);
        /* it writes no pid for us: whose child it is tells */
        put_text(r, "daemon.pid", strstr(get(r, "log").p, " as pid ") + 8);
}

/* A network of our own, where the daemon's ports and interface are free, and a /run of our own. */
static bool own_network(void)
{
        if (unshare(CLONE_NEWNET) < 0) {
                printf("skipped: services-mycelium-supervisor-mycelium_test: no network namespace: %s\n", strerror(errno));
                return false;
        }
        /* whether systemd runs here, and its bus, are nothing to us */
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0) {
                printf("skipped: services-mycelium-supervisor-mycelium_test: no mount namespace: %s\n", strerror(errno));
                return false;
        }
        if (access("/dev/net/tun", R_OK | W_OK) < 0) {
                printf("skipped: services-mycelium-supervisor-mycelium_test: no /dev/net/tun\n");
                return false;
        }
        return system("ip link set lo up") == 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                TEST(every_release_is_found_by_each_of_its_ways),
                TEST(without_a_peer_it_is_starting_and_then_up),
                TEST(a_daemon_that_comes_later_is_found_and_one_that_goes_is_missed),
                TEST(an_interface_made_anew_is_heard_of_at_once),
                TEST(a_daemon_without_its_interface_is_not_used_and_gets_no_second_one_beside_it),
                TEST(another_key_than_the_pinned_one_is_refused),
                TEST(a_pin_that_cannot_be_read_stops_the_start),
                TEST(where_none_runs_one_is_started_and_outlives_us),
                TEST(under_systemd_its_unit_is_started_and_the_next_time_restarted),
                TEST(with_a_lost_key_none_is_started),
                TEST(one_that_ends_is_started_again_after_growing_pauses),
                TEST(a_daemon_that_only_does_not_answer_keeps_its_interface_and_is_left_alone),
                TEST(nothing_that_answers_there_can_hurt),
                TEST(a_key_is_told_where_there_is_a_route_and_only_where_it_is_the_address_own),
                TEST(an_address_that_is_not_the_overlays_never_gets_to_the_daemon),
                TEST(while_no_daemon_answers_keys_are_unavailable),
                TEST(a_real_daemon_is_started_found_and_asked),
        };

        if (argc > 1 && strcmp(argv[1], "serve") == 0)
                return service_main(&supervisor_service, argc - 1, argv + 1);
        if (argc > 1 && strcmp(argv[1], "-k") == 0)
                return recorded_main(argc, argv);
        if (!own_network())
                return 77;
        if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
                return 1;
        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

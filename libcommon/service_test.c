/* A whole process, as systemd sees it. The program under test is this one, called again. */
#include "service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- the service: it never drains by itself where the settings' port is 1 ---- */

struct small {
        struct service *service;
        struct rpc_server *server;
        int reloads;
};

static const struct rpc_handler no_handlers[] = { { NULL, NULL } };

static int small_start(struct service *service, void **ret_data)
{
        struct small *s = calloc(1, sizeof(*s));
        uint8_t key[32];

        *ret_data = s;
        s->service = service;
        if (service_secret(service, "caller", key) || key[0] != 0xab)
                return -EINVAL;
        return service_server(service, no_handlers, s, NULL, NULL, &s->server);
}

static void small_reload(void *data)
{
        ((struct small *)data)->reloads++;
}

static bool small_drained(void *data)
{
        return ((struct small *)data)->service->settings.port != 1;
}

static void small_stop(void *data)
{
        rpc_server_free(((struct small *)data)->server);
        free(data);
}

static void small_status(void *data, struct buf *out)
{
        const struct small *s = data;

        buf_format(out, "port %lld, %d reloads", (long long)s->service->settings.port, s->reloads);
}

static const struct service_type small_type = {
        .name = "store", .peer = SCHEMA_PEER_STORE, .start = small_start, .reload = small_reload, .drained = small_drained,
        .stop = small_stop, .status = small_status,
};

/* ---- the test ---- */

struct room {
        char root[64], notify[96], log[96];
        int socket;      /* where systemd would listen */
        pid_t pid;
};

static void put(struct room *r, const char *name, const char *text)
{
        char path[160];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", r->root, name);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static int enter(void **state)
{
        struct room *r = calloc(1, sizeof(*r));
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char command[256];

        strcpy(r->root, "/tmp/service_test.XXXXXX");
        if (!mkdtemp(r->root))
                return -1;
        snprintf(command, sizeof(command), "mkdir -p %s/etc %s/keys/store", r->root, r->root);
        if (system(command))
                return -1;
        put(r, "keys/store/caller", "ab00000000000000000000000000000000000000000000000000000000000000\n");
        put(r, "etc/assist.conf", "[project]\ndevelopment = yes\n[overlay]\ndriver = loopback\n[gateway]\nport = 80\n");
        snprintf(r->notify, sizeof(r->notify), "%s/notify", r->root);
        snprintf(r->log, sizeof(r->log), "%s/log", r->root);
        strcpy(a.sun_path, r->notify);
        r->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        *state = r;
        return bind(r->socket, (struct sockaddr *)&a, sizeof(a));
}

static int leave(void **state)
{
        struct room *r = *state;
        char command[96];

        if (r->pid > 0) {
                kill(r->pid, SIGKILL);
                waitpid(r->pid, NULL, 0);
        }
        close(r->socket);
        snprintf(command, sizeof(command), "rm -r %s", r->root);
        free(r);
        return system(command);
}

static void spawn(struct room *r, const char *option, const char *watchdog_us)
{
        fflush(NULL);
        r->pid = fork();
        if (r->pid == 0) {
                int fd = open(r->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(fd, STDERR_FILENO);
                dup2(fd, STDOUT_FILENO);
                setenv("NOTIFY_SOCKET", r->notify, 1);
                unsetenv("JOURNAL_STREAM");
                unsetenv("WATCHDOG_PID");
                if (watchdog_us)
                        setenv("WATCHDOG_USEC", watchdog_us, 1);
                else
                        unsetenv("WATCHDOG_USEC");
                execl("/proc/self/exe", "small", "serve", option ? option : "--root", option ? NULL : r->root, (char *)NULL);
                _exit(127);
        }
}

/* The next notification that holds the text; what comes before it is passed over. */
static void hears(struct room *r, const char *text)
{
        struct timeval wait = { .tv_sec = 15 };
        char message[512];
        ssize_t n;

        setsockopt(r->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
        do {
                n = recv(r->socket, message, sizeof(message) - 1, 0);
                if (n < 0)
                        fail_msg("systemd was not told %s", text);
                message[n < 0 ? 0 : n] = 0;
        } while (!strstr(message, text));
}

static int ends_with(struct room *r)
{
        int status;

        waitpid(r->pid, &status, 0);
        r->pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const char *logged(struct room *r)
{
        static char text[8192];
        FILE *f = fopen(r->log, "r");
        size_t n = fread(text, 1, sizeof(text) - 1, f);

        fclose(f);
        text[n] = 0;
        return text;
}

static void it_says_when_it_is_ready_and_stops_when_told(void **state)
{
        struct room *r = *state;
        char path[128];
        struct stat st;

        spawn(r, NULL, NULL);
        hears(r, "READY=1");
        hears(r, "STATUS=port 80, 0 reloads");
        snprintf(path, sizeof(path), "%s/run/assist-store/rpc.sock", r->root);
        assert_int_equal(stat(path, &st), 0);
        snprintf(path, sizeof(path), "%s/state/store", r->root);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0700);      /* its umask stands before its first file */
        kill(r->pid, SIGTERM);
        hears(r, "STOPPING=1");
        assert_int_equal(ends_with(r), 0);
        assert_non_null(strstr(logged(r), "store notice: ready\n"));
        assert_non_null(strstr(logged(r), "store notice: stopped\n"));
}

static void it_reads_its_settings_again(void **state)
{
        struct room *r = *state;

        spawn(r, NULL, NULL);
        hears(r, "READY=1");
        put(r, "etc/assist.conf", "[project]\ndevelopment = yes\n[overlay]\ndriver = loopback\n[gateway]\nport = 81\n");
        kill(r->pid, SIGHUP);
        hears(r, "RELOADING=1\nMONOTONIC_USEC=");
        hears(r, "READY=1");
        hears(r, "STATUS=port 81, 1 reloads");
        put(r, "etc/assist.conf", "[gateway]\nport = x\n");
        kill(r->pid, SIGHUP);
        hears(r, "READY=1");
        hears(r, "STATUS=port 81, 1 reloads");
        assert_non_null(strstr(logged(r), "/etc/assist.conf:2: gateway.port: it is a number"));
        kill(r->pid, SIGINT);
        assert_int_equal(ends_with(r), 0);
}

static void it_feeds_the_watchdog(void **state)
{
        struct room *r = *state;

        spawn(r, NULL, "20000");
        hears(r, "READY=1");
        for (int i = 0; i < 5; i++)
                hears(r, "WATCHDOG=1");
        kill(r->pid, SIGTERM);
        assert_int_equal(ends_with(r), 0);
}

static void it_gives_what_is_under_way_five_seconds(void **state)
{
        struct room *r = *state;
        int64_t start;

        put(r, "etc/assist.conf", "[project]\ndevelopment = yes\n[overlay]\ndriver = loopback\n[gateway]\nport = 1\n");
        spawn(r, NULL, NULL);
        hears(r, "READY=1");
        start = clock_steady_us(&clock_system);
        kill(r->pid, SIGTERM);
        assert_int_equal(ends_with(r), 0);
        assert_true(clock_steady_us(&clock_system) - start >= 8000000);
        assert_non_null(strstr(logged(r), "stopping with work under way"));
}

static void asked_twice_it_stops_at_once(void **state)
{
        struct room *r = *state;

        put(r, "etc/assist.conf", "[project]\ndevelopment = yes\n[overlay]\ndriver = loopback\n[gateway]\nport = 1\n");
        spawn(r, NULL, NULL);
        hears(r, "READY=1");
        kill(r->pid, SIGTERM);
        hears(r, "STOPPING=1");
        kill(r->pid, SIGTERM);
        assert_int_equal(ends_with(r), 0);
        assert_null(strstr(logged(r), "stopping with work under way"));
}

static void bad_settings_stop_it_with_file_line_and_key(void **state)
{
        struct room *r = *state;

        put(r, "etc/assist.conf", "[project]\ndevelopment = yes\n[gatway]\nport = 80\n");
        spawn(r, NULL, NULL);
        assert_int_equal(ends_with(r), EX_CONFIG);
        assert_non_null(strstr(logged(r), "/etc/assist.conf:4: gatway.port: there is no such key; the nearest is port in [gateway]"));
}

static void the_loopback_driver_needs_development(void **state)
{
        struct room *r = *state;

        put(r, "etc/assist.conf", "[overlay]\ndriver = loopback\n");
        spawn(r, NULL, NULL);
        assert_int_equal(ends_with(r), EX_CONFIG);
        assert_non_null(strstr(logged(r), "it needs development = yes"));
}

static void outside_development_it_runs_as_its_own_user_alone(void **state)
{
        struct room *r = *state;

        put(r, "etc/assist.conf", "");
        spawn(r, NULL, NULL);
        assert_int_equal(ends_with(r), EX_NOPERM);
        assert_non_null(strstr(logged(r), "must run as the user assist-store"));
}

static void a_bad_secret_stops_it_and_is_not_shown(void **state)
{
        struct room *r = *state;

        put(r, "keys/store/caller", "hunter2\n");
        spawn(r, NULL, NULL);
        assert_int_equal(ends_with(r), EXIT_FAILURE);
        assert_non_null(strstr(logged(r), "not 64 hexadecimal digits"));
        assert_null(strstr(logged(r), "hunter2"));
}

static void it_says_what_it_is_and_how_to_use_it(void **state)
{
        struct room *r = *state;

        spawn(r, "--version", NULL);
        assert_int_equal(ends_with(r), 0);
        assert_non_null(strstr(logged(r), "assist-store " ASSIST_VERSION "\n"));
        spawn(r, "--help", NULL);
        assert_int_equal(ends_with(r), 0);
        assert_non_null(strstr(logged(r), "--root DIR"));
        spawn(r, "--nonsense", NULL);
        assert_int_equal(ends_with(r), EX_USAGE);
        spawn(r, "nonsense", NULL);
        assert_int_equal(ends_with(r), EX_USAGE);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_says_when_it_is_ready_and_stops_when_told, enter, leave),
                cmocka_unit_test_setup_teardown(it_reads_its_settings_again, enter, leave),
                cmocka_unit_test_setup_teardown(it_feeds_the_watchdog, enter, leave),
                cmocka_unit_test_setup_teardown(it_gives_what_is_under_way_five_seconds, enter, leave),
                cmocka_unit_test_setup_teardown(asked_twice_it_stops_at_once, enter, leave),
                cmocka_unit_test_setup_teardown(bad_settings_stop_it_with_file_line_and_key, enter, leave),
                cmocka_unit_test_setup_teardown(the_loopback_driver_needs_development, enter, leave),
                cmocka_unit_test_setup_teardown(outside_development_it_runs_as_its_own_user_alone, enter, leave),
                cmocka_unit_test_setup_teardown(a_bad_secret_stops_it_and_is_not_shown, enter, leave),
                cmocka_unit_test_setup_teardown(it_says_what_it_is_and_how_to_use_it, enter, leave),
        };

        if (argc > 1 && strcmp(argv[1], "serve") == 0)
                return service_main(&small_type, argc - 1, argv + 1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

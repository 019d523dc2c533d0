#include "service.h"
#include "file.h"
#include "log_messages.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { DRAIN_MS = 8000, DRAIN_ASK_MS = 20, SECRET_MAX = 4096 };

/* ---- places ---- */

const char *service_socket(struct service *s, const char *of)
{
        return arena_format(&s->arena, "%s/run/assist-%s/rpc.sock", s->root ? s->root : "", of).p;
}

const char *service_state(struct service *s, const char *file)
{
        const char *given = getenv("STATE_DIRECTORY");

        if (s->root)
                return arena_format(&s->arena, "%s/state/%s/%s", s->root, s->name, file).p;
        if (given && *given)
                return arena_format(&s->arena, "%s/%s", given, file).p;
        return arena_format(&s->arena, "/var/lib/assist-%s/%s", s->name, file).p;
}

static const char *secret_path(struct service *s, const char *name)
{
        const char *given = getenv("CREDENTIALS_DIRECTORY");

        if (s->root)
                return arena_format(&s->arena, "%s/keys/%s/%s", s->root, s->name, name).p;
        if (given && *given)
                return arena_format(&s->arena, "%s/%s", given, name).p;
        return arena_format(&s->arena, "/etc/assist/keys/%s/%s", s->name, name).p;
}

int service_secret_text(struct service *s, const char *name, struct arena *arena, struct str *ret)
{
        const char *path = secret_path(s, name);
        char text[SECRET_MAX + 1];
        int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
        ssize_t n = -1;

        if (fd >= 0)
                n = read(fd, text, sizeof(text));
        if (n < 0)
                r = -errno;
        else if (n > SECRET_MAX)
                r = -EFBIG;
        else
                *ret = arena_str(arena, str_trim((struct str){ text, (size_t)n }));
        if (fd >= 0)
                close(fd);
        explicit_bzero(text, sizeof(text));
        if (r)
                log_write(LOG_LEVEL_ERROR, LOG_SECRET_REFUSED, "the secret %s can't be read: %s", path, strerror(-r));
        return r;
}

int service_secret(struct service *s, const char *name, uint8_t ret_key[32])
{
        struct arena arena = { 0 };
        struct str text = { "", 0 };
        int r = service_secret_text(s, name, &arena, &text);

        if (!r) {
                r = str_from_hex(text, ret_key, 32);
                explicit_bzero((char *)(uintptr_t)text.p, text.n);
                if (r)
                        log_write(LOG_LEVEL_ERROR, LOG_SECRET_REFUSED,
                                  "the secret %s is not 64 hexadecimal digits on one line", name);
        }
        arena_deinit(&arena);
        return r;
}

/* Under --root nobody made the folders before us; systemd does, elsewhere. */
static int make_folders(struct service *s)
{
        const char *folders[] = {
                arena_format(&s->arena, "%s/run", s->root).p,
                arena_format(&s->arena, "%s/run/assist-%s", s->root, s->name).p,
                arena_format(&s->arena, "%s/state", s->root).p,
                arena_format(&s->arena, "%s/state/%s", s->root, s->name).p,
        };

        for (int i = 0; i < 4; i++) {
                if (mkdir(folders[i], 0750) < 0 && errno != EEXIST) {
                        log_error("%s can't be made: %s", folders[i], strerror(errno));
                        return -errno;
                }
        }
        return 0;
}

/* ---- its past ---- */

bool service_sums(struct service *s, struct past_sums *ret)
{
        *ret = (struct past_sums){ 0 };
        if (!s->type || !s->type->sums)
                return false;
        s->type->sums(s->data, ret);
        return true;
}

void service_look(struct service *s)
{
        int64_t now_us = clock_steady_us(s->clock);
        struct past_sums sums;

        if (past_is_over(&s->past, now_us) && service_sums(s, &sums))
                past_take(&s->past, now_us, clock_now_ms(s->clock), &sums);
}

static void look(void *service)
{
        service_look(service);
}

/* ---- the transport's two ends ---- */

int service_client(struct service *s, const char *of, unsigned peer, struct rpc_client **ret)
{
        const char *path = service_socket(s, of);
        int r = rpc_client_new(s->loop, &(struct rpc_client_options){ .path = path, .service = peer, .peers = &s->peers }, ret);

        if (r)
                log_error("no client of %s: %s", path, strerror(-r));
        return r;
}

int service_server(struct service *s, const struct rpc_handler *handlers, void *data,
                   bool (*route)(void *data, struct call *c), const uint8_t *caller_key, struct rpc_server **ret)
{
        const char *path = service_socket(s, s->name);
        int r = rpc_server_new(s->loop, &(struct rpc_server_options){ .path = path, .handlers = handlers, .data = data,
                                                                      .route = route, .peers = &s->peers,
                                                                      .caller_key = caller_key, .clock = s->clock }, ret);

        if (r)
                log_error("can't listen at %s: %s", path, strerror(-r));
        else if (s->type && s->type->sums)
                rpc_server_on_message(*ret, look, s);
        return r;
}

/* ---- settings ---- */

/* What was loaded before stays in the arena: who holds a text of it may go on. */
static int load(struct service *s)
{
        const char *dir = s->root ? arena_format(&s->arena, "%s/etc", s->root).p : "/etc/assist";
        struct settings_error e;
        struct settings fresh;

        if (settings_load(dir, &s->arena, &fresh, &e)) {
                log_write(LOG_LEVEL_ERROR, LOG_SETTINGS_REFUSED,
                          "%s:%d: %s%s%s", e.file, e.line, e.key, *e.key ? ": " : "", e.reason);
                return -EINVAL;
        }
        if (fresh.driver == OVERLAY_LOOPBACK && !fresh.development) {
                log_write(LOG_LEVEL_ERROR, LOG_SETTINGS_REFUSED,
                          "the loopback driver knows devices by addresses that anyone on this machine may take: it needs "
                          "development = yes in [project]");
                return -EINVAL;
        }
        s->settings = fresh;
        log_level((enum log_level)fresh.log_level);
        return 0;
}

/* ---- what systemd hears ---- */

struct str service_status_text(struct service *s)
{
        buf_clear(&s->status);
        if (s->type && s->type->status)
                s->type->status(s->data, &s->status);
        return buf_view(&s->status);
}

void service_status(struct service *s)
{
        struct str status = service_status_text(s);

        if (status.n)
                sd_notifyf(0, "STATUS=%.*s", STR_ARG(status));
}

static void on_watchdog(void *data)
{
        struct service *s = data;

        sd_notify(0, "WATCHDOG=1");
        service_status(s);
        loop_timer_set(s->watchdog, s->watchdog_us);
}

static void start_watchdog(struct service *s)
{
        uint64_t us;

        if (sd_watchdog_enabled(0, &us) <= 0)
                return;
        s->watchdog_us = (int64_t)us / 2;
        s->watchdog = loop_timer_new(s->loop, on_watchdog, s);
        loop_timer_set(s->watchdog, s->watchdog_us);
}

/* ---- signals ---- */

static void on_reload(void *data, int signal)
{
        struct service *s = data;

        (void)signal;
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_steady_us(s->clock));
        if (load(s) == 0) {
                if (s->type->reload)
                        s->type->reload(s->data);
                log_notice("settings were read again");
        } else {
                log_error("the settings before them stay in force");
        }
        sd_notify(0, "READY=1");
        service_status(s);
}

static void on_drain(void *data)
{
        struct service *s = data;

        if (clock_steady_us(s->clock) >= s->drain_until_us) {
                log_write(LOG_LEVEL_WARNING, LOG_STOPPED_EARLY,
                          "stopping with work under way: it did not end in %d s", DRAIN_MS / 1000);
                loop_stop(s->loop);
        } else if (!s->type->drained || s->type->drained(s->data)) {
                loop_stop(s->loop);
        } else {
                loop_timer_set(s->drain, DRAIN_ASK_MS * 1000);
        }
}

static void on_stop(void *data, int signal)
{
        struct service *s = data;

        (void)signal;
        if (s->draining) {      /* asked twice */
                loop_stop(s->loop);
                return;
        }
        s->draining = true;
        sd_notify(0, "STOPPING=1\nSTATUS=finishing what is under way");
        if (s->type->drain)
                s->type->drain(s->data);
        s->drain_until_us = clock_steady_us(s->clock) + DRAIN_MS * 1000;
        s->drain = loop_timer_new(s->loop, on_drain, s);
        loop_timer_set(s->drain, 0);
}

/* ---- life ---- */

/* Every message wakes another process. Where each that is woken takes the core from the one that woke it, which has more to hand
 * over, they switch at every message and each write and read carries one; batch scheduling lets it go on. The units have said so
 * before, and their system call filter ends who would say it again. */
static void schedule_in_batches(void)
{
        if (sched_getscheduler(0) != SCHED_BATCH)
                (void)sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
}

static int prepare(struct service *s)
{
        int r;

        umask(0077);
        signal(SIGPIPE, SIG_IGN);
        schedule_in_batches();
        if (load(s))
                return EX_CONFIG;
        if (s->root && make_folders(s))
                return EX_CANTCREAT;
        if (access(service_state(s, FILE_RESTORING), F_OK) == 0) {
                log_error("a restore was not finished, so data of two desks may lie here: `assistctl restore FOLDER --replace` again");
                return EX_TEMPFAIL;
        }
        r = rpc_peers_load(s->settings.development, &s->peers);
        if (r) {
                log_error("users can't be looked up: %s", strerror(-r));
                return EX_OSERR;
        }
        if (!(rpc_peers_of(&s->peers, geteuid()) & s->type->peer)) {
                log_write(LOG_LEVEL_ERROR, LOG_WRONG_USER,
                          "this must run as the user assist-%s, or with development = yes", s->name);
                return EX_NOPERM;
        }
        s->loop = loop_new(s->clock);
        if (!s->loop || loop_signal(s->loop, SIGTERM, on_stop, s) || loop_signal(s->loop, SIGINT, on_stop, s) ||
            loop_signal(s->loop, SIGHUP, on_reload, s)) {
                log_error("no event loop: %s", strerror(errno));
                return EX_OSERR;
        }
        return 0;
}

static int live(struct service *s)
{
        int r = s->type->start(s, &s->data);

        if (r)
                return EXIT_FAILURE;
        start_watchdog(s);
        sd_notify(0, "READY=1");
        service_status(s);
        log_write(LOG_LEVEL_NOTICE, LOG_SERVICE_READY, "ready");
        r = s->type->run ? s->type->run(s->data) : loop_run(s->loop);
        if (r)
                log_error("the event loop failed: %s", strerror(-r));
        else
                log_notice("stopped");
        return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void usage(const char *name, FILE *to)
{
        fprintf(to,
                "usage: assist-%s [--root DIR]\n"
                "\n"
                "  --root DIR   keep settings, sockets, state and keys under DIR instead of /etc, /run and /var\n"
                "  --version    print the version\n"
                "  --help       print this\n"
                "\n"
                "Signals: SIGTERM finishes what is under way and stops, SIGHUP reads the settings again.\n", name);
}

/* -1: go on; else the exit status. */
static int parse(struct service *s, int argc, char **argv)
{
        static const struct option options[] = {
                { "root", required_argument, NULL, 'r' },
                { "version", no_argument, NULL, 'v' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int o;

        while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (o) {
                case 'r':
                        s->root = optarg;
                        break;
                case 'v':
                        printf("assist-%s %s\n", s->name, ASSIST_VERSION);
                        return EXIT_SUCCESS;
                case 'h':
                        usage(s->name, stdout);
                        return EXIT_SUCCESS;
                default:
                        usage(s->name, stderr);
                        return EX_USAGE;
                }
        }
        if (optind == argc)
                return -1;
        usage(s->name, stderr);
        return EX_USAGE;
}

int service_main(const struct service_type *type, int argc, char **argv)
{
        struct service s = { .name = type->name, .type = type, .clock = &clock_system, .started_at = clock_now_ms(&clock_system) };
        int status = parse(&s, argc, argv);

        if (status >= 0)
                return status;
        log_open(type->name, LOG_LEVEL_INFO);
        status = prepare(&s);
        if (!status)
                status = live(&s);
        if (type->stop && s.data)
                type->stop(s.data);
        loop_timer_free(s.watchdog);
        loop_timer_free(s.drain);
        loop_free(s.loop);
        arena_deinit(&s.arena);
        buf_deinit(&s.status);
        return status;
}

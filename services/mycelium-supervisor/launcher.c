#include "launcher.h"
#include "log.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

extern char **environ;

struct launcher {
        struct launcher_options options;
        int64_t pause_ms, attempt_us;   /* attempt_us: of the last one; 0: none yet */
        bool again;                     /* an attempt was made since a daemon answered last */

        pid_t child;                    /* 0: none */
        int child_fd;
        struct loop_io *child_io;

        sd_bus *bus;                    /* while a call is under way */
        struct loop_io *bus_io;
        struct loop_timer *bus_timer;
};

static int64_t now_us(const struct launcher *l)
{
        return clock_steady_us(loop_clock(l->options.loop));
}

/* ---- a unit, over D-Bus ---- */

static void bus_close(struct launcher *l)
{
        loop_io_free(l->bus_io);
        loop_timer_stop(l->bus_timer);
        l->bus_io = NULL;
        l->bus = sd_bus_close_unref(l->bus);
}

/* sd-bus says what it waits for, and until when. */
static void bus_arm(struct launcher *l)
{
        int events = sd_bus_get_events(l->bus);
        uint64_t until_us;

        loop_io_events(l->bus_io, events > 0 ? (uint32_t)((events & POLLIN ? EPOLLIN : 0) | (events & POLLOUT ? EPOLLOUT : 0)) : 0);
        if (sd_bus_get_timeout(l->bus, &until_us) > 0 && until_us != UINT64_MAX)
                loop_timer_set(l->bus_timer, (int64_t)until_us - now_us(l));
        else
                loop_timer_stop(l->bus_timer);
}

static void bus_step(void *data)
{
        struct launcher *l = data;
        int r;

        do
                r = sd_bus_process(l->bus, NULL);
        while (r > 0 && sd_bus_is_open(l->bus) > 0);
        if (r < 0 || sd_bus_is_open(l->bus) <= 0) {
                if (r < 0 && r != -ESTALE)
                        log_error("%s could not be started: D-Bus: %s", l->options.unit, strerror(-r));
                bus_close(l);
                return;
        }
        bus_arm(l);
}

static void on_bus(void *data, uint32_t events)
{
        (void)events;
        bus_step(data);
}

static int on_started(sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        struct launcher *l = data;

        (void)ret_error;
        if (e)
                log_error("%s could not be started: %s: %s", l->options.unit, e->name, e->message ? e->message : "");
        sd_bus_close(l->bus);   /* bus_step sees it */
        return 1;
}

static int start_unit(struct launcher *l)
{
        const char *verb = l->again ? "RestartUnit" : "StartUnit";
        int r;

        if (l->bus)             /* systemd is still at the last one */
                return 0;
        r = sd_bus_open_system(&l->bus);
        if (r >= 0)
                r = sd_bus_call_method_async(l->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                             "org.freedesktop.systemd1.Manager", verb, on_started, l, "ss", l->options.unit, "replace");
        if (r >= 0) {
                l->bus_io = loop_io_new(l->options.loop, sd_bus_get_fd(l->bus), EPOLLIN, on_bus, l);
                r = l->bus_io ? 0 : -errno;
        }
        if (r < 0) {
                bus_close(l);
                log_error("%s could not be started: D-Bus: %s", l->options.unit, strerror(-r));
                return r;
        }
        log_notice("asking systemd to %s %s", l->again ? "restart" : "start", l->options.unit);
        bus_step(l);
        return 0;
}

/* ---- a child ---- */

static void child_forget(struct launcher *l)
{
        loop_io_free(l->child_io);
        if (l->child_fd >= 0)
                close(l->child_fd);
        l->child_io = NULL;
        l->child_fd = -1;
        l->child = 0;
}

static void on_child(void *data, uint32_t events)
{
        struct launcher *l = data;
        int status = 0;

        (void)events;
        if (waitpid(l->child, &status, WNOHANG) == 0)
                return;
        if (WIFSIGNALED(status))
                log_warning("the overlay's daemon was ended by signal %d", WTERMSIG(status));
        else
                log_warning("the overlay's daemon ended with status %d", WEXITSTATUS(status));
        child_forget(l);
        l->options.ended(l->options.data);
}

/* As a program of its own: a session, signals and scheduling as if nobody had touched them. */
static int spawn(char *const *argv, pid_t *ret_pid)
{
        posix_spawnattr_t attributes;
        sigset_t none, all;
        pid_t pid;
        int r;

        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
        posix_spawnattr_setschedparam(&attributes, &(struct sched_param){ 0 });
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSCHEDULER);
        r = posix_spawn(&pid, argv[0], NULL, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
        if (r)
                return -r;
        *ret_pid = pid;
        return 0;
}

static int start_child(struct launcher *l)
{
        char *const *argv;
        int r;

        if (l->child) {
                log_warning("the overlay's daemon, pid %d, runs and does not answer: ending it", (int)l->child);
                kill(l->child, SIGTERM);
                return 0;       /* the next attempt is after its end */
        }
        r = l->options.prepare(l->options.data, &argv);
        if (r)
                return r;
        r = spawn(argv, &l->child);
        if (r) {
                log_error("%s could not be started: %s", argv[0], strerror(-r));
                return r;
        }
        l->child_fd = pidfd_open(l->child, 0);
        if (l->child_fd >= 0)
                l->child_io = loop_io_new(l->options.loop, l->child_fd, EPOLLIN, on_child, l);
        if (!l->child_io) {
                r = -errno;
                log_error("the overlay's daemon can't be watched: %s", strerror(-r));
                child_forget(l);
                return r;
        }
        log_notice("started %s as pid %d", argv[0], (int)l->child);
        return 0;
}

/* ---- when ---- */

void launcher_want(struct launcher *l)
{
        int64_t now = now_us(l), since_us = now - l->attempt_us;
        bool booted = sd_booted() > 0;

        if (l->again && (booted || l->child) && since_us < LAUNCHER_READY_MS * 1000)
                return;
        if (l->attempt_us && !l->again && since_us > LAUNCHER_PAUSE_MAX_MS * INT64_C(1000))
                l->pause_ms = LAUNCHER_PAUSE_MIN_MS;    /* it served well, and long ago */
        else if (l->attempt_us && since_us < l->pause_ms * 1000)
                return;
        else if (l->attempt_us)
                l->pause_ms = 2 * l->pause_ms < LAUNCHER_PAUSE_MAX_MS ? 2 * l->pause_ms : LAUNCHER_PAUSE_MAX_MS;
        l->attempt_us = now;
        if (booted)
                start_unit(l);
        else
                start_child(l);
        l->again = true;
}

void launcher_served(struct launcher *l)
{
        l->again = false;
}

int launcher_new(const struct launcher_options *options, struct launcher **ret)
{
        struct launcher *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        *l = (struct launcher){ .options = *options, .pause_ms = LAUNCHER_PAUSE_MIN_MS, .child_fd = -1 };
        l->bus_timer = loop_timer_new(options->loop, bus_step, l);
        *ret = l;
        return 0;
}

void launcher_free(struct launcher *l)
{
        if (!l)
                return;
        bus_close(l);
        loop_timer_free(l->bus_timer);
        child_forget(l);
        free(l);
}

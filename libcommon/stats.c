#include "stats.h"
#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FIGURES_MAX = 128, STATUS_MAX = 400, POLLED = 256 };

/* ---- one figure ---- */

struct figure *stats_figure(struct stats *stats, enum figure_kind kind, const char *name, const char *help, size_t samples)
{
        struct figure *f = &stats->to->figures.items[stats->to->figures.n];

        assert(stats->to->figures.n < FIGURES_MAX);
        stats->to->figures.n++;
        *f = (struct figure){ .name = str_of(name), .help = str_of(help), .kind = (int)kind };
        f->samples.items = arena_array(stats->arena, samples, sizeof(*f->samples.items));
        return f;
}

struct figure_sample *stats_sample(struct stats *stats, struct figure *figure, int64_t value, ...)
{
        struct figure_sample *s = &figure->samples.items[figure->samples.n++];
        const char *name;
        va_list args;

        *s = (struct figure_sample){ .value = value };
        s->labels.items = arena_array(stats->arena, 4, sizeof(*s->labels.items));
        va_start(args, value);
        while ((name = va_arg(args, const char *))) {
                assert(s->labels.n < 4);
                s->labels.items[s->labels.n++] = (struct figure_label){ str_of(name), str_of(va_arg(args, const char *)) };
        }
        va_end(args);
        return s;
}

static struct figure *single(struct stats *stats, enum figure_kind kind, const char *name, const char *help, int64_t value)
{
        struct figure *f = stats_figure(stats, kind, name, help, 1);

        stats_sample(stats, f, value, NULL);
        return f;
}

void stats_counter(struct stats *stats, const char *name, const char *help, int64_t value)
{
        single(stats, FIGURE_KIND_COUNTER, name, help, value);
}

void stats_gauge(struct stats *stats, const char *name, const char *help, int64_t value)
{
        single(stats, FIGURE_KIND_GAUGE, name, help, value);
}

void stats_gauge_us(struct stats *stats, const char *name, const char *help, int64_t us)
{
        single(stats, FIGURE_KIND_GAUGE, name, help, us)->unit = FIGURE_UNIT_MICROSECONDS;
}

/* ---- tallies ---- */

static struct figure *outcomes_figure(struct stats *stats, const char *name, const char *help, size_t tallies)
{
        return stats_figure(stats, FIGURE_KIND_COUNTER, name, help, tallies * TALLY_OUTCOMES);
}

static struct figure *times_figure(struct stats *stats, const char *name, const char *help, size_t tallies)
{
        struct figure *f = stats_figure(stats, FIGURE_KIND_HISTOGRAM, name, help, tallies);

        f->unit = FIGURE_UNIT_MICROSECONDS;
        f->bounds.items = (int64_t *)(uintptr_t)tally_bounds_us;
        f->bounds.n = TALLY_BOUNDS;
        return f;
}

static void add_times(struct stats *stats, struct figure *f, const struct tally *tally, const char *label, const char *value)
{
        struct figure_sample *s = stats_sample(stats, f, (int64_t)tally->us, label, value, NULL);

        s->buckets.items = arena_array(stats->arena, TALLY_BOUNDS + 1, sizeof(*s->buckets.items));
        while (s->buckets.n < TALLY_BOUNDS + 1) {
                s->buckets.items[s->buckets.n] = (int64_t)tally->took[s->buckets.n];
                s->buckets.n++;
        }
}

void stats_tally(struct stats *stats, const char *name, const char *help, const struct tally *tally)
{
        struct figure *f = outcomes_figure(stats, arena_format(stats->arena, "%ss_total", name).p, help, 1);

        for (int i = 0; i < TALLY_OUTCOMES; i++)
                if (i == 0 || tally->outcomes[i])
                        stats_sample(stats, f, (int64_t)tally->outcomes[i], "result", tally_outcome(i), NULL);
        add_times(stats, times_figure(stats, arena_format(stats->arena, "%s_seconds", name).p, help, 1), tally, NULL, NULL);
}

static uint64_t timed(const struct tally *tally)
{
        uint64_t n = 0;

        for (int i = 0; i <= TALLY_BOUNDS; i++)
                n += tally->took[i];
        return n;
}

void stats_server(struct stats *stats, const struct rpc_server *server)
{
        struct rpc_figures r;
        struct figure *calls, *times;

        rpc_server_figures(server, &r);
        calls = outcomes_figure(stats, "rpc_calls_total", "Calls that were answered, by method and result.", r.n_counts);
        times = times_figure(stats, "rpc_call_seconds", "From a call's arrival to its answer; those that wait for news are left out.",
                             r.n_counts);
        for (size_t i = 0; i < r.n_counts; i++) {
                const char *method = r.counts[i].method ? r.counts[i].method->name : "unknown";
                const struct tally *tally = &r.counts[i].calls;

                for (int k = 0; k < TALLY_OUTCOMES; k++)
                        if (tally->outcomes[k])
                                stats_sample(stats, calls, (int64_t)tally->outcomes[k], "method", method, "result", tally_outcome(k), NULL);
                if (timed(tally))
                        add_times(stats, times, tally, "method", method);
        }
        stats_gauge(stats, "rpc_calls_under_way", "Calls not answered yet, those that wait for news among them.", r.busy);
        stats_gauge(stats, "rpc_connections", "Other processes at the socket.", r.connections);
        stats_counter(stats, "rpc_connections_refused_total", "Connections of processes that may not call, or that had too many.",
                      (int64_t)r.refused);
}

void stats_sums(struct past_sums *sums, const struct rpc_server *server)
{
        struct rpc_figures r;

        rpc_server_figures(server, &r);
        for (size_t i = 0; i < r.n_counts; i++)
                if (!r.counts[i].method || !r.counts[i].method->follow)
                        past_add(sums, &r.counts[i].calls);
        sums->counted = "rpc_calls_total";
}

/* ---- files ---- */

void stats_database(struct stats *stats, struct db *db)
{
        const char *path = sqlite3_db_filename(db_handle(db), "main");
        struct statvfs fs;
        struct stat st;

        if (stat(path, &st) == 0)
                stats_gauge(stats, "database_bytes", "The database's file.", st.st_size);
        if (stat(sqlite3_filename_wal(path), &st) == 0)
                stats_gauge(stats, "database_wal_bytes", "The database's write-ahead log.", st.st_size);
        if (statvfs(path, &fs) == 0)
                stats_gauge(stats, "disk_free_bytes", "What is left for us on the database's file system.", (int64_t)(fs.f_bavail * fs.f_frsize));
}

/* ---- the process ---- */

/* The number behind "key:" in /proc/self/status; 0 where there is none. */
static int64_t proc_number(const char *status, const char *key)
{
        const char *at = strstr(status, key);

        return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

/* Asking after each is far less than listing them: a gateway has thousands. */
static int descriptors(int64_t max)
{
        struct pollfd fds[POLLED];
        int n = 0;

        for (int fd = 0; fd < max; fd += POLLED) {
                for (int i = 0; i < POLLED; i++)
                        fds[i] = (struct pollfd){ .fd = fd + i };
                if (poll(fds, POLLED, 0) < 0)
                        break;
                for (int i = 0; i < POLLED; i++)
                        n += !(fds[i].revents & POLLNVAL);
        }
        return n;
}

static void process_figures(struct stats *stats, const struct service *service)
{
        char status[4096];
        int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, status, sizeof(status) - 1);
        struct rusage used;
        struct rlimit files;
        struct figure *f;

        if (fd >= 0)
                close(fd);
        status[n > 0 ? n : 0] = '\0';
        stats_gauge_us(stats, "process_start_time_seconds", "When it started, since the Unix epoch.", service->started_at * 1000);
        getrusage(RUSAGE_SELF, &used);
        f = single(stats, FIGURE_KIND_COUNTER, "process_cpu_seconds_total", "Processor time, in user and kernel mode.",
                   (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec);
        f->unit = FIGURE_UNIT_MICROSECONDS;
        stats_gauge(stats, "process_resident_memory_bytes", "Memory in use.", proc_number(status, "\nVmRSS:") * 1024);
        stats_gauge(stats, "process_open_fds", "Open descriptors.", descriptors(proc_number(status, "\nFDSize:")));
        getrlimit(RLIMIT_NOFILE, &files);
        stats_gauge(stats, "process_max_fds", "How many descriptors it may have.", (int64_t)files.rlim_cur);
}

/* ---- the last hour ---- */

static void put_minute(const struct past_sample *s, struct arena *arena, struct past_minute *ret)
{
        *ret = (struct past_minute){ .at = s->at_ms, .ms = s->ms, .calls = s->calls, .failed = s->failed, .refused = s->refused, .waiting = s->waiting };
        ret->took.items = arena_array(arena, TALLY_BOUNDS + 1, sizeof(*ret->took.items));
        while (ret->took.n <= TALLY_BOUNDS) {
                ret->took.items[ret->took.n] = s->took[ret->took.n];
                ret->took.n++;
        }
}

static struct stats_past *past_of(struct service *service, struct arena *arena)
{
        struct past_sample minutes[PAST_MINUTES + 1];
        struct past_sums now;
        struct stats_past *past;
        size_t n;

        service_look(service);
        if (!service_sums(service, &now))
                return NULL;
        n = past_list(&service->past, clock_now_ms(service->clock), &now, minutes);
        past = ARENA_NEW(arena, struct stats_past);
        *past = (struct stats_past){ .counted = str_of(now.counted), .waits = str_of(now.waits),
                                     .bounds = { (int64_t *)(uintptr_t)tally_bounds_us, TALLY_BOUNDS } };
        past->minutes.items = arena_array(arena, n, sizeof(*past->minutes.items));
        while (past->minutes.n < n) {
                put_minute(&minutes[past->minutes.n], arena, &past->minutes.items[past->minutes.n]);
                past->minutes.n++;
        }
        return past;
}

struct process_stats *stats_begin(struct stats *stats, struct arena *arena, struct service *service)
{
        struct process_stats *to = ARENA_NEW(arena, struct process_stats);
        struct str status = service_status_text(service);

        *stats = (struct stats){ arena, to };
        if (status.n > STATUS_MAX)
                status.n = STATUS_MAX;
        while (str_utf8_length(status) < 0)
                status.n--;     /* not in the middle of a character */
        *to = (struct process_stats){ .service = str_of(service->name), .instance = str_of(getenv("ASSIST_INSTANCE")), .up = true,
                                      .version = STR(ASSIST_VERSION), .started_at = service->started_at,
                                      .told_at = clock_now_ms(service->clock),
                                      .status = arena_str(arena, status) };
        to->past = past_of(service, arena);
        to->figures.items = arena_array(arena, FIGURES_MAX, sizeof(*to->figures.items));
        process_figures(stats, service);
        return to;
}

/* What a desk costs that nobody uses. */
#include "bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Parked reads: store and the gateway and the courier follow identity, fanout store twice, the gateway fanout and the supervisor, identity the
 * supervisor. Each is answered once a second: its owner wakes for its time and for the next request, the follower for the answer, and now and
 * then somebody for a timer that was put off. */
enum { IDLE_S = 5, PARKED = 8, WAKES_OF_PARKED = 4 };

static double status_value(const char *path, const char *key)
{
        FILE *f = fopen(path, "r");
        char line[256];
        double value = 0;

        if (!f)
                return 0; /* a thread that ended meanwhile */
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, key, strlen(key)) == 0)
                        value = strtod(line + strlen(key), NULL);
        fclose(f);
        return value;
}

static double switches(pid_t pid)
{
        char path[300];
        struct dirent *e;
        double sum = 0;
        DIR *d;

        snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        d = opendir(path);
        if (!d)
                bench_fail("a service ended");
        while ((e = readdir(d))) {
                if (e->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", (int)pid, e->d_name);
                sum += status_value(path, "voluntary_ctxt_switches:");
        }
        closedir(d);
        return sum;
}

void bench_idle(const struct desk *desk)
{
        double before[DESK_SERVICES], rss = 0, wakes = 0, slowest = 0;
        char path[64], what[80];

        for (int i = 0; i < DESK_SERVICES; i++)
                before[i] = switches(desk->processes[i].pid);
        nanosleep(&(struct timespec){ .tv_sec = IDLE_S }, NULL);
        report_title("idle");
        for (int i = 0; i < DESK_SERVICES; i++) {
                const struct desk_process *p = &desk->processes[i];
                double mine = (switches(p->pid) - before[i]) / IDLE_S, kib;

                snprintf(path, sizeof(path), "/proc/%d/status", (int)p->pid);
                kib = status_value(path, "VmRSS:");
                printf("  %-24s ready in %6.1f ms   %6.1f MiB RSS   %6.1f wake-ups a second\n", p->service, p->ready_ms, kib / 1024, mine);
                rss += kib / 1024;
                wakes += mine;
                slowest = slowest > p->ready_ms ? slowest : p->ready_ms;
        }
        snprintf(what, sizeof(what), "RSS of all %d together", DESK_SERVICES);
        report_figure(what, rss, "MiB", 60);
        report_figure("wake-ups of all together", wakes, "a second", PARKED * WAKES_OF_PARKED);
        report_figure("from start to ready, the slowest", slowest, "ms", 1000);
}

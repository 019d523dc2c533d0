/* assist-bench [--all-cores] [SECTION...]: the desk's speed and size as ratios against the raw limits of this machine, in the same run.
 * docs/performance.md says how to read it. */
#include "bench.h"

#include "log.h"

#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As services are, so that the raw limits are measured under the same rules. */
static void schedule_in_batches(void)
{
        (void)sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
}

static void pin(void)
{
        cpu_set_t all, one;

        if (sched_getaffinity(0, sizeof(all), &all) < 0)
                return;
        CPU_ZERO(&one);
        for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
                if (CPU_ISSET(cpu, &all)) {
                        CPU_SET(cpu, &one);
                        break;
                }
        sched_setaffinity(0, sizeof(one), &one); /* children and threads inherit it */
}

static bool wanted(int argc, char **argv, const char *section)
{
        bool any = false;

        for (int i = 1; i < argc; i++) {
                any = any || argv[i][0] != '-';
                if (strcmp(argv[i], section) == 0)
                        return true;
        }
        return !any;
}

/* N of --tickets=N. */
static const char *tickets = "2000";

static void with_desk(int argc, char **argv, const char *bin, const struct raw *raw)
{
        struct desk desk;

        desk_start(&desk, bin, wanted(argc, argv, "fan") || wanted(argc, argv, "live") ? DESK_MEMBERS : 1);
        if (wanted(argc, argv, "idle"))
                bench_idle(&desk);
        if (wanted(argc, argv, "http"))
                bench_http(&desk, raw);
        if (wanted(argc, argv, "store"))
                bench_store(&desk);
        if (wanted(argc, argv, "reads"))
                bench_reads(&desk, raw);
        if (wanted(argc, argv, "fan"))
                bench_fan(&desk, raw);
        if (wanted(argc, argv, "live"))
                bench_live(&desk, raw);
        if (wanted(argc, argv, "large"))
                bench_large(&desk, tickets);
        desk_stop(&desk);
}

int main(int argc, char **argv)
{
        static const char usage[] = "usage: assist-bench [--all-cores] [codec] [rpc] [idle] [http] [store] [reads] [fan] [live] [large [--tickets=N]]\n";
        bool all_cores = argc > 1 && strcmp(argv[1], "--all-cores") == 0;
        char self[512] = "";
        struct raw raw;

        for (int i = all_cores ? 2 : 1; i < argc; i++) {
                if (strncmp(argv[i], "--tickets=", 10) == 0) {
                        tickets = argv[i] + 10;
                        continue;
                }
                if (!strstr(" codec rpc idle http store reads fan live large ", argv[i]) || argv[i][0] == '-') {
                        fputs(usage, stderr);
                        return 2;
                }
        }
        if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || sodium_init() < 0)
                return 1;
        signal(SIGPIPE, SIG_IGN);
        schedule_in_batches();
        if (!all_cores)
                pin();
        raw_start(&raw);
        log_open("assist-bench", 0);
        log_level(LOG_LEVEL_ERROR);
        setvbuf(stdout, NULL, _IOLBF, 0);
        printf("%s; ratios against the raw limit in the same run, by the fastest decile and the median\n",
               all_cores ? "all cores" : "everything pinned to one core");
        if (wanted(argc, argv, "codec"))
                bench_codec();
        if (wanted(argc, argv, "rpc"))
                bench_rpc(&raw);
        with_desk(argc, argv, dirname(self), &raw);
        raw_stop(&raw);
        return 0;
}

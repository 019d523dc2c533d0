/* assist-bench [--all-cores]: the desk's speed and size as ratios against the raw limits of this machine, in the same run.
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

int main(int argc, char **argv)
{
        bool all_cores = argc == 2 && strcmp(argv[1], "--all-cores") == 0;
        char self[512] = "";
        struct desk desk;
        struct raw raw;

        if (argc > 1 && !all_cores) {
                fprintf(stderr, "usage: assist-bench [--all-cores]\n");
                return 2;
        }
        if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || sodium_init() < 0)
                return 1;
        signal(SIGPIPE, SIG_IGN);
        if (!all_cores)
                pin();
        raw_start(&raw);
        log_open("assist-bench", 0);
        log_level(LOG_LEVEL_ERROR);
        printf("%s; ratios against the raw limit in the same run, by the fastest decile and the median\n",
               all_cores ? "all cores" : "everything pinned to one core");
        bench_codec();
        bench_rpc(&raw);
        desk_start(&desk, dirname(self));
        bench_idle(&desk);
        bench_http(&desk, &raw);
        bench_store(&desk);
        bench_reads(&desk, &raw);
        desk_stop(&desk);
        raw_stop(&raw);
        return 0;
}

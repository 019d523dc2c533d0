#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#define FULL "##############################"
#define EMPTY ".............................."
enum { BAR = sizeof(FULL) - 1 };

void progress_begin(struct progress *p)
{
        clock_gettime(CLOCK_MONOTONIC, &p->began);
}

int64_t progress_elapsed_ms(const struct progress *p)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (now.tv_sec - p->began.tv_sec) * 1000 + (now.tv_nsec - p->began.tv_nsec) / 1000000;
}

void progress_show(const struct progress *p, uint64_t done, uint64_t of, const char *what)
{
        double part = !of ? 0 : done < of ? (double)done / (double)of : 1;
        int filled = (int)(part * BAR);
        int64_t left = part > 0 ? (int64_t)((double)progress_elapsed_ms(p) * (1 - part) / part / 1000) : 0;

        if (!isatty(STDOUT_FILENO))
                return;
        printf("\r\033[K[%.*s%.*s] %3d %%  %s, %lld:%02lld left ", filled, FULL, BAR - filled, EMPTY, (int)(part * 100), what, (long long)(left / 60),
               (long long)(left % 60));
        fflush(stdout);
}

void progress_clear(void)
{
        if (!isatty(STDOUT_FILENO))
                return;
        printf("\r\033[K");
        fflush(stdout);
}

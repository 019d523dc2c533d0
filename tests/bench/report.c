#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void bench_fail(const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        exit(1);
}

void report_title(const char *title)
{
        printf("\n%-58s %10s %10s\n", title, "fastest", "median");
}

void report_subject(const struct subject *s)
{
        printf("  %-56s %7.2f us %7.2f us\n", s->name, s->fast, s->median);
}

static void ratio(const char *limit, double fast, double median, double target, bool at_most)
{
        bool by_fastest = at_most ? fast <= target : fast >= target, by_median = at_most ? median <= target : median >= target;

        printf("    of %-53s %8.2f x %8.2f x", limit, fast, median);
        if (target > 0)
                printf("   wanted %s %.4g: %s", at_most ? "<=" : ">=", target,
                       by_fastest && by_median ? "met" : by_median ? "MISSED by the fastest" : by_fastest ? "MISSED by the median" : "MISSED");
        putchar('\n');
        fflush(stdout);
}

void report_cost(const struct subject *s, const struct subject *limit, double target)
{
        ratio(limit->name, s->fast / limit->fast, s->median / limit->median, target, true);
}

void report_rate(const struct subject *s, const struct subject *limit, double target)
{
        ratio(limit->name, limit->fast / s->fast, limit->median / s->median, target, false);
}

void report_figure(const char *what, double value, const char *unit, double target)
{
        printf("  %-56s %8.2f %s", what, value, unit);
        if (target > 0)
                printf("   wanted <= %g: %s", target, value <= target ? "met" : "MISSED");
        putchar('\n');
        fflush(stdout);
}

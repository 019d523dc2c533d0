#include "samples.h"

#include <stdlib.h>
#include <time.h>

double steady_us(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double process_us(pid_t pid)
{
        struct timespec t = { 0 };
        clockid_t clock;

        if (clock_getcpuclockid(pid, &clock) == 0)
                clock_gettime(clock, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double now_us(const struct subject *s)
{
        return s->clock ? s->clock(s->data) : steady_us();
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return x < y ? -1 : x > y;
}

void subjects_measure(struct subject *subjects, size_t n, int rounds)
{
        for (size_t i = 0; i < n; i++) {
                subjects[i].us = calloc((size_t)rounds, sizeof(double));
                if (!subjects[i].us)
                        abort();
                subjects[i].chunk(subjects[i].data); /* a warm-up */
        }
        for (int round = 0; round < rounds; round++) {
                for (size_t i = 0; i < n; i++) {
                        double began = now_us(&subjects[i]);

                        subjects[i].chunk(subjects[i].data);
                        subjects[i].us[subjects[i].n++] = (now_us(&subjects[i]) - began) / subjects[i].operations;
                }
        }
        for (size_t i = 0; i < n; i++) {
                qsort(subjects[i].us, subjects[i].n, sizeof(double), compare);
                subjects[i].fast = subjects[i].us[subjects[i].n / 10];
                subjects[i].median = subjects[i].us[subjects[i].n / 2];
        }
}

void subject_deinit(struct subject *s)
{
        free(s->us);
        s->us = NULL;
        s->n = 0;
}

/* Times of many small chunks. On a noisy machine the fastest decile tells what the code costs, the median what it was like. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One thing that is measured. A chunk does `operations` of it; chunks of what is compared take turns, so that the machine's
 * moods meet them alike. */
struct subject {
        const char *name;
        void (*chunk)(void *data);
        void *data;
        int operations;
        double (*clock)(void *data);    /* in us; NULL: steady_us */
        double *us;             /* per operation, a value for each chunk */
        size_t n;
        double fast, median;    /* us per operation, by subjects_measure */
};

void subjects_measure(struct subject *subjects, size_t n, int rounds);
void subject_deinit(struct subject *s);
double steady_us(void);
/* The processor time that a process has used. */
double process_us(pid_t pid);

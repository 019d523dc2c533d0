/* Chance for property tests: the same seed gives the same history (splitmix64, Vigna 2015). The seed is printed; ASSIST_SEED
 * repeats a run. */
#pragma once
#include "ulid.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct dice {
        uint64_t state;
};

static inline struct dice dice_new(const char *what)
{
        const char *given = getenv("ASSIST_SEED");
        struct timespec now;
        struct dice d;

        clock_gettime(CLOCK_REALTIME, &now);
        d.state = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        printf("%s: ASSIST_SEED=%llu\n", what, (unsigned long long)d.state);
        fflush(stdout);
        return d;
}

static inline uint64_t dice_u64(struct dice *d)
{
        uint64_t z = d->state += 0x9e3779b97f4a7c15u;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
}

static inline size_t dice_below(struct dice *d, size_t n)
{
        return (size_t)(dice_u64(d) % n);
}

static inline struct ulid dice_ulid(struct dice *d, int64_t now_ms)
{
        uint8_t random[10];

        for (size_t i = 0; i < sizeof(random); i++)
                random[i] = (uint8_t)dice_u64(d);
        return ulid_of(now_ms, random);
}

static inline void dice_shuffle(struct dice *d, size_t *order, size_t n)
{
        for (size_t i = n; i > 1; i--) {
                size_t j = dice_below(d, i), kept = order[i - 1];

                order[i - 1] = order[j];
                order[j] = kept;
        }
}

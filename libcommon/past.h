/* How a process did in the last hour, minute by minute: a ring of fixed size, so that who begins to look sees what was before. Nobody wakes
 * for it: a minute ends with the first thing that happens behind it, and may be longer where nothing did. One thread's. */
#pragma once
#include "tally.h"
#include <stdbool.h>
#include <stddef.h>

enum { PAST_MINUTES = 60, PAST_MINUTE_US = 60 * 1000000 };

/* Since the process began; waiting: just now. */
struct past_sums {
        uint64_t calls, failed, refused;         /* failed: by our own fault */
        uint64_t took[TALLY_BOUNDS + 1];
        uint64_t waiting;
        const char *counted, *waits;             /* the figures that they are sums of; NULL: none */
};
void past_add(struct past_sums *sums, const struct tally *tally);

struct past_sample {
        int64_t at_ms;                           /* its end, since the Unix epoch */
        uint32_t ms;                             /* its length */
        uint32_t calls, failed, refused, waiting;
        uint32_t took[TALLY_BOUNDS + 1];
};

/* Zero-initialised is empty and valid. */
struct past {
        struct past_sample minutes[PAST_MINUTES];
        size_t n, oldest;
        struct past_sums before;                 /* at the end of the newest */
        int64_t began_ms, ends_us;               /* of the minute under way; 0: none is yet */
};

/* Whether past_take would end a minute. Steady time. */
bool past_is_over(const struct past *past, int64_t now_us);
/* Ends the minute under way, if it is over; the first time it begins one, at which nothing was. */
void past_take(struct past *past, int64_t now_us, int64_t now_ms, const struct past_sums *now);
/* Those that are over, the oldest first, and the one under way behind them: ret has room for PAST_MINUTES + 1. How many there are. */
size_t past_list(const struct past *past, int64_t now_ms, const struct past_sums *now, struct past_sample *ret);

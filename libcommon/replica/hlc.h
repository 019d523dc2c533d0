/* A hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): 48 bits of ms since the Unix epoch above a
 * 16 bit counter, in one number that orders as its parts do. The highest bit stays 0, so that it is an int64_t too.
 *
 * It never goes back, whatever the wall clock does, and stays as near to the wall clock as that allows. When the counter is full
 * the ms part moves on by itself. */
#pragma once
#include "clock.h"

#define HLC_MAX (UINT64_MAX >> 1)

struct hlc {
        uint64_t last; /* the greatest given out or seen; to be set from what was stored before the first use */
};

enum { HLC_DRIFT_MAX_MS = 24 * 60 * 60 * 1000 };

uint64_t hlc_of(int64_t ms, uint16_t counter); /* ms before 1970 is 0, too large is the largest */
int64_t hlc_ms(uint64_t value);

uint64_t hlc_now(struct hlc *h, const struct clock *clock);                   /* greater than all before */
uint64_t hlc_after(struct hlc *h, const struct clock *clock, uint64_t past);  /* greater than `past` as well */

/* Another instance's value: all that follow will be greater. -ERANGE, and nothing is changed, where it is more than
 * HLC_DRIFT_MAX_MS ahead of the wall clock: a broken clock elsewhere must not carry ours away. */
int hlc_seen(struct hlc *h, const struct clock *clock, uint64_t remote);

/* A client's own value, as far as it can be believed: not before low, not after high; low wins. */
uint64_t hlc_clamp(uint64_t value, uint64_t low, uint64_t high);

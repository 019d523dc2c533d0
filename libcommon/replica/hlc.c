#include "replica/hlc.h"
#include <errno.h>

enum { COUNTER_BITS = 16 };
#define MS_MAX ((int64_t)(HLC_MAX >> COUNTER_BITS))

uint64_t hlc_of(int64_t ms, uint16_t counter)
{
        if (ms < 0)
                return counter;
        if (ms > MS_MAX)
                return HLC_MAX;
        return ((uint64_t)ms << COUNTER_BITS) | counter;
}

int64_t hlc_ms(uint64_t value)
{
        return (int64_t)(value >> COUNTER_BITS);
}

uint64_t hlc_now(struct hlc *h, const struct clock *clock)
{
        uint64_t wall = hlc_of(clock_now_ms(clock), 0);

        /* Adding 1 to a full counter carries into the ms. */
        if (wall > h->last)
                h->last = wall;
        else if (h->last < HLC_MAX)
                h->last++;
        return h->last;
}

uint64_t hlc_after(struct hlc *h, const struct clock *clock, uint64_t past)
{
        if (past > h->last)
                h->last = past < HLC_MAX ? past : HLC_MAX;
        return hlc_now(h, clock);
}

int hlc_seen(struct hlc *h, const struct clock *clock, uint64_t remote)
{
        if (remote > HLC_MAX || hlc_ms(remote) - clock_now_ms(clock) > HLC_DRIFT_MAX_MS)
                return -ERANGE;
        if (remote > h->last)
                h->last = remote;
        return 0;
}

uint64_t hlc_clamp(uint64_t value, uint64_t low, uint64_t high)
{
        if (value > high)
                value = high;
        return value < low ? low : value;
}

/* For tests: a clock that stands still until the test moves it. */
#pragma once
#include "clock.h"

static inline int64_t held_us(void *data)
{
        return *(int64_t *)data;
}

static inline int64_t held_ms(void *data)
{
        return *(int64_t *)data / 1000;
}

/* Both clocks show *now_us, which stays the caller's. */
static inline struct clock held_clock(int64_t *now_us)
{
        return (struct clock){ held_ms, held_us, now_us };
}

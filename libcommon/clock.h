/* Time, injected: what depends on the hour asks a clock that a test may hold in its hand. */
#pragma once
#include <stdint.h>

struct clock {
        int64_t (*now_ms)(void *data);     /* wall clock: ms since the Unix epoch */
        int64_t (*steady_us)(void *data);  /* never goes back; only differences mean anything */
        void *data;
};

extern const struct clock clock_system;

static inline int64_t clock_now_ms(const struct clock *c) { return c->now_ms(c->data); }
static inline int64_t clock_steady_us(const struct clock *c) { return c->steady_us(c->data); }

#include "clock.h"

#include <stddef.h>
#include <time.h>

static int64_t system_now_ms(void *data)
{
        struct timespec t;

        (void)data;
        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_steady_us(void *data)
{
        struct timespec t;

        (void)data;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

const struct clock clock_system = { system_now_ms, system_steady_us, NULL };

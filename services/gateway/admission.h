/* Who may open a WebSocket now, when thousands come back at once: so many a second, and a second's worth in one go. Those who may not
 * are told to come back within a time in which all who wait can be let in, and come at a random moment of it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { ADMISSION_RETRY_MIN_MS = 1000, ADMISSION_RETRY_MAX_MS = 60000 };

struct admission {
        int64_t rate;               /* a second */
        int64_t full_us;            /* when the bucket will be full again */
        int64_t turned_away;        /* and not back yet, as far as one can tell: it falls by `rate` a second */
        int64_t counted_us;
        int64_t put_off;            /* all that were ever turned away */
};

void admission_init(struct admission *a, int64_t rate);
/* Whether one can be taken; false: come back within *ret_retry_after_ms. */
bool admission_open(struct admission *a, int64_t now_us, int64_t *ret_retry_after_ms);
/* The same, and takes it where it can. */
bool admission_take(struct admission *a, int64_t now_us, int64_t *ret_retry_after_ms);
/* In how long so many come back without being turned away. */
int64_t admission_spread_ms(const struct admission *a, int64_t clients);

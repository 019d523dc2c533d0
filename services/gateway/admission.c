/* The bucket is kept as in GCRA (ITU-T I.371): the time at which it will be full again. */
#include "admission.h"

enum { SECOND_US = 1000000 };

void admission_init(struct admission *a, int64_t rate)
{
        *a = (struct admission){ .rate = rate };
}

int64_t admission_spread_ms(const struct admission *a, int64_t clients)
{
        int64_t ms = ADMISSION_RETRY_MIN_MS + 2 * 1000 * clients / a->rate;    /* half as fast as they may: some come early */

        return ms < ADMISSION_RETRY_MAX_MS ? ms : ADMISSION_RETRY_MAX_MS;
}

static void forget(struct admission *a, int64_t now_us)
{
        int64_t back = (now_us - a->counted_us) * a->rate / SECOND_US;

        if (back < a->turned_away) {
                a->turned_away -= back;
                a->counted_us += back * SECOND_US / a->rate;
        } else {
                a->turned_away = 0;
                a->counted_us = now_us;
        }
}

bool admission_open(struct admission *a, int64_t now_us, int64_t *ret_retry_after_ms)
{
        if (a->full_us < now_us)
                a->full_us = now_us;
        forget(a, now_us);
        if (a->full_us + SECOND_US / a->rate <= now_us + SECOND_US)
                return true;
        a->turned_away++;
        a->put_off++;
        *ret_retry_after_ms = admission_spread_ms(a, a->turned_away);
        return false;
}

bool admission_take(struct admission *a, int64_t now_us, int64_t *ret_retry_after_ms)
{
        if (!admission_open(a, now_us, ret_retry_after_ms))
                return false;
        a->full_us += SECOND_US / a->rate;
        return true;
}

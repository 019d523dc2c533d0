#include "past.h"

#include "fault.h"

void past_add(struct past_sums *sums, const struct tally *tally)
{
        for (int i = 0; i < TALLY_OUTCOMES; i++) {
                uint64_t n = atomic_load_explicit(&tally->outcomes[i], memory_order_relaxed);

                sums->calls += n;
                if (tally_is_ours(i))
                        sums->failed += n;
                else if (i > 0)
                        sums->refused += n;
        }
        for (int i = 0; i <= TALLY_BOUNDS; i++)
                sums->took[i] += atomic_load_explicit(&tally->took[i], memory_order_relaxed);
}

bool past_is_over(const struct past *past, int64_t now_us)
{
        return now_us >= past->ends_us;
}

static struct past_sample difference(const struct past *past, int64_t now_ms, const struct past_sums *now)
{
        const struct past_sums *before = &past->before;
        struct past_sample s = {
                .at_ms = now_ms,
                .ms = now_ms > past->began_ms ? (uint32_t)(now_ms - past->began_ms) : 0, /* the wall clock may be set back */
                .calls = (uint32_t)(now->calls - before->calls),
                .failed = (uint32_t)(now->failed - before->failed),
                .refused = (uint32_t)(now->refused - before->refused),
                .waiting = (uint32_t)now->waiting,
        };

        for (int i = 0; i <= TALLY_BOUNDS; i++)
                s.took[i] = (uint32_t)(now->took[i] - before->took[i]);
        return s;
}

void past_take(struct past *past, int64_t now_us, int64_t now_ms, const struct past_sums *now)
{
        if (!past_is_over(past, now_us))
                return;
        if (past->ends_us > 0) {
                past->minutes[(past->oldest + past->n) % PAST_MINUTES] = difference(past, now_ms, now);
                if (past->n < PAST_MINUTES)
                        past->n++;
                else
                        past->oldest = (past->oldest + 1) % PAST_MINUTES;
                past->before = *now;
        }
        past->began_ms = now_ms;
        past->ends_us = now_us + PAST_MINUTE_US;
}

size_t past_list(const struct past *past, int64_t now_ms, const struct past_sums *now, struct past_sample *ret)
{
        for (size_t i = 0; i < past->n; i++)
                ret[i] = past->minutes[(past->oldest + i) % PAST_MINUTES];
        ret[past->n] = difference(past, now_ms, now);
        return past->n + 1;
}

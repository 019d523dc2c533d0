#include "rpc.h"

static int64_t now_us(const struct feed *f)
{
        return clock_steady_us(loop_clock(f->loop));
}

static void run(struct call *c)
{
        int r = call_execute(c);

        if (r != CALL_PARKED)
                call_answer(c, r);
}

static void arm(struct feed *f)
{
        if (f->first)
                loop_timer_set(f->timer, f->first->parked_us + RPC_PARK_MS * 1000 - now_us(f));
}

/* The oldest has waited long enough; those behind it wait on. */
static void on_timer(void *data)
{
        struct feed *f = data;
        int64_t now = now_us(f);

        while (f->first && f->first->parked_us + RPC_PARK_MS * 1000 <= now) {
                struct call *c = f->first;

                f->first = c->next;
                if (!f->first)
                        f->last = NULL;
                run(c);
        }
        arm(f);
}

int feed_init(struct feed *feed, struct loop *loop)
{
        *feed = (struct feed){ .loop = loop };
        feed->timer = loop_timer_new(loop, on_timer, feed);
        return 0;
}

void feed_deinit(struct feed *feed)
{
        while (feed->first) {
                struct call *c = feed->first;

                feed->first = c->next;
                call_answer(c, call_unavailable(c, RPC_PARK_MS, "the service is stopping"));
        }
        feed->last = NULL;
        loop_timer_free(feed->timer);
        feed->timer = NULL;
}

int feed_park(struct feed *feed, struct call *c)
{
        int64_t now = now_us(feed);

        if (!c->parked_us)
                c->parked_us = now;
        if (feed->draining || now - c->parked_us >= RPC_PARK_MS * 1000)
                return 0;
        c->next = NULL;
        if (feed->last)
                feed->last->next = c;
        else
                feed->first = c;
        feed->last = c;
        if (feed->first == c)
                arm(feed);
        return CALL_PARKED;
}

void feed_wake(struct feed *feed)
{
        struct call *c = feed->first;

        /* Those that park again gather in a new line, in the same order: the first is still the oldest. */
        feed->first = feed->last = NULL;
        while (c) {
                struct call *next = c->next;

                run(c);
                c = next;
        }
}

void feed_drain(struct feed *feed)
{
        feed->draining = true;
        feed_wake(feed);
}

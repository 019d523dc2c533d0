/* The live side against a desk of bad habits: it cuts, refuses, repeats frames, leaves gaps, answers a resume out of order, resets, says bye,
 * pages, falls silent, talks nonsense. Whatever it does, each of its ops is given out once, in order, and none is missing unless a
 * reset was told. The seed is printed; ASSIST_SEED repeats it. */
#include "live_machine.h"

#include "held_clock.h"
#include "ulid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { DESKS = 300, STEPS = 3000, HEAD_MAX = 100000 };

struct desk {
        int64_t now_us;
        struct clock clock;
        struct live_machine m;
        bool connecting, open, renewed;
        bool awaits;             /* an acknowledgement, before anything else of the log is sent */
        int head;                /* ops 1.. to here happened */
        int sent;                /* what the desk believes that the client has, on this connection */
        int hello;               /* what the last hello said */
        bool reset_to[HEAD_MAX]; /* what resets of this connection said */
        int given;               /* the last op that the client was given, or told to fetch; -1: it has no cursor */
        int events, resets, drops, acks;
};

static uint64_t dice_state;

static uint32_t dice(uint32_t below)
{
        dice_state ^= dice_state << 13;
        dice_state ^= dice_state >> 7;
        dice_state ^= dice_state << 17;
        return (uint32_t)(dice_state >> 32) % below;
}

static int position(const struct desk *d)
{
        uint64_t n;

        return d->m.cursor.n && !str_u64((struct str){ d->m.cursor.p + 1, d->m.cursor.n - 1 }, &n) ? (int)n : -1;
}

/* Each fifth op is for others. */
static int next_seen(int op)
{
        return op % 5 == 4 ? op + 2 : op + 1;
}

static void __attribute__((format(printf, 2, 3))) say(struct desk *d, const char *format, ...)
{
        struct buf b = { 0 };
        va_list args;

        va_start(args, format);
        buf_vformat(&b, format, args);
        va_end(args);
        live_machine_heard(&d->m);
        live_machine_message(&d->m, buf_view(&b));
        buf_deinit(&b);
}

static void event_text(struct buf *b, const char *type, int number)
{
        char id[ULID_TEXT + 1];

        ulid_text((struct ulid){ { 1 } }, id);
        buf_format(b, "%s{\"type\":\"%s\",\"op_id\":\"%s\",\"actor\":\"%s\",\"at\":%d,\"data\":{}}", b->n ? "," : "", type, id, id, number);
}

/* The ops behind one position up to another; some of them are for others, and have no event. */
static void frame(struct desk *d, int from, int to, bool more)
{
        struct buf b = { 0 };

        for (int i = from + 1; i <= to; i++)
                if (i % 5)
                        event_text(&b, "op", i);
        say(d, "{\"from\":\"c%d\",\"to\":\"c%d\",\"events\":[%s]%s}", from, to, b.n ? buf_z(&b) : "", more ? ",\"more\":true" : "");
        buf_deinit(&b);
}

static void next_frame(struct desk *d)
{
        int to = d->sent + (int)dice(8);

        if (d->awaits)
                return;
        if (to > d->head)
                to = d->head;
        d->awaits = to < d->head && dice(2);
        frame(d, d->sent, to, d->awaits);
        d->sent = to;
}

static void reset_said(struct desk *d, int position)
{
        d->reset_to[position] = true;
        d->sent = position;
        d->awaits = false;
}

/* Somewhere between what the client has and the head. */
static int ahead(const struct desk *d)
{
        int from = position(d) < 0 ? 0 : position(d);

        return from + (int)dice((uint32_t)(d->head - from) + 1);
}

static void greet(struct desk *d)
{
        int asked = position(d);
        const char *mode = "live";

        live_machine_accepted(&d->m);
        d->connecting = false;
        d->open = true;
        d->awaits = false;
        d->sent = asked < 0 ? ahead(d) : asked;
        assert_true(asked >= d->given); /* what it gave out is behind it */
        if (asked >= 0 && !dice(8)) {
                mode = "reset";
                reset_said(d, ahead(d));
        } else if (asked >= 0 && (asked < d->head || dice(2))) {
                mode = "replay";
        }
        d->hello = d->sent;
        say(d, "{\"type\":\"hello\",\"session\":\"01J00000000000000000000000\",\"mode\":\"%s\",\"cursor\":\"c%d\"}", mode, d->hello);
}

static void answer(struct desk *d)
{
        switch (dice(8)) {
        case 0:
                d->connecting = false;
                live_machine_refused(&d->m, dice(2) ? 503 : 429, (int64_t)dice(3000));
                break;
        case 1:
                d->connecting = false;
                live_machine_unreachable(&d->m, 0);
                break;
        case 2:
                if (!d->renewed) {
                        d->connecting = false;
                        live_machine_refused(&d->m, 401, 0);
                }
                break;
        case 3:
                d->now_us += (int64_t)dice(30) * 1000000;
                live_machine_tick(&d->m);
                break;
        default:
                greet(d);
        }
}

static void closed(struct desk *d, int code)
{
        d->open = false;
        live_machine_closed(&d->m, code);
}

static void misbehave(struct desk *d)
{
        static const int codes[] = { 0, 0, 1001, 1002, 1009, 4001, 4002, 4008 };
        struct buf b = { 0 };
        int skipped = d->sent + 1 + (int)dice(5);

        switch (dice(9)) {
        case 0:
                closed(d, codes[dice(sizeof(codes) / sizeof(*codes))]);
                break;
        case 1: /* a gap */
                frame(d, skipped, skipped + 3, false);
                break;
        case 2: /* two frames change places */
                frame(d, d->sent + 2, d->sent + 4, false);
                frame(d, d->sent, d->sent + 2, false);
                break;
        case 3:
                d->sent = ahead(d);
                reset_said(d, d->sent);
                say(d, "{\"type\":\"reset\",\"reason\":\"so\",\"cursor\":\"c%d\"}", d->sent);
                break;
        case 4:
                say(d, "{\"type\":\"bye\",\"retry_after_ms\":%u}", dice(5000));
                break;
        case 5:
                say(d, "%s", dice(2) ? "{\"from\":1}" : "{\"type\":\"hello\"}");
                break;
        case 6:
                d->now_us += (int64_t)dice(50) * 1000000;
                break;
        default:
                event_text(&b, "ephemeral", 0);
                say(d, "{\"events\":[%s]}", buf_z(&b));
        }
        buf_deinit(&b);
}

static void go_on(struct desk *d, bool well)
{
        int before = d->sent;

        if (!well && !dice(6)) {
                misbehave(d);
                return;
        }
        if (!dice(10) && !d->awaits) {
                say(d, "{\"type\":\"pull\"}");
                d->awaits = true;
        }
        next_frame(d);
        if (!dice(4) && before < d->sent)
                frame(d, before, d->sent, false);
        if (!well && d->head < HEAD_MAX - 100)
                d->head += (int)dice(6);
}

/* What the client does, held against what the desk said. */
static void check(struct desk *d, const struct live_action *a)
{
        switch (a->what) {
        case LIVE_CONNECT:
                d->connecting = true;
                d->renewed = a->renew;
                break;
        case LIVE_DROP:
                d->connecting = d->open = false;
                memset(d->reset_to, 0, sizeof(d->reset_to));
                d->drops++;
                if (position(d) < 0)
                        d->given = -1; /* in another role: it begins anew */
                break;
        case LIVE_CONNECTED:
                if (d->given < 0) {
                        d->given = d->hello;
                        d->reset_to[d->hello] = true;
                }
                break;
        case LIVE_RESET:
                assert_true(d->reset_to[position(d)]);
                d->given = position(d);
                d->resets++;
                break;
        case LIVE_EVENT:
                if (str_is(a->event->type, "ephemeral"))
                        break;
                assert_int_equal(a->event->at, next_seen(d->given));
                d->given = (int)a->event->at;
                d->events++;
                break;
        case LIVE_SEND:
                if (!str_starts(a->text, "{\"type\":\"ack\""))
                        break;
                assert_int_equal(atoi(a->text.p + strlen("{\"type\":\"ack\",\"cursor\":\"c")), position(d));
                d->awaits = false;
                d->acks++;
                break;
        default:
                fail_msg("the machine gave up");
        }
        /* the cursor is never behind an op that was not given out; but a reset's that is still to be told */
        assert_true(position(d) < next_seen(d->given) || d->reset_to[position(d)]);
}

static void step(struct desk *d, bool well)
{
        struct live_action a = live_machine_next(&d->m);

        while (a.what != LIVE_NOTHING) {
                check(d, &a);
                if (!well && a.what == LIVE_EVENT && !dice(20))
                        break; /* the client is slow: more comes meanwhile */
                a = live_machine_next(&d->m);
        }
        if (a.what == LIVE_NOTHING && d->open)
                live_machine_tick(&d->m);
        if (d->open) {
                go_on(d, well);
        } else if (a.what != LIVE_NOTHING) {
                return;
        } else if (d->connecting && well) {
                greet(d);
        } else if (d->connecting) {
                answer(d);
        } else {
                assert_true(live_machine_due_us(&d->m) - d->now_us <= LIVE_PAUSE_MAX_MS * INT64_C(1000));
                if (live_machine_due_us(&d->m) > d->now_us)
                        d->now_us = live_machine_due_us(&d->m);
                live_machine_tick(&d->m);
        }
}

static void every_op_is_given_out_once_and_in_order(void **state)
{
        static struct desk d;
        const char *given = getenv("ASSIST_SEED");
        uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
        int events = 0, resets = 0, drops = 0, acks = 0;

        (void)state;
        print_message("ASSIST_SEED=%llu\n", (unsigned long long)seed);
        dice_state = seed * 2 + 1;
        for (int i = 0; i < DESKS; i++) {
                d = (struct desk){ .given = -1, .now_us = 1 };
                d.clock = held_clock(&d.now_us);
                assert_int_equal(live_machine_init(&d.m, &d.clock, dice, (struct str){ 0 }), 0);
                for (int k = 0; k < STEPS; k++)
                        step(&d, false);
                for (int k = 0; k < 100000 && next_seen(d.given) <= d.head; k++)
                        step(&d, true);
                assert_true(next_seen(d.given) > d.head);
                events += d.events;
                resets += d.resets;
                drops += d.drops;
                acks += d.acks;
                live_machine_deinit(&d.m);
        }
        print_message("%d events, %d acknowledgements, %d connections ended, %d resets\n", events, acks, drops, resets);
        assert_true(events > 10000 && acks > 1000 && drops > 1000 && resets > 1000); /* the dice were thrown */
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(every_op_is_given_out_once_and_in_order) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

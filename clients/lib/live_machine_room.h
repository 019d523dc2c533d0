/* Where the live side's rules are tried: on a clock that stands still until the test moves it, and with dice that always fall on the
 * longest pause. */
#pragma once
#include "live_machine.h"
#include "held_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define HELLO(mode, cursor) "{\"type\":\"hello\",\"session\":\"01J00000000000000000000000\",\"mode\":\"" mode "\",\"cursor\":\"" cursor "\"}"
#define EVENT(name) "{\"type\":\"" name "\",\"op_id\":\"01J00000000000000000000000\",\"actor\":\"01J00000000000000000000000\",\"at\":1,\"data\":{}}"
#define FRAME(from, to, events) "{\"from\":\"" from "\",\"to\":\"" to "\",\"events\":[" events "]}"

struct room {
        int64_t now_us;
        struct clock clock;
        struct live_machine m;
};

static inline uint32_t longest(uint32_t below)
{
        return below - 1;
}

static inline int enter(void **state)
{
        static struct room r;

        r = (struct room){ .now_us = 5000000 };
        r.clock = held_clock(&r.now_us);
        *state = &r;
        return live_machine_init(&r.m, &r.clock, longest, (struct str){ 0 });
}

static inline int leave(void **state)
{
        live_machine_deinit(&((struct room *)*state)->m);
        return 0;
}

static inline struct live_action expect(struct room *r, enum live_what what)
{
        struct live_action a = live_machine_next(&r->m);

        assert_int_equal(a.what, what);
        return a;
}

static inline void expect_event(struct room *r, const char *name)
{
        assert_true(str_is(expect(r, LIVE_EVENT).event->type, name));
}

static inline void expect_sent(struct room *r, const char *text)
{
        assert_true(str_is(expect(r, LIVE_SEND).text, text));
}

static inline void hear(struct room *r, const char *text)
{
        live_machine_heard(&r->m);
        live_machine_message(&r->m, str_of(text));
}

static inline bool at(const struct room *r, const char *cursor)
{
        return str_is(buf_view(&r->m.cursor), cursor);
}

/* Nothing happens before so long; then, there is an action. */
static inline void pass_ms(struct room *r, int64_t ms)
{
        expect(r, LIVE_NOTHING);
        assert_int_equal(live_machine_due_us(&r->m) - r->now_us, ms * 1000);
        r->now_us += ms * 1000 - 1;
        live_machine_tick(&r->m);
        expect(r, LIVE_NOTHING);
        r->now_us++;
        live_machine_tick(&r->m);
}

static inline void connect(struct room *r)
{
        live_machine_tick(&r->m);
        expect(r, LIVE_CONNECT);
        live_machine_accepted(&r->m);
        expect(r, LIVE_NOTHING);
}

static inline void greet(struct room *r, const char *hello)
{
        connect(r);
        hear(r, hello);
        expect(r, LIVE_CONNECTED);
}

/* Connected, at the cursor c1, and silent. */
static inline void begin(struct room *r)
{
        greet(r, HELLO("live", "c1"));
        expect(r, LIVE_NOTHING);
        assert_true(at(r, "c1"));
}

static inline void expect_dropped(struct room *r, int64_t pause_ms)
{
        expect(r, LIVE_DROP);
        pass_ms(r, pause_ms);
        assert_false(expect(r, LIVE_CONNECT).renew);
}

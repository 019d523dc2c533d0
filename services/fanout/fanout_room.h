/* For tests: a whole fanout on a clock that stands still, without a socket: what it follows and what it is asked comes by hand. What it
 * answers goes over the wire's bytes, as it would to another process. */
#pragma once
#include "fanout.h"
#include "held_clock.h"
#include "schema/fanout_handlers.h"
#include "schema/personal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct fanout_room {
        int64_t now_us;
        struct clock clock;
        struct service service;
        struct fanout fanout;
};

static const uint8_t room_secret[CURSOR_SECRET_BYTES] = { 7 };

static inline void fanout_room_init(struct fanout_room *room)
{
        room->now_us = 1000 * INT64_C(1000000);
        room->clock = held_clock(&room->now_us);
        room->service = (struct service){ .loop = loop_new(&room->clock), .clock = &room->clock };
        fanout_init(&room->fanout, &room->service, room_secret, room_secret);
}

static inline void fanout_room_deinit(struct fanout_room *room)
{
        fanout_deinit(&room->fanout);
        loop_free(room->service.loop);
}

/* Another process: it knows nothing. */
static inline void fanout_room_restart(struct fanout_room *room)
{
        fanout_deinit(&room->fanout);
        room->now_us += 1000;
        fanout_init(&room->fanout, &room->service, room_secret, room_secret);
}

static inline void fanout_room_pass(struct fanout_room *room, int64_t us)
{
        room->now_us += us;
        loop_dispatch(room->service.loop, 0);
}

/* As the receiver reads it, in its arena. */
static inline void over_the_wire(const struct schema_struct *type, const void *sent, struct arena *arena, void *ret)
{
        struct buf bytes = { 0 };

        msgpack_write(type, sent, &bytes);
        assert_int_equal(msgpack_read(type, arena_bytes(arena, bytes.p, bytes.n), arena, ret, NULL), 0);
        buf_deinit(&bytes);
}

static inline int ask_attach(struct fanout_room *room, const struct caller *caller, const struct live_attach *in, struct arena *arena,
                             struct live_attach_result *ret)
{
        struct call c = { .method = &schema_method_live_attach, .has_caller = true, .caller = *caller };
        struct live_attach_result result = { 0 };
        int r = fanout_on_live_attach(&room->fanout, &c, in, &result);

        if (!r)
                over_the_wire(c.method->result, &result, arena, ret);
        arena_deinit(&c.arena);
        return r;
}

/* CALL_PARKED: there is nothing new; it waits no longer. */
static inline int ask_follow(struct fanout_room *room, struct ulid gateway, int64_t after, int64_t max_bytes, struct arena *arena,
                             struct live_follow_result *ret)
{
        const struct live_follow in = { .gateway = gateway, .after = after, .max_bytes = max_bytes };
        struct call c = { .method = &schema_method_live_follow };
        struct live_follow_result result = { 0 };
        int r = fanout_on_live_follow(&room->fanout, &c, &in, &result);
        struct outlet *o = outlet_find(room->fanout.outlets, gateway);

        if (r == CALL_PARKED)
                o->feed.first = o->feed.last = NULL;
        else
                over_the_wire(c.method->result, &result, arena, ret);
        arena_deinit(&c.arena);
        return r;
}

static inline void ask_detach(struct fanout_room *room, struct ulid gateway, const struct ulid *ids, size_t n)
{
        struct live_detach in = { .gateway = gateway };
        struct live_detach_result result;
        struct call c = { .method = &schema_method_live_detach };

        in.sessions.items = (struct ulid *)(uintptr_t)ids;
        in.sessions.n = n;
        assert_int_equal(fanout_on_live_detach(&room->fanout, &c, &in, &result), 0);
}

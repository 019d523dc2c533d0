/* Gateways: they attach their sessions, take their queues, and tell who has gone. */
#include "fanout.h"

#include "schema/fanout_handlers.h"

enum {
        PAGE_BYTES = 256 * 1024,
        PAGE_EVENTS = 4096,
        RESET_OPS = 10000,              /* who is further behind is told by store that fetching anew is cheaper */
};

static void reset_to_end(struct fanout *f, struct arena *arena, const char *reason, struct live_attach_result *ret)
{
        ret->outcome = ATTACH_OUTCOME_RESET;
        ret->reason = str_of(reason);
        ret->cursor = tail_cursor(&f->tail, tail_end(&f->tail), arena);
}

/* Goes on from a position that is in the tail. */
static void go_on(struct fanout *f, const struct session *s, int64_t after, struct arena *arena, struct live_attach_result *ret)
{
        const struct tail_reader reader = { .user = s->party->user, .agent = s->agent, .max = PAGE_EVENTS, .max_bytes = PAGE_BYTES };
        struct tail_page page;

        tail_read(&f->tail, after, &reader, arena, &page);
        if (page.role_changed) {
                reset_to_end(f, arena, "your role has changed", ret);
                return;
        }
        ret->outcome = page.more ? ATTACH_OUTCOME_PAGE : ATTACH_OUTCOME_LIVE;
        ret->cursor = tail_cursor(&f->tail, page.to, arena);
        ret->events.items = page.events;
        ret->events.n = page.n;
}

static int resume(struct fanout *f, struct call *c, const struct session *s, struct str cursor, struct live_attach_result *ret)
{
        int64_t seq = 0;

        switch (tail_find(&f->tail, cursor, &seq)) {
        case TAIL_HERE:
                if (tail_end(&f->tail) - seq <= RESET_OPS) {
                        go_on(f, s, seq, &c->arena, ret);
                        return 0;
                }
                break;
        case TAIL_FORGED:
                return call_invalid(c, "cursor", "must be a cursor that this server gave");
        case TAIL_LOST:
                reset_to_end(f, &c->arena, "the server was restored from a backup", ret);
                return 0;
        case TAIL_UNKNOWN:
                break;
        }
        ret->outcome = ATTACH_OUTCOME_LOG;
        ret->cursor = cursor;
        return 0;
}

int fanout_on_live_attach(struct fanout *f, struct call *c, const struct live_attach *in, struct live_attach_result *ret)
{
        bool known = sessions_find(&f->sessions, in->id), agent = c->caller.role >= SCHEMA_ROLE_AGENT;
        struct session *s;
        struct outlet *o;
        int r = 0;

        if (!f->positioned)
                return call_unavailable(c, 100, "fanout has not reached the log yet");
        if (agent && !fanout_serves_as_agent(f, &c->caller))    /* the gateway knows less than the log, or more: in either case soon as much */
                return call_unavailable(c, 100, "the caller's role has changed");
        o = fanout_outlet(f, in->gateway);
        s = sessions_attach(&f->sessions, o, in->id, in->session, &c->caller, agent);
        if (!s)
                return call_invalid(c, "id", "must be of no other session");
        ret->epoch = o->epoch;
        ret->order = tail_end(&f->tail);
        ret->reason = STR("");
        if (in->has_cursor) {
                r = resume(f, c, s, in->cursor, ret);
        } else {
                ret->outcome = ATTACH_OUTCOME_LIVE;
                ret->cursor = tail_cursor(&f->tail, tail_end(&f->tail), &c->arena);
        }
        s->pushed = !r && (ret->outcome == ATTACH_OUTCOME_LIVE || ret->outcome == ATTACH_OUTCOME_RESET);
        if (in->again && !known)
                s->missed = f->own_missed = true;
        attendance_attached(&f->attendance, s, in, known);
        return r;
}

int fanout_on_live_detach(struct fanout *f, struct call *c, const struct live_detach *in, struct live_detach_result *ret)
{
        struct outlet *o = outlet_find(f->outlets, in->gateway);

        (void)c;
        (void)ret;
        for (size_t i = 0; o && i < in->sessions.n; i++) {
                struct session *s = sessions_find(&f->sessions, in->sessions.items[i]);

                if (!s || s->outlet != o)
                        continue;
                attendance_ended(&f->attendance, s);
                sessions_detach(&f->sessions, s);
        }
        return 0;
}

int fanout_on_live_follow(struct fanout *f, struct call *c, const struct live_follow *in, struct live_follow_result *ret)
{
        struct outlet *o = fanout_outlet(f, in->gateway);
        int r;

        o->asked_us = clock_steady_us(f->service->clock);
        if (in->after <= o->head) /* else it speaks to the fanout before us: the epoch in the answer tells it */
                outlet_acknowledge(o, in->after);
        if (!o->first && (o->told || !f->positioned) && in->after <= o->head) {
                r = feed_park(&o->feed, c);
                if (r)
                        return r;
        }
        outlet_read(o, in->after <= o->head ? in->after : o->head, in->max_bytes, &c->arena, ret);
        if (!o->first || ret->items.n == 0)
                ret->head = o->head;
        ret->epoch = o->epoch;
        /* only who has everything may be moved on to where the log is */
        ret->position = ret->head == o->head && f->positioned ? tail_cursor(&f->tail, tail_end(&f->tail), &c->arena) : STR("");
        ret->order = tail_end(&f->tail);
        o->told = ret->position.n > 0;
        return 0;
}

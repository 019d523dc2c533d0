#include "outlet.h"

#include <stdlib.h>
#include <string.h>

struct outlet *outlet_find(struct outlet *outlets, struct ulid gateway)
{
        struct outlet *o;

        HASH_FIND(hh, outlets, &gateway, sizeof(gateway), o);
        return o;
}

struct outlet *outlet_of(struct outlet **outlets, struct loop *loop, struct ulid gateway)
{
        struct outlet *o = outlet_find(*outlets, gateway);

        if (o)
                return o;
        o = calloc(1, sizeof(*o));
        if (!o || feed_init(&o->feed, loop))
                abort();
        o->gateway = gateway;
        o->epoch = ulid_new(clock_now_ms(loop_clock(loop)));
        o->last = &o->first;
        o->asked_us = clock_steady_us(loop_clock(loop));
        HASH_ADD(hh, *outlets, gateway, sizeof(o->gateway), o);
        return o;
}

static size_t queued_bytes(const struct queued *d)
{
        return sizeof(*d) + d->capacity * sizeof(d->sessions[0]) + d->keep.n + (d->event ? d->event->bytes : 0);
}

static void queued_drop(struct outlet *o)
{
        struct queued *d = o->first;

        o->first = d->next;
        if (!o->first)
                o->last = &o->first;
        o->bytes -= queued_bytes(d);
        shared_event_unref(d->event);
        free(d);
}

void outlet_free(struct outlet **outlets, struct outlet *o)
{
        while (o->first)
                queued_drop(o);
        feed_deinit(&o->feed);
        HASH_DEL(*outlets, o);
        free(o);
}

/* Ends the queue; room for n sessions and for what is to be kept. */
static struct queued *queued_add(struct outlet *o, struct shared_event *event, size_t n, struct str keep)
{
        struct queued *d = malloc(sizeof(*d) + n * sizeof(d->sessions[0]) + keep.n);

        if (!d)
                abort();
        *d = (struct queued){ .position = ++o->head, .event = event, .capacity = n };
        if (event)
                event->refs++;
        if (keep.n)
                memcpy(d->sessions + n, keep.p, keep.n);
        d->keep = (struct str){ (const char *)(d->sessions + n), keep.n };
        *o->last = d;
        o->last = &d->next;
        o->bytes += queued_bytes(d);
        return d;
}

void outlets_deliver(struct shared_event *event, const struct recipients *to)
{
        for (size_t i = 0; i < to->n; i++)
                to->items[i]->outlet->wanted++;
        for (size_t i = 0; i < to->n; i++) {
                struct outlet *o = to->items[i]->outlet;

                if (!o->open)
                        o->open = queued_add(o, event, o->wanted, (struct str){ 0 });
                o->open->sessions[o->open->n++] = to->items[i]->number;
                if (--o->wanted == 0)
                        o->open = NULL;
        }
}

void outlet_keep(const struct session *s, struct str bytes)
{
        struct queued *d = queued_add(s->outlet, NULL, 1, bytes);

        d->sessions[d->n++] = s->number;
}

static void leave_out(struct queued *d, const struct session *s)
{
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++)
                if (d->sessions[i] != s->number)
                        d->sessions[n++] = d->sessions[i];
        d->n = n;
}

void outlet_withdraw(const struct session *s, struct ulid ticket)
{
        for (struct queued *d = s->outlet->first; d; d = d->next) {
                const struct readers *r = d->event ? d->event->readers : NULL;

                if (r && r->kind != AUDIENCE_USER && r->kind != AUDIENCE_ALL && ulid_eq(r->target, ticket))
                        leave_out(d, s);
        }
}

void outlet_withdraw_agents(const struct session *s)
{
        for (struct queued *d = s->outlet->first; d; d = d->next)
                if (d->event && d->event->readers && !readers_have(d->event->readers, s->party->user, false))
                        leave_out(d, s);
}

void outlet_acknowledge(struct outlet *o, int64_t after)
{
        while (o->first && o->first->position <= after)
                queued_drop(o);
}

void outlet_read(struct outlet *o, int64_t after, int64_t max_bytes, struct arena *arena, struct live_follow_result *ret)
{
        enum { ITEMS_MAX = 4096 };
        int64_t bytes = 0;
        size_t n = 0;

        for (struct queued *d = o->first; d && n < ITEMS_MAX; d = d->next)
                n++;
        ret->items.items = arena_array(arena, n, sizeof(*ret->items.items));
        ret->head = after;
        for (struct queued *d = o->first; d && ret->items.n < n && bytes < max_bytes; d = d->next) {
                struct delivery *item = &ret->items.items[ret->items.n++];

                bytes += (int64_t)((d->event ? d->event->bytes : 0) + d->keep.n + d->n * 9) + 64;
                item->has_cursor = d->event && d->event->seq > 0;
                if (item->has_cursor)
                        item->cursor = shared_event_cursor(d->event, arena);
                item->event = d->event ? &d->event->event : NULL;
                item->has_keep = !d->event;
                item->keep = d->keep;
                item->sessions.items = d->sessions;
                item->sessions.n = d->n;
                ret->head = d->position;
        }
}

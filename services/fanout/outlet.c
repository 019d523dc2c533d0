#include "outlet.h"

#include <stdlib.h>
#include <string.h>

struct shared_event {
        unsigned refs;
        struct event event;
        struct str cursor;
        size_t bytes;
        char texts[];
};

static struct str keep(char **at, struct str s)
{
        struct str kept = { *at, s.n };

        memcpy(*at, s.p, s.n);
        *at += s.n;
        return kept;
}

struct shared_event *shared_event_new(const struct event *event, struct str cursor)
{
        size_t bytes = event->type.n + event->data.n + cursor.n;
        struct shared_event *e = malloc(sizeof(*e) + bytes);
        char *at;

        if (!e)
                abort();
        at = e->texts;
        e->refs = 1;
        e->event = *event;
        e->event.type = keep(&at, event->type);
        e->event.data = keep(&at, event->data);
        e->cursor = keep(&at, cursor);
        e->bytes = bytes;
        return e;
}

void shared_event_unref(struct shared_event *e)
{
        if (e && --e->refs == 0)
                free(e);
}

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

static void queued_drop(struct outlet *o)
{
        struct queued *d = o->first;

        o->first = d->next;
        if (!o->first)
                o->last = &o->first;
        o->bytes -= sizeof(*d) + d->n * sizeof(d->sessions[0]);
        shared_event_unref(d->event);
        free(d);
}

void outlet_free(struct outlet **outlets, struct outlet *o)
{
        struct session *s, *next;

        HASH_ITER(hh, o->sessions, s, next) {
                HASH_DEL(o->sessions, s);
                free(s);
        }
        while (o->first)
                queued_drop(o);
        feed_deinit(&o->feed);
        HASH_DEL(*outlets, o);
        free(o);
}

void outlet_attach(struct outlet *o, int64_t number, const struct caller *caller)
{
        struct session *s;

        HASH_FIND(hh, o->sessions, &number, sizeof(number), s);
        if (!s) {
                s = calloc(1, sizeof(*s));
                if (!s)
                        abort();
                s->number = number;
                HASH_ADD(hh, o->sessions, number, sizeof(s->number), s);
        }
        s->user = caller->user;
        s->agent = caller->role >= SCHEMA_ROLE_AGENT && caller->role <= SCHEMA_ROLE_ADMIN;
}

bool outlet_detach(struct outlet *o, int64_t number)
{
        struct session *s;

        HASH_FIND(hh, o->sessions, &number, sizeof(number), s);
        if (!s)
                return false;
        HASH_DEL(o->sessions, s);
        free(s);
        return true;
}

static bool may_see(const struct session *s, const struct log_item *audience)
{
        switch ((enum audience)audience->audience) {
        case AUDIENCE_ALL:
                return true;
        case AUDIENCE_USER:
                return ulid_eq(audience->target, s->user);
        case AUDIENCE_AGENTS:
                return s->agent;
        case AUDIENCE_TICKET:
                break;
        }
        if (s->agent)
                return true;
        for (size_t i = 0; i < audience->users.n; i++)
                if (ulid_eq(audience->users.items[i], s->user))
                        return true;
        return false;
}

bool outlet_offer(struct outlet *o, struct shared_event *event, const struct log_item *audience)
{
        struct session *s, *next;
        struct queued *d;
        size_t n = 0;

        HASH_ITER(hh, o->sessions, s, next)
                n += may_see(s, audience);
        if (!n)
                return false;
        d = malloc(sizeof(*d) + n * sizeof(d->sessions[0]));
        if (!d)
                abort();
        *d = (struct queued){ .position = ++o->head, .event = event };
        HASH_ITER(hh, o->sessions, s, next)
                if (may_see(s, audience))
                        d->sessions[d->n++] = s->number;
        event->refs++;
        *o->last = d;
        o->last = &d->next;
        o->bytes += sizeof(*d) + n * sizeof(d->sessions[0]);
        return true;
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
                bytes += (int64_t)(d->event->bytes + d->n * 9) + 64;
                ret->items.items[ret->items.n].cursor = d->event->cursor;
                ret->items.items[ret->items.n].event = d->event->event;
                ret->items.items[ret->items.n].sessions.items = d->sessions;
                ret->items.items[ret->items.n].sessions.n = d->n;
                ret->items.n++;
                ret->head = d->position;
        }
}

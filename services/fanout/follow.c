/* What fanout follows: store's log, into the tail and on to whoever may see it, and what is users' own. */
#include "fanout.h"

#include "schema/personal.h"

#include <string.h>
#include <utlist.h>

/* ---- the log ---- */

/* Somebody may see a ticket no more: neither what waits for them of it. */
static void access_lost(struct fanout *f, const struct shared_event *event)
{
        struct party *p = sessions_party(&f->sessions, event->readers->target);
        struct ulid ticket;
        struct session *s;

        if (p && event_loses(event, &ticket))
                DL_FOREACH(p->sessions, s)
                        if (!s->agent)
                                outlet_withdraw(s, ticket);
}

/* A gateway hears of a changed role from identity, but perhaps later than we: who is no agent any more sees from now on what a customer
 * does. Who is one again sees it once attached anew, from where their client is: its gateway begins again with all its sessions, for it may
 * have heard of neither change. */
static void role_changed(struct fanout *f, struct ulid user, bool agent)
{
        struct party *p = sessions_party(&f->sessions, user);
        struct session *s;

        demotions_note(&f->demotions, user, agent);
        if (!agent) {
                roster_demoted(&f->attendance.roster, user);
                for (s = p ? p->sessions : NULL; s; s = s->next) {
                        outlet_withdraw_agents(s);
                        sessions_demote(&f->sessions, s);
                }
                return;
        }
        while ((p = sessions_party(&f->sessions, user))) {
                for (s = p->sessions; s && !s->demoted; s = s->next)
                        ;
                if (!s)
                        return;
                fanout_drop(f, s->outlet);
        }
}

/* What was redacted is in memory nowhere: who has not got it yet reads the log, where it is gone. */
static void redacted(struct fanout *f, const struct log_item *item)
{
        struct outlet *o, *next;

        HASH_ITER(hh, f->outlets, o, next)
                if (o->first)
                        fanout_drop(f, o);
        tail_begin(&f->tail, f->tail.instance, item->seq - 1, NULL);
}

static void take_op(struct fanout *f, const struct log_item *item)
{
        struct shared_event *event;
        bool agent;

        if (item->redacts)
                redacted(f, item);
        event = tail_add(&f->tail, item);
        f->events++;
        if (!event->has_event)
                return;
        attendance_op(&f->attendance, event);
        if (event_changes_role(event, &agent))
                role_changed(f, event->readers->target, agent);
        if (!f->positioned)
                return;
        if (event->readers->kind == AUDIENCE_USER)
                access_lost(f, event);
        sessions_select(&f->sessions, event->readers, &f->recipients);
        outlets_deliver(event, &f->recipients);
}

static void log_ask(void *data, void *params)
{
        struct fanout *f = data;

        /* at first beyond any head, which answers the head at once */
        *(struct ops_follow *)params = (struct ops_follow){ .after = f->found ? tail_end(&f->tail) : (INT64_C(1) << 53) - 1, .max_bytes = 262144 };
}

/* The log's head is known: what is before it is read first, so that those who come back find it in memory. */
static void log_found(struct fanout *f, const struct ops_follow_result *in)
{
        int64_t start = in->head > FANOUT_PRELOAD ? in->head - FANOUT_PRELOAD : 0;

        f->found = true;
        f->positioned = start == in->head;
        f->preload = in->head;
        tail_begin(&f->tail, (const uint8_t *)in->instance.p, start, start == in->head ? (const uint8_t *)in->head_hash.p : NULL);
}

static void log_take(void *data, const void *result)
{
        const struct ops_follow_result *in = result;
        struct fanout *f = data;
        int64_t before = tail_end(&f->tail);

        f->heard_us = clock_steady_us(f->service->clock);
        if (f->found && (in->head < before || memcmp(in->instance.p, f->tail.instance, sizeof(f->tail.instance)))) {
                /* store was restored from a backup: what was told is another future's */
                log_warning("the log is another one than before: all gateways begin anew");
                fanout_drop_all(f);
                attendance_deinit(&f->attendance);
                attendance_init(&f->attendance, f);
                demotions_deinit(&f->demotions);
                f->found = f->positioned = f->own_found = false;
                f->own_told = 0;
                return;
        }
        if (!f->found) {
                log_found(f, in);
                return;
        }
        for (size_t i = 0; i < in->items.n; i++)
                take_op(f, &in->items.items[i]);
        f->positioned = f->positioned || tail_end(&f->tail) >= f->preload;
        if (tail_end(&f->tail) == before || !f->positioned)
                return;
        for (struct outlet *o = f->outlets; o; o = o->hh.next)
                o->told = false;
        fanout_wake(f);
}

const struct follower_options fanout_log = { .method = &schema_method_ops_follow, .ask = log_ask, .take = log_take };

/* ---- what is users' own ---- */

static void own_ask(void *data, void *params)
{
        struct fanout *f = data;

        f->own_anew = !f->own_found || f->own_missed;
        *(struct personal_follow *)params = (struct personal_follow){ .has_after = !f->own_anew, .after = f->own_head, .max_bytes = 262144 };
}

/* To the sessions of whose own it is, or of them to those that missed it. */
static void own_tell(struct fanout *f, const struct personal_item *item, bool again)
{
        const struct party *party = sessions_party(&f->sessions, item->user);
        struct shared_event *event;
        struct session *s;

        f->recipients.n = 0;
        if (party)
                DL_FOREACH(party->sessions, s)
                        if ((!again || s->missed) && (s->agent || !item->as_agent))
                                recipients_add(&f->recipients, s);
        if (!f->recipients.n)
                return;
        event = shared_event_new(&item->event);
        outlets_deliver(event, &f->recipients);
        shared_event_unref(event);
}

static void own_caught_up(struct fanout *f)
{
        if (!f->own_retold || f->own_missed)
                return;
        f->own_retold = false;
        for (struct session *s = f->sessions.by_id; s; s = s->hh.next)
                s->missed = false;
}

static void own_take(void *data, const void *result)
{
        const struct personal_follow_result *in = result;
        struct fanout *f = data;
        const bool again = in->head <= f->own_told;

        if (f->own_anew) {
                f->own_missed = false;
                f->own_retold = true;
        }
        f->own_found = true;
        f->own_head = in->head;
        for (size_t i = 0; i < in->items.n; i++)
                own_tell(f, &((const struct personal_item *)in->items.items)[i], again);
        if (in->head >= f->own_told) {
                f->own_told = in->head;
                own_caught_up(f);
        }
        fanout_wake(f);
}

const struct follower_options fanout_own = { .method = &schema_method_personal_follow, .ask = own_ask, .take = own_take };

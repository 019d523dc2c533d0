#include "attendance.h"

#include "codec.h"
#include "fanout.h"
#include "schema/person.h"

#include <stdlib.h>
#include <utlist.h>

/* So often kept bytes regard the log, at least: well within what a fresh fanout has read of it. */
enum { REFRESH_OPS = FANOUT_PRELOAD / 4 };

/* ---- telling ---- */

static void wake(struct loop_work *work)
{
        struct attendance *a = (struct attendance *)((char *)work - offsetof(struct attendance, wake));

        a->waking = false;
        fanout_wake(a->fanout);
}

static void wake_soon(struct attendance *a)
{
        if (!a->waking)
                loop_defer(a->fanout->service->loop, &a->wake);
        a->waking = true;
}

static void deliver(struct attendance *a, const struct schema_event *type, const void *data, const struct recipients *to)
{
        struct shared_event *event;
        struct buf json = { 0 };

        if (!to->n)
                return;
        json_write(type->data, data, &json);
        event = shared_event_new(&(struct event){ .type = str_of(type->name), .at = clock_now_ms(a->fanout->service->clock),
                                                  .data = buf_view(&json) });
        outlets_deliver(event, to);
        shared_event_unref(event);
        buf_deinit(&json);
        wake_soon(a);
}

static void tell_presence(void *data, const struct event_presence_changed *event, const struct recipients *to)
{
        deliver(data, &schema_event_presence_changed, event, to);
}

static void add(struct attendance *a, struct session *s)
{
        if (s->pushed)
                recipients_add(&a->to, s);
}

static void tell_roster(void *data, enum roster_audience to, struct ulid user, const struct event_presence_online *event)
{
        struct attendance *a = data;
        const struct sessions *all = &a->fanout->sessions;
        const struct party *party;
        struct session *s;

        a->to.n = 0;
        if (to == ROSTER_AGENTS) {
                DL_FOREACH2(all->agents, s, next_agent)
                        add(a, s);
        } else if (to == ROSTER_CUSTOMERS) {
                for (s = all->by_id; s; s = s->hh.next)
                        if (!s->agent)
                                add(a, s);
        } else {
                party = sessions_party(all, user);
                if (party)
                        DL_FOREACH(party->sessions, s)
                                add(a, s);
        }
        deliver(a, &schema_event_presence_online, event, &a->to);
}

static void tell_again(void *data, const struct event_presence_online *event)
{
        struct attendance *a = data;

        deliver(a, &schema_event_presence_online, event, &a->to);
}

static void catch_up(void *data)
{
        struct attendance *a = data;
        struct session *s;

        for (int agent = 0; agent < 2; agent++) {
                a->to.n = 0;
                for (s = a->fanout->sessions.by_id; s; s = s->hh.next) {
                        if (!s->behind || s->agent != agent)
                                continue;
                        s->behind = false;
                        add(a, s);
                }
                if (a->to.n)
                        roster_all(&a->roster, agent, tell_again, a);
        }
}

/* ---- keeping ---- */

static void keep(void *data, struct session *s)
{
        struct kept_lease leases[PRESENCE_TICKETS];
        struct attendance *a = data;
        const struct tail *tail = &a->fanout->tail;
        struct kept kept = { .fanout = a->id, .agent = s->agent };
        struct arena arena = { 0 };
        struct buf sealed = { 0 };

        kept.cursor = tail_cursor(tail, tail_end(tail), &arena);
        kept.leases.items = leases;
        kept.leases.n = presence_kept(&a->presence, s, leases);
        kept.status = roster_status_of(&a->roster, s->party->user, &kept.status_at);
        if (kept.leases.n || kept.status.n)
                kept_seal(&a->kept_key, s->party->user, s->id, &kept, &sealed);
        outlet_keep(s, buf_view(&sealed));
        wake_soon(a);
        buf_deinit(&sealed);
        arena_deinit(&arena);
}

void attendance_keep_status(struct attendance *a, const struct party *party)
{
        struct session *s;

        DL_FOREACH(party->sessions, s)
                keep(a, s);
}

/* Whether what was kept of a lease is still so, as far as the log that is here tells: nobody but the log says that a customer may
 * see a ticket no more. */
static bool still_may(const struct attendance *a, const struct session *s, const struct kept *kept, struct ulid ticket)
{
        const struct tail *tail = &a->fanout->tail;
        int64_t seq;

        if (kept->agent != s->agent)
                return false;
        return s->agent || (tail_find(tail, kept->cursor, &seq) == TAIL_HERE && !tail_loses(tail, seq, s->party->user, ticket));
}

/* Of another fanout: this one knows better what it gave to keep. */
static void restore(struct attendance *a, struct session *s, struct str sealed)
{
        struct arena arena = { 0 };
        struct kept kept;

        if (!kept_open(&a->kept_key, s->party->user, s->id, sealed, &arena, &kept) && !ulid_eq(kept.fanout, a->id)) {
                for (size_t i = 0; i < kept.leases.n; i++)
                        if (still_may(a, s, &kept, kept.leases.items[i].ticket))
                                presence_restore(&a->presence, s, &kept.leases.items[i]);
                roster_status(&a->roster, s->party->user, kept.status, kept.status_at);
        }
        arena_deinit(&arena);
}

/* ---- sessions ---- */

void attendance_attached(struct attendance *a, struct session *s, const struct live_attach *in, bool known)
{
        struct kept_lease leases[PRESENCE_TICKETS];
        int64_t at;

        if (!known)
                roster_came(&a->roster, s->party->user, s->agent, ulid_time_ms(s->id), in->again);
        if (in->again) {
                s->behind = true;
                roster_behind(&a->roster);
        }
        presence_attached(&a->presence, s);
        if (!known && in->has_kept)
                restore(a, s, in->kept);
        if (in->has_kept || roster_status_of(&a->roster, s->party->user, &at).n || presence_kept(&a->presence, s, leases))
                keep(a, s);
}

void attendance_ended(struct attendance *a, const struct session *s)
{
        presence_ended(&a->presence, s);
        roster_left(&a->roster, s->party->user);
}

void attendance_lost(struct attendance *a, const struct session *s, int64_t heard_us)
{
        presence_lost(&a->presence, s, heard_us);
        roster_left(&a->roster, s->party->user);
}

void attendance_op(struct attendance *a, const struct shared_event *event)
{
        int64_t now_ms = clock_now_ms(a->fanout->service->clock);
        struct ulid ticket;

        if (!a->losses.since)
                a->losses.since = event->event.at < now_ms ? event->event.at : now_ms;
        if (event_loses(event, &ticket)) {
                presence_lose(&a->presence, event->readers->target, ticket);
                losses_note(&a->losses, event->readers->target, ticket, event->event.at);
        } else if (event_gains(event, &ticket)) {
                losses_regain(&a->losses, event->readers->target, ticket);
        } else if (str_is(event->event.type, schema_event_role_changed.name)) {
                presence_forget(&a->presence, event->readers->target);
        }
        if (event->seq < a->refreshed + REFRESH_OPS)
                return;
        a->refreshed = event->seq;
        presence_refresh(&a->presence);
}

/* ---- life ---- */

void attendance_init(struct attendance *a, struct fanout *f)
{
        struct loop *loop = f->service->loop;

        *a = (struct attendance){ .fanout = f, .id = ulid_new(clock_now_ms(f->service->clock)), .wake.run = wake };
        grant_key_init(&a->grant_key, f->caller_key);
        kept_key_init(&a->kept_key, f->caller_key);
        presence_init(&a->presence, loop, &(struct presence_events){ .tell = tell_presence, .leases = keep, .data = a });
        roster_init(&a->roster, loop, &(struct roster_events){ .tell = tell_roster, .catch_up = catch_up, .data = a });
}

void attendance_deinit(struct attendance *a)
{
        if (a->waking)
                loop_unpost(a->fanout->service->loop, &a->wake);
        presence_deinit(&a->presence);
        roster_deinit(&a->roster);
        typists_deinit(&a->typists);
        losses_deinit(&a->losses);
        recipients_deinit(&a->to);
}

/* What people say and ask of who is there. */
#include "fanout.h"

#include "schema/fanout_handlers.h"

#include <errno.h>

/* A session of the caller's on this device, attached as who they are now. */
static struct session *own_session(struct fanout *f, const struct call *c, struct ulid id)
{
        struct session *s = sessions_find(&f->sessions, id);

        return s && session_is_of(s, &c->caller) && s->agent == fanout_serves_as_agent(f, &c->caller) ? s : NULL;
}

static int check_grant(struct fanout *f, struct call *c, const struct presence_view *in, bool agent)
{
        struct grant grant;
        int r = grant_parse(&f->attendance.grant_key, in->grant, clock_now_ms(f->service->clock), &grant);

        if (r && r != -ESTALE)
                return call_not_found(c);
        if (!r && (!ulid_eq(grant.user, c->caller.user) || !ulid_eq(grant.ticket, in->ticket) || grant.agent != agent))
                return call_not_found(c);
        if (r || losses_void(&f->attendance.losses, &grant))
                return call_expired(c, "the grant is over: get the ticket again");
        return 0;
}

static struct viewer *copy_people(struct fanout *f, struct call *c, struct ulid ticket, bool to_agent, size_t *ret_n)
{
        const struct viewer *people;
        size_t n = presence_people(&f->attendance.presence, ticket, to_agent, &people);
        struct viewer *copy = arena_array(&c->arena, n, sizeof(*copy));

        if (n)
                memcpy(copy, people, n * sizeof(*copy));
        *ret_n = n;
        return copy;
}

int fanout_on_presence_view(struct fanout *f, struct call *c, const struct presence_view *in, struct presence_view_result *ret)
{
        struct session *s = own_session(f, c, in->session);
        int r;

        if (!s)
                return call_not_found(c);
        if (in->note && !s->agent)
                return call_forbidden(c, "notes are the agents'");
        r = check_grant(f, c, in, s->agent);
        if (r)
                return r;
        if (presence_view(&f->attendance.presence, s, in->ticket, (enum look)in->activity, in->note))
                return call_too_large(c, PRESENCE_TICKETS, "a session shows at most %d tickets", PRESENCE_TICKETS);
        ret->people.items = copy_people(f, c, in->ticket, s->agent, &ret->people.n);
        return 0;
}

int fanout_on_presence_leave(struct fanout *f, struct call *c, const struct presence_leave *in, struct presence_leave_result *ret)
{
        struct session *s = own_session(f, c, in->session);

        (void)ret;
        if (!s)
                return call_not_found(c);
        presence_leave(&f->attendance.presence, s, in->ticket);
        return 0;
}

int fanout_on_presence_list(struct fanout *f, struct call *c, const struct presence_list *in, struct presence_list_result *ret)
{
        bool agent = fanout_serves_as_agent(f, &c->caller);

        ret->items.items = arena_array(&c->arena, in->tickets.n, sizeof(*ret->items.items));
        for (size_t i = 0; i < in->tickets.n; i++) {
                struct ticket_presence *t = &ret->items.items[ret->items.n];

                if (!agent && !presence_holds(&f->attendance.presence, c->caller.user, in->tickets.items[i]))
                        continue;
                t->ticket = in->tickets.items[i];
                t->people.items = copy_people(f, c, t->ticket, agent, &t->people.n);
                ret->items.n += t->people.n > 0;
        }
        return 0;
}

int fanout_on_typing_relay(struct fanout *f, struct call *c, const struct typing_relay *in, struct typing_relay_result *ret)
{
        struct session *s = own_session(f, c, in->session);
        int64_t retry_after_ms;

        (void)ret;
        if (!s)
                return call_not_found(c);
        if (in->note && !s->agent)
                return call_forbidden(c, "notes are the agents'");
        if (typists_take(&f->attendance.typists, c->caller.user, clock_steady_us(f->service->clock), &retry_after_ms))
                return call_rate_limited(c, retry_after_ms);
        return presence_type(&f->attendance.presence, s, in->ticket, in->note) ? call_not_found(c) : 0;
}

int fanout_on_presence_online(struct fanout *f, struct call *c, const struct presence_online *in, struct presence_online_result *ret)
{
        ret->items.items = arena_array(&c->arena, (size_t)in->limit + 1, sizeof(*ret->items.items));
        ret->items.n = roster_page(&f->attendance.roster, c->caller.user, fanout_serves_as_agent(f, &c->caller), in->after, (size_t)in->limit,
                                   ret->items.items, &ret->next);
        ret->has_next = ret->next > 0;
        return 0;
}

int fanout_on_presence_status(struct fanout *f, struct call *c, const struct presence_status *in, struct presence_status_result *ret)
{
        struct session *s = own_session(f, c, in->session);

        (void)ret;
        if (!s)
                return call_not_found(c);
        roster_status(&f->attendance.roster, c->caller.user, in->text, clock_now_ms(f->service->clock));
        attendance_keep_status(&f->attendance, s->party);
        return 0;
}

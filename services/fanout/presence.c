#include "presence_lease.h"

#include "fault.h"

#include <stdlib.h>
#include <utlist.h>

static void *make(size_t size)
{
        void *p = calloc(1, size);

        if (!p)
                abort();
        return p;
}

static int64_t now_us(const struct presence *p)
{
        return clock_steady_us(loop_clock(p->loop));
}

static struct watched *watched_find(const struct presence *p, struct ulid ticket)
{
        struct watched *w;

        HASH_FIND(hh, p->tickets, &ticket, sizeof(ticket), w);
        return w;
}

static struct holder *holder_find(const struct presence *p, struct ulid id)
{
        struct holder *h;

        HASH_FIND(hh, p->holders, &id, sizeof(id), h);
        return h;
}

static struct lease *lease_find(const struct presence *p, const struct session *s, struct ulid ticket)
{
        struct holder *h = holder_find(p, s->id);
        struct lease *l;

        if (h)
                DL_FOREACH2(h->leases, l, next_of_holder)
                        if (ulid_eq(l->ticket->ticket, ticket))
                                return l;
        return NULL;
}

/* ---- time: everything in a list waits equally long, so that the first is due first ---- */

void presence_arm(struct presence *p)
{
        int64_t at = INT64_MAX;

        if (p->quiet)
                at = p->quiet->quiet_until;
        if (p->typing && p->typing->until < at)
                at = p->typing->until;
        if (p->lost && p->lost->until < at)
                at = p->lost->until;
        if (at == INT64_MAX)
                loop_timer_stop(p->timer);
        else
                loop_timer_set(p->timer, at - now_us(p));
}

static void typing_stop(struct presence *p, struct typing *t)
{
        if (t->until)
                DL_DELETE(p->typing, t);
        t->until = 0;
}

/* ---- leases ---- */

static struct watched *watched_of(struct presence *p, struct ulid ticket)
{
        struct watched *w = watched_find(p, ticket);

        if (w)
                return w;
        w = make(sizeof(*w));
        w->ticket = ticket;
        w->faces[CUSTOMERS].ticket = w->faces[AGENTS].ticket = w;
        HASH_ADD(hh, p->tickets, ticket, sizeof(w->ticket), w);
        return w;
}

static struct holder *holder_of(struct presence *p, struct session *s)
{
        struct holder *h = holder_find(p, s->id);

        if (h)
                return h;
        h = make(sizeof(*h));
        h->id = s->id;
        h->user = s->party->user;
        h->agent = s->agent;
        h->session = s;
        HASH_ADD(hh, p->holders, id, sizeof(h->id), h);
        return h;
}

static struct lease *lease_new(struct presence *p, struct session *s, struct ulid ticket, int64_t since_at)
{
        struct lease *l = make(sizeof(*l));

        l->holder = holder_of(p, s);
        l->ticket = watched_of(p, ticket);
        l->since_at = since_at;
        l->untold = true;
        l->typing[PUBLIC].lease = l->typing[NOTE].lease = l;
        DL_APPEND(l->ticket->leases, l);
        DL_APPEND2(l->holder->leases, l, prev_of_holder, next_of_holder);
        p->leases++;
        return l;
}

/* The holder goes with its last one. */
static void lease_end(struct presence *p, struct lease *l)
{
        struct holder *h = l->holder;
        struct watched *w = l->ticket;

        typing_stop(p, &l->typing[PUBLIC]);
        typing_stop(p, &l->typing[NOTE]);
        DL_DELETE(w->leases, l);
        DL_DELETE2(h->leases, l, prev_of_holder, next_of_holder);
        p->leases--;
        free(l);
        if (h->session)
                p->events.leases(p->events.data, h->session);
        if (!h->leases) {
                if (!h->session)
                        DL_DELETE(p->lost, h);
                HASH_DEL(p->holders, h);
                free(h);
        }
        presence_changed(p, w);
}

static void holder_end(struct presence *p, struct holder *h)
{
        struct lease *l = h->leases, *next;

        for (; l; l = next) {
                next = l->next_of_holder;
                lease_end(p, l);
        }
}

int presence_view(struct presence *p, struct session *s, struct ulid ticket, enum look look, bool note)
{
        struct lease *l = lease_find(p, s, ticket), *other;
        bool drafting = look == LOOK_DRAFTING, same = l && l->drafting == drafting && l->note == note;
        size_t n = 0;

        if (!l) {
                const struct holder *h = holder_find(p, s->id);

                if (h)
                        DL_COUNT2(h->leases, other, n, next_of_holder);
                if (n >= PRESENCE_TICKETS)
                        return FAULT_TOO_LARGE;
                l = lease_new(p, s, ticket, clock_now_ms(loop_clock(p->loop)));
        }
        l->drafting = drafting;
        l->note = note;
        typing_stop(p, &l->typing[PUBLIC]);
        typing_stop(p, &l->typing[NOTE]);
        if (!same)
                p->events.leases(p->events.data, s);
        presence_changed(p, l->ticket);
        return 0;
}

void presence_leave(struct presence *p, const struct session *s, struct ulid ticket)
{
        struct lease *l = lease_find(p, s, ticket);

        if (l)
                lease_end(p, l);
}

int presence_type(struct presence *p, const struct session *s, struct ulid ticket, bool note)
{
        struct lease *l = lease_find(p, s, ticket);
        struct typing *t;

        if (!l)
                return FAULT_NOT_FOUND;
        t = &l->typing[note ? NOTE : PUBLIC];
        typing_stop(p, t);
        t->until = now_us(p) + PRESENCE_TYPING_US;
        DL_APPEND(p->typing, t);
        presence_changed(p, l->ticket);
        return 0;
}

/* ---- sessions come and go ---- */

void presence_attached(struct presence *p, struct session *s)
{
        struct holder *h = holder_find(p, s->id);
        struct lease *l;

        if (!h)
                return;
        if (h->agent != s->agent || !ulid_eq(h->user, s->party->user)) {
                holder_end(p, h);
                return;
        }
        if (!h->session)
                DL_DELETE(p->lost, h);
        h->session = s;
        DL_FOREACH2(h->leases, l, next_of_holder) {
                l->untold = true;
                presence_changed(p, l->ticket);
        }
}

void presence_ended(struct presence *p, const struct session *s)
{
        struct holder *h = holder_find(p, s->id);

        if (!h)
                return;
        h->session = NULL;           /* which is nobody's to speak to, from here */
        DL_PREPEND(p->lost, h);
        holder_end(p, h);
}

void presence_lost(struct presence *p, const struct session *s, int64_t heard_us)
{
        struct holder *h = holder_find(p, s->id), *before;

        if (!h)
                return;
        h->session = NULL;
        h->until = heard_us + PRESENCE_LEASE_US;
        before = p->lost ? p->lost->prev : NULL; /* the last one */
        while (before && before->until > h->until)
                before = before == p->lost ? NULL : before->prev;
        if (before)
                DL_APPEND_ELEM(p->lost, before, h);
        else
                DL_PREPEND(p->lost, h);
        presence_arm(p);
}

void presence_lose(struct presence *p, struct ulid user, struct ulid ticket)
{
        struct watched *w = watched_find(p, ticket);
        struct lease *l = w ? w->leases : NULL, *next;

        for (; l; l = next) {
                next = l->next;      /* while it is there, so is the ticket */
                if (!l->holder->agent && ulid_eq(l->holder->user, user))
                        lease_end(p, l);
        }
}

void presence_forget(struct presence *p, struct ulid user)
{
        struct holder *h, *next;

        HASH_ITER(hh, p->holders, h, next)
                if (ulid_eq(h->user, user))
                        holder_end(p, h);
}

/* ---- over a restart ---- */

void presence_refresh(struct presence *p)
{
        for (struct holder *h = p->holders; h; h = h->hh.next)
                if (!h->agent && h->session)
                        p->events.leases(p->events.data, h->session);
}

size_t presence_kept(const struct presence *p, const struct session *s, struct kept_lease ret[PRESENCE_TICKETS])
{
        const struct holder *h = holder_find(p, s->id);
        const struct lease *l;
        size_t n = 0;

        if (h)
                DL_FOREACH2(h->leases, l, next_of_holder)
                        ret[n++] = (struct kept_lease){ .ticket = l->ticket->ticket, .since_at = l->since_at,
                                                        .activity = l->drafting ? LOOK_DRAFTING : LOOK_VIEWING, .note = l->note };
        return n;
}

void presence_restore(struct presence *p, struct session *s, const struct kept_lease *lease)
{
        struct lease *l;

        if (lease_find(p, s, lease->ticket))
                return;
        l = lease_new(p, s, lease->ticket, lease->since_at);
        l->drafting = lease->activity == LOOK_DRAFTING;
        l->note = lease->note;
        presence_changed(p, l->ticket);
}

/* ---- questions ---- */

size_t presence_people(struct presence *p, struct ulid ticket, bool to_agent, const struct viewer **ret)
{
        const struct watched *w = watched_find(p, ticket);
        size_t n = w ? presence_look(p, w, to_agent ? AGENTS : CUSTOMERS) : 0;

        *ret = p->people;
        return n;
}

bool presence_holds(const struct presence *p, struct ulid user, struct ulid ticket)
{
        const struct watched *w = watched_find(p, ticket);
        const struct lease *l;

        if (w)
                DL_FOREACH(w->leases, l)
                        if (ulid_eq(l->holder->user, user))
                                return true;
        return false;
}

/* ---- life ---- */

static void on_timer(void *data)
{
        struct presence *p = data;
        int64_t now = now_us(p);

        while (p->typing && p->typing->until <= now) {
                struct lease *l = p->typing->lease;

                typing_stop(p, p->typing);
                presence_changed(p, l->ticket);
        }
        while (p->lost && p->lost->until <= now)
                holder_end(p, p->lost);
        presence_quiet_over(p, now);
        presence_arm(p);
}

void presence_init(struct presence *p, struct loop *loop, const struct presence_events *events)
{
        *p = (struct presence){ .loop = loop, .events = *events };
        p->timer = loop_timer_new(loop, on_timer, p);
        if (!p->timer)
                abort();
}

void presence_deinit(struct presence *p)
{
        struct watched *w, *next_watched;
        struct holder *h, *next;
        struct lease *l, *next_lease;

        HASH_ITER(hh, p->holders, h, next) {
                DL_FOREACH_SAFE2(h->leases, l, next_lease, next_of_holder)
                        free(l);
                HASH_DEL(p->holders, h);
                free(h);
        }
        HASH_ITER(hh, p->tickets, w, next_watched) {
                HASH_DEL(p->tickets, w);
                free(w);
        }
        loop_timer_free(p->timer);
        recipients_deinit(&p->to);
        free(p->people);
}

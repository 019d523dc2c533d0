#include "roster.h"

#include <stdlib.h>
#include <utlist.h>

struct member {
        struct ulid user;            /* the key */
        int64_t number;              /* grows with each who comes, or changes sides */
        unsigned connections;
        bool agent;
        bool here;                   /* connected, or may come back */
        bool shown;                  /* customers were told that they are here */
        bool is_changed;             /* is in that list */
        bool status_changed;
        int64_t since_at;
        int64_t until;               /* without a connection */
        struct str status;           /* ours */
        int64_t status_at;
        struct member *prev, *next;  /* of those who leave */
        struct member *prev_changed, *next_changed;
        struct member *prev_staff, *next_staff;
        UT_hash_handle hh;
};

static int64_t now_us(const struct roster *r)
{
        return clock_steady_us(loop_clock(r->loop));
}

static struct member *member_find(const struct roster *r, struct ulid user)
{
        struct member *m;

        HASH_FIND(hh, r->members, &user, sizeof(user), m);
        return m;
}

static void member_free(struct roster *r, struct member *m)
{
        HASH_DEL(r->members, m);
        if (m->agent)
                DL_DELETE2(r->staff, m, prev_staff, next_staff);
        free((char *)(uintptr_t)m->status.p);
        free(m);
}

static void arm(struct roster *r)
{
        int64_t at = INT64_MAX;

        if (r->changed)
                at = r->quiet_until;
        if (r->leaving && r->leaving->until < at)
                at = r->leaving->until;
        if (r->catch_up_at && r->catch_up_at < at)
                at = r->catch_up_at;
        if (at == INT64_MAX)
                loop_timer_stop(r->timer);
        else
                loop_timer_set(r->timer, at - now_us(r));
}

/* ---- telling ---- */

static void flush_people(struct roster *r, enum roster_audience to, struct event_presence_online *event)
{
        if (event->people.n)
                r->events.tell(r->events.data, to, (struct ulid){ 0 }, event);
        event->people.n = 0;
}

static void add(struct roster *r, struct event_presence_online *event, const struct member *m, bool online)
{
        event->people.items = r->people;
        r->people[event->people.n++] = (struct online_change){ .user = m->user, .online = online,
                                                               .status = online ? m->status : (struct str){ 0 } };
}

static void tell_agents(struct roster *r)
{
        struct event_presence_online event = { 0 };
        const struct member *m;

        DL_FOREACH2(r->changed, m, next_changed) {
                add(r, &event, m, m->here);
                if (event.people.n == ROSTER_PEOPLE)
                        flush_people(r, ROSTER_AGENTS, &event);
        }
        flush_people(r, ROSTER_AGENTS, &event);
}

/* Who was an agent and is none any more is gone, for them. */
static void tell_customers(struct roster *r)
{
        struct event_presence_online event = { 0 };
        struct member *m;

        DL_FOREACH2(r->changed, m, next_changed) {
                bool shown = m->agent && m->here;

                if (shown || m->shown)
                        add(r, &event, m, shown);
                m->shown = shown;
                if (event.people.n == ROSTER_PEOPLE)
                        flush_people(r, ROSTER_CUSTOMERS, &event);
        }
        flush_people(r, ROSTER_CUSTOMERS, &event);
}

static void tell_themselves(struct roster *r)
{
        const struct member *m;

        DL_FOREACH2(r->changed, m, next_changed) {
                struct event_presence_online event = { 0 };

                if (!m->status_changed || m->agent || !m->here)
                        continue;
                add(r, &event, m, true);
                r->events.tell(r->events.data, ROSTER_USER, m->user, &event);
        }
}

static void tell(struct roster *r)
{
        struct member *m, *next;

        tell_agents(r);
        tell_customers(r);
        tell_themselves(r);
        DL_FOREACH_SAFE2(r->changed, m, next, next_changed) {
                m->is_changed = m->status_changed = false;
                if (!m->here)
                        member_free(r, m);
        }
        r->changed = NULL;
        r->quiet_until = now_us(r) + ROSTER_QUIET_US;
}

static void changed(struct roster *r, struct member *m)
{
        if (!m->is_changed)
                DL_APPEND2(r->changed, m, prev_changed, next_changed);
        m->is_changed = true;
        if (now_us(r) >= r->quiet_until)
                tell(r);
}

/* ---- who comes and goes ---- */

static struct member *member_new(struct roster *r, struct ulid user)
{
        struct member *m = calloc(1, sizeof(*m));

        if (!m)
                abort();
        m->user = user;
        m->number = ++r->numbers;
        HASH_ADD(hh, r->members, user, sizeof(m->user), m);
        return m;
}

/* Both lists stay in the order of numbers. */
static void set_agent(struct roster *r, struct member *m, bool agent)
{
        if (m->agent == agent)
                return;
        HASH_DEL(r->members, m);
        m->number = ++r->numbers;
        HASH_ADD(hh, r->members, user, sizeof(m->user), m);
        if (agent)
                DL_APPEND2(r->staff, m, prev_staff, next_staff);
        else
                DL_DELETE2(r->staff, m, prev_staff, next_staff);
        m->agent = agent;
}

void roster_came(struct roster *r, struct ulid user, bool agent, int64_t at_ms, bool again)
{
        struct member *m = member_find(r, user);
        bool was_here = m && m->here, was_agent = m && m->agent;

        if (!m)
                m = member_new(r, user);
        if (was_here && !m->connections)
                DL_DELETE(r->leaving, m);
        if (!was_here || at_ms < m->since_at)
                m->since_at = at_ms;
        m->connections++;
        m->here = true;
        agent = agent || (was_agent && m->connections > 1);
        set_agent(r, m, agent);
        if (again && !was_here)
                m->shown = agent;
        else if (!was_here || agent != was_agent)
                changed(r, m);
        arm(r);
}

void roster_left(struct roster *r, struct ulid user)
{
        struct member *m = member_find(r, user);

        if (!m || !m->connections || --m->connections > 0)
                return;
        m->until = now_us(r) + ROSTER_GRACE_US;
        DL_APPEND(r->leaving, m);
        arm(r);
}

void roster_demoted(struct roster *r, struct ulid user)
{
        struct member *m = member_find(r, user);

        if (!m || !m->agent)
                return;
        set_agent(r, m, false);
        if (m->here)
                changed(r, m);
        arm(r);
}

void roster_status(struct roster *r, struct ulid user, struct str text, int64_t at_ms)
{
        struct member *m = member_find(r, user);
        char *copy;

        if (!m || !m->here || at_ms < m->status_at)
                return;
        m->status_at = at_ms;
        if (str_eq(m->status, text))
                return;
        copy = malloc(text.n + 1);
        if (!copy)
                abort();
        memcpy(copy, text.p, text.n);
        free((char *)(uintptr_t)m->status.p);
        m->status = (struct str){ copy, text.n };
        m->status_changed = true;
        changed(r, m);
        arm(r);
}

struct str roster_status_of(const struct roster *r, struct ulid user, int64_t *ret_at)
{
        const struct member *m = member_find(r, user);

        *ret_at = m ? m->status_at : 0;
        return m ? m->status : (struct str){ 0 };
}

/* ---- all of them ---- */

size_t roster_count(const struct roster *r)
{
        return HASH_COUNT(r->members);
}

void roster_behind(struct roster *r)
{
        int64_t at = now_us(r) + ROSTER_QUIET_US, first = r->started_us + ROSTER_GRACE_US;

        if (r->catch_up_at)
                return;
        r->catch_up_at = at > first ? at : first;
        arm(r);
}

/* From one to the next of those whom an agent, or a customer, may know; NULL: from the first. */
static const struct member *known(const struct roster *r, bool to_agent, const struct member *after)
{
        const struct member *m = after;

        do {
                if (to_agent)
                        m = m ? m->hh.next : r->members;
                else
                        m = m ? m->next_staff : r->staff;
        } while (m && !m->here);
        return m;
}

void roster_all(struct roster *r, bool to_agents, void (*each)(void *data, const struct event_presence_online *event), void *data)
{
        struct event_presence_online event = { .complete = true };

        for (const struct member *m = known(r, to_agents, NULL); m; m = known(r, to_agents, m)) {
                add(r, &event, m, true);
                if (event.people.n < ROSTER_PEOPLE)
                        continue;
                each(data, &event);
                event = (struct event_presence_online){ 0 };
        }
        if (event.people.n || event.complete)
                each(data, &event);
}

size_t roster_page(const struct roster *r, struct ulid user, bool agent, int64_t after, size_t max, struct online *ret, int64_t *ret_next)
{
        const struct member *self = agent || after ? NULL : member_find(r, user);
        int64_t last = after;
        size_t n = 0;

        *ret_next = 0;
        if (self && self->here && !self->agent) {
                ret[n++] = (struct online){ .user = user, .status = self->status, .since_at = self->since_at };
                max++;
        }
        for (const struct member *m = known(r, agent, NULL); m; m = known(r, agent, m)) {
                if (m->number <= after)
                        continue;
                if (n == max) {
                        *ret_next = last;
                        break;
                }
                ret[n++] = (struct online){ .user = m->user, .status = m->status, .since_at = m->since_at };
                last = m->number;
        }
        return n;
}

/* ---- life ---- */

static void on_timer(void *data)
{
        struct roster *r = data;
        int64_t now = now_us(r);

        while (r->leaving && r->leaving->until <= now) {
                struct member *m = r->leaving;

                DL_DELETE(r->leaving, m);
                m->here = false;
                changed(r, m);
        }
        if (r->changed && r->quiet_until <= now)
                tell(r);
        if (r->catch_up_at && r->catch_up_at <= now) {
                r->catch_up_at = 0;
                r->events.catch_up(r->events.data);
        }
        arm(r);
}

void roster_init(struct roster *r, struct loop *loop, const struct roster_events *events)
{
        *r = (struct roster){ .loop = loop, .events = *events, .started_us = clock_steady_us(loop_clock(loop)) };
        r->timer = loop_timer_new(loop, on_timer, r);
        if (!r->timer)
                abort();
}

void roster_deinit(struct roster *r)
{
        struct member *m, *next;

        HASH_ITER(hh, r->members, m, next)
                member_free(r, m);
        loop_timer_free(r->timer);
}

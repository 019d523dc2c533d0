/* What is shown of a ticket: made from its leases, and told to those who look when it is not what they were told. */
#include "presence_lease.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <utlist.h>

static enum activity activity_of(const struct lease *l, enum face_of face)
{
        if (l->typing[PUBLIC].until || (face == AGENTS && l->typing[NOTE].until))
                return ACTIVITY_TYPING;
        return l->drafting && (face == AGENTS || !l->note) ? ACTIVITY_DRAFTING : ACTIVITY_VIEWING;
}

static int by_user(const void *left, const void *right)
{
        return ulid_cmp(((const struct viewer *)left)->user, ((const struct viewer *)right)->user);
}

static int by_since(const void *left, const void *right)
{
        const struct viewer *a = left, *b = right;

        return a->since_at != b->since_at ? (a->since_at > b->since_at) - (a->since_at < b->since_at) : by_user(a, b);
}

size_t presence_look(struct presence *p, const struct watched *w, enum face_of face)
{
        size_t n = 0, users = 0;

        for (const struct lease *l = w->leases; l; l = l->next) {
                if (n == p->people_max) {
                        p->people_max = n ? 2 * n : 16;
                        p->people = realloc(p->people, p->people_max * sizeof(*p->people));
                        if (!p->people)
                                abort();
                }
                p->people[n++] = (struct viewer){ .user = l->holder->user, .activity = (int)activity_of(l, face), .since_at = l->since_at };
        }
        if (n)
                qsort(p->people, n, sizeof(*p->people), by_user);
        for (size_t i = 0; i < n; i++) {
                struct viewer *v = &p->people[users];

                if (i == 0 || !ulid_eq(p->people[i].user, v[-1].user)) {
                        *v = p->people[i];
                        users++;
                        continue;
                }
                if (p->people[i].activity > v[-1].activity)
                        v[-1].activity = p->people[i].activity;
                if (p->people[i].since_at < v[-1].since_at)
                        v[-1].since_at = p->people[i].since_at;
        }
        if (users)
                qsort(p->people, users, sizeof(*p->people), by_since);
        return users < PRESENCE_PEOPLE ? users : PRESENCE_PEOPLE;
}

static void hash(const struct viewer *people, size_t n, uint8_t ret[16])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, NULL, 0, 16);
        for (size_t i = 0; i < n; i++) {
                crypto_generichash_update(&state, people[i].user.b, sizeof(people[i].user.b));
                crypto_generichash_update(&state, (const uint8_t *)&people[i].activity, sizeof(people[i].activity));
                crypto_generichash_update(&state, (const uint8_t *)&people[i].since_at, sizeof(people[i].since_at));
        }
        crypto_generichash_final(&state, ret, 16);
}

/* Tells those whom it concerns: all where it is another one than they were told, else who was not told yet. */
static void face_tell(struct presence *p, struct face *f)
{
        const struct watched *w = f->ticket;
        enum face_of of = (enum face_of)(f - w->faces);
        struct event_presence_changed event = { .ticket = w->ticket };
        uint8_t now[sizeof(f->told)];
        bool other;

        f->changed = false;
        event.people.n = presence_look(p, w, of);
        event.people.items = p->people;
        hash(p->people, event.people.n, now);
        other = memcmp(now, f->told, sizeof(now)) != 0;
        p->to.n = 0;
        for (struct lease *l = w->leases; l; l = l->next) {
                struct session *s = l->holder->session;

                if (l->holder->agent != (of == AGENTS))
                        continue;
                l->untold = l->untold || other;
                if (!l->untold || !s || !s->pushed)
                        continue;
                l->untold = false;
                recipients_add(&p->to, s);
        }
        memcpy(f->told, now, sizeof(now));
        if (!p->to.n)
                return;
        f->quiet = true;
        f->quiet_until = clock_steady_us(loop_clock(p->loop)) + PRESENCE_QUIET_US;
        DL_APPEND(p->quiet, f);
        p->events.tell(p->events.data, &event, &p->to);
}

static void watched_tidy(struct presence *p, struct watched *w)
{
        if (w->leases || w->faces[CUSTOMERS].quiet || w->faces[AGENTS].quiet)
                return;
        assert(p->tickets);
        HASH_DEL(p->tickets, w);
        free(w);
}

void presence_changed(struct presence *p, struct watched *w)
{
        for (struct face *f = w->faces; f < w->faces + FACES; f++) {
                if (f->quiet)
                        f->changed = true;
                else
                        face_tell(p, f);
        }
        watched_tidy(p, w);
        presence_arm(p);
}

void presence_quiet_over(struct presence *p, int64_t now_us)
{
        while (p->quiet && p->quiet->quiet_until <= now_us) {
                struct face *f = p->quiet;

                DL_DELETE(p->quiet, f);
                f->quiet = false;
                if (f->changed)
                        face_tell(p, f);
                watched_tidy(p, f->ticket);
        }
}

#include "session.h"

#include "outlet.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct session *sessions_find(const struct sessions *all, struct ulid id)
{
        struct session *s;

        HASH_FIND(hh, all->by_id, &id, sizeof(id), s);
        return s;
}

struct party *sessions_party(const struct sessions *all, struct ulid user)
{
        struct party *p;

        HASH_FIND(hh, all->parties, &user, sizeof(user), p);
        return p;
}

size_t sessions_count(const struct sessions *all)
{
        return HASH_COUNT(all->by_id);
}

static struct party *party_of(struct sessions *all, struct ulid user)
{
        struct party *p = sessions_party(all, user);

        if (p)
                return p;
        p = calloc(1, sizeof(*p));
        if (!p)
                abort();
        p->user = user;
        HASH_ADD(hh, all->parties, user, sizeof(p->user), p);
        return p;
}

/* Another device would be another hash, or the work of somebody who breaks BLAKE2b. */
static struct device_tag tag_of(struct str device)
{
        struct device_tag tag;

        crypto_generichash(tag.b, sizeof(tag.b), (const uint8_t *)device.p, device.n, NULL, 0);
        return tag;
}

static bool is_on(const struct session *s, const struct device_tag *device)
{
        return memcmp(&s->device, device, sizeof(*device)) == 0;
}

/* A user has few devices, so those of a party are looked for one by one. */
static bool party_has(const struct party *p, const struct device_tag *device)
{
        const struct session *s;

        DL_FOREACH(p->sessions, s)
                if (is_on(s, device))
                        return true;
        return false;
}

bool session_is_of(const struct session *s, const struct caller *caller)
{
        const struct device_tag device = tag_of(caller->device);

        return ulid_eq(s->party->user, caller->user) && is_on(s, &device);
}

static struct session *session_new(struct sessions *all, struct outlet *outlet, struct ulid id, const struct caller *caller)
{
        struct session *s = calloc(1, sizeof(*s));

        if (!s)
                abort();
        s->id = id;
        s->outlet = outlet;
        s->party = party_of(all, caller->user);
        s->device = tag_of(caller->device);
        all->devices += !party_has(s->party, &s->device);
        HASH_ADD(hh, all->by_id, id, sizeof(s->id), s);
        DL_APPEND(s->party->sessions, s);
        DL_APPEND2(outlet->sessions, s, prev_here, next_here);
        return s;
}

static void set_agent(struct sessions *all, struct session *s, bool agent)
{
        if (agent && !s->agent)
                DL_APPEND2(all->agents, s, prev_agent, next_agent);
        else if (!agent && s->agent)
                DL_DELETE2(all->agents, s, prev_agent, next_agent);
        s->agent = agent;
}

struct session *sessions_attach(struct sessions *all, struct outlet *outlet, struct ulid id, int64_t number, const struct caller *caller,
                                bool agent)
{
        struct session *s = sessions_find(all, id);

        if (s && (s->outlet != outlet || !session_is_of(s, caller)))
                return NULL;
        if (!s)
                s = session_new(all, outlet, id, caller);
        s->number = number;
        s->pushed = s->demoted = false;
        set_agent(all, s, agent);
        return s;
}

void sessions_demote(struct sessions *all, struct session *s)
{
        s->demoted = s->demoted || s->agent;
        set_agent(all, s, false);
}

void sessions_detach(struct sessions *all, struct session *s)
{
        struct party *p = s->party;

        DL_DELETE(p->sessions, s);
        all->devices -= !party_has(p, &s->device);
        if (!p->sessions) {
                HASH_DEL(all->parties, p);
                free(p);
        }
        set_agent(all, s, false);
        DL_DELETE2(s->outlet->sessions, s, prev_here, next_here);
        HASH_DEL(all->by_id, s);
        free(s);
}

/* ---- recipients ---- */

void recipients_add(struct recipients *r, struct session *s)
{
        if (r->n == r->capacity) {
                r->capacity = r->capacity ? 2 * r->capacity : 64;
                r->items = realloc(r->items, r->capacity * sizeof(struct session *));
                if (!r->items)
                        abort();
        }
        r->items[r->n++] = s;
}

void recipients_deinit(struct recipients *r)
{
        free(r->items);
        *r = (struct recipients){ 0 };
}

static void add_pushed(struct recipients *r, struct session *s)
{
        if (s->pushed)
                recipients_add(r, s);
}

/* Which sessions of a user: those with a customer's rights may be an agent's, too. */
enum which { ALL, AS_CUSTOMER, AS_AGENT };

static void add_user(const struct sessions *all, struct ulid user, enum which which, struct recipients *ret)
{
        struct party *p = sessions_party(all, user);
        struct session *s;

        if (!p)
                return;
        DL_FOREACH(p->sessions, s)
                if (which == ALL || s->agent == (which == AS_AGENT))
                        add_pushed(ret, s);
}

void sessions_select(const struct sessions *all, const struct readers *readers, struct recipients *ret)
{
        struct session *s;

        ret->n = 0;
        if (readers->kind == AUDIENCE_ALL) {
                for (s = all->by_id; s; s = s->hh.next)
                        add_pushed(ret, s);
                return;
        }
        if (readers->kind == AUDIENCE_USER) {
                add_user(all, readers->target, readers->as_agent ? AS_AGENT : ALL, ret);
                return;
        }
        DL_FOREACH2(all->agents, s, next_agent)
                add_pushed(ret, s);
        for (size_t i = 0; readers->kind == AUDIENCE_TICKET && i < readers->n; i++)
                add_user(all, readers->users[i], AS_CUSTOMER, ret);
}

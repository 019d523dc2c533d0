/* Who looks at which ticket, and types there. A session holds a lease on each ticket that it shows, and is told of those alone.
 *
 * A lease is held for as long as its session is attached. Where the session's gateway is lost without a word, it is held for PRESENCE_LEASE_US
 * from when that was last heard, so that nobody sees people leave and come back when a gateway announces its sessions anew.
 *
 * A ticket has two faces, one for agents and one for customers, who see nothing of what agents do about internal notes: not even by
 * when they are told. A face is told at once when it has changed, then not for PRESENCE_QUIET_US. */
#pragma once
#include "loop.h"
#include "schema/presence.h"
#include "session.h"

enum {
        PRESENCE_LEASE_US = 60 * 1000000,
        PRESENCE_TYPING_US = 6 * 1000000,
        PRESENCE_QUIET_US = 250 * 1000,
        PRESENCE_TICKETS = 16,       /* that one session may show */
        PRESENCE_PEOPLE = 100,       /* that are shown of a ticket */
};

struct presence_events {
        void (*tell)(void *data, const struct event_presence_changed *event, const struct recipients *to);
        void (*leases)(void *data, struct session *s);  /* those of this session are others now */
        void *data;
};

struct holder;
struct watched;
struct face;
struct typing;
struct presence {
        struct loop *loop;
        struct presence_events events;
        struct holder *holders;      /* sessions with leases, by id */
        struct holder *lost;         /* whose gateway is; the first to end first */
        struct watched *tickets;
        struct face *quiet;          /* were told lately; the oldest first */
        struct typing *typing;       /* likewise */
        struct loop_timer *timer;
        size_t leases;
        struct recipients to;
        struct viewer *people;       /* room for those at one ticket */
        size_t people_max;
};
void presence_init(struct presence *p, struct loop *loop, const struct presence_events *events);
void presence_deinit(struct presence *p);

/* Takes or renews a lease, and ends what presence_type said. 0 or FAULT_TOO_LARGE. */
int presence_view(struct presence *p, struct session *s, struct ulid ticket, enum look look, bool note);
void presence_leave(struct presence *p, const struct session *s, struct ulid ticket);
/* Shows the session's user as typing for PRESENCE_TYPING_US. 0, or FAULT_NOT_FOUND without a lease. */
int presence_type(struct presence *p, const struct session *s, struct ulid ticket, bool note);

/* The session is attached, perhaps again: what it had leases on is told to it anew. */
void presence_attached(struct presence *p, struct session *s);
/* The connection has ended. */
void presence_ended(struct presence *p, const struct session *s);
/* The session's gateway is gone, and was last heard of at heard_us. */
void presence_lost(struct presence *p, const struct session *s, int64_t heard_us);
/* A user may see a ticket as customer no more. */
void presence_lose(struct presence *p, struct ulid user, struct ulid ticket);
/* A user's role has changed: what they had leases on, they had as somebody else. */
void presence_forget(struct presence *p, struct ulid user);

/* Of a fanout before this one: a session's leases, and getting one back. */
/* Has the leases of customers' sessions kept anew. */
void presence_refresh(struct presence *p);
size_t presence_kept(const struct presence *p, const struct session *s, struct kept_lease ret[PRESENCE_TICKETS]);
void presence_restore(struct presence *p, struct session *s, const struct kept_lease *lease);

/* Who are at a ticket, in the order of since when; the array is good until the next call. */
size_t presence_people(struct presence *p, struct ulid ticket, bool to_agent, const struct viewer **ret);
/* Whether one of a user's sessions has a lease. */
bool presence_holds(const struct presence *p, struct ulid user, struct ulid ticket);

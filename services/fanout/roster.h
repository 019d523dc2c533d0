/* Who is there: everybody who is connected, or was so less than ROSTER_GRACE_US ago, so that who connects anew does not come and go.
 *
 * Agents know of everybody; customers of agents, and of what they set themselves. What changes is told at once, then no more for
 * ROSTER_QUIET_US. */
#pragma once
#include "loop.h"
#include "schema/presence.h"
#include <uthash.h>

enum {
        ROSTER_GRACE_US = 10 * 1000000,
        ROSTER_QUIET_US = 250 * 1000,
        ROSTER_PEOPLE = 500,         /* in one event; more are told by several */
};

enum roster_audience { ROSTER_AGENTS, ROSTER_CUSTOMERS, ROSTER_USER };

struct roster_events {
        /* user: for ROSTER_USER, whose sessions */
        void (*tell)(void *data, enum roster_audience to, struct ulid user, const struct event_presence_online *event);
        /* Those who have been behind are to be told of everybody, by roster_all. */
        void (*catch_up)(void *data);
        void *data;
};

struct member;
struct roster {
        struct loop *loop;
        struct roster_events events;
        struct member *members;      /* the first to come first */
        struct member *staff;        /* agents and admins, likewise */
        struct member *leaving;      /* without a connection; the first to be gone first */
        struct member *changed;      /* is to be told */
        int64_t numbers;
        int64_t quiet_until, started_us;
        int64_t catch_up_at;         /* 0: nobody is behind */
        struct loop_timer *timer;
        struct online_change people[ROSTER_PEOPLE];
};
void roster_init(struct roster *r, struct loop *loop, const struct roster_events *events);
void roster_deinit(struct roster *r);

/* A connection of a user's began at at_ms. again: this connection is not new to those who are told, only to us. Who is connected as an
 * agent remains one, though this connection has a customer's rights: only roster_demoted makes them none. */
void roster_came(struct roster *r, struct ulid user, bool agent, int64_t at_ms, bool again);
void roster_left(struct roster *r, struct ulid user);
/* A user who may be there is no agent any more. */
void roster_demoted(struct roster *r, struct ulid user);
/* Of a user who is there. An older one than what is there changes nothing. */
void roster_status(struct roster *r, struct ulid user, struct str text, int64_t at_ms);
struct str roster_status_of(const struct roster *r, struct ulid user, int64_t *ret_at);  /* empty where there is none */

size_t roster_count(const struct roster *r);

/* Somebody was not told for a while: catch_up is called, once ROSTER_GRACE_US after the start have passed, so that everybody who
 * stayed is here again. */
void roster_behind(struct roster *r);
/* Everybody whom an agent, or a customer, may know, in events of which the first one says that it is complete. */
void roster_all(struct roster *r, bool to_agents, void (*each)(void *data, const struct event_presence_online *event), void *data);
/* A page of those whom `user` may know, from behind a number: at most max, beside a customer themself on the first one. Returns how
 * many, and the number to go on from, or 0. */
size_t roster_page(const struct roster *r, struct ulid user, bool agent, int64_t after, size_t max, struct online *ret, int64_t *ret_next);

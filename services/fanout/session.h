/* Live sessions: one WebSocket each, at whichever gateway; several of a user: a party. */
#pragma once
#include "caller.h"
#include "tail.h"

struct outlet;
struct party;

/* A device, as short as one can be told from another: a hash of its name. */
struct device_tag {
        uint8_t b[16];
};

struct session {
        struct ulid id;                     /* what the client calls it; the key */
        struct outlet *outlet;
        int64_t number;                     /* of its attachment there */
        struct party *party;
        struct device_tag device;
        bool agent;
        bool demoted;                       /* was an agent's until the log said otherwise */
        bool behind;                        /* was not told of who is there for a while */
        bool missed;                        /* what is its user's own, while fanout did not know it */
        bool pushed;                        /* gets what is logged; else it reads on by itself */
        struct session *prev, *next;        /* of the party */
        struct session *prev_agent, *next_agent;
        struct session *prev_here, *next_here;  /* of the outlet's */
        UT_hash_handle hh;
};

struct party {
        struct ulid user;                   /* the key */
        struct session *sessions;
        UT_hash_handle hh;
};

struct sessions {
        struct session *by_id, *agents;
        struct party *parties;              /* who have a session */
        size_t devices;                     /* that have one */
};

struct session *sessions_find(const struct sessions *all, struct ulid id);
struct party *sessions_party(const struct sessions *all, struct ulid user);
/* Finds or makes it; it is this caller's, under this number of the outlet, and an agent's or not. NULL where it is another user's, or another
 * device's. */
struct session *sessions_attach(struct sessions *all, struct outlet *outlet, struct ulid id, int64_t number, const struct caller *caller,
                                bool agent);
/* Whether it was attached by this caller's user and device. */
bool session_is_of(const struct session *s, const struct caller *caller);
/* It is no agent's any more, until it is attached anew. */
void sessions_demote(struct sessions *all, struct session *s);
void sessions_detach(struct sessions *all, struct session *s);
size_t sessions_count(const struct sessions *all);

/* A list of sessions, kept from one use to the next. */
struct recipients {
        struct session **items;
        size_t n, capacity;
};
void recipients_add(struct recipients *r, struct session *s);
void recipients_deinit(struct recipients *r);
/* Those who are pushed to and may see it. */
void sessions_select(const struct sessions *all, const struct readers *readers, struct recipients *ret);

/* What presence.c (leases, and whose they are) and presence_face.c (what is shown of a ticket, and told) share. */
#pragma once
#include "presence.h"

enum face_of { CUSTOMERS, AGENTS, FACES };

/* What is shown of a ticket, and was. */
struct face {
        struct watched *ticket;
        uint8_t told[16];            /* a hash of what it was told; zero: nobody was told */
        int64_t quiet_until;
        bool quiet;                  /* is in that list */
        bool changed;                /* meanwhile */
        struct face *prev, *next;
};

struct watched {
        struct ulid ticket;          /* the key */
        struct lease *leases;
        struct face faces[FACES];
        UT_hash_handle hh;
};

/* By whom the typing is seen. */
struct typing {
        struct lease *lease;
        int64_t until;               /* 0: nobody types */
        struct typing *prev, *next;
};
enum { PUBLIC, NOTE };

struct lease {
        struct holder *holder;
        struct watched *ticket;
        int64_t since_at;
        bool drafting, note;
        bool untold;                 /* its session has to be told, whether something changed or not */
        struct typing typing[2];
        struct lease *prev, *next;                  /* of the ticket's */
        struct lease *prev_of_holder, *next_of_holder;
};

/* A session, as long as it has leases. */
struct holder {
        struct ulid id;              /* the key */
        struct ulid user;
        bool agent;
        struct session *session;     /* NULL: its gateway is lost */
        int64_t until;               /* then */
        struct lease *leases;
        struct holder *prev, *next;  /* of the lost ones */
        UT_hash_handle hh;
};

/* One for each user, into p->people; how many. */
size_t presence_look(struct presence *p, const struct watched *w, enum face_of face);
/* Something is shown differently, perhaps: who looks is told, now or when the ticket has been quiet for long enough. */
void presence_changed(struct presence *p, struct watched *w);
/* It has been, for some. */
void presence_quiet_over(struct presence *p, int64_t now_us);
/* Sets the timer to what comes next. */
void presence_arm(struct presence *p);

/* What one gateway gets: the queue of deliveries that it has not taken yet. */
#pragma once
#include "rpc.h"
#include "schema/live.h"
#include "session.h"

enum {
        OUTLET_QUEUE_BYTES = 64 * 1024 * 1024,  /* a gateway that is further behind is dropped, and announces itself anew */
        OUTLET_SILENT_US = 30 * 1000000,        /* one that asks no more is gone */
};

/* One event, or something to keep, on its way to one gateway. */
struct queued {
        struct queued *next;
        int64_t position;           /* in this outlet's queue */
        struct shared_event *event; /* NULL: `keep` */
        struct str keep;            /* behind the sessions */
        size_t n, capacity;
        int64_t sessions[];         /* numbers */
};

struct outlet {
        struct ulid gateway;        /* the key */
        struct ulid epoch;          /* its own: a gateway whose outlet was dropped, or is another fanout's, sees a new one */
        struct session *sessions;
        struct queued *first, **last;
        struct queued *open;        /* the delivery that is being put together */
        size_t wanted;              /* how many sessions it is for */
        int64_t head;               /* of the newest delivery */
        size_t bytes;               /* queued */
        int64_t asked_us;           /* steady */
        bool told;                  /* the gateway knows of `position` as it is now */
        struct feed feed;           /* its parked follow */
        UT_hash_handle hh;
};

/* Finds or makes it. */
struct outlet *outlet_of(struct outlet **outlets, struct loop *loop, struct ulid gateway);
struct outlet *outlet_find(struct outlet *outlets, struct ulid gateway);
/* It has no sessions any more. */
void outlet_free(struct outlet **outlets, struct outlet *o);

/* Queues the event for all these sessions, once for each outlet. */
void outlets_deliver(struct shared_event *event, const struct recipients *to);
/* Queues bytes for the session's gateway to keep. */
void outlet_keep(const struct session *s, struct str bytes);
/* Takes a session out of what is queued of a ticket; out of what agents alone may see. */
void outlet_withdraw(const struct session *s, struct ulid ticket);
void outlet_withdraw_agents(const struct session *s);
/* Forgets what the gateway has taken. */
void outlet_acknowledge(struct outlet *o, int64_t after);
/* Deliveries after a position, up to max_bytes; in the arena, pointing into the queue. */
void outlet_read(struct outlet *o, int64_t after, int64_t max_bytes, struct arena *arena, struct live_follow_result *ret);

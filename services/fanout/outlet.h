/* What one gateway gets: its sessions, and the queue of deliveries that it has not taken yet. */
#pragma once
#include "rpc.h"
#include "schema/live.h"
#include <uthash.h>

enum {
        OUTLET_QUEUE_BYTES = 64 * 1024 * 1024,  /* a gateway that is further behind is dropped, and announces itself anew */
        OUTLET_SILENT_US = 30 * 1000000,        /* one that asks no more is gone */
};

/* A WebSocket. */
struct session {
        int64_t number;             /* the gateway's; the key */
        struct ulid user;
        bool agent;
        UT_hash_handle hh;
};

/* One event on its way to one gateway. The event's texts are shared by all gateways. */
struct shared_event;
struct queued {
        struct queued *next;
        int64_t position;           /* in this outlet's queue */
        struct shared_event *event;
        size_t n;
        int64_t sessions[];
};

struct outlet {
        struct ulid gateway;        /* the key */
        struct ulid epoch;          /* its own: a gateway whose outlet was dropped, or is another fanout's, sees a new one */
        struct session *sessions;
        struct queued *first, **last;
        int64_t head;               /* of the newest delivery */
        size_t bytes;               /* queued */
        int64_t asked_us;           /* steady */
        bool told;                  /* the gateway knows of `position` as it is now */
        struct feed feed;           /* its parked follow */
        UT_hash_handle hh;
};

struct shared_event *shared_event_new(const struct event *event, struct str cursor);
void shared_event_unref(struct shared_event *e);

/* Finds or makes it. */
struct outlet *outlet_of(struct outlet **outlets, struct loop *loop, struct ulid gateway);
struct outlet *outlet_find(struct outlet *outlets, struct ulid gateway);
void outlet_free(struct outlet **outlets, struct outlet *o);

void outlet_attach(struct outlet *o, int64_t number, const struct caller *caller);
/* False where there was none. */
bool outlet_detach(struct outlet *o, int64_t number);

/* Queues the event for those of its sessions that may see it; false where there are none. */
bool outlet_offer(struct outlet *o, struct shared_event *event, const struct log_item *audience);
/* Forgets what the gateway has taken. */
void outlet_acknowledge(struct outlet *o, int64_t after);
/* Deliveries after a position, up to max_bytes; in the arena, pointing into the queue. */
void outlet_read(struct outlet *o, int64_t after, int64_t max_bytes, struct arena *arena, struct live_follow_result *ret);

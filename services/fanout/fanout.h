/* Fanout: from the log to the sessions that may see it. It follows store's log into its tail, picks the sessions by audience, and
 * hands each gateway its own queue, once per event with the list of its sessions. It keeps nothing on disk and asks nobody. A
 * gateway that gets a new outlet, because fanout is new or dropped the old one, sees a new epoch and announces its sessions again. */
#pragma once
#include "attendance.h"
#include "demotions.h"
#include "outlet.h"
#include "schema/log.h"
#include "service.h"

enum { FANOUT_PRELOAD = 4096 };     /* ops that a fresh one reads before it takes sessions */

struct fanout {
        struct service *service;
        struct rpc_server *server;
        struct rpc_client *store;
        struct follower *log, *own;
        struct loop_timer *reaper;

        struct tail tail;
        bool found;                 /* the log's head was told */
        bool positioned;            /* the log was read up to there: sessions are taken */
        int64_t preload;            /* what was the head then */
        int64_t heard_us;           /* when store answered last */
        int64_t events;             /* read since start */
        bool own_found;
        int64_t own_head, own_told; /* how far what is users' own was followed, and was told to all */
        bool own_missed;            /* sessions have missed some: the newest is asked for anew */
        bool own_anew;              /* it was */
        bool own_retold;            /* until own_told it is told to those alone */

        struct outlet *outlets;     /* by gateway id */
        struct sessions sessions;
        struct recipients recipients;
        struct attendance attendance;
        struct demotions demotions;
        uint8_t caller_key[CALLER_KEY_BYTES];
};

extern const struct service_type fanout_service;

/* Everything but its connections to other services: what it follows and what it is asked may be given by hand. */
void fanout_init(struct fanout *f, struct service *service, const uint8_t caller_key[CALLER_KEY_BYTES], const uint8_t cursor_secret[CURSOR_SECRET_BYTES]);
void fanout_deinit(struct fanout *f);

/* What it follows at store; without client and data. */
extern const struct follower_options fanout_log, fanout_own;

/* Something was queued for gateways, or the log has moved: hands it to those that wait. */
void fanout_wake(struct fanout *f);
/* Finds or makes a gateway's. */
struct outlet *fanout_outlet(struct fanout *f, struct ulid gateway);
/* Forgets a gateway and its sessions; all of them. */
void fanout_drop(struct fanout *f, struct outlet *o);
void fanout_drop_all(struct fanout *f);
/* Whether the caller is told what agents are: they say so, and the log does not say otherwise. */
bool fanout_serves_as_agent(const struct fanout *f, const struct caller *caller);

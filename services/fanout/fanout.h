/* Fanout: from the log to the sessions that may see it. It follows store's log into its tail, picks the sessions by audience, and
 * hands each gateway its own queue, once per event with the list of its sessions. It keeps nothing on disk and asks nobody. A
 * gateway that gets a new outlet, because fanout is new or dropped the old one, sees a new epoch and announces its sessions again. */
#pragma once
#include "attendance.h"
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
        uint8_t caller_key[32];
};

extern const struct service_type fanout_service;

/* Something was queued for gateways, or the log has moved: hands it to those that wait. */
void fanout_wake(struct fanout *f);

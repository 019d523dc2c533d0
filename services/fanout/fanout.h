/* Fanout: from the log to the sessions that may see it. It follows store's log, picks the sessions by audience, and hands each
 * gateway its own queue, once per event with the list of its sessions. It keeps nothing on disk and asks nobody. A gateway
 * that gets a new outlet, because fanout is new or dropped the old one, sees a new epoch and announces its sessions again. */
#pragma once
#include "cursor.h"
#include "outlet.h"
#include "schema/log.h"
#include "service.h"

struct fanout {
        struct service *service;
        struct rpc_server *server;
        struct rpc_client *store;
        struct follower *log;
        struct loop_timer *reaper;

        /* how far the log was followed; no session is taken before the first answer */
        bool positioned;
        int64_t seq;
        int64_t heard_us;           /* when store answered last */
        int64_t events;             /* since start */
        struct str cursor;          /* of it, in cursor_text */
        char cursor_text[CURSOR_TEXT];

        struct outlet *outlets;     /* by gateway id */
        size_t sessions;
        uint8_t caller_key[32];
        struct cursor_key cursor_key;
};

extern const struct service_type fanout_service;

/* Hands one event to the sessions that may see it. */
void fanout_deliver(struct fanout *f, const struct log_item *item, struct str cursor);

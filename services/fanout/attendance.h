/* Who is there and what they look at, put together: presence and roster, told by way of the gateways' queues, and kept there over a
 * restart of fanout. */
#pragma once
#include "grant.h"
#include "kept.h"
#include "losses.h"
#include "presence.h"
#include "roster.h"
#include "schema/live.h"
#include "typists.h"

struct fanout;
struct attendance {
        struct fanout *fanout;
        struct ulid id;              /* of this fanout */
        struct grant_key grant_key;
        struct kept_key kept_key;
        struct presence presence;
        struct roster roster;
        struct typists typists;
        struct losses losses;
        struct recipients to;
        struct loop_work wake;       /* the gateways that something was queued for */
        bool waking;
        int64_t refreshed;           /* the position up to which kept bytes have regarded the log, at least */
};
void attendance_init(struct attendance *a, struct fanout *f);
void attendance_deinit(struct attendance *a);

/* A session is attached, perhaps again; known: it was here already. */
void attendance_attached(struct attendance *a, struct session *s, const struct live_attach *in, bool known);
void attendance_ended(struct attendance *a, const struct session *s);
/* Its gateway is gone, and was last heard of at heard_us. */
void attendance_lost(struct attendance *a, const struct session *s, int64_t heard_us);
/* An op, before it is told, and those from before the start, too: whom it takes something from. */
void attendance_op(struct attendance *a, const struct shared_event *event);
/* A user has another status: their sessions keep it. */
void attendance_keep_status(struct attendance *a, const struct party *party);

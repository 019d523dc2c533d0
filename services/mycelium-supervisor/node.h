/* The overlay node behind a driver: asked now and then, pinned to its key, and found among the interfaces. What mycelium's and yggdrasil's
 * drivers have in common; each only knows how to ask its daemon.
 *
 * A daemon is asked NODE_TRIES times before it counts as away, because one that is slow just now may be blocked by somebody else's
 * call; and an interface that goes is heard of at once, by rtnetlink. */
#pragma once
#include "driver.h"
#include "interface.h"
#include "pin.h"

enum {
        NODE_TRIES = 3,
        NODE_RETRY_MS = 500,            /* after an answer that did not come */
        NODE_SETTLE_MS = 500,           /* after a change of the interface: its daemon may just be starting */
        NODE_AWAY_MS = 2000,            /* while there is no daemon, or no peer */
        NODE_HEALTH_MS = 15 * 1000,     /* while all is well */
};

/* What a daemon says of itself. */
struct node_info {
        struct in6_addr subnet;         /* its /64 */
        bool has_address;
        struct in6_addr address;
        bool has_key;
        uint8_t key[PIN_BYTES];
        bool connected;                 /* to a peer */
};

struct node_kind {
        enum overlay_driver which;
        /* Asks the daemon. Ends in node_answered or node_silent, once, at once or later. */
        void (*probe)(void *data);
        /* Neither a daemon nor an interface is there: have one started. Answers why that can't be, a constant text, or NULL. NULL where it
         * is not our business. */
        const char *(*absent)(void *data);
        /* What a key's address is; NULL where keys say nothing of it. */
        void (*address_of)(const uint8_t key[PIN_BYTES], struct in6_addr *ret);
};

struct node {
        struct supervisor *supervisor;
        const struct node_kind *kind;
        void *data;
        struct interface_watch *watch;
        struct loop_timer *timer;
        const char *pin_path;
        bool has_pin, refused;
        uint8_t pin[PIN_BYTES];

        bool probing, again;            /* asked; and to be asked once more soon after that */
        int failed;                     /* tries in a row */
        bool answers;
        bool known;                     /* info is what was last said, by a daemon that was not refused */
        struct node_info info;
        char ifname[IF_NAMESIZE];       /* where the address is; index 0: nowhere */
        unsigned ifindex;
};

/* 0, or -errno having logged why. Asks for the first time soon. pin_path lives as long as the node. */
int node_init(struct node *node, struct supervisor *supervisor, const struct node_kind *kind, void *data, const char *pin_path);
void node_deinit(struct node *node);    /* zeroed is fine */

void node_probe_soon(struct node *node, int64_t after_ms);
void node_answered(struct node *node, const struct node_info *info);
/* refused: nobody listens there at all. why: a constant text, or NULL; logged when it is new. */
void node_silent(struct node *node, bool refused, const char *why);

bool node_is_own(const struct node *node, const struct in6_addr *address);  /* in the node's own /64 */

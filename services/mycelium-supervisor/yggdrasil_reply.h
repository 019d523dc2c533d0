/* What a yggdrasil daemon says at its admin socket. The bytes may be anybody's. */
#pragma once
#include "arena.h"
#include <netinet/in.h>

struct yggdrasil_self {
        uint8_t key[32];
        struct in6_addr address;        /* in 200::/8 */
        struct in6_addr subnet;         /* the /64 in 300::/8 that is routed to it */
};

/* Of "getself"; 0 or -EBADMSG. */
int yggdrasil_read_self(struct str reply, struct arena *arena, struct yggdrasil_self *ret);

/* Of "getpeers": how many are connected. 0 or -EBADMSG. */
int yggdrasil_read_peers(struct str reply, struct arena *arena, size_t *ret_n);

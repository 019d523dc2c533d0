/* What a mycelium daemon says, from 0.5 to 0.7.10, and what of it can be believed: its answers agree with themselves, or are none.
 * The bytes may be anybody's. */
#pragma once
#include "arena.h"
#include "mycelium.h"

enum mycelium_api { MYCELIUM_JSONRPC, MYCELIUM_REST };

struct mycelium_info {
        struct in6_addr subnet;        /* the /64, its lower half zero */
        bool has_key;                  /* 0.5.4 and later */
        uint8_t key[MYCELIUM_KEY_BYTES];
        bool has_address;              /* as it says (0.7.8 and later), or as its key does */
        struct in6_addr address;
};

/* 0, or -EBADMSG with *ret_why, a constant text. */
int mycelium_read_info(enum mycelium_api api, struct str body, struct arena *arena, struct mycelium_info *ret, const char **ret_why);

/* How many peers are connected. 0 or -EBADMSG. */
int mycelium_read_peers(enum mycelium_api api, struct str body, struct arena *arena, size_t *ret_alive);

/* The key behind an address. -ENOENT: the daemon knows no route to it yet; -EKEYREJECTED: this can't be its key; -EBADMSG. */
int mycelium_read_key(enum mycelium_api api, struct str body, struct arena *arena, const struct in6_addr *address,
                      uint8_t ret_key[MYCELIUM_KEY_BYTES]);

/* The kernel's interfaces and their addresses, and word of every change of them, by rtnetlink. */
#pragma once
#include "loop.h"
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

/* The interface that is up and has this address, or, with 64 prefix bits, one of its /64: *ret_address is that address. False where
 * there is none. Loopback is none: what comes in there is this machine's own. */
bool interface_find(const struct in6_addr *address, unsigned prefix_bits, char ret_name[IF_NAMESIZE], unsigned *ret_index,
                    struct in6_addr *ret_address);

/* Calls fn on the loop after interfaces or addresses changed: once for many changes. */
typedef void interface_fn(void *data);
struct interface_watch;
int interface_watch_new(struct loop *loop, interface_fn *fn, void *data, struct interface_watch **ret);
void interface_watch_free(struct interface_watch *watch);       /* NULL is fine */

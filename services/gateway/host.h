/* Who a request says it is addressed to, and which page sent it. What a browser adds by itself (Host, Origin) keeps foreign
 * pages and rebound names away; it says nothing of who the caller is. */
#pragma once
#include "str.h"
#include <netinet/in.h>

/* An IPv4 or IPv6 address with a port. */
union host_address {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
};

/* `Host` as sent: our own address with our port (80 where none is given), or one of `names`, which are separated by spaces and
 * compared without regard to case; a name without a port goes with ours. */
bool host_is_ours(struct str host, const union host_address *own, struct str names);

/* Absent (n == 0) is fine; else it must be http:// and the host that the request was addressed to. */
bool origin_is_ours(struct str origin, struct str host);

/* The address of a text like 127.0.0.1 or 400::1, without brackets. -EINVAL. */
int host_address_parse(struct str text, uint16_t port, union host_address *ret);
bool host_address_eq(const union host_address *a, const union host_address *b);   /* ports included */
void host_address_set_port(union host_address *a, uint16_t port);
socklen_t host_address_size(const union host_address *a);
void host_address_text(const struct sockaddr *a, char ret_text[INET6_ADDRSTRLEN]); /* without port; "" where it is neither */

/* What a mycelium address says of the key behind it: the hash of the public key, whose first 64 bits, the node's own network, are what
 * the overlay authenticates. So whoever hears of a key can tell whether it may be that of an address. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { MYCELIUM_KEY_BYTES = 32, MYCELIUM_SUBNET_BYTES = 8 };

/* BLAKE3(key), its first 16 bytes, in 400::/7. */
void mycelium_address(const uint8_t key[MYCELIUM_KEY_BYTES], struct in6_addr *ret);

/* Whether the address is in the /64 of the node that has this key. */
bool mycelium_owns(const uint8_t key[MYCELIUM_KEY_BYTES], const struct in6_addr *address);

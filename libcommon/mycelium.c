#include "mycelium.h"
#include "blake3.h"
#include <string.h>

void mycelium_address(const uint8_t key[MYCELIUM_KEY_BYTES], struct in6_addr *ret)
{
        uint8_t hash[BLAKE3_BYTES];

        blake3_block(key, MYCELIUM_KEY_BYTES, hash);
        hash[0] = (uint8_t)(0x04 | (__builtin_popcount(hash[0]) & 1));
        memcpy(ret->s6_addr, hash, sizeof(ret->s6_addr));
}

bool mycelium_owns(const uint8_t key[MYCELIUM_KEY_BYTES], const struct in6_addr *address)
{
        struct in6_addr own;

        mycelium_address(key, &own);
        return memcmp(own.s6_addr, address->s6_addr, MYCELIUM_SUBNET_BYTES) == 0;
}

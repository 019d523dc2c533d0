/* CallerIdentity: who a request is from. Identity alone makes one; it travels sealed, so that a gateway, which holds
 * no key, can pass it on but not make it up. The seal is keyed BLAKE2b-256 over the msgpack array of the members. */
#pragma once
#include "schema.h"

enum { CALLER_KEY_BYTES = 32, CALLER_SEALED_MAX = 256, DEVICE_MAX = 64 };

struct caller {
        struct ulid user;        /* zero for a stranger */
        struct str device;       /* as device_of names it; at most DEVICE_MAX bytes */
        enum schema_role role;   /* SCHEMA_ROLE_STRANGER to SCHEMA_ROLE_ADMIN */
        int64_t expires_at;      /* the seal is void from then on */
};

void caller_seal(const uint8_t key[CALLER_KEY_BYTES], const struct caller *caller, struct buf *ret_sealed);
/* 0, -EBADMSG where it was not sealed with this key, -ETIME where it is over. ret->device points into sealed. */
int caller_open(const uint8_t key[CALLER_KEY_BYTES], struct str sealed, int64_t now_ms, struct caller *ret);

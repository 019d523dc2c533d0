/* What outlives a restart of fanout, which has no disk: a session's gateway keeps it, and says it again to the next fanout. Sealed for the
 * one session of the one user, so that a gateway can't make leases up. */
#pragma once
#include "arena.h"
#include "caller.h"
#include "schema/presence.h"

struct kept_key {
        uint8_t b[32];
};
void kept_key_init(struct kept_key *key, const uint8_t caller_key[CALLER_KEY_BYTES]);

void kept_seal(const struct kept_key *key, struct ulid user, struct ulid session, const struct kept *kept, struct buf *ret_sealed);
/* 0, or -EBADMSG where it was not sealed with this key for this session. Texts point into sealed. */
int kept_open(const struct kept_key *key, struct ulid user, struct ulid session, struct str sealed, struct arena *arena, struct kept *ret);

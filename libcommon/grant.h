/* A grant: one service's word to another that a user may see a ticket, carried by the user. It is bound to them, the ticket and the
 * class in which they may see it, ends by itself, and is a secret to nobody: for others it is worth nothing. Its text is the
 * members and a keyed BLAKE2b over them, as base64url; the key is derived from the one that seals callers. */
#pragma once
#include "caller.h"

enum { GRANT_TEXT = 78, GRANT_MS = 10 * 60 * 1000 };

struct grant_key {
        uint8_t b[32];
};
void grant_key_init(struct grant_key *key, const uint8_t caller_key[CALLER_KEY_BYTES]);

struct grant {
        struct ulid user, ticket;
        bool agent;              /* the class: an agent, else a customer */
        int64_t expires_at;      /* void from then on */
};

void grant_write(const struct grant_key *key, const struct grant *grant, char ret_text[GRANT_TEXT]); /* without a NUL */
/* 0; -EBADMSG for what was not written with this key; -ESTALE for what is over. */
int grant_parse(const struct grant_key *key, struct str text, int64_t now_ms, struct grant *ret);

/* A cursor: a position in an instance's log, as clients hold it. Inside: 8 bytes of the instance, the seq, and 8 bytes of that
 * op's hash; encrypted deterministically (a keyed hash of the content is the authenticator, and with ChaCha20 the nonce: SIV, Rogaway
 * and Shrimpton 2006; the hash is SipHash-2-4 of 128 bits, Aumasson and Bernstein 2012, because one is made for every op), so that
 * equal positions have equal cursors, and that they tell nothing of the traffic. */
#pragma once
#include "str.h"

enum { CURSOR_TEXT = 54, CURSOR_SECRET_BYTES = 32, CURSOR_INSTANCE_BYTES = 8, CURSOR_HASH_BYTES = 8 };

/* Two keys from the one secret: for the authenticator and for the stream. */
struct cursor_key {
        uint8_t mac[16], stream[32];
};
void cursor_key_init(struct cursor_key *key, const uint8_t secret[CURSOR_SECRET_BYTES]);

struct cursor {
        uint8_t instance[CURSOR_INSTANCE_BYTES];
        int64_t seq;
        uint8_t hash[CURSOR_HASH_BYTES];     /* the first bytes of the hash of the op at seq */
};

void cursor_write(const struct cursor_key *key, const struct cursor *cursor, char ret_text[CURSOR_TEXT]); /* without a NUL */
/* 0, or -EBADMSG for what was not written with this key. */
int cursor_parse(const struct cursor_key *key, struct str text, struct cursor *ret);

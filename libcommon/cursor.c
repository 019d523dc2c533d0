#include "cursor.h"

#include <errno.h>
#include <sodium.h>

enum { SIV = crypto_shorthash_siphashx24_BYTES, INSIDE = 24 };

_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == sizeof(((struct cursor_key *)0)->mac), "the whole key is used");

void cursor_key_init(struct cursor_key *key, const uint8_t secret[CURSOR_SECRET_BYTES])
{
        crypto_generichash(key->mac, sizeof(key->mac), (const uint8_t *)"cursor mac", 10, secret, CURSOR_SECRET_BYTES);
        crypto_generichash(key->stream, sizeof(key->stream), (const uint8_t *)"cursor stream", 13, secret, CURSOR_SECRET_BYTES);
}

static void crypt(const struct cursor_key *key, const uint8_t siv[SIV], const uint8_t in[INSIDE], uint8_t out[INSIDE])
{
        _Static_assert(crypto_stream_chacha20_ietf_NONCEBYTES <= SIV, "the nonce is the hash's beginning");
        crypto_stream_chacha20_ietf_xor(out, in, INSIDE, siv, key->stream);
}

void cursor_write(const struct cursor_key *key, const struct cursor *cursor, char ret_text[CURSOR_TEXT])
{
        uint8_t inside[INSIDE], outside[SIV + INSIDE];
        struct buf text = { .p = ret_text, .capacity = CURSOR_TEXT }; /* it has room for all, so it stays there */

        memcpy(inside, cursor->instance, 8);
        for (int i = 0; i < 8; i++)
                inside[8 + i] = (uint8_t)(cursor->seq >> (56 - 8 * i));
        memcpy(inside + 16, cursor->hash, 8);
        crypto_shorthash_siphashx24(outside, inside, INSIDE, key->mac);
        crypt(key, outside, inside, outside + SIV);
        buf_base64url(&text, outside, sizeof(outside));
}

int cursor_parse(const struct cursor_key *key, struct str text, struct cursor *ret)
{
        uint8_t outside[SIV + INSIDE], inside[INSIDE], siv[SIV];
        uint64_t seq = 0;
        size_t n;

        if (text.n != CURSOR_TEXT || str_from_base64url(text, outside, sizeof(outside), &n) || n != sizeof(outside))
                return -EBADMSG;
        crypt(key, outside, outside + SIV, inside);
        crypto_shorthash_siphashx24(siv, inside, INSIDE, key->mac);
        if (sodium_memcmp(siv, outside, SIV))
                return -EBADMSG;
        for (int i = 0; i < 8; i++)
                seq = seq << 8 | inside[8 + i];
        memcpy(ret->instance, inside, 8);
        ret->seq = (int64_t)seq;
        memcpy(ret->hash, inside + 16, 8);
        return 0;
}

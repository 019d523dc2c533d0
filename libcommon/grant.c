#include "grant.h"

#include <errno.h>
#include <sodium.h>

/* version, user, ticket, class, expires_at (big-endian); then the MAC */
enum { VERSION = 1, USER_AT = 1, TICKET_AT = 17, CLASS_AT = 33, EXPIRES_AT = 34, MAC_AT = 42, MAC = 16, ALL = MAC_AT + MAC };

void grant_key_init(struct grant_key *key, const uint8_t caller_key[CALLER_KEY_BYTES])
{
        crypto_generichash(key->b, sizeof(key->b), (const uint8_t *)"grant", 5, caller_key, CALLER_KEY_BYTES);
}

void grant_write(const struct grant_key *key, const struct grant *grant, char ret_text[GRANT_TEXT])
{
        struct buf text = { .p = ret_text, .capacity = GRANT_TEXT }; /* it has room for all, so it stays there */
        uint8_t all[ALL];

        all[0] = VERSION;
        memcpy(all + USER_AT, grant->user.b, sizeof(grant->user.b));
        memcpy(all + TICKET_AT, grant->ticket.b, sizeof(grant->ticket.b));
        all[CLASS_AT] = grant->agent;
        for (int i = 0; i < 8; i++)
                all[EXPIRES_AT + i] = (uint8_t)(grant->expires_at >> (56 - 8 * i));
        crypto_generichash(all + MAC_AT, MAC, all, MAC_AT, key->b, sizeof(key->b));
        buf_base64url(&text, all, sizeof(all));
}

int grant_parse(const struct grant_key *key, struct str text, int64_t now_ms, struct grant *ret)
{
        struct grant grant;
        uint8_t all[ALL], mac[MAC];
        uint64_t expires_at = 0;
        size_t n;

        if (text.n != GRANT_TEXT || str_from_base64url(text, all, sizeof(all), &n) || n != sizeof(all))
                return -EBADMSG;
        crypto_generichash(mac, MAC, all, MAC_AT, key->b, sizeof(key->b));
        if (sodium_memcmp(mac, all + MAC_AT, MAC) || all[0] != VERSION)
                return -EBADMSG;
        memcpy(grant.user.b, all + USER_AT, sizeof(grant.user.b));
        memcpy(grant.ticket.b, all + TICKET_AT, sizeof(grant.ticket.b));
        grant.agent = all[CLASS_AT];
        for (int i = 0; i < 8; i++)
                expires_at = expires_at << 8 | all[EXPIRES_AT + i];
        grant.expires_at = (int64_t)expires_at;
        if (now_ms >= grant.expires_at)
                return -ESTALE;
        *ret = grant;
        return 0;
}

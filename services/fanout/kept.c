#include "kept.h"

#include "codec.h"

#include <errno.h>
#include <sodium.h>

enum { MAC = 16 };

void kept_key_init(struct kept_key *key, const uint8_t caller_key[CALLER_KEY_BYTES])
{
        crypto_generichash(key->b, sizeof(key->b), (const uint8_t *)"kept", 4, caller_key, CALLER_KEY_BYTES);
}

static void mac(const struct kept_key *key, struct ulid user, struct ulid session, struct str text, uint8_t ret[MAC])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, key->b, sizeof(key->b), MAC);
        crypto_generichash_update(&state, user.b, sizeof(user.b));
        crypto_generichash_update(&state, session.b, sizeof(session.b));
        crypto_generichash_update(&state, (const uint8_t *)text.p, text.n);
        crypto_generichash_final(&state, ret, MAC);
}

void kept_seal(const struct kept_key *key, struct ulid user, struct ulid session, const struct kept *kept, struct buf *ret_sealed)
{
        size_t start = ret_sealed->n;
        uint8_t m[MAC];

        msgpack_write(&schema_type_kept, kept, ret_sealed);
        mac(key, user, session, (struct str){ ret_sealed->p + start, ret_sealed->n - start }, m);
        buf_add(ret_sealed, m, sizeof(m));
}

int kept_open(const struct kept_key *key, struct ulid user, struct ulid session, struct str sealed, struct arena *arena, struct kept *ret)
{
        struct str text = { sealed.p, sealed.n - MAC };
        uint8_t m[MAC];

        if (sealed.n <= MAC)
                return -EBADMSG;
        mac(key, user, session, text, m);
        if (sodium_memcmp(m, sealed.p + text.n, MAC) != 0)
                return -EBADMSG;
        return msgpack_read(&schema_type_kept, text, arena, ret, NULL) ? -EBADMSG : 0;
}

#include "caller.h"
#include "codec.h"
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { MAC_BYTES = 32 };

static void mac(const uint8_t *key, struct str text, uint8_t ret[MAC_BYTES])
{
        crypto_generichash(ret, MAC_BYTES, (const uint8_t *)text.p, text.n, key, CALLER_KEY_BYTES);
}

void caller_seal(const uint8_t key[CALLER_KEY_BYTES], const struct caller *caller, struct buf *ret_sealed)
{
        size_t start = ret_sealed->n;
        uint8_t m[MAC_BYTES];

        assert(caller->device.n <= DEVICE_MAX);
        msgpack_put_array(ret_sealed, 4);
        msgpack_put_bin(ret_sealed, caller->user.b, sizeof(caller->user.b));
        msgpack_put_str(ret_sealed, caller->device);
        msgpack_put_int(ret_sealed, caller->role);
        msgpack_put_int(ret_sealed, caller->expires_at);
        mac(key, (struct str){ ret_sealed->p + start, ret_sealed->n - start }, m);
        buf_add(ret_sealed, m, sizeof(m));
}

int caller_open(const uint8_t key[CALLER_KEY_BYTES], struct str sealed, int64_t now_ms, struct caller *ret)
{
        struct caller c = { 0 };
        uint8_t expected[MAC_BYTES];
        struct str in, user;
        int64_t role;
        uint32_t n;

        if (sealed.n < MAC_BYTES || sealed.n > CALLER_SEALED_MAX)
                return -EBADMSG;
        in = (struct str){ sealed.p, sealed.n - MAC_BYTES };
        mac(key, in, expected);
        if (sodium_memcmp(expected, sealed.p + in.n, MAC_BYTES) != 0)
                return -EBADMSG;
        if (msgpack_get_array(&in, &n) || n != 4 || msgpack_get_bin(&in, &user) || user.n != sizeof(c.user.b) ||
            msgpack_get_str(&in, &c.device) || c.device.n > DEVICE_MAX || msgpack_get_int(&in, &role) ||
            role < SCHEMA_ROLE_STRANGER || role > SCHEMA_ROLE_ADMIN || msgpack_get_int(&in, &c.expires_at) || in.n != 0)
                return -EBADMSG;
        if (now_ms >= c.expires_at)
                return -ETIME;
        memcpy(c.user.b, user.p, sizeof(c.user.b));
        c.role = (enum schema_role)role;
        *ret = c;
        return 0;
}

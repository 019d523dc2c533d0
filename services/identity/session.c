#include "session.h"
#include "binding.h"
#include "fault.h"
#include "user.h"
#include <sodium.h>
#include <string.h>

enum { MAC_BYTES = 32, RANDOM_BYTES = 16, TOKEN_HEAD_BYTES = 1 + 8 + 16, TOKEN_BYTES = TOKEN_HEAD_BYTES + MAC_BYTES };
enum token_kind { TOKEN_OWN = 1, TOKEN_EMBED = 2 };
_Static_assert(SESSION_NONCE_BYTES == 8 + RANDOM_BYTES + MAC_BYTES, "a nonce is its end, randomness and a MAC");

/* Over a head of fixed length and the device that it is for. */
static void mac(const uint8_t key[DATABASE_KEY_BYTES], const char personal[16], const uint8_t *head, size_t head_n, struct str device,
                uint8_t ret_mac[MAC_BYTES])
{
        crypto_generichash_blake2b_state state;

        crypto_generichash_blake2b_init_salt_personal(&state, key, DATABASE_KEY_BYTES, MAC_BYTES, NULL, (const uint8_t *)personal);
        crypto_generichash_blake2b_update(&state, head, head_n);
        crypto_generichash_blake2b_update(&state, (const uint8_t *)device.p, device.n);
        crypto_generichash_blake2b_final(&state, ret_mac, MAC_BYTES);
        sodium_memzero(&state, sizeof(state));
}

static const char nonce_personal[16] = "assist-nonce-1", token_personal[16] = "assist-token-1";

static void put_time(uint8_t *p, int64_t ms)
{
        for (int i = 0; i < 8; i++)
                p[i] = (uint8_t)((uint64_t)ms >> (56 - 8 * i));
}

static int64_t get_time(const uint8_t *p)
{
        uint64_t ms = 0;

        for (int i = 0; i < 8; i++)
                ms = ms << 8 | p[i];
        return (int64_t)ms;
}

/* What lives longer than it could was given out by a clock that was ahead: it would outlive every promise. */
static bool is_alive(int64_t expires_at, int64_t life_ms, int64_t now_ms)
{
        return expires_at > now_ms && expires_at <= now_ms + life_ms + SESSION_CLOCK_BACK_MS;
}

void session_nonce(const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, uint8_t ret_nonce[SESSION_NONCE_BYTES])
{
        put_time(ret_nonce, now_ms + SESSION_NONCE_LIFE_MS);
        randombytes_buf(ret_nonce + 8, RANDOM_BYTES);
        mac(key, nonce_personal, ret_nonce, 8 + RANDOM_BYTES, device, ret_nonce + 8 + RANDOM_BYTES);
}

int session_nonce_check(const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, struct str nonce)
{
        const uint8_t *p = (const uint8_t *)nonce.p;
        uint8_t expected[MAC_BYTES];

        if (nonce.n != SESSION_NONCE_BYTES)
                return FAULT_UNAUTHENTICATED;
        mac(key, nonce_personal, p, 8 + RANDOM_BYTES, device, expected);
        if (sodium_memcmp(expected, p + 8 + RANDOM_BYTES, MAC_BYTES) != 0)
                return FAULT_UNAUTHENTICATED;
        return is_alive(get_time(p), SESSION_NONCE_LIFE_MS, now_ms) ? 0 : FAULT_EXPIRED;
}

struct str session_token(const uint8_t key[DATABASE_KEY_BYTES], int64_t expires_at, struct str device, const struct session *session,
                         struct arena *arena)
{
        uint8_t token[TOKEN_BYTES];
        struct buf text = { 0 };
        struct str ret;

        token[0] = session->embed ? TOKEN_EMBED : TOKEN_OWN;
        put_time(token + 1, expires_at);
        memcpy(token + 9, session->binding.b, sizeof(session->binding.b));
        mac(key, token_personal, token, TOKEN_HEAD_BYTES, device, token + TOKEN_HEAD_BYTES);
        buf_base64url(&text, token, sizeof(token));
        ret = arena_str(arena, buf_view(&text));
        buf_deinit(&text);
        return ret;
}

int session_of_binding(struct db *db, struct ulid binding, struct arena *arena, struct session *ret)
{
        struct device device;
        struct user user;
        int r;

        r = binding_find(db, binding, arena, &device);
        if (r == 0 && device.has_revoked_at)
                r = FAULT_NOT_FOUND;
        if (r == 0)
                r = user_find(db, device.user, arena, &user);
        if (r == 0 && !user.active)
                r = FAULT_NOT_FOUND;
        if (r)
                return r < 0 ? r : FAULT_UNAUTHENTICATED;
        ret->binding = binding;
        ret->user = user;
        ret->embed = device.embed;
        return 0;
}

int session_role(const struct session *session)
{
        return session->embed ? ROLE_CUSTOMER : session->user.role;
}

int session_find(struct db *db, const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, struct str token,
                 struct arena *arena, struct session *ret)
{
        uint8_t bytes[TOKEN_BYTES], expected[MAC_BYTES];
        struct session session = { 0 };
        struct ulid binding;
        size_t n;
        int r;

        if (str_from_base64url(token, bytes, sizeof(bytes), &n) < 0 || n != TOKEN_BYTES)
                return FAULT_UNAUTHENTICATED;
        mac(key, token_personal, bytes, TOKEN_HEAD_BYTES, device, expected);
        if (sodium_memcmp(expected, bytes + TOKEN_HEAD_BYTES, MAC_BYTES) != 0)
                return FAULT_UNAUTHENTICATED;
        if (bytes[0] != TOKEN_OWN && bytes[0] != TOKEN_EMBED)
                return FAULT_UNAUTHENTICATED;
        session.expires_at = get_time(bytes + 1);
        if (!is_alive(session.expires_at, SESSION_TOKEN_LIFE_MS, now_ms))
                return FAULT_UNAUTHENTICATED;
        memcpy(binding.b, bytes + 9, sizeof(binding.b));
        if (!ulid_is_zero(binding)) {
                r = session_of_binding(db, binding, arena, &session);
                if (r)
                        return r;
        }
        session.embed |= bytes[0] == TOKEN_EMBED;
        *ret = session;
        return 0;
}

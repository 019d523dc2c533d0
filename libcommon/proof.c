#include "proof.h"
#include <sodium.h>

/* With its length before it, so that no part can pass for the end of the one before. */
static void add(crypto_generichash_blake2b_state *state, const void *bytes, size_t n)
{
        uint8_t length[2] = { (uint8_t)(n >> 8), (uint8_t)n };

        crypto_generichash_blake2b_update(state, length, sizeof(length));
        crypto_generichash_blake2b_update(state, bytes, n);
}

void session_proof(const uint8_t secret[PROOF_SECRET_BYTES], const uint8_t project[PROOF_PROJECT_BYTES], struct str server,
                   struct str device, struct str nonce, uint8_t ret_proof[PROOF_BYTES])
{
        static const struct str context = { "assist-session-1", 16 };
        crypto_generichash_blake2b_state state;

        crypto_generichash_blake2b_init(&state, secret, PROOF_SECRET_BYTES, PROOF_BYTES);
        add(&state, context.p, context.n);
        add(&state, project, PROOF_PROJECT_BYTES);
        add(&state, server.p, server.n);
        add(&state, device.p, device.n);
        add(&state, nonce.p, nonce.n);
        crypto_generichash_blake2b_final(&state, ret_proof, PROOF_BYTES);
        sodium_memzero(&state, sizeof(state));
}

#include "blake3.h"
#include <assert.h>

enum { CHUNK_START = 1, CHUNK_END = 2, ROOT = 8, ROUNDS = 7 };

static const uint32_t iv[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
static const uint8_t permutation[16] = { 2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8 };

static uint32_t rotate(uint32_t x, int bits)
{
        return x >> bits | x << (32 - bits);
}

/* The quarter round over one column or diagonal of the state. */
static void mix(uint32_t v[16], int a, int b, int c, int d, uint32_t x, uint32_t y)
{
        v[a] += v[b] + x;
        v[d] = rotate(v[d] ^ v[a], 16);
        v[c] += v[d];
        v[b] = rotate(v[b] ^ v[c], 12);
        v[a] += v[b] + y;
        v[d] = rotate(v[d] ^ v[a], 8);
        v[c] += v[d];
        v[b] = rotate(v[b] ^ v[c], 7);
}

static void round_of(uint32_t v[16], const uint32_t m[16])
{
        for (int i = 0; i < 4; i++)
                mix(v, i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1]);
        for (int i = 0; i < 4; i++)
                mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i]);
}

void blake3_block(const void *in, size_t n, uint8_t ret_hash[BLAKE3_BYTES])
{
        /* the chaining value is the IV, the counter 0 */
        uint32_t v[16] = { iv[0], iv[1], iv[2], iv[3], iv[4], iv[5], iv[6], iv[7], iv[0], iv[1], iv[2], iv[3],
                           0, 0, (uint32_t)n, CHUNK_START | CHUNK_END | ROOT };
        uint32_t m[16] = { 0 }, permuted[16];
        const uint8_t *bytes = in;

        assert(n <= BLAKE3_BLOCK_BYTES);
        for (size_t i = 0; i < n; i++)
                m[i / 4] |= (uint32_t)bytes[i] << 8 * (i % 4);
        for (int r = 0; r < ROUNDS; r++) {
                round_of(v, m);
                for (int i = 0; i < 16; i++)
                        permuted[i] = m[permutation[i]];
                for (int i = 0; i < 16; i++)
                        m[i] = permuted[i];
        }
        for (int i = 0; i < BLAKE3_BYTES; i++)
                ret_hash[i] = (uint8_t)((v[i / 4] ^ v[8 + i / 4]) >> 8 * (i % 4));
}

/* BLAKE3 of what fits one block: one compression, which is all that a mycelium address needs, and what no library here has.
 * The algorithm is that of the BLAKE3 paper (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), sections 2.2 to 2.5. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { BLAKE3_BLOCK_BYTES = 64, BLAKE3_BYTES = 32 };

/* n is at most BLAKE3_BLOCK_BYTES. */
void blake3_block(const void *in, size_t n, uint8_t ret_hash[BLAKE3_BYTES]);

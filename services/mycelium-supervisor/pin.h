/* The public key that is this desk's node: its address follows from it, and everything that clients know of the desk names that address.
 * So it is written down when it is first seen, and another one is never taken for it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { PIN_BYTES = 32 };

/* *ret_has false where nothing is pinned yet. -errno; -EINVAL for a file that is not 64 hexadecimal digits on one line. */
int pin_load(const char *path, bool *ret_has, uint8_t ret_key[PIN_BYTES]);
int pin_store(const char *path, const uint8_t key[PIN_BYTES]);  /* whole or not at all; -errno */

/* The node's secret key, for a daemon that we start: 32 bytes. A daemon that finds none would make a new identity. */
int key_make(const char *path);                                 /* a new one, where there is none; -errno */
int key_public(const char *path, uint8_t ret_key[PIN_BYTES]);   /* -ENOENT, -EINVAL for a file of another length, -errno */

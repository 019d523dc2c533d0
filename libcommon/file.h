/* Whole files: their hash, a copy that is on the disk, a tree that goes away. All answer 0 or a negative errno. */
#pragma once
#include <stdint.h>

enum { FILE_HASH_BYTES = 32 };  /* BLAKE2b-256 */

/* From its first byte, wherever fd stands. ret_bytes may be NULL. */
int file_hash(int fd, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes);
/* To a new file of mode 0600; -EEXIST where there is one. It is on the disk when this returns, its name once the folder is synced. The hash is
 * of what was copied. On an error nothing is left. */
int file_copy(const char *from, const char *to, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes);
/* A file's bytes, or a folder's names. */
int file_sync(const char *path);
/* A file, or a folder with all that is in it, following no link. One that is not there is fine. */
int file_remove(const char *path);

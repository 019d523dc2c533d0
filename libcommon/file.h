/* Whole files: their hash, a copy that is on the disk, a tree that goes away. All answer 0 or a negative errno, where nothing else is said.
 * Whoever may write in a folder that a path leads through may lead it elsewhere: of such a folder, ask by an fd, from file_folder. */
#pragma once
#include <stdint.h>

/* In the state of a service that a restore is changing: it does not start as long as this is there. */
#define FILE_RESTORING "restoring"

enum { FILE_HASH_BYTES = 32 };  /* BLAKE2b-256 */

/* A folder below another, some folders deep, through no link: an fd, to be closed. */
int file_folder(const char *top, const char *below);
/* A regular file to be read, and through no link: an fd, to be closed. Never waits, as a FIFO would have it. -ELOOP: a link; -EISDIR; -EINVAL: what else
 * there is. folder: an fd, or AT_FDCWD. */
int file_open(int folder, const char *name);
/* From its first byte, wherever fd stands. ret_bytes may be NULL. */
int file_hash(int fd, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes);
/* To a new file of mode 0600; -EEXIST where there is one. It is on the disk when this returns, its name once the folder is synced. The hash is
 * of what was copied: as much as the file had when this began, and -ENOSPC where there is less room. On an error nothing is left. `from` in the folder,
 * and as with file_open. */
int file_copy(int folder, const char *from, const char *to, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes);
/* A file's bytes, or a folder's names. */
int file_sync(const char *path);
/* A file, or a folder with all that is in it, following no link, whatever changes there meanwhile. One that is not there is fine. */
int file_remove(const char *path);

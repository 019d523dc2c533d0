#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, FOLDERS_OPEN = 16 };

/* From where fd stands to its end; to: -1 where it is only hashed. */
static int pass(int fd, int to, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes)
{
        crypto_generichash_state state;
        uint8_t piece[PIECE];
        int64_t bytes = 0;
        ssize_t n;

        crypto_generichash_init(&state, NULL, 0, FILE_HASH_BYTES);
        while ((n = read(fd, piece, sizeof(piece))) > 0) {
                crypto_generichash_update(&state, piece, (unsigned long long)n);
                for (ssize_t at = 0, wrote; to >= 0 && at < n; at += wrote) {
                        wrote = write(to, piece + at, (size_t)(n - at));
                        if (wrote < 0)
                                return -errno;
                }
                bytes += n;
        }
        crypto_generichash_final(&state, ret_hash, FILE_HASH_BYTES);
        if (ret_bytes)
                *ret_bytes = bytes;
        return n < 0 ? -errno : 0;
}

int file_hash(int fd, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes)
{
        return lseek(fd, 0, SEEK_SET) < 0 ? -errno : pass(fd, -1, ret_hash, ret_bytes);
}

int file_copy(const char *from, const char *to, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes)
{
        int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out, r;

        if (in < 0)
                return -errno;
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        r = out < 0 ? -errno : pass(in, out, ret_hash, ret_bytes);
        if (!r && fsync(out))
                r = -errno;
        if (out >= 0 && close(out) && !r)
                r = -errno;
        if (r && out >= 0)
                unlink(to);
        close(in);
        return r;
}

int file_sync(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r = fd < 0 || fsync(fd) ? -errno : 0;

        if (fd >= 0)
                close(fd);
        return r;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
        (void)st;
        (void)type;
        (void)where;
        return remove(path) && errno != ENOENT ? -errno : 0;
}

int file_remove(const char *path)
{
        int r = nftw(path, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS);

        return r != -1 ? r : errno == ENOENT ? 0 : -errno;
}

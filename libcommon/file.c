#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, FOLDERS_DEEP = 32, FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* From where fd stands, so many bytes at most; to: -1 where it is only hashed. */
static int pass(int fd, int to, int64_t most, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes)
{
        crypto_generichash_state state;
        uint8_t piece[PIECE];
        int64_t bytes = 0;
        ssize_t n;

        crypto_generichash_init(&state, NULL, 0, FILE_HASH_BYTES);
        while ((n = read(fd, piece, most - bytes < PIECE ? (size_t)(most - bytes) : PIECE)) > 0) {
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
        return lseek(fd, 0, SEEK_SET) < 0 ? -errno : pass(fd, -1, INT64_MAX, ret_hash, ret_bytes);
}

int file_folder(const char *top, const char *below)
{
        int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;
        char name[300]; /* more than a name can have: cut, it is too long yet */

        while (fd >= 0 && *below) {
                size_t n = strcspn(below, "/");

                snprintf(name, sizeof(name), "%.*s", (int)n, below);
                next = openat(fd, name, FOLDER_FLAGS);
                close(fd);
                fd = next;
                below += n + (below[n] == '/');
        }
        return fd < 0 ? -errno : fd;
}

int file_open(int folder, const char *name)
{
        int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return -errno;
        if (!fstat(fd, &st) && S_ISREG(st.st_mode))
                return fd;
        close(fd);
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

static int copy(int from, int to, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes)
{
        struct statvfs fs;
        struct stat st;
        int r;

        if (fstat(from, &st) || fstatvfs(to, &fs))
                return -errno;
        if (st.st_size > 0 && (uint64_t)st.st_size / fs.f_frsize >= fs.f_bavail) /* it may have holes, and the copy none */
                return -ENOSPC;
        r = pass(from, to, st.st_size, ret_hash, ret_bytes);
        return !r && fsync(to) ? -errno : r;
}

int file_copy(int folder, const char *from, const char *to, uint8_t ret_hash[FILE_HASH_BYTES], int64_t *ret_bytes)
{
        int in = file_open(folder, from), out, r;

        if (in < 0)
                return in;
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        r = out < 0 ? -errno : copy(in, out, ret_hash, ret_bytes);
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

static int remove_in(int folder, const char *name, int deep);

static int empty(int folder, int deep)
{
        DIR *all = fdopendir(folder);
        const struct dirent *entry;
        int r = 0;

        if (!all) {
                r = -errno;
                close(folder);
                return r;
        }
        while (!r && (entry = readdir(all)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        r = remove_in(dirfd(all), entry->d_name, deep);
        closedir(all);
        return r;
}

/* By the folder's fd: a path could lead elsewhere by the time that it is used. */
static int remove_in(int folder, const char *name, int deep)
{
        int fd, r;

        if (!unlinkat(folder, name, 0) || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return -errno;
        if (deep == FOLDERS_DEEP)
                return -ENAMETOOLONG;
        fd = openat(folder, name, FOLDER_FLAGS);
        r = fd < 0 ? -errno : empty(fd, deep + 1);
        if (!r && unlinkat(folder, name, AT_REMOVEDIR) && errno != ENOENT)
                r = -errno;
        return r;
}

int file_remove(const char *path)
{
        return remove_in(AT_FDCWD, path, 0);
}

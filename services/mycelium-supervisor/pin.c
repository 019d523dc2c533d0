#include "pin.h"
#include "str.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_BYTES = crypto_scalarmult_curve25519_SCALARBYTES };

/* At most n bytes; what is there may be longer. */
static ssize_t read_file(const char *path, void *bytes, size_t n)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t got;
        int error;

        if (fd < 0)
                return -errno;
        got = read(fd, bytes, n);
        error = errno;
        close(fd);
        return got < 0 ? -error : got;
}

/* By a file of another name, which takes its place when it is on the disk. */
static int write_file(const char *path, const void *bytes, size_t n)
{
        char fresh[4096];
        int fd, r = 0;
        ssize_t wrote;

        if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
                return -ENAMETOOLONG;
        fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        wrote = write(fd, bytes, n);
        if (wrote != (ssize_t)n)
                r = wrote < 0 ? -errno : -ENOSPC;
        if (!r && fsync(fd) < 0)
                r = -errno;
        close(fd);
        if (!r && rename(fresh, path) < 0)
                r = -errno;
        if (r)
                unlink(fresh);
        return r;
}

int pin_load(const char *path, bool *ret_has, uint8_t ret_key[PIN_BYTES])
{
        char text[2 * PIN_BYTES + 8];
        ssize_t n = read_file(path, text, sizeof(text));

        if (n == -ENOENT) {
                *ret_has = false;
                return 0;
        }
        if (n < 0)
                return (int)n;
        if (str_from_hex(str_trim((struct str){ text, (size_t)n }), ret_key, PIN_BYTES))
                return -EINVAL;
        *ret_has = true;
        return 0;
}

int pin_store(const char *path, const uint8_t key[PIN_BYTES])
{
        struct buf text = { 0 };
        int r;

        buf_hex(&text, key, PIN_BYTES);
        buf_char(&text, '\n');
        r = write_file(path, text.p, text.n);
        buf_deinit(&text);
        return r;
}

int key_make(const char *path)
{
        uint8_t secret[SECRET_BYTES];
        int r;

        if (access(path, F_OK) == 0)
                return 0;
        randombytes_buf(secret, sizeof(secret));
        r = write_file(path, secret, sizeof(secret));
        sodium_memzero(secret, sizeof(secret));
        return r;
}

int key_public(const char *path, uint8_t ret_key[PIN_BYTES])
{
        uint8_t secret[SECRET_BYTES + 1];
        ssize_t n = read_file(path, secret, sizeof(secret));
        int r = n < 0 ? (int)n : n != SECRET_BYTES ? -EINVAL : 0;

        if (!r)
                crypto_scalarmult_curve25519_base(ret_key, secret);
        sodium_memzero(secret, sizeof(secret));
        return r;
}

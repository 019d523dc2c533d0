/* The device's secret and the desks' keys, in files of our own: the folder 0700, the files 0600, replaced whole. */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 800 };

static int folders(const char *path)
{
        char part[PATH_MAX_BYTES];

        snprintf(part, sizeof(part), "%s", path);
        for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(part, 0700) && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        return 0;
}

static int write_whole(const char *path, struct str text)
{
        char part[PATH_MAX_BYTES + 8];
        int fd, r = folders(path);

        if (r)
                return r;
        snprintf(part, sizeof(part), "%s.part", path);
        fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        if (write(fd, text.p, text.n) != (ssize_t)text.n || fsync(fd))
                r = errno ? -errno : -EIO;
        close(fd);
        if (!r && rename(part, path))
                r = -errno;
        if (r)
                unlink(part);
        return r;
}

static int read_hex(const char *path, uint8_t bytes[32])
{
        char text[65];
        int fd = open(path, O_RDONLY | O_CLOEXEC), r;

        if (fd < 0)
                return -errno;
        r = read(fd, text, 64) == 64 && !str_from_hex((struct str){ text, 64 }, bytes, 32) ? 0 : -EBADMSG;
        close(fd);
        sodium_memzero(text, sizeof(text));
        return r;
}

static int write_hex(const char *path, const uint8_t bytes[32])
{
        struct buf hex = { 0 };
        int r;

        buf_hex(&hex, bytes, 32);
        buf_char(&hex, '\n');
        r = write_whole(path, buf_view(&hex));
        sodium_memzero(hex.p, hex.n);
        buf_deinit(&hex);
        return r;
}

/* STATE/<project>/<device>.secret: a device may be bound at many desks, and a machine may be many devices. */
static const char *secret_path(const struct assist *a, char path[PATH_MAX_BYTES])
{
        struct buf project = { 0 };
        char device[65];

        buf_hex(&project, a->identity.project, 32);
        snprintf(device, sizeof(device), "%s", a->identity.device);
        for (char *p = device; *p; p++)
                if (*p == '/')
                        *p = '_';
        snprintf(path, PATH_MAX_BYTES, "%s/%s/%s.secret", a->state, buf_z(&project), device);
        buf_deinit(&project);
        return path;
}

int device_load(struct assist *a, struct assist_error *error)
{
        char path[PATH_MAX_BYTES];
        int r = read_hex(secret_path(a, path), a->secret);

        a->has_secret = r == 0;
        if (r && r != -ENOENT)
                return assist_fail(error, r, "%s can't be used: %s; remove it and bind this device again", path, strerror(-r));
        return 0;
}

int device_save(struct assist *a, struct assist_error *error)
{
        char path[PATH_MAX_BYTES];
        int r = write_hex(secret_path(a, path), a->secret);

        return r ? assist_fail(error, r, "the device's secret can't be kept in %s: %s", path, strerror(-r)) : 0;
}

int device_pin(struct assist *a, struct assist_error *error)
{
        char path[PATH_MAX_BYTES];
        uint8_t known[32];
        int r;

        snprintf(path, sizeof(path), "%s/desks/%s_%d", a->state, a->address, a->port);
        r = read_hex(path, known);
        if (r == -ENOENT)
                r = write_hex(path, a->identity.project);
        else if (!r && memcmp(known, a->identity.project, 32))
                return assist_fail(error, -EKEYREJECTED,
                                   "another desk answers at %s than before; if it was set up anew, remove %s", a->address, path);
        return r ? assist_fail(error, r, "%s: %s", path, strerror(-r)) : 0;
}

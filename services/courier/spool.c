#include "spool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, struct str s)
{
        while (s.n > 0) {
                ssize_t n = write(fd, s.p, s.n);

                if (n < 0)
                        return -errno;
                s.p += n;
                s.n -= (size_t)n;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

int spool_write(const char *folder, struct ulid id, struct str message)
{
        char text[ULID_TEXT + 1], file[ULID_TEXT + 8], partial[ULID_TEXT + 16];
        int dir, fd, r;

        ulid_text(id, text);
        snprintf(file, sizeof(file), "%s.eml", text);
        snprintf(partial, sizeof(partial), ".%s.partial", text);
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                return -errno;
        dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        fd = openat(dir, partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        r = fd < 0 ? -errno : write_all(fd, message);
        if (fd >= 0)
                close(fd);
        if (r == 0 && renameat(dir, partial, dir, file) < 0)
                r = -errno;
        if (r == 0 && fsync(dir) < 0)
                r = -errno;
        close(dir);
        return r;
}

#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* %s: nothing, or the root. Keys that are not here are made anew: instance, so that what was restored goes on as another; caller and link, since what they
 * sealed is over by then. */
static const struct {
        const char *name, *in_root, *in_system, *service;
        const char *service_in_root;    /* where it is another's: without systemd, the supervisor has the overlay's daemon as a child */
} all[] = {
        { "etc/assist.conf", "/etc/assist.conf", "/etc/assist/assist.conf", NULL },
        { "etc/mycelium.env", "/etc/mycelium.env", "/etc/assist/mycelium.env", NULL },
        { PARTS_PROJECT, "/keys/identity/project", "/etc/assist/keys/identity/project", "identity" },
        { "keys/store/cursor", "/keys/store/cursor", "/etc/assist/keys/store/cursor", "store" },
        { "keys/fanout/cursor", "/keys/fanout/cursor", "/etc/assist/keys/fanout/cursor", "fanout" },
        { "overlay/key.bin", "/state/mycelium-supervisor/mycelium.key", "/var/lib/assist-mycelium/key.bin", "mycelium", "mycelium-supervisor" },
        { "overlay/mycelium.pubkey", "/state/mycelium-supervisor/mycelium.pubkey", "/var/lib/assist-mycelium-supervisor/mycelium.pubkey",
          "mycelium-supervisor" },
        { "overlay/yggdrasil.pubkey", "/state/mycelium-supervisor/yggdrasil.pubkey", "/var/lib/assist-mycelium-supervisor/yggdrasil.pubkey",
          "mycelium-supervisor" },
};

/* Settings may be links of the operator's own, to where all machines' are kept. */
static const char *resolved(struct operator *o, const char *path)
{
        char *real = realpath(path, NULL);
        const char *there = real ? arena_format(&o->arena, "%s", real).p : path;

        free(real);
        return there;
}

static int is_settings(const struct dirent *entry)
{
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

enum { PARTS_MAX = sizeof(((struct parts *)0)->items) / sizeof(struct part) - 2 }; /* and the databases */

int parts_list(struct operator *o, const char *folder, struct parts *ret)
{
        const char *here = operator_path(o, o->root ? "/etc/assist.conf.d" : "/etc/assist/assist.conf.d");
        const char *there = folder ? arena_format(&o->arena, "%s/etc/assist.conf.d", folder).p : here;
        struct dirent **entries = NULL;
        int n = scandir(there, &entries, is_settings, alphasort);

        ret->n = 0;
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                const char *path = operator_path(o, "%s", o->root ? all[i].in_root : all[i].in_system);

                ret->items[ret->n++] = (struct part){ all[i].name, all[i].service ? path : resolved(o, path),
                                                      o->root && all[i].service_in_root ? all[i].service_in_root : all[i].service };
        }
        for (int i = 0; i < n; i++) {
                if (ret->n + (size_t)(n - i) <= PARTS_MAX)
                        ret->items[ret->n++] = (struct part){ arena_format(&o->arena, "etc/assist.conf.d/%s", entries[i]->d_name).p,
                                                              resolved(o, arena_format(&o->arena, "%s/%s", here, entries[i]->d_name).p), NULL };
                free(entries[i]);
        }
        free(entries);
        if (n <= 0 || ret->n == sizeof(all) / sizeof(all[0]) + (size_t)n)
                return 0;
        fprintf(stderr, "assistctl: %s has %d files; a backup has room for %zu\n", there, n, PARTS_MAX - sizeof(all) / sizeof(all[0]));
        return EXIT_FAILURE;
}

struct part parts_database(struct operator *o, const char *service)
{
        const char *name = arena_format(&o->arena, "%s.db", service).p;

        return (struct part){ name, operator_state(o, service, name), service };
}

/* ---- attachments ---- */

static int is_shown(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

static int is_xx(const struct dirent *entry)
{
        return strlen(entry->d_name) == 2 && strspn(entry->d_name, "0123456789abcdef") == 2;
}

typedef int taker(void *data, const struct blob *blob);

/* The files of "xx", into its twin. */
static int folder_take(int from, const char *to, const char *xx, taker *take, void *data)
{
        char name[300], path[1400];
        struct dirent **files = NULL;
        int n = scandirat(from, ".", &files, is_shown, NULL), r = 0;

        if (n < 0)
                return -errno;
        snprintf(path, sizeof(path), "%.1000s/%s", to, xx);
        if (mkdir(path, 0700))
                r = -errno;
        for (int i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "%s/%s", xx, files[i]->d_name);
                snprintf(path, sizeof(path), "%.1000s/%s", to, name);
                if (!r)
                        r = take(data, &(struct blob){ .folder = from, .file = files[i]->d_name, .name = name, .to = path });
                free(files[i]);
        }
        free(files);
        snprintf(path, sizeof(path), "%.1000s/%s", to, xx);
        return r ? r : file_sync(path);
}

int parts_blobs(int from, const char *to, taker *take, void *data)
{
        struct dirent **folders = NULL;
        int n, r = 0;

        if (mkdir(to, 0700))
                return -errno;
        n = scandirat(from, ".", &folders, is_xx, NULL);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                int fd = r ? -1 : openat(from, folders[i]->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (!r)
                        r = fd < 0 ? -errno : folder_take(fd, to, folders[i]->d_name, take, data);
                if (fd >= 0)
                        close(fd);
                free(folders[i]);
        }
        free(folders);
        return r ? r : file_sync(to);
}

bool parts_blob_is(const struct blob *blob, const uint8_t hash[FILE_HASH_BYTES])
{
        struct buf hex = { 0 };
        bool is;

        buf_hex(&hex, hash, FILE_HASH_BYTES);
        is = str_is(buf_view(&hex), blob->name + 3) && memcmp(hex.p, blob->name, 2) == 0;
        buf_deinit(&hex);
        return is;
}

#include "parts.h"
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* %s: nothing, or the root. Keys that are not here are made anew: instance, so that what was restored goes on as another; caller and link, since what they
 * sealed is over by then. */
static const struct {
        const char *name, *in_root, *in_system, *service;
} all[] = {
        { "etc/assist.conf", "/etc/assist.conf", "/etc/assist/assist.conf", NULL },
        { "etc/mycelium.env", "/etc/mycelium.env", "/etc/assist/mycelium.env", NULL },
        { "keys/identity/project", "/keys/identity/project", "/etc/assist/keys/identity/project", "identity" },
        { "keys/store/cursor", "/keys/store/cursor", "/etc/assist/keys/store/cursor", "store" },
        { "keys/fanout/cursor", "/keys/fanout/cursor", "/etc/assist/keys/fanout/cursor", "fanout" },
        { "overlay/key.bin", "/state/mycelium-supervisor/mycelium.key", "/var/lib/assist-mycelium/key.bin", "mycelium" },
        { "overlay/mycelium.pubkey", "/state/mycelium-supervisor/mycelium.pubkey", "/var/lib/assist-mycelium-supervisor/mycelium.pubkey",
          "mycelium-supervisor" },
        { "overlay/yggdrasil.pubkey", "/state/mycelium-supervisor/yggdrasil.pubkey", "/var/lib/assist-mycelium-supervisor/yggdrasil.pubkey",
          "mycelium-supervisor" },
};

static int is_settings(const struct dirent *entry)
{
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n > 5 && n < 100 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

void parts_list(struct operator *o, const char *folder, struct parts *ret)
{
        const char *here = operator_path(o, o->root ? "/etc/assist.conf.d" : "/etc/assist/assist.conf.d");
        const char *there = folder ? arena_format(&o->arena, "%s/etc/assist.conf.d", folder).p : here;
        struct dirent **entries = NULL;
        int n = scandir(there, &entries, is_settings, alphasort);

        ret->n = 0;
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
                ret->items[ret->n++] = (struct part){ all[i].name, operator_path(o, "%s", o->root ? all[i].in_root : all[i].in_system), all[i].service };
        for (int i = 0; i < n; i++) {
                if (ret->n < sizeof(ret->items) / sizeof(ret->items[0]) - 2) /* and the databases */
                        ret->items[ret->n++] = (struct part){ arena_format(&o->arena, "etc/assist.conf.d/%s", entries[i]->d_name).p,
                                                              arena_format(&o->arena, "%s/%s", here, entries[i]->d_name).p, NULL };
                free(entries[i]);
        }
        free(entries);
}

struct part parts_database(struct operator *o, const char *service)
{
        const char *name = arena_format(&o->arena, "%s.db", service).p;

        return (struct part){ name, operator_state(o, service, name), strcmp(service, "store") == 0 ? "store" : "identity" };
}

static int is_shown(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

typedef int taker(void *data, const char *name, const char *from, const char *to);

/* The files of "xx", into its twin. */
static int folder_take(const char *from, const char *to, const char *xx, taker *take, void *data)
{
        char in[1024], out[1024], name[300], a[1400], b[1400];
        struct dirent **files = NULL;
        int n, r = 0;

        snprintf(in, sizeof(in), "%s/%s", from, xx);
        snprintf(out, sizeof(out), "%s/%s", to, xx);
        if (mkdir(out, 0700))
                return -errno;
        n = scandir(in, &files, is_shown, NULL);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "%.20s/%.260s", xx, files[i]->d_name);
                snprintf(a, sizeof(a), "%s/%s", in, files[i]->d_name);
                snprintf(b, sizeof(b), "%s/%s", out, files[i]->d_name);
                if (!r)
                        r = take(data, name, a, b);
                free(files[i]);
        }
        free(files);
        return r ? r : file_sync(out);
}

int parts_blobs(const char *from, const char *to, taker *take, void *data)
{
        struct dirent **folders = NULL;
        int n, r = 0;

        if (mkdir(to, 0700))
                return -errno;
        n = scandir(from, &folders, is_shown, NULL);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (!r)
                        r = folder_take(from, to, folders[i]->d_name, take, data);
                free(folders[i]);
        }
        free(folders);
        return r ? r : file_sync(to);
}

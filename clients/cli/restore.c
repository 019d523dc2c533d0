#include "backup.h"

#include "file.h"
#include "init.h"
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct restoring {
        struct operator *o;
        const char *folder;
        struct backup about;
        bool replace;
        char aside[40];         /* what was here goes to folders and files of this name: "replaced-2026-11-22T01-24-57Z" */
};

static const char *in(struct restoring *r, const char *folder, const char *name)
{
        return arena_format(&r->o->arena, "%s/%s", folder, name).p;
}

static bool is_there(const char *path)
{
        return access(path, F_OK) == 0;
}

/* ---- whether it may be ---- */

static bool is_running(struct operator *o, const char *service)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool running;

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", operator_path(o, "/run/assist-%s/rpc.sock", service));
        running = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        if (fd >= 0)
                close(fd);
        return running;
}

static int stopped_check(struct operator *o)
{
        static const char *const services[] = { "store", "identity", "fanout", "mycelium-supervisor" };

        for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
                if (is_running(o, services[i])) {
                        fprintf(stderr, "assistctl: assist-%s is running: stop the desk first%s\n", services[i], o->root ? "" : ", by `systemctl stop assist.target`");
                        return EXIT_CONFLICT;
                }
        return 0;
}

static const struct backup_file *listed(const struct restoring *r, const char *name)
{
        for (size_t i = 0; i < r->about.files.n; i++)
                if (str_is(r->about.files.items[i].name, name))
                        return &r->about.files.items[i];
        return NULL;
}

/* Whether a file has the bytes that the backup has under this name. */
static bool is_same(const struct restoring *r, const char *path, const char *name)
{
        const struct backup_file *f = listed(r, name);
        uint8_t hash[FILE_HASH_BYTES];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        bool same = f && fd >= 0 && !file_hash(fd, hash, NULL) && memcmp(hash, f->hash.p, sizeof(hash)) == 0;

        if (fd >= 0)
                close(fd);
        return same;
}

/* Nothing of a desk that is here goes away unasked, and another desk's keys never do. */
static int here_check(struct restoring *r)
{
        static const char *const services[] = { "store", "identity" };
        const char *project = operator_path(r->o, r->o->root ? "/keys/identity/project" : "/etc/assist/keys/identity/project");

        if (is_there(project) && !is_same(r, project, "keys/identity/project")) {
                fprintf(stderr, "assistctl: the keys here are another desk's, or of one that was never used: move %s away first\n",
                        operator_path(r->o, r->o->root ? "/keys" : "/etc/assist/keys"));
                return EXIT_CONFLICT;
        }
        for (size_t i = 0; i < 2 && !r->replace; i++) {
                struct part part = parts_database(r->o, services[i]);

                if (is_there(part.path)) {
                        fprintf(stderr, "assistctl: %s is there; with --replace it, and what belongs to it, is set aside, not removed\n", part.path);
                        return EXIT_CONFLICT;
                }
        }
        return 0;
}

/* ---- copying, beside what is there ---- */

/* A service's folder, where it is not there yet. */
static int folder_make(const char *path, const char *service)
{
        if (mkdir(path, service ? 0700 : 0755))
                return errno == EEXIST ? 0 : backup_failed("make", path, -errno);
        return service ? init_hand_over(service, path, false) : 0;
}

static int file_put(struct restoring *r, const char *name, const char *to, const char *service)
{
        const char *from = in(r, r->folder, name);
        const struct backup_file *f = listed(r, name);
        uint8_t hash[FILE_HASH_BYTES];
        int e = file_copy(from, to, hash, NULL);

        if (e)
                return backup_failed("copy", from, e);
        if (!f || memcmp(hash, f->hash.p, sizeof(hash))) {
                unlink(to);
                fprintf(stderr, "assistctl: %s is damaged: it is not what the backup's backup.json says\n", from);
                return EXIT_FAILURE;
        }
        if (!service && chmod(to, 0644))
                return backup_failed("change", to, -errno);
        return service ? init_hand_over(service, to, false) : 0;
}

static int blob_put(void *data, const char *name, const char *from, const char *to)
{
        uint8_t hash[FILE_HASH_BYTES], named[FILE_HASH_BYTES];
        int e = file_copy(from, to, hash, NULL);

        (void)data;
        if (e)
                return backup_failed("copy", from, e);
        if (strlen(name) != 3 + 2 * sizeof(named) || str_from_hex(str_of(name + 3), named, sizeof(named)) || memcmp(hash, named, sizeof(hash))) {
                fprintf(stderr, "assistctl: %s is damaged: its bytes are not those that its name says\n", from);
                return EXIT_FAILURE;
        }
        return init_hand_over("store", to, false);
}

static int blob_folder_own(const char *blobs)
{
        char path[600];

        for (int i = 0; i < 256; i++) {
                snprintf(path, sizeof(path), "%s/%02x", blobs, i);
                if (is_there(path) && init_hand_over("store", path, false))
                        return EXIT_FAILURE;
        }
        return init_hand_over("store", blobs, false);
}

/* Into "restored" of the service's state. */
static int service_copy(struct restoring *r, const char *service)
{
        struct part part = parts_database(r->o, service);
        const char *state = operator_state(r->o, service, ""), *restored = operator_state(r->o, service, "restored"), *blobs = in(r, restored, "blobs");
        int e = file_remove(restored);

        if (e)
                return backup_failed("remove", restored, e);
        e = folder_make(state, service);
        if (!e)
                e = folder_make(restored, service);
        if (!e)
                e = file_put(r, part.name, in(r, restored, part.name), service);
        if (e || strcmp(service, "store") != 0)
                return e;
        e = parts_blobs(in(r, r->folder, "blobs"), blobs, blob_put, r);
        if (e < 0)
                return backup_failed("copy", in(r, r->folder, "blobs"), e);
        return e ? e : blob_folder_own(blobs);
}

/* ---- the change, in a moment ---- */

static int set_aside(struct restoring *r, const char *service)
{
        static const char *const of_store[] = { "store.db", "store.db-wal", "store.db-shm", "blobs", "uploads", NULL };
        static const char *const of_identity[] = { "identity.db", "identity.db-wal", "identity.db-shm", NULL };
        const char *const *names = strcmp(service, "store") == 0 ? of_store : of_identity;
        const char *aside = operator_state(r->o, service, r->aside);

        for (; *names; names++) {
                const char *from = operator_state(r->o, service, *names);

                if (!is_there(from))
                        continue;
                if (folder_make(aside, service))
                        return EXIT_FAILURE;
                if (rename(from, in(r, aside, *names)))
                        return backup_failed("set aside", from, -errno);
        }
        return 0;
}

static int service_place(struct restoring *r, const char *service)
{
        struct part part = parts_database(r->o, service);
        const char *restored = operator_state(r->o, service, "restored");
        int e = set_aside(r, service);

        if (e)
                return e;
        if (strcmp(service, "store") == 0 && rename(in(r, restored, "blobs"), operator_state(r->o, service, "blobs")))
                return backup_failed("place", in(r, restored, "blobs"), -errno);
        if (rename(in(r, restored, part.name), part.path))
                return backup_failed("place", part.path, -errno);
        e = file_remove(restored);
        if (!e)
                e = file_sync(operator_state(r->o, service, ""));
        return e ? backup_failed("finish", part.path, e) : 0;
}

/* What is here stays, and is said where it is another than the backup's. */
static int part_place(struct restoring *r, const struct part *part)
{
        char folder[600];

        if (!is_there(in(r, r->folder, part->name)))
                return 0;
        if (is_there(part->path)) {
                if (!is_same(r, part->path, part->name))
                        fprintf(stderr, "assistctl: %s stays as it is; the backup has another in %s\n", part->path, part->name);
                return 0;
        }
        snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(part->path, '/') - part->path), part->path);
        if (folder_make(folder, part->service))
                return EXIT_FAILURE;
        return file_put(r, part->name, part->path, part->service);
}

/* The key of the instance that is restored is not used again: what it may have signed since is unknown here. */
static int instance_set_aside(struct restoring *r)
{
        const char *key = operator_path(r->o, r->o->root ? "/keys/store/instance" : "/etc/assist/keys/store/instance");

        return rename(key, arena_format(&r->o->arena, "%s.%s", key, r->aside).p) && errno != ENOENT ? backup_failed("set aside", key, -errno) : 0;
}

static int place(struct restoring *r)
{
        struct parts parts;
        int e = service_place(r, "identity");

        if (!e)
                e = service_place(r, "store");
        parts_list(r->o, r->folder, &parts);
        for (size_t i = 0; i < parts.n && !e; i++)
                e = part_place(r, &parts.items[i]);
        if (!e)
                e = instance_set_aside(r);
        return e ? e : init_project(r->o, false);
}

/* ---- all of it ---- */

static int folders_make(struct restoring *r)
{
        static const char *const in_root[] = { "", "/etc", "/keys", "/state", NULL }, *const in_system[] = { "/etc/assist", "/etc/assist/keys", NULL };
        const char *const *names = r->o->root ? in_root : in_system;
        int e = 0;

        for (; *names && !e; names++)
                e = folder_make(operator_path(r->o, "%s", *names), NULL);
        return e;
}

static int restore(struct restoring *r)
{
        int e = stopped_check(r->o);

        if (!e)
                e = here_check(r);
        if (!e)
                e = folders_make(r);
        if (!e)
                e = service_copy(r, "identity");
        if (!e)
                e = service_copy(r, "store");
        if (e) {
                file_remove(operator_state(r->o, "identity", "restored"));
                file_remove(operator_state(r->o, "store", "restored"));
                fprintf(stderr, "assistctl: nothing was changed\n");
                return e;
        }
        return place(r);
}

int run_restore(struct operator *o, int argc, char **argv)
{
        struct restoring r = { .o = o };
        time_t now = time(NULL);
        struct tm tm;
        int e;

        for (int i = 0; i < argc; i++)
                if (strcmp(argv[i], "--replace") == 0)
                        r.replace = true;
                else if (argv[i][0] != '-' && !r.folder)
                        r.folder = argv[i];
                else
                        argc = 0;
        if (!argc || !r.folder) {
                fprintf(stderr, "assistctl: restore FOLDER [--replace]; `assistctl backup list` has the folders\n");
                return EXIT_USAGE;
        }
        e = backup_read(o, r.folder, &r.about);
        if (e == -ENOENT) {
                fprintf(stderr, "assistctl: %s is no backup: it has no backup.json\n", r.folder);
                return EXIT_NOT_FOUND;
        }
        if (e)
                return backup_failed("read", in(&r, r.folder, "backup.json"), e);
        gmtime_r(&now, &tm);
        strftime(r.aside, sizeof(r.aside), "replaced-%Y-%m-%dT%H-%M-%SZ", &tm);
        e = restore(&r);
        if (!e)
                printf("Restored %lld ops and %lld attachments of %.*s. What came later is not in it; devices stay bound, and sign in anew.\n", (long long)r.about.ops,
                       (long long)r.about.attachments, STR_ARG(r.about.name));
        return e;
}

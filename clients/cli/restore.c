#include "backup.h"

#include "file.h"
#include "init.h"
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        int64_t blobs;
        char now[28];
        /* What is changing, store's state and identity's. */
        struct placing {
                const char *service;
                char aside[40];         /* what was here goes to folders and files of this name: "replaced-2026-11-22T01-24-57.123Z" */
                bool again;             /* a restore before did not come to its end: what it set aside is there */
        } placing[2];
};

static bool is_there(const char *path)
{
        return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
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

enum { STOPPING_MS = 15 * 1000, LOOK_MS = 100 };

/* `systemctl stop assist.target` answers while services are still on their way out. */
static bool stops(struct operator *o, const char *service)
{
        if (!is_running(o, service))
                return true;
        if (o->root)
                return false;
        fprintf(stderr, "assistctl: waiting for assist-%s to stop\n", service);
        for (int ms = 0; ms < STOPPING_MS; ms += LOOK_MS) {
                nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
                if (!is_running(o, service))
                        return true;
        }
        return false;
}

static int stopped_check(struct operator *o)
{
        static const char *const services[] = { "store", "identity", "fanout", "mycelium-supervisor" };

        for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
                if (!stops(o, services[i])) {
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
        int fd = file_open(AT_FDCWD, path);
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

        if (is_there(project) && !is_same(r, project, PARTS_PROJECT)) {
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

static int damaged(const char *path)
{
        fprintf(stderr, "assistctl: %s is damaged: it is not what the backup's backup.json says\n", path);
        return EXIT_FAILURE;
}

/* All but what is looked at while it is copied, which is before anything changes, too. */
static int folder_check(struct restoring *r)
{
        struct parts parts;

        if (strverscmp(arena_str(&r->o->arena, r->about.version).p, ASSIST_VERSION) > 0) {
                fprintf(stderr, "assistctl: %s was made by a newer version than this one, %s: install that one first\n", r->folder, ASSIST_VERSION);
                return EXIT_FAILURE;
        }
        if (!listed(r, PARTS_PROJECT))
                return damaged(backup_path(r->o, r->folder, PARTS_PROJECT));
        for (size_t i = 0; i < r->about.files.n; i++) {
                const char *name = arena_str(&r->o->arena, r->about.files.items[i].name).p;

                if (strcmp(name, "store.db") != 0 && strcmp(name, "identity.db") != 0 && !is_same(r, backup_path(r->o, r->folder, name), name))
                        return damaged(backup_path(r->o, r->folder, name));
        }
        if (parts_list(r->o, r->folder, &parts))
                return EXIT_FAILURE;
        for (size_t i = 0; i < parts.n; i++)
                if (is_there(backup_path(r->o, r->folder, parts.items[i].name)) && !listed(r, parts.items[i].name))
                        return damaged(backup_path(r->o, r->folder, parts.items[i].name));
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
        const char *from = backup_path(r->o, r->folder, name);
        const struct backup_file *f = listed(r, name);
        uint8_t hash[FILE_HASH_BYTES];
        int e = file_copy(AT_FDCWD, from, to, hash, NULL);

        if (e)
                return backup_failed("copy", from, e);
        if (!f || memcmp(hash, f->hash.p, sizeof(hash))) {
                unlink(to);
                return damaged(from);
        }
        if (!service && chmod(to, 0644))
                return backup_failed("change", to, -errno);
        return service ? init_hand_over(service, to, false) : 0;
}

/* Of a desk whose data were damaged when it was made, for want of another. */
static bool is_of_damaged(const struct restoring *r)
{
        const struct str end = STR(".damaged"), name = r->about.name;

        return name.n > end.n && memcmp(name.p + name.n - end.n, end.p, end.n) == 0;
}

static int blob_put(void *data, const struct blob *blob)
{
        struct restoring *r = data;
        const char *from = backup_path(r->o, r->folder, backup_path(r->o, "blobs", blob->name));
        uint8_t hash[FILE_HASH_BYTES];
        int e = file_copy(blob->folder, blob->file, blob->to, hash, NULL);

        if (e)
                return backup_failed("copy", from, e);
        r->blobs++;
        if (!parts_blob_is(blob, hash)) {
                fprintf(stderr, "assistctl: %s is damaged: its bytes are not those that its name says%s\n", from, is_of_damaged(r) ? "; it is left out" : "");
                return is_of_damaged(r) && !unlink(blob->to) ? 0 : EXIT_FAILURE;
        }
        return init_hand_over("store", blob->to, false);
}

static int blobs_put(struct restoring *r, const char *to)
{
        const char *from = backup_path(r->o, r->folder, "blobs");
        int fd = file_folder(r->folder, "blobs");
        int e = fd < 0 ? fd : parts_blobs(fd, to, blob_put, r);

        if (fd >= 0)
                close(fd);
        if (e < 0)
                return backup_failed("copy", from, e);
        if (e || r->blobs == r->about.attachments)
                return e;
        fprintf(stderr, "assistctl: %s has %lld attachments, and backup.json says %lld\n", from, (long long)r->blobs, (long long)r->about.attachments);
        return EXIT_FAILURE;
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
        const char *state = operator_state(r->o, service, ""), *restored = operator_state(r->o, service, "restored"), *blobs = backup_path(r->o, restored, "blobs");
        int e = file_remove(restored);

        if (e)
                return backup_failed("remove", restored, e);
        e = folder_make(state, service);
        if (!e)
                e = folder_make(restored, service);
        if (!e)
                e = file_put(r, part.name, backup_path(r->o, restored, part.name), service);
        if (e || strcmp(service, "store") != 0)
                return e;
        e = blobs_put(r, blobs);
        return e ? e : blob_folder_own(blobs);
}

/* ---- the change, in a moment ---- */

static int is_aside(const char *name)
{
        static const char form[] = "replaced-dddd-dd-ddTdd-dd-dd.dddZ";

        for (size_t i = 0; i < sizeof(form); i++)
                if (form[i] == 'd' && i >= 9 ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
                        return 0;
        return 1;
}

/* What a restore before wrote there, where it came so far: without that, it changed nothing. */
static int mark_read(struct placing *p, const char *path)
{
        int fd = file_open(AT_FDCWD, path);
        ssize_t n;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        memset(p->aside, 0, sizeof(p->aside));
        n = read(fd, p->aside, sizeof(p->aside) - 1);
        close(fd);
        p->again = n > 0 && is_aside(p->aside);
        return n < 0 ? -errno : 0;
}

static int mark_write(struct restoring *r, struct placing *p, const char *path)
{
        int fd, e;

        if (unlink(path) && errno != ENOENT)
                return -errno;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        snprintf(p->aside, sizeof(p->aside), "replaced-%s", r->now);
        e = write(fd, p->aside, strlen(p->aside)) < 0 || fsync(fd) ? -errno : 0;
        close(fd);
        return e;
}

/* From now until mark_remove the service does not start: what it has is another's in part. */
static int mark(struct restoring *r, struct placing *p)
{
        const char *path = operator_state(r->o, p->service, FILE_RESTORING);
        int e = mark_read(p, path);

        if (!e && !p->again)
                e = mark_write(r, p, path);
        if (!e)
                e = file_sync(operator_state(r->o, p->service, ""));
        return e ? backup_failed("make", path, e) : 0;
}

static void mark_remove(struct restoring *r, const struct placing *p)
{
        if (unlink(operator_state(r->o, p->service, FILE_RESTORING)) && errno != ENOENT)
                backup_failed("remove", operator_state(r->o, p->service, FILE_RESTORING), -errno);
}

/* One of its own, since a service could have put a link to elsewhere into its state. */
static int aside_make(const struct placing *p, const char *path)
{
        struct stat st;

        if (!mkdir(path, 0700))
                return init_hand_over(p->service, path, false);
        if (errno == EEXIST && p->again && !lstat(path, &st) && S_ISDIR(st.st_mode))
                return 0;
        return backup_failed("make", path, -EEXIST);
}

/* What the restore before set aside is the desk that was here; what is in its place now is only of the backup. */
static int set_aside(struct restoring *r, const struct placing *p)
{
        static const char *const of_store[] = { "store.db", "store.db-wal", "store.db-shm", "blobs", "uploads", NULL };
        static const char *const of_identity[] = { "identity.db", "identity.db-wal", "identity.db-shm", NULL };
        const char *const *names = strcmp(p->service, "store") == 0 ? of_store : of_identity;
        const char *aside = operator_state(r->o, p->service, p->aside);
        bool made = false;

        for (; *names; names++) {
                const char *from = operator_state(r->o, p->service, *names), *to = backup_path(r->o, aside, *names);
                int e;

                if (!is_there(from))
                        continue;
                if (!made && aside_make(p, aside))
                        return EXIT_FAILURE;
                made = true;
                e = p->again && is_there(to) ? file_remove(from) : rename(from, to) ? -errno : 0;
                if (e)
                        return backup_failed("set aside", from, e);
        }
        return 0;
}

static int service_place(struct restoring *r, const struct placing *p)
{
        struct part part = parts_database(r->o, p->service);
        const char *restored = operator_state(r->o, p->service, "restored");
        int e = set_aside(r, p);

        if (e)
                return e;
        if (strcmp(p->service, "store") == 0 && rename(backup_path(r->o, restored, "blobs"), operator_state(r->o, "store", "blobs")))
                return backup_failed("place", backup_path(r->o, restored, "blobs"), -errno);
        if (rename(backup_path(r->o, restored, part.name), part.path))
                return backup_failed("place", part.path, -errno);
        e = file_remove(restored);
        if (!e)
                e = file_sync(operator_state(r->o, p->service, ""));
        return e ? backup_failed("finish", part.path, e) : 0;
}

/* What is here stays, and is said where it is another than the backup's. */
static int part_place(struct restoring *r, const struct part *part)
{
        char folder[600];
        int e;

        if (!is_there(backup_path(r->o, r->folder, part->name)))
                return 0;
        if (is_there(part->path)) {
                if (!is_same(r, part->path, part->name))
                        fprintf(stderr, "assistctl: %s stays as it is; the backup has another in %s\n", part->path, part->name);
                return 0;
        }
        snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(part->path, '/') - part->path), part->path);
        if (folder_make(folder, part->service))
                return EXIT_FAILURE;
        if (file_put(r, part->name, part->path, part->service))
                return EXIT_FAILURE;
        e = file_sync(folder);
        return e ? backup_failed("write", folder, e) : 0;
}

/* The key of the instance that is restored is not used again: what it may have signed since is unknown here. */
static int instance_set_aside(struct restoring *r, const struct placing *p)
{
        const char *key = operator_path(r->o, r->o->root ? "/keys/store/instance" : "/etc/assist/keys/store/instance");
        const char *to = arena_format(&r->o->arena, "%s.%s", key, p->aside).p;

        if (p->again && is_there(to))
                return 0;
        return rename(key, to) && errno != ENOENT ? backup_failed("set aside", key, -errno) : 0;
}

/* Before the marks go, the keys' names are on the disk. */
static int keys_sync(struct restoring *r)
{
        static const char *const services[] = { "identity", "store", "fanout" };

        for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
                const char *folder = operator_path(r->o, r->o->root ? "/keys/%s" : "/etc/assist/keys/%s", services[i]);
                int e = file_sync(folder);

                if (e)
                        return backup_failed("write", folder, e);
        }
        return 0;
}

static int place(struct restoring *r)
{
        struct parts parts = { .n = 0 };
        int e = 0;

        for (size_t i = 0; i < 2 && !e; i++)
                e = service_place(r, &r->placing[i]);
        if (!e)
                e = parts_list(r->o, r->folder, &parts);
        for (size_t i = 0; i < parts.n && !e; i++)
                e = part_place(r, &parts.items[i]);
        if (!e)
                e = instance_set_aside(r, &r->placing[1]);
        if (!e)
                e = init_project(r->o, false);
        if (!e)
                e = keys_sync(r);
        if (e) {
                fprintf(stderr, "assistctl: the desk is changed in part, and does not start: `assistctl restore %s --replace` again\n", r->folder);
                return e;
        }
        for (size_t i = 0; i < 2; i++)
                mark_remove(r, &r->placing[i]);
        return 0;
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

/* Beside what is there, as far as a moment is enough for the rest. */
static int prepare(struct restoring *r)
{
        int e = service_copy(r, "identity");

        if (!e)
                e = service_copy(r, "store");
        for (size_t i = 0; i < 2 && !e; i++)
                e = mark(r, &r->placing[i]);
        return e ? e : stopped_check(r->o); /* somebody may have started it meanwhile; from now on nobody can */
}

static int restore_locked(struct restoring *r)
{
        int e = prepare(r);

        if (!e)
                return place(r);
        for (size_t i = 0; i < 2; i++) {
                if (*r->placing[i].aside && !r->placing[i].again)
                        mark_remove(r, &r->placing[i]);
                file_remove(operator_state(r->o, r->placing[i].service, "restored"));
        }
        fprintf(stderr, "assistctl: nothing was changed\n");
        return e;
}

static int restore(struct restoring *r)
{
        int e = stopped_check(r->o), lock;

        if (!e)
                e = here_check(r);
        if (!e)
                e = folder_check(r);
        if (e) {
                fprintf(stderr, "assistctl: nothing was changed\n");
                return e;
        }
        e = folders_make(r);
        if (!e)
                e = folder_make(operator_state(r->o, "store", ""), "store");
        if (e)
                return e;
        lock = backup_lock(r->o);
        if (lock < 0)
                return -lock;
        e = restore_locked(r);
        close(lock);
        return e;
}

/* To the millisecond: nobody restores twice within one. */
static void now_write(char *ret, size_t size)
{
        int64_t now = clock_now_ms(&clock_system);
        time_t seconds = (time_t)(now / 1000);
        struct tm tm;
        size_t n;

        gmtime_r(&seconds, &tm);
        n = strftime(ret, size, "%Y-%m-%dT%H-%M-%S", &tm);
        snprintf(ret + n, size - n, ".%03dZ", (int)(now % 1000));
}

/* FOLDER, or the name of one that lies where backups usually do. */
static const char *folder_of(struct operator *o, const char *typed)
{
        return strchr(typed, '/') || is_there(typed) ? typed : backup_path(o, backups_usual(o), typed);
}

static int arguments(struct restoring *r, int argc, char **argv)
{
        const char *typed = NULL;

        for (int i = 0; i < argc; i++)
                if (strcmp(argv[i], "--replace") == 0)
                        r->replace = true;
                else if (*argv[i] && *argv[i] != '-' && !typed)
                        typed = argv[i];
                else
                        return -EINVAL;
        if (!typed)
                return -EINVAL;
        r->folder = folder_of(r->o, typed);
        return 0;
}

/* What is to be known of it, and what to do next. */
static void tell(struct restoring *r)
{
        bool aside = false;

        printf("Restored %lld ops and %lld attachments of %s. What came later is not in it; devices stay bound, and sign in anew.\n", (long long)r->about.ops,
               (long long)r->about.attachments, operator_shown(r->o, r->about.name));
        for (size_t i = 0; i < 2; i++) {
                const char *path = operator_state(r->o, r->placing[i].service, r->placing[i].aside);

                if (is_there(path))
                        printf("%s%s", aside ? " and " : "What was there is in ", path);
                aside |= is_there(path);
        }
        if (aside)
                printf(": remove it once all is well.\n");
        printf("Next: %s\n", r->o->root ? "start its services." : "`systemctl start assist.target`");
}

int run_restore(struct operator *o, int argc, char **argv)
{
        struct restoring r = { .o = o, .placing = { { .service = "identity" }, { .service = "store" } } };
        int e;

        if (arguments(&r, argc, argv)) {
                fprintf(stderr, "assistctl: restore FOLDER [--replace]; `assistctl backup list` has the folders\n");
                return EXIT_USAGE;
        }
        if (!is_there(r.folder)) {
                fprintf(stderr, "assistctl: there is no %s; `assistctl backup list` has the folders\n", r.folder);
                return EXIT_NOT_FOUND;
        }
        e = backup_read(o, r.folder, &r.about);
        if (e == -ENOENT) {
                fprintf(stderr, "assistctl: %s is no backup: it has no backup.json\n", r.folder);
                return EXIT_NOT_FOUND;
        }
        if (e) {
                fprintf(stderr, "assistctl: %s is damaged: it is not what a backup has there\n", backup_path(o, r.folder, "backup.json"));
                return EXIT_FAILURE;
        }
        now_write(r.now, sizeof(r.now));
        e = restore(&r);
        if (!e)
                tell(&r);
        return e;
}

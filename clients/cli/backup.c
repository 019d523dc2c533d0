#include "backup.h"

#include "file.h"
#include "job.h"
#include "parts.h"
#include "schema/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART ".assist-backup.part" /* of a name that nobody else gives: it is removed, whatever it is */

enum { PATH_BYTES = 1024 };

/* One that is being made. */
struct making {
        struct operator *o;
        const char *into, *part;        /* the folder of all, and of this one until it is whole */
        const char *before;             /* the last whole one there, NULL for none */
        struct backup about;
        struct store_job job;
        int64_t blobs;
};

int backup_failed(const char *action, const char *path, int r)
{
        fprintf(stderr, "assistctl: can't %s %s: %s\n", action, path, strerror(-r));
        return EXIT_FAILURE;
}

int backup_lock(struct operator *o)
{
        const char *state = operator_state(o, "store", "");
        int fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -backup_failed("open", state, -errno);
        if (!flock(fd, LOCK_EX | LOCK_NB))
                return fd;
        fprintf(stderr, "assistctl: another backup or restore of this desk is under way\n");
        close(fd);
        return -EXIT_CONFLICT;
}

/* ---- its files ---- */

static void note_file(struct making *m, const char *name, const uint8_t hash[FILE_HASH_BYTES], int64_t bytes)
{
        m->about.files.items[m->about.files.n++] = (struct backup_file){
                .name = str_of(name), .bytes = bytes, .hash = arena_bytes(&m->o->arena, hash, FILE_HASH_BYTES) };
        m->about.bytes += bytes;
}

static const char *const folders[] = { ".", "etc", "etc/assist.conf.d", "keys", "keys/identity", "keys/store", "keys/fanout", "overlay" };
enum { FOLDERS = sizeof(folders) / sizeof(folders[0]) };

static int folders_make(struct making *m)
{
        if (mkdir(m->part, 0700))
                return backup_failed("make", m->part, -errno);
        for (size_t i = 1; i < FOLDERS; i++)
                if (mkdir(backup_path(m->o, m->part, folders[i]), 0700))
                        return backup_failed("make", backup_path(m->o, m->part, folders[i]), -errno);
        return 0;
}

/* Their names, too, are on the disk before the whole has its own. */
static int folders_sync(struct making *m)
{
        int r = 0;

        for (size_t i = FOLDERS; i-- > 0 && !r;)
                r = file_sync(backup_path(m->o, m->part, folders[i]));
        return r;
}

static int parts_copy(struct making *m)
{
        struct parts parts;
        int r = parts_list(m->o, NULL, &parts);

        if (r)
                return r;
        for (size_t i = 0; i < parts.n; i++) {
                uint8_t hash[FILE_HASH_BYTES];
                int64_t bytes;

                r = file_copy(AT_FDCWD, parts.items[i].path, backup_path(m->o, m->part, parts.items[i].name), hash, &bytes);
                if (!r)
                        note_file(m, parts.items[i].name, hash, bytes);
                else if (r != -ENOENT || strcmp(parts.items[i].name, PARTS_PROJECT) == 0)
                        return backup_failed("copy", parts.items[i].path, r);
        }
        return 0;
}

/* What a service made for us. Its folder is the service's, so nothing in it is taken for what it should be. */
static int made_folder(struct making *m, const char *service, const char *name)
{
        int fd = file_folder(operator_state(m->o, service, ""), name);

        return fd < 0 ? -backup_failed("open", operator_state(m->o, service, name), fd) : fd;
}

static int database_copy(struct making *m, const char *service)
{
        struct part part = parts_database(m->o, service);
        int folder = made_folder(m, service, "backup"), r;
        uint8_t hash[FILE_HASH_BYTES];
        int64_t bytes;

        if (folder < 0)
                return -folder;
        r = file_copy(folder, part.name, backup_path(m->o, m->part, part.name), hash, &bytes);
        close(folder);
        if (r)
                return backup_failed("copy", operator_state(m->o, service, backup_path(m->o, "backup", part.name)), r);
        note_file(m, part.name, hash, bytes);
        return 0;
}

/* Of the backup before, by a link: whether its bytes are still what they were. */
static bool blob_link(const struct making *m, const struct blob *blob)
{
        char before[PATH_BYTES];
        uint8_t hash[FILE_HASH_BYTES];
        int fd;
        bool is;

        snprintf(before, sizeof(before), "%s/blobs/%s", m->before, blob->name);
        if (link(before, blob->to))
                return false;
        fd = file_open(AT_FDCWD, blob->to);
        is = fd >= 0 && !file_hash(fd, hash, NULL) && parts_blob_is(blob, hash);
        if (fd >= 0)
                close(fd);
        if (!is)
                unlink(blob->to);
        return is;
}

static int blob_copy(void *data, const struct blob *blob)
{
        struct making *m = data;
        uint8_t hash[FILE_HASH_BYTES];
        int r;

        if (job_interrupted())
                return -EINTR;
        m->blobs++;
        if (m->before && blob_link(m, blob))
                return 0;
        r = file_copy(blob->folder, blob->file, blob->to, hash, NULL);
        return !r && m->job.backed_up->sound && !parts_blob_is(blob, hash) ? -EBADMSG : r;
}

static int blobs_copy(struct making *m)
{
        int from = made_folder(m, "store", "backup/blobs"), r;

        if (from < 0)
                return -from;
        r = parts_blobs(from, backup_path(m->o, m->part, "blobs"), blob_copy, m);
        close(from);
        if (!r && m->blobs != m->job.backed_up->files)
                r = -ENODATA;
        if (r == -EINTR) {
                fprintf(stderr, "assistctl: stopped; nothing is kept\n");
                return job_interrupted();
        }
        return r ? backup_failed("copy", operator_state(m->o, "store", "backup/blobs"), r) : 0;
}

static int about_write(struct making *m)
{
        const char *path = backup_path(m->o, m->part, "backup.json");
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r;
        struct buf text = { 0 };

        if (fd < 0)
                return backup_failed("make", path, -errno);
        json_write(&schema_type_backup, &m->about, &text);
        buf_char(&text, '\n');
        errno = EIO; /* as of a write that came to an end too early */
        r = write(fd, text.p, text.n) != (ssize_t)text.n || fsync(fd) ? -errno : 0;
        close(fd);
        buf_deinit(&text);
        return r ? backup_failed("write", path, r) : 0;
}

/* ---- the making ---- */

static int store_part(struct making *m)
{
        int r = job_run(m->o, &schema_method_store_backup, JOB_KIND_BACKUP, "backup", &m->job);

        if (r)
                return r;
        m->about.at = m->job.started_at;
        m->about.ops = m->job.backed_up->ops;
        m->about.attachments = m->job.backed_up->files;
        m->about.bytes += m->job.backed_up->file_bytes;
        for (size_t i = 0; i < m->job.backed_up->problems.n; i++)
                fprintf(stderr, "assistctl: %s\n", operator_shown(m->o, m->job.backed_up->problems.items[i]));
        r = database_copy(m, "store");
        if (!r)
                r = blobs_copy(m);
        file_remove(operator_state(m->o, "store", "backup"));
        return r;
}

/* After store's: whoever a ticket names is known there. */
static int identity_part(struct making *m, bool *ret_sound)
{
        struct identity_backup_result made;
        int r = operator_call(m->o, &schema_method_identity_backup, &(struct identity_backup){ 0 }, 0, &made);

        if (r)
                return r;
        *ret_sound = made.sound;
        if (!made.sound)
                fprintf(stderr, "assistctl: identity.db is damaged: SQLite does not find its copy whole\n");
        r = database_copy(m, "identity");
        file_remove(operator_state(m->o, "identity", "backup"));
        return r;
}

/* From now on it is there, under its name. */
static int finish(struct making *m, bool sound)
{
        const char *name = backups_name(m->o, m->about.at, sound), *path;
        int r;

        m->about.name = str_of(name);
        m->about.version = str_of(ASSIST_VERSION);
        path = backup_path(m->o, m->into, name);
        r = about_write(m);
        if (r)
                return r;
        r = folders_sync(m);
        if (!r && rename(m->part, path))
                r = -errno;
        if (!r)
                r = file_sync(m->into);
        if (r)
                return backup_failed("finish", path, r);
        if (sound)
                return 0;
        fprintf(stderr, "assistctl: the desk's data are damaged: %s has them as they are; the backups before it stay\n", path);
        r = backups_forget_damaged(m->o, m->into, name);
        return r ? r : EXIT_FAILURE;
}

/* keep: 0: all. */
static int make(struct making *m, uint64_t keep)
{
        bool sound;
        int r = folders_make(m);

        if (!r)
                r = store_part(m);
        if (!r)
                r = identity_part(m, &sound);
        if (!r)
                r = parts_copy(m);
        if (!r)
                r = finish(m, sound && m->job.backed_up->sound);
        if (r)
                return r;
        if (m->o->json)
                operator_print(m->o, &schema_type_backup, &m->about);
        else
                printf("%s: %lld ops, %lld attachments, %.1f MB.\n", backup_path(m->o, m->into, m->about.name.p), (long long)m->about.ops,
                       (long long)m->about.attachments, (double)m->about.bytes / 1e6);
        r = operator_call(m->o, &schema_method_store_backup_kept,
                          &(struct store_backup_kept){ .at = m->about.at, .bytes = m->about.bytes }, 0, &(struct store_backup_kept_result){ 0 });
        if (r)
                fprintf(stderr, "assistctl: it is whole, but store was not told of it, and nothing older was removed\n");
        return r || !keep ? r : backups_forget(m->o, m->into, keep, m->about.name.p);
}

/* One at a time makes backups in a folder; what one left that was killed goes away. */
static int lock(struct operator *o, const char *into, int *ret_fd)
{
        if (mkdir(into, 0700) && errno != EEXIST)
                return backup_failed("make", into, -errno);
        *ret_fd = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0)
                return backup_failed("open", into, -errno);
        if (flock(*ret_fd, LOCK_EX | LOCK_NB)) {
                fprintf(stderr, "assistctl: another backup into %s is under way\n", into);
                close(*ret_fd);
                return EXIT_CONFLICT;
        }
        file_remove(backup_path(o, into, PART));
        return 0;
}

static int back_up(struct operator *o, const char *into, uint64_t keep)
{
        struct making m = { .o = o, .into = into, .part = backup_path(o, into, PART) };
        struct backup_list found;
        int fd, desk, r = lock(o, into, &fd);

        if (r)
                return r;
        desk = backup_lock(o);
        if (desk < 0) {
                close(fd);
                return -desk;
        }
        if (!backups_list(o, into, &found) && found.items.n)
                m.before = backup_path(o, into, found.items.items[found.items.n - 1].name.p);
        m.about.files.items = arena_array(&o->arena, sizeof(((struct parts *)0)->items) / sizeof(struct part), sizeof(*m.about.files.items));
        r = make(&m, keep);
        if (r)
                file_remove(m.part);
        close(desk);
        close(fd);
        return r;
}

/* ---- the command ---- */

int run_backup(struct operator *o, int argc, char **argv)
{
        const char *into = backups_usual(o);
        uint64_t keep = 0;
        bool good = argc % 2 == 0;

        for (int i = 0; i + 1 < argc && good; i += 2)
                if (strcmp(argv[i], "--to") == 0)
                        into = argv[i + 1];
                else
                        good = strcmp(argv[i], "--keep") == 0 && !str_u64(str_of(argv[i + 1]), &keep) && keep;
        if (!good || !*into || strlen(into) > PATH_BYTES / 2) {
                fprintf(stderr, "assistctl: backup [--to DIR] [--keep N]; DIR has up to %d characters, and N, how many of the newest stay there, is 1 or more; without"
                                " it, all do\n", PATH_BYTES / 2);
                return EXIT_USAGE;
        }
        return back_up(o, into, keep);
}

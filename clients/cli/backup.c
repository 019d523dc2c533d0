#include "backup.h"

#include "file.h"
#include "job.h"
#include "parts.h"
#include "schema/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ABOUT_BYTES_MAX = 256 * 1024, NAME_BYTES = 24, PATH_BYTES = 1024 };

/* One that is being made. */
struct making {
        struct operator *o;
        const char *into, *part;        /* the folder of all, and of this one until it is whole */
        const char *before;             /* the last whole one there, NULL for none */
        struct backup about;
        struct store_job job;
        int64_t blobs;
};

/* ---- what is known of those that are there ---- */

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

int backup_read(struct operator *o, const char *folder, struct backup *ret)
{
        int fd = file_open(AT_FDCWD, arena_format(&o->arena, "%s/backup.json", folder).p);
        struct codec_error error;
        char *text;
        ssize_t n;

        if (fd < 0)
                return fd == -ENOTDIR ? -ENOENT : fd;
        text = arena_alloc(&o->arena, ABOUT_BYTES_MAX);
        n = read(fd, text, ABOUT_BYTES_MAX);
        close(fd);
        if (n < 0)
                return -errno;
        return json_read(&schema_type_backup, (struct str){ text, (size_t)n }, &o->arena, ret, &error) ? -EBADMSG : 0;
}

/* "2026-11-22T01-24-57.123Z": they sort by age. */
static int is_name(const struct dirent *entry)
{
        static const char form[] = "dddd-dd-ddTdd-dd-dd.dddZ";
        const char *name = entry->d_name;

        if (strlen(name) != NAME_BYTES)
                return 0;
        for (int i = 0; i < NAME_BYTES; i++)
                if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
                        return 0;
        return 1;
}

static const char *name_of(struct operator *o, int64_t at)
{
        time_t seconds = (time_t)(at / 1000);
        char text[NAME_BYTES + 1];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(text, sizeof(text), "%Y-%m-%dT%H-%M-%S", &tm);
        return arena_format(&o->arena, "%s.%03dZ", text, (int)(at % 1000)).p;
}

static const char *in(struct operator *o, const char *folder, const char *name)
{
        return arena_format(&o->arena, "%s/%s", folder, name).p;
}

/* Those that are whole, the oldest first; the texts lie in the operator's arena. */
static int all_in(struct operator *o, const char *into, struct backup_list *ret)
{
        struct dirent **entries = NULL;
        int n = scandir(into, &entries, is_name, alphasort), r;

        *ret = (struct backup_list){ 0 };
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;
        ret->items.items = arena_array(&o->arena, (size_t)n + 1, sizeof(*ret->items.items));
        for (int i = 0; i < n; i++) {
                r = backup_read(o, in(o, into, entries[i]->d_name), &ret->items.items[ret->items.n]);
                if (!r)
                        ret->items.items[ret->items.n++].name = arena_str(&o->arena, str_of(entries[i]->d_name));
                else if (r != -ENOENT)
                        backup_failed("read", in(o, into, entries[i]->d_name), r);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

/* ---- its files ---- */

static void note_file(struct making *m, const char *name, const uint8_t hash[FILE_HASH_BYTES], int64_t bytes)
{
        m->about.files.items[m->about.files.n++] = (struct backup_file){
                .name = str_of(name), .bytes = bytes, .hash = arena_bytes(&m->o->arena, hash, FILE_HASH_BYTES) };
        m->about.bytes += bytes;
}

static int folders_make(struct making *m)
{
        static const char *const names[] = { "", "etc", "etc/assist.conf.d", "keys", "keys/identity", "keys/store", "keys/fanout", "overlay" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (mkdir(in(m->o, m->part, names[i]), 0700))
                        return backup_failed("make", in(m->o, m->part, names[i]), -errno);
        return 0;
}

static int parts_copy(struct making *m)
{
        struct parts parts;
        int r = 0;

        parts_list(m->o, NULL, &parts);
        for (size_t i = 0; i < parts.n && !r; i++) {
                uint8_t hash[FILE_HASH_BYTES];
                int64_t bytes;

                r = file_copy(AT_FDCWD, parts.items[i].path, in(m->o, m->part, parts.items[i].name), hash, &bytes);
                if (!r)
                        note_file(m, parts.items[i].name, hash, bytes);
                else if (r != -ENOENT || strcmp(parts.items[i].name, PARTS_PROJECT) == 0)
                        return backup_failed("copy", parts.items[i].path, r);
                r = 0;
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
        r = file_copy(folder, part.name, in(m->o, m->part, part.name), hash, &bytes);
        close(folder);
        if (r)
                return backup_failed("copy", operator_state(m->o, service, in(m->o, "backup", part.name)), r);
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
        r = parts_blobs(from, in(m->o, m->part, "blobs"), blob_copy, m);
        close(from);
        if (!r && m->blobs != m->job.backed_up->files)
                r = -ENODATA;
        if (r == -EINTR) {
                fprintf(stderr, "assistctl: stopped; nothing was kept\n");
                return job_interrupted();
        }
        return r ? backup_failed("copy", operator_state(m->o, "store", "backup/blobs"), r) : 0;
}

static int about_write(struct making *m)
{
        const char *path = in(m->o, m->part, "backup.json");
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r;
        struct buf text = { 0 };

        if (fd < 0)
                return backup_failed("make", path, -errno);
        json_write(&schema_type_backup, &m->about, &text);
        buf_char(&text, '\n');
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

        *ret_sound = made.sound;
        if (!r && !made.sound)
                fprintf(stderr, "assistctl: identity.db is damaged: SQLite does not find its copy whole\n");
        if (!r)
                r = database_copy(m, "identity");
        file_remove(operator_state(m->o, "identity", "backup"));
        return r;
}

/* From now on it is there, under its name. */
static int finish(struct making *m, bool sound)
{
        const char *name = name_of(m->o, m->about.at), *path;
        int r;

        if (!sound)
                name = arena_format(&m->o->arena, "%s.damaged", name).p;
        m->about.name = str_of(name);
        m->about.version = str_of(ASSIST_VERSION);
        path = in(m->o, m->into, name);
        r = about_write(m);
        if (r)
                return r;
        r = file_sync(m->part);
        if (!r && rename(m->part, path))
                r = -errno;
        if (!r)
                r = file_sync(m->into);
        if (r)
                return backup_failed("finish", path, r);
        if (sound)
                return 0;
        fprintf(stderr, "assistctl: the desk's data are damaged: %s has them as they are; the backups before it stay\n", path);
        return EXIT_FAILURE;
}

/* The oldest ones, so that this many are left. */
static int forget(struct making *m, uint64_t keep)
{
        struct backup_list found;
        int r = all_in(m->o, m->into, &found);

        for (size_t i = 0; !r && i + keep < found.items.n; i++) {
                const char *path = in(m->o, m->into, found.items.items[i].name.p);

                r = file_remove(path);
                if (r)
                        return backup_failed("remove", path, r);
        }
        return r ? backup_failed("read", m->into, r) : 0;
}

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
        r = operator_call(m->o, &schema_method_store_backup_kept,
                          &(struct store_backup_kept){ .at = m->about.at, .bytes = m->about.bytes }, 0, &(struct store_backup_kept_result){ 0 });
        if (r)
                fprintf(stderr, "assistctl: %s is whole, but store was not told of it, and nothing older was removed\n", in(m->o, m->into, m->about.name.p));
        if (!r && keep)
                r = forget(m, keep);
        if (r)
                return r;
        if (m->o->json)
                operator_print(m->o, &schema_type_backup, &m->about);
        else
                printf("%s: %lld ops, %lld attachments, %.1f MB.\n", in(m->o, m->into, m->about.name.p), (long long)m->about.ops,
                       (long long)m->about.attachments, (double)m->about.bytes / 1e6);
        return 0;
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
        file_remove(in(o, into, "part"));
        return 0;
}

static int back_up(struct operator *o, const char *into, uint64_t keep)
{
        struct making m = { .o = o, .into = into, .part = in(o, into, "part") };
        struct backup_list found;
        int fd, desk, r = lock(o, into, &fd);

        if (r)
                return r;
        desk = backup_lock(o);
        if (desk < 0) {
                close(fd);
                return -desk;
        }
        if (!all_in(o, into, &found) && found.items.n)
                m.before = in(o, into, found.items.items[found.items.n - 1].name.p);
        m.about.files.items = arena_array(&o->arena, sizeof(((struct parts *)0)->items) / sizeof(struct part), sizeof(*m.about.files.items));
        r = make(&m, keep);
        if (r)
                file_remove(m.part);
        close(desk);
        close(fd);
        return r;
}

/* ---- commands ---- */

static const char usual[] = "/var/backups/assist", usual_in_root[] = "/backups";

/* ret_keep: NULL where there is no such flag. */
static int arguments(struct operator *o, int argc, char **argv, const char **ret_into, uint64_t *ret_keep)
{
        *ret_into = operator_path(o, "%s", o->root ? usual_in_root : usual);
        for (int i = 0; i < argc; i += 2) {
                if (i + 1 == argc)
                        return -EINVAL;
                if (strcmp(argv[i], "--to") == 0)
                        *ret_into = argv[i + 1];
                else if (!ret_keep || strcmp(argv[i], "--keep") != 0 || str_u64(str_of(argv[i + 1]), ret_keep) || !*ret_keep)
                        return -EINVAL;
        }
        return strlen(*ret_into) < PATH_BYTES / 2 ? 0 : -ENAMETOOLONG;
}

int run_backup(struct operator *o, int argc, char **argv)
{
        const char *into;
        uint64_t keep = 0;

        if (arguments(o, argc, argv, &into, &keep)) {
                fprintf(stderr, "assistctl: backup [--to DIR] [--keep N]; N, how many of the newest stay in DIR, is 1 or more; without it, all do\n");
                return EXIT_USAGE;
        }
        return back_up(o, into, keep);
}

int run_backup_list(struct operator *o, int argc, char **argv)
{
        struct backup_list found;
        const char *into;
        int r;

        if (arguments(o, argc, argv, &into, NULL)) {
                fprintf(stderr, "assistctl: backup list [--to DIR]\n");
                return EXIT_USAGE;
        }
        r = all_in(o, into, &found);
        if (r)
                return backup_failed("read", into, r);
        if (o->json || found.items.n)
                operator_print(o, &schema_type_backup_list, &found);
        else
                printf("There is no backup in %s.\n", into);
        return 0;
}

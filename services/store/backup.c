#include "backup.h"

#include "audit.h"
#include "file.h"
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_ROOM = 512, ROOM_LEFT_BYTES = 64 * 1024 * 1024 };

struct backup {
        struct job *job;
        struct db *db;                  /* the copy */
        struct report report;
        struct backed_up *ret;
        char part[PATH_ROOM], file[PATH_ROOM + 80];
};

/* "…/backup", or, until it is whole, "…/backup.part". */
static void folder_path(const struct store *s, const char *suffix, char ret[PATH_ROOM])
{
        snprintf(ret, PATH_ROOM, "%.*s/backup%s", (int)(strrchr(s->path, '/') - s->path), s->path, suffix);
}

void backup_clean(const struct store *s)
{
        char path[PATH_ROOM];

        folder_path(s, "", path);
        file_remove(path);
        folder_path(s, ".part", path);
        file_remove(path);
}

/* ---- the database ---- */

static int on_pages(void *data, int64_t pages, int64_t of)
{
        struct job *job = data;

        job->ops = pages;
        job->of_ops = of;
        return job_goes_on(job);
}

/* A full disk would end the desk's work, not only the backup. */
static int room_check(struct backup *b, struct db *db)
{
        struct statvfs fs;
        int64_t pages, bytes;
        int r = db_int(db, &pages, "PRAGMA page_count", "");

        if (!r)
                r = db_int(db, &bytes, "PRAGMA page_size", "");
        if (r)
                return r;
        if (statvfs(b->part, &fs))
                return -errno;
        return (int64_t)(fs.f_bavail * fs.f_frsize) < pages * bytes + ROOM_LEFT_BYTES ? -ENOSPC : 0;
}

/* SQLite's own look at all pages, then ours at the log. */
static int copy_check(struct backup *b)
{
        struct verified verified = { 0 };
        sqlite3_stmt *q = db_query(b->db, "PRAGMA quick_check(20)", "");
        int r;

        while ((r = db_step(b->db, q)) > 0) {
                struct str line = db_column_str(q, 0);

                if (!str_is(line, "ok"))
                        report_add(&b->report, "store.db: %.*s", STR_ARG(line));
        }
        if (!r)
                r = job_goes_on(b->job);
        job_step(b->job, JOB_STEP_LOG, b->job->store->head);
        if (!r)
                r = verify_run(b->job, b->db, &verified);
        for (size_t i = 0; i < verified.problems.n; i++)
                report_add(&b->report, "%.*s", STR_ARG(verified.problems.items[i]));
        b->ret->ops = verified.ops;
        return r;
}

static int database_copy(struct backup *b, struct db *from)
{
        struct stat st;
        int r;

        job_step(b->job, JOB_STEP_PAGES, 0);
        r = room_check(b, from);
        if (r)
                return r;
        snprintf(b->file, sizeof(b->file), "%s/store.db", b->part);
        r = db_copy(from, b->file, on_pages, b->job);
        if (!r)
                r = db_open(b->file, DB_READ_ONLY, NULL, &store_migrations, &b->db);
        if (r)
                return r;
        job_interrupts(b->job, b->db);
        if (stat(b->file, &st))
                return -errno;
        b->ret->bytes = st.st_size;
        return copy_check(b);
}

/* ---- attachments ---- */

/* Of the bytes that hash names. They are read through the link, which is what will be kept. */
static int blob_check(struct backup *b, const uint8_t hash[BLOB_HASH_BYTES])
{
        uint8_t actual[FILE_HASH_BYTES];
        int64_t bytes = 0;
        int fd = open(b->file, O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : file_hash(fd, actual, &bytes);

        if (fd >= 0)
                close(fd);
        if (r)
                return r;
        if (memcmp(actual, hash, sizeof(actual)))
                report_add(&b->report, "%s: its bytes are not those that were stored", strrchr(b->file, '/') + 1);
        b->ret->files++;
        b->ret->file_bytes += bytes;
        return 0;
}

/* Blobs never change, so a link to one is a copy of it. */
static int blob_keep(struct backup *b, struct str blob)
{
        uint8_t hash[BLOB_HASH_BYTES];
        char from[PATH_ROOM], *name;

        if (blob.n != sizeof(hash)) {
                report_add(&b->report, "an attachment names a file by %zu bytes, which are no hash", blob.n);
                return 0;
        }
        memcpy(hash, blob.p, sizeof(hash));
        blob_path(b->job->store, hash, from, sizeof(from));
        name = strrchr(from, '/') - 2; /* "/xx/hash" */
        snprintf(b->file, sizeof(b->file), "%s/blobs/%.2s", b->part, name);
        if (mkdir(b->file, 0700) && errno != EEXIST)
                return -errno;
        snprintf(b->file, sizeof(b->file), "%s/blobs/%s", b->part, name);
        if (!link(from, b->file))
                return blob_check(b, hash);
        if (errno != ENOENT)
                return -errno;
        report_add(&b->report, "%s: the file of an attachment is missing", name + 3);
        return 0;
}

#define NAMED "SELECT blob FROM attachment WHERE blob IS NOT NULL UNION SELECT blob FROM upload WHERE blob IS NOT NULL AND NOT used"

static int blobs_keep(struct backup *b)
{
        sqlite3_stmt *q;
        int64_t of;
        int r, kept = 0;

        r = db_int(b->db, &of, "SELECT count(*) FROM (" NAMED ")", "");
        if (r)
                return r;
        job_step(b->job, JOB_STEP_FILES, of);
        snprintf(b->file, sizeof(b->file), "%s/blobs", b->part);
        if (mkdir(b->file, 0700))
                return -errno;
        q = db_query(b->db, NAMED, "");
        while (!kept && (r = db_step(b->db, q)) > 0) {
                kept = blob_keep(b, db_column_str(q, 0));
                b->job->ops++;
                if (!kept)
                        kept = job_goes_on(b->job);
        }
        db_done(q);
        return r < 0 ? r : kept;
}

/* Its folders' names are on the disk before it has its own name. */
static int finish(struct backup *b)
{
        char folder[PATH_ROOM];
        int r = file_sync(b->part);

        folder_path(b->job->store, "", folder);
        if (!r && rename(b->part, folder))
                r = -errno;
        b->ret->sound = b->report.n == 0;
        b->ret->problems.items = b->report.items;
        b->ret->problems.n = b->report.n;
        return r;
}

int backup_run(struct job *job, struct db *db, struct backed_up *ret)
{
        struct backup b = { .job = job, .ret = ret };
        int r;

        backup_clean(job->store);
        report_init(&b.report, &job->arena);
        folder_path(job->store, ".part", b.part);
        r = mkdir(b.part, 0700) ? -errno : database_copy(&b, db);
        if (!r)
                r = blobs_keep(&b);
        db_close(b.db);
        if (!r)
                r = finish(&b);
        if (r)
                file_remove(b.part);
        return r;
}

/* ---- what is told of it ---- */

int store_on_store_backup_kept(struct store *s, struct call *c, const struct store_backup_kept *in, struct store_backup_kept_result *ret)
{
        (void)c;
        (void)ret;
        return db_do(s->writer.db, "INSERT INTO backup(one, at, bytes) VALUES(1, ?1, ?2) ON CONFLICT DO UPDATE SET at = excluded.at, bytes = excluded.bytes",
                     "ii", in->at, in->bytes);
}

void backup_stats(struct stats *stats, struct db *db)
{
        int64_t at = 0, bytes = 0;

        if (db_int(db, &at, "SELECT at FROM backup", "") || db_int(db, &bytes, "SELECT bytes FROM backup", ""))
                at = 0;
        stats_gauge(stats, "backup_timestamp_seconds", "When the last backup that was kept began, in seconds since 1970; 0: there was none.", at / 1000);
        stats_gauge(stats, "backup_bytes", "Its size.", bytes);
}

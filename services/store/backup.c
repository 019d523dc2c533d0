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
        char part[PATH_ROOM];
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

/* For the copy, and for what is folded from its log beside it. A full disk would end the desk's work, not only the backup. */
static int room_check(struct backup *b, struct db *db)
{
        struct job *job = b->job;
        int64_t pages, bytes, wanted, free_bytes;
        struct statvfs fs;
        int r = db_int(db, &pages, "PRAGMA page_count", "");

        if (!r)
                r = db_int(db, &bytes, "PRAGMA page_size", "");
        if (r)
                return r;
        if (statvfs(b->part, &fs))
                return -errno;
        wanted = 2 * pages * bytes + ROOM_LEFT_BYTES;
        free_bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
        if (free_bytes >= wanted)
                return 0;
        job->why = arena_format(&job->arena, "a copy wants %lld MB beside store.db, where %lld MB are free", (long long)(wanted / 1000000),
                                (long long)(free_bytes / 1000000));
        return -ENOSPC;
}

static void problems_take(struct backup *b, const struct str *problems, size_t n)
{
        for (size_t i = 0; i < n; i++)
                report_add(&b->report, "%.*s", STR_ARG(problems[i]));
}

/* SQLite's own look at all pages. */
static int pages_check(struct backup *b)
{
        sqlite3_stmt *q = db_query(b->db, "PRAGMA integrity_check(20)", "");
        int r;

        while ((r = db_step(b->db, q)) > 0) {
                struct str line = db_column_str(q, 0);

                if (!str_is(line, "ok"))
                        report_add(&b->report, "store.db: %.*s", STR_ARG(line));
        }
        return r;
}

/* What would be seen of a desk that was restored from it: the log as it was signed, and the tables as they follow from it. */
static int copy_check(struct backup *b)
{
        struct verified verified = { 0 };
        struct rebuilt rebuilt = { 0 };
        int r = pages_check(b);

        job_step(b->job, JOB_STEP_LOG, b->job->store->head);
        if (!r)
                r = verify_run(b->job, b->db, &verified);
        problems_take(b, verified.problems.items, verified.problems.n);
        b->ret->ops = verified.ops;
        if (!r && !b->report.n) /* else what follows from it says nothing */
                r = rebuild_run(b->job, b->db, false, &rebuilt);
        problems_take(b, rebuilt.differences.items, rebuilt.differences.n);
        return r;
}

static int database_copy(struct backup *b, struct db *from)
{
        char path[PATH_ROOM + 16];
        struct stat st;
        int r;

        job_step(b->job, JOB_STEP_PAGES, 0);
        r = room_check(b, from);
        if (r)
                return r;
        snprintf(path, sizeof(path), "%s/store.db", b->part);
        r = db_copy(from, path, on_pages, b->job);
        if (!r)
                r = db_open(path, DB_READ_ONLY, NULL, &store_migrations, &b->db);
        if (r)
                return r;
        job_interrupts(b->job, b->db);
        if (stat(path, &st))
                return -errno;
        b->ret->bytes = st.st_size;
        return copy_check(b);
}

/* ---- attachments ---- */

/* Whether its bytes are those that its name says. One that can't be read is not kept: nobody else could copy it either. */
static void blob_check(struct backup *b, const char *path, const uint8_t hash[BLOB_HASH_BYTES])
{
        const char *name = strrchr(path, '/') + 1;
        uint8_t actual[FILE_HASH_BYTES];
        int64_t bytes = 0;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : file_hash(fd, actual, &bytes);

        if (fd >= 0)
                close(fd);
        if (r) {
                report_add(&b->report, "%s: the file of an attachment can't be read: %s", name, strerrordesc_np(-r));
                unlink(path);
                return;
        }
        if (memcmp(actual, hash, sizeof(actual)))
                report_add(&b->report, "%s: the file of an attachment has other bytes than were stored", name);
        b->ret->files++;
        b->ret->file_bytes += bytes;
}

/* Blobs never change, so a link to one is a copy of it. */
static int blob_keep(struct backup *b, struct str blob)
{
        char name[BLOB_NAME_TEXT], from[PATH_ROOM], to[PATH_ROOM + 16 + BLOB_NAME_TEXT];
        uint8_t hash[BLOB_HASH_BYTES];

        if (blob.n != sizeof(hash)) {
                report_add(&b->report, "an attachment names a file by %zu bytes, which are no hash", blob.n);
                return 0;
        }
        memcpy(hash, blob.p, sizeof(hash));
        blob_name(hash, name);
        blob_path(b->job->store, hash, from, sizeof(from));
        snprintf(to, sizeof(to), "%s/blobs/%.2s", b->part, name);
        if (mkdir(to, 0700) && errno != EEXIST)
                return -errno;
        snprintf(to, sizeof(to), "%s/blobs/%s", b->part, name);
        if (!link(from, to))
                blob_check(b, to, hash);
        else if (errno == ENOSPC || errno == EDQUOT)
                return -errno;
        else
                report_add(&b->report, "%s: the file of an attachment is missing, or can't be read: %s", name + 3, strerrordesc_np(errno));
        return 0;
}

#define NAMED "SELECT blob FROM attachment WHERE blob IS NOT NULL UNION SELECT blob FROM upload WHERE blob IS NOT NULL AND NOT used"

static int blobs_keep(struct backup *b)
{
        char path[PATH_ROOM + 16];
        sqlite3_stmt *q;
        int64_t of;
        int r, kept = 0;

        r = db_int(b->db, &of, "SELECT count(*) FROM (" NAMED ")", "");
        if (r)
                return r;
        job_step(b->job, JOB_STEP_FILES, of);
        snprintf(path, sizeof(path), "%s/blobs", b->part);
        if (mkdir(path, 0700))
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

static int finish(struct backup *b)
{
        char folder[PATH_ROOM];

        folder_path(b->job->store, "", folder);
        b->ret->sound = b->report.n == 0;
        b->ret->problems.items = b->report.items;
        b->ret->problems.n = b->report.n;
        return rename(b->part, folder) ? -errno : 0;
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

static int kept_note(struct db *db, int64_t at, int64_t bytes)
{
        return db_do(db, "INSERT INTO backup(one, at, bytes) VALUES(1, ?1, ?2) ON CONFLICT DO UPDATE SET at = excluded.at, bytes = excluded.bytes", "ii", at,
                     bytes);
}

int store_on_store_backup_kept(struct store *s, struct call *c, const struct store_backup_kept *in, struct store_backup_kept_result *ret)
{
        (void)c;
        (void)ret;
        return kept_note(s->writer.db, in->at, in->bytes);
}

void backup_stats(struct stats *stats, struct db *db)
{
        int64_t at = 0, bytes = 0;

        if (db_int(db, &at, "SELECT at FROM backup", "") || db_int(db, &bytes, "SELECT bytes FROM backup", ""))
                at = 0;
        stats_gauge(stats, "backup_timestamp_seconds", "When the last backup that was kept began, in seconds since 1970; 0: there was none.", at / 1000);
        stats_gauge(stats, "backup_bytes", "Its size.", bytes);
}

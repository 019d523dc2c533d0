/* Files that nothing names any more: partial ones of uploads that are over, and blobs without an upload or attachment. A file is
 * removed only after what named it was gone from a commit; a crash before that leaves it to the next sweep. */
#include "upload.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOB_YOUNG_MS = 60 * 60 * 1000 };

/* Calls fn with each name in a folder that does not begin with a dot. */
static void each_file(const char *folder, void (*fn)(struct store *s, const char *folder, const char *name), struct store *s)
{
        DIR *dir = opendir(folder);
        struct dirent *entry;

        if (!dir)
                return;
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        fn(s, folder, entry->d_name);
        closedir(dir);
}

static void sweep_upload(struct store *s, const char *folder, const char *name)
{
        struct ulid id;
        char path[512];
        int64_t one;

        (void)folder;
        if (ulid_parse(str_of(name), &id) ||
            db_int(s->files.db, &one, "SELECT 1 FROM upload WHERE id = ?1 AND blob IS NULL", "u", id) != -ENOENT)
                return;
        unlink(upload_path(s, id, path, sizeof(path)));
}

static void sweep_blob(struct store *s, const char *folder, const char *name)
{
        uint8_t hash[BLOB_HASH_BYTES];
        struct str blob = { (const char *)hash, sizeof(hash) };
        struct stat st;
        char path[512];
        int64_t one;

        (void)folder;
        if (str_from_hex(str_of(name), hash, sizeof(hash)) ||
            db_int(s->files.db, &one, "SELECT 1 FROM attachment WHERE blob = ?1 UNION ALL SELECT 1 FROM upload WHERE blob = ?1 AND NOT used"
                                      " LIMIT 1", "b", blob) != -ENOENT)
                return;
        /* one that has just been completed is not named yet: its row is on its way to the writer */
        if (stat(blob_path(s, hash, path, sizeof(path)), &st) ||
            clock_now_ms(s->service->clock) - (int64_t)st.st_ctim.tv_sec * 1000 < BLOB_YOUNG_MS)
                return;
        if (job_is_running(&s->job, JOB_KIND_BACKUP)) /* it may have copied a row that named it */
                return;
        if (unlink(path))
                return;
        s->blob_files--;
        s->blob_bytes -= st.st_size;
}

void blob_added(struct store *s, int64_t size)
{
        s->blob_files++;
        s->blob_bytes += size;
}

static void count_blob(struct store *s, const char *folder, const char *name)
{
        char path[512];
        struct stat st;

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path) || stat(path, &st))
                return;
        blob_added(s, st.st_size);
}

static void sweep_blobs(struct store *s, const char *folder, const char *name)
{
        char path[512];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) < sizeof(path))
                each_file(path, sweep_blob, s);
}

static void count_blobs(struct store *s, const char *folder, const char *name)
{
        char path[512];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) < sizeof(path))
                each_file(path, count_blob, s);
}

void blobs_count(struct store *s)
{
        each_file(s->blobs, count_blobs, s);
}

/* On the file thread, which alone adds files: so none can begin to be named meanwhile without its row being there. */
void upload_swept(struct store *s)
{
        each_file(s->uploads, sweep_upload, s);
        each_file(s->blobs, sweep_blobs, s);
}

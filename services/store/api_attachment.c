/* Files in and out. write, status and read run on the file thread; a write that completes an upload goes on to the writer. */
#include "comment.h"
#include "person.h"
#include "schema/attachment.h"
#include "ticket.h"
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINK_MS = 5 * 60 * 1000 };

int store_on_attachment_start(struct store *s, struct call *c, const struct attachment_start *in, struct attachment_start_result *ret)
{
        struct caller actor = store_actor(c);
        struct db *db = s->writer.db;
        int64_t n, bytes, limit = s->service->settings.blob_bytes_max;
        struct upload_row row;
        sqlite3_stmt *q;
        int r;

        ret->upload = c->op_id; /* uploads are local, not ops: the row itself remembers the command */
        r = upload_find(db, actor.user, c->op_id, &c->arena, &row);
        if (!r)
                return str_eq(row.name, in->name) && row.size == in->size ? 0
                       : call_conflict(c, "this op_id was used for something else; make a new one");
        if (r != FAULT_NOT_FOUND)
                return r;
        if (in->size > limit)
                return call_too_large(c, limit, "a file has at most %lld bytes", (long long)limit);
        q = db_query(db, "SELECT count(*) FILTER (WHERE blob IS NULL), coalesce(sum(size), 0) FROM upload WHERE user = ?1 AND used = 0", "u",
                     actor.user);
        r = db_step(db, q);
        if (r < 0)
                return r;
        n = db_column_int(q, 0);
        bytes = db_column_int(q, 1);
        db_done(q);
        if (n >= UPLOAD_OPEN_MAX)
                return call_too_large(c, UPLOAD_OPEN_MAX, "%d uploads are open; complete one first", UPLOAD_OPEN_MAX);
        if (bytes + in->size > UPLOAD_UNUSED_BYTES_MAX)
                return call_too_large(c, UPLOAD_UNUSED_BYTES_MAX, "uploads in no comment take %lld bytes; use or wait for them", (long long)bytes);
        r = db_do(db, "INSERT INTO upload(id, user, name, size, started, used) VALUES(?1, ?2, ?3, ?4, ?5, 0)", "uutii", c->op_id, actor.user,
                  in->name, in->size, clock_now_ms(s->service->clock));
        return r == -EEXIST ? call_conflict(c, "this op_id was used for something else; make a new one") : r;
}

/* ---- pieces ---- */

/* What the file thread found when an upload became complete; with the call on its way to the writer. */
struct completed {
        uint8_t blob[BLOB_HASH_BYTES];
        struct str type;
};

/* What a file is, as its first bytes say. */
static struct str sniff(const char *path, struct arena *arena)
{
        magic_t magic = magic_open(MAGIC_MIME_TYPE);
        const char *type = magic && !magic_load(magic, NULL) ? magic_file(magic, path) : NULL;
        struct str r = arena_str(arena, type && strlen(type) < 100 && strchr(type, '/') ? str_of(type) : STR("application/octet-stream"));

        if (magic)
                magic_close(magic);
        return r;
}

/* The bytes become a blob: durable under its own name before any row says so. */
static int complete(struct store *s, struct call *c, int fd, const char *path)
{
        struct completed *done = ARENA_NEW(&c->arena, struct completed);
        char to[512], *slash;
        struct stat st;
        bool another;   /* of the same bytes */
        int folder, r;

        r = file_hash(fd, done->blob, NULL);
        if (!r && fsync(fd))
                r = -errno;
        if (r)
                return r;
        done->type = sniff(path, &c->arena);
        blob_path(s, done->blob, to, sizeof(to));
        slash = strrchr(to, '/');
        *slash = '\0';
        if (mkdir(to, 0700) && errno != EEXIST)
                return -errno;
        folder = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
                return -errno;
        *slash = '/';
        another = access(to, F_OK) == 0;
        if (fstat(fd, &st) || rename(path, to) || fsync(folder))
                r = -errno;
        close(folder);
        if (r)
                return r;
        if (!another)
                blob_added(s, st.st_size);
        c->owner = done;
        queue_call(&s->writer.queue, c);
        return CALL_PARKED;
}

static int completed(struct store *s, struct call *c, const struct attachment_write *in, struct attachment_write_result *ret)
{
        const struct completed *done = c->owner;
        int r = db_do(s->writer.db, "UPDATE upload SET blob = ?2, type = ?3 WHERE id = ?1", "ubt", in->upload,
                      (struct str){ (const char *)done->blob, sizeof(done->blob) }, done->type);

        ret->offset = in->offset + (int64_t)in->data.n;
        ret->complete = true;
        return r;
}

static int piece_write(struct store *s, struct call *c, const struct upload_row *row, int fd, const char *path,
                       const struct attachment_write *in, struct attachment_write_result *ret)
{
        struct stat st;
        size_t done = 0;

        if (fstat(fd, &st))
                return -errno;
        ret->offset = st.st_size;
        if (in->offset > st.st_size)
                return call_conflict(c, "a piece is missing; go on from offset %lld", (long long)st.st_size);
        if (in->offset + (int64_t)in->data.n > row->size)
                return call_too_large(c, row->size, "the upload was announced with %lld bytes", (long long)row->size);
        /* what came already is a repetition */
        if (in->offset + (int64_t)in->data.n > st.st_size)
                done = (size_t)(st.st_size - in->offset);
        else
                done = in->data.n;
        while (done < in->data.n) {
                ssize_t n = pwrite(fd, in->data.p + done, in->data.n - done, in->offset + (off_t)done);

                if (n < 0)
                        return -errno;
                done += (size_t)n;
                ret->offset = in->offset + (int64_t)done;
        }
        return ret->offset == row->size ? complete(s, c, fd, path) : 0;
}

int store_on_attachment_write(struct store *s, struct call *c, const struct attachment_write *in, struct attachment_write_result *ret)
{
        struct caller actor = store_actor(c);
        struct upload_row row;
        char path[512];
        int fd, r;

        if (c->owner) /* on the writer now */
                return completed(s, c, in, ret);
        r = upload_find(s->files.db, actor.user, in->upload, &c->arena, &row);
        if (r)
                return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
        if (row.complete) {
                ret->offset = row.size;
                ret->complete = true;
                return in->offset + (int64_t)in->data.n <= row.size ? 0
                       : call_too_large(c, row.size, "the upload was announced with %lld bytes", (long long)row.size);
        }
        fd = open(upload_path(s, in->upload, path, sizeof(path)), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = piece_write(s, c, &row, fd, path, in, ret);
        close(fd);
        return r;
}

int store_on_attachment_status(struct store *s, struct call *c, const struct attachment_status *in, struct attachment_status_result *ret)
{
        struct caller actor = store_actor(c);
        struct upload_row row;
        struct stat st;
        char path[512];
        int r = upload_find(s->files.db, actor.user, in->upload, &c->arena, &row);

        if (r)
                return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
        ret->size = row.size;
        if (row.complete)
                ret->offset = row.size;
        else if (stat(upload_path(s, in->upload, path, sizeof(path)), &st) == 0)
                ret->offset = st.st_size < row.size ? st.st_size : row.size - 1;   /* a crash came before it was a blob: its last byte, sent
                                                                                    * again, makes it one */
        return 0;
}

/* ---- links ---- */

/* 16 bytes attachment, 16 user, 8 expiry, then a MAC over these and the device. */
enum { LINK_PLAIN = 40, LINK_BYTES = LINK_PLAIN + 32 };

static void link_mac(struct store *s, const uint8_t plain[LINK_PLAIN], struct str device, uint8_t ret[32])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, s->link_key, 32, 32);
        crypto_generichash_update(&state, plain, LINK_PLAIN);
        crypto_generichash_update(&state, (const uint8_t *)device.p, device.n);
        crypto_generichash_final(&state, ret, 32);
}

struct attachment_row {
        struct ulid comment, op_id;
        uint32_t n;
        bool internal;
        int64_t size;
        struct str type;
        uint8_t blob[BLOB_HASH_BYTES];
};

/* Of a comment that the caller may see; deleted and redacted ones have none any more. */
static int attachment_find_visible(struct db *db, const struct caller *caller, struct ulid id, struct arena *arena, struct attachment_row *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT comment, internal, op_id, n, size, type, blob FROM attachment WHERE id = ?1", "u", id);
        int r = db_step(db, q);
        struct comment_row comment;
        struct str blob;

        if (r <= 0)
                return r ? r : FAULT_NOT_FOUND;
        blob = db_column_str(q, 6);
        *ret = (struct attachment_row){
                .comment = db_column_ulid(q, 0),
                .internal = db_column_int(q, 1),
                .op_id = db_column_ulid(q, 2),
                .n = (uint32_t)db_column_int(q, 3),
                .size = db_column_int(q, 4),
                .type = arena_str(arena, db_column_str(q, 5)),
        };
        r = blob.n == BLOB_HASH_BYTES ? 0 : FAULT_NOT_FOUND;
        if (!r)
                memcpy(ret->blob, blob.p, blob.n);
        db_done(q);
        if (!r)
                r = comment_find_visible(db, caller, ret->internal, ret->comment, &comment);
        return !r && comment.deleted ? FAULT_NOT_FOUND : r;
}

int store_on_attachment_link(struct store *s, struct call *c, const struct attachment_link *in, struct attachment_link_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        uint8_t link[LINK_BYTES];
        struct attachment_row row;
        struct buf url = { 0 };
        char id[ULID_TEXT + 1];
        int r = attachment_find_visible(db, &caller, in->attachment, &c->arena, &row);

        if (r)
                return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
        ret->expires_at = clock_now_ms(s->service->clock) + LINK_MS;
        memcpy(link, in->attachment.b, 16);
        memcpy(link + 16, caller.user.b, 16);
        for (int i = 0; i < 8; i++)
                link[32 + i] = (uint8_t)(ret->expires_at >> (56 - 8 * i));
        link_mac(s, link, caller.device, link + LINK_PLAIN);
        ulid_text(in->attachment, id);
        buf_format(&url, "/attachments/%s?link=", id);
        buf_base64url(&url, link, sizeof(link));
        ret->url = arena_str(&c->arena, buf_view(&url));
        buf_deinit(&url);
        return 0;
}

/* Who a link was made for, with the role that they have now. */
static int link_open(struct store *s, struct call *c, const struct attachment_read *in, struct caller *ret)
{
        uint8_t link[LINK_BYTES], mac[32];
        struct person person;
        int64_t expires = 0;
        size_t n;
        int r;

        if (str_from_base64url(in->link, link, sizeof(link), &n) || n != LINK_BYTES)
                return call_not_found(c);
        link_mac(s, link, in->has_device ? in->device : STR(""), mac);
        if (sodium_memcmp(mac, link + LINK_PLAIN, 32) || memcmp(link, in->attachment.b, 16))
                return call_not_found(c);
        for (int i = 0; i < 8; i++)
                expires = expires << 8 | link[32 + i];
        if (expires <= clock_now_ms(s->service->clock))
                return call_expired(c, "the link was good for 5 minutes; ask for a new one");
        *ret = (struct caller){ 0 };
        memcpy(ret->user.b, link + 16, 16);
        r = person_find(s->files.db, ret->user, &c->arena, &person);
        if (r || !person.active)
                return r && r != -ENOENT ? r : call_not_found(c);
        ret->role = role_rank(person.role);
        return 0;
}

int store_on_attachment_read(struct store *s, struct call *c, const struct attachment_read *in, struct attachment_read_result *ret)
{
        struct caller caller = { 0 };
        struct attachment_row row;
        char path[512], *data;
        struct buf etag = { 0 };
        uint8_t tag[16];
        ssize_t n;
        int fd, r = 0;

        if (in->has_link)
                r = link_open(s, c, in, &caller);
        else if (c->has_caller && c->caller.role >= SCHEMA_ROLE_CUSTOMER)
                caller = c->caller;
        else
                r = call_not_found(c);
        if (r)
                return r;
        r = attachment_find_visible(s->files.db, &caller, in->attachment, &c->arena, &row);
        if (r)
                return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
        ret->type = row.type;
        ret->size = row.size;
        r = log_text(s->files.db, row.op_id, row.n, 3, &c->arena, &ret->name);
        if (r && r != -ENOENT)
                return r;
        /* not the blob's hash, which would tell who else has the file */
        crypto_generichash(tag, sizeof(tag), in->attachment.b, 16, s->link_key, 32);
        buf_hex(&etag, tag, sizeof(tag));
        ret->etag = arena_str(&c->arena, buf_view(&etag));
        buf_deinit(&etag);
        ret->data = STR("");
        if (!in->length)
                return 0;
        fd = open(blob_path(s, row.blob, path, sizeof(path)), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        data = arena_alloc(&c->arena, (size_t)in->length);
        n = pread(fd, data, (size_t)in->length, in->offset);
        r = n < 0 ? -errno : 0;
        close(fd);
        if (!r)
                ret->data = (struct str){ data, (size_t)n };
        return r;
}

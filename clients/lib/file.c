/* Files: an upload in pieces that resumes, a download that streams. docs/protocol.md, "Attachments". */
#include "private.h"

#include "schema/attachment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1024 * 1024 };

static int http_fault(struct assist *a, const struct http_answer *answer, const char *what, struct assist_error *error)
{
        struct rpc_reply reply = { 0 };

        if (answer->body.n && !json_read(&schema_type_rpc_reply, answer->body, &a->arena, &reply, NULL) && reply.error)
                return assist_fail(error, assist_code(reply.error->code), "%s: %.*s", what, STR_ARG(reply.error->message));
        if (answer->status == 404)
                return assist_fail(error, FAULT_NOT_FOUND, "%s: there is no such file", what);
        return assist_fail(error, -EPROTO, "%s: the desk answers HTTP %ld", what, answer->status);
}

/* How far the desk has it. */
static int offset_ask(struct assist *a, const char *path, int64_t *ret)
{
        struct http_answer answer = { 0 };
        int r = http_do(a, &(struct http_request){ .method = "HEAD", .path = path, .authorize = true, .fd = -1 }, &answer);

        if (r)
                return r;
        if (answer.status / 100 != 2 || answer.upload_offset < 0)
                return -EAGAIN;
        *ret = answer.upload_offset;
        return 0;
}

static int send_pieces(struct assist *a, int fd, int64_t size, const char *path, const char *what, struct assist_error *error)
{
        struct patience patience = patience_new(a);
        char *piece = malloc(PIECE), header[100];
        int64_t at = 0;
        int r = 0;

        if (!piece)
                abort();
        while (at < size) {
                ssize_t n = pread(fd, piece, PIECE, at);
                struct http_answer answer = { 0 };

                if (n <= 0) {
                        r = assist_fail(error, n ? -errno : -EIO, "%s: %s", what, n ? strerror(errno) : "it became shorter");
                        break;
                }
                arena_reset(&a->arena);
                r = session_open(a, error);
                if (r)
                        break;
                snprintf(header, sizeof(header), "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64, at, at + n - 1, size);
                r = http_do(a, &(struct http_request){ .method = "PUT", .path = path, .content_type = "application/octet-stream",
                                                       .body = { piece, (size_t)n }, .authorize = true, .header = header, .fd = -1 }, &answer);
                if (!r && answer.status / 100 == 2) {
                        at += n;
                        patience = patience_new(a);
                        continue;
                }
                if (!r && answer.status == 401)
                        a->token[0] = '\0';
                else if (!r && answer.status / 100 == 4 && answer.status != 409 && answer.status != 429) {
                        r = http_fault(a, &answer, what, error);
                        break;
                }
                if (!patience_wait(&patience, r ? 0 : answer.retry_after_ms)) {
                        r = r ? assist_fail(error, r, "%s: %s", what, strerror(-r)) : http_fault(a, &answer, what, error);
                        break;
                }
                if (session_open(a, error) == 0)
                        offset_ask(a, path, &at); /* what it has it has; where it doesn't say, the same piece again */
                r = 0;
        }
        free(piece);
        return r;
}

int assist_upload(struct assist *a, const char *path, struct arena *arena, struct ulid *ret_upload, struct assist_error *error)
{
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        struct attachment_start params = { .name = str_of(name) };
        struct attachment_start_result started = { 0 };
        char id[ULID_TEXT + 1], url[64];
        struct stat st = { 0 };
        int fd, r;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st)) {
                r = assist_fail(error, -errno, "%s: %s", path, strerror(errno));
        } else {
                params.size = st.st_size;
                r = st.st_size ? assist_call(a, &schema_method_attachment_start, &params, arena, &started, error)
                               : assist_fail(error, -EINVAL, "%s is empty", path);
        }
        if (!r) {
                ulid_text(started.upload, id);
                snprintf(url, sizeof(url), "/attachments/%s", id);
                r = send_pieces(a, fd, st.st_size, url, path, error);
        }
        if (fd >= 0)
                close(fd);
        if (!r)
                *ret_upload = started.upload;
        return r;
}

int assist_download(struct assist *a, struct ulid attachment, int fd, struct assist_error *error)
{
        struct http_answer answer = { 0 };
        char id[ULID_TEXT + 1], url[64];
        int r;

        ulid_text(attachment, id);
        snprintf(url, sizeof(url), "/attachments/%s", id);
        arena_reset(&a->arena);
        r = session_open(a, error);
        if (r)
                return r;
        r = http_do(a, &(struct http_request){ .method = "GET", .path = url, .authorize = true, .fd = fd }, &answer);
        if (r)
                return assist_fail(error, r, "the download broke: %s", strerror(-r));
        return answer.status / 100 == 2 ? 0 : http_fault(a, &answer, "download", error);
}

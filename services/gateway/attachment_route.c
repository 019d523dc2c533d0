/* PUT, HEAD and GET /attachments/<id>: pieces go to and come from store as attachment.write and attachment.read, so that never
 * more than a piece of a file is in memory here. */
#include "range.h"
#include "router.h"
#include "schema/attachment.h"

#include <string.h>

enum { PIECE_BYTES = 256 * 1024 };

static const char prefix[] = "/attachments/";

/* ---- PUT: a piece of an upload ---- */

struct upload {
        struct request *request;
        struct ulid id;
        struct range range;
        int64_t at;              /* of the next piece */
};

static void offset_header(struct request *q, int64_t offset)
{
        request_add_header(q, "upload-offset", arena_format(&q->arena, "%lld", (long long)offset));
}

/* A gap: says where to go on. */
static void on_gap_status(void *data, const struct rpc_reply *reply)
{
        struct upload *u = data;
        struct request *q = u->request;
        const struct attachment_status_result *in = reply->result;

        if (reply->code) {
                request_fail(q, reply->code, reply->fault);
                return;
        }
        offset_header(q, in->offset);
        request_refuse(q, 409, FAULT_CONFLICT, "a piece is missing: go on from Upload-Offset");
}

static void write_piece(struct upload *u);

static void on_written(void *data, const struct rpc_reply *reply)
{
        const struct attachment_write_result *in = reply->result;
        struct upload *u = data;
        struct request *q = u->request;

        if (!q->h2o) {
                request_end(q);
        } else if (reply->code == FAULT_CONFLICT) {
                const struct attachment_status ask = { .upload = u->id };

                if (request_call(q, &schema_method_attachment_status, &ask, on_gap_status, u))
                        request_fail(q, FAULT_TOO_LARGE, NULL);
        } else if (reply->code) {
                request_fail(q, reply->code, reply->fault);
        } else if (u->at <= u->range.last) {
                write_piece(u);
        } else {
                offset_header(q, in->offset);
                request_add_header(q, "upload-complete", in->complete ? STR("true") : STR("false"));
                request_answer(q, 204, NULL, (struct str){ 0 });
        }
}

static void write_piece(struct upload *u)
{
        struct request *q = u->request;
        struct str body = request_body(q);
        int64_t n = u->range.last + 1 - u->at;
        struct attachment_write in = { .upload = u->id, .offset = u->at };

        if (n > PIECE_BYTES)
                n = PIECE_BYTES;
        in.data = (struct str){ body.p + (u->at - u->range.first), (size_t)n };
        u->at += n;
        if (request_call(q, &schema_method_attachment_write, &in, on_written, u))
                request_fail(q, FAULT_TOO_LARGE, NULL);
}

static void put(struct request *q, struct ulid id)
{
        struct str header = request_header(q, "content-range"), body = request_body(q);
        struct upload *u = ARENA_NEW(&q->arena, struct upload);

        *u = (struct upload){ .request = q, .id = id, .range = { 0, (int64_t)body.n - 1, (int64_t)body.n } };
        if (header.n && content_range_parse(header, &u->range)) {
                request_refuse(q, 400, FAULT_INVALID_REQUEST, "Content-Range must be `bytes FIRST-LAST/SIZE`");
                return;
        }
        if (body.n == 0 || u->range.last - u->range.first + 1 != (int64_t)body.n) {
                request_refuse(q, 400, FAULT_INVALID_REQUEST, "the body must have as many bytes as Content-Range says, and at least one");
                return;
        }
        u->at = u->range.first;
        write_piece(u);
}

/* ---- HEAD of what is no attachment yet: how far the upload has come ---- */

static void on_status(void *data, const struct rpc_reply *reply)
{
        const struct attachment_status_result *in = reply->result;
        struct request *q = data;

        if (reply->code) {
                request_fail(q, reply->code, reply->fault);
                return;
        }
        offset_header(q, in->offset);
        request_add_header(q, "upload-length", arena_format(&q->arena, "%lld", (long long)in->size));
        request_answer(q, 204, NULL, (struct str){ 0 });
}

static void upload_head(struct request *q, struct ulid id)
{
        const struct attachment_status in = { .upload = id };

        if (request_call(q, &schema_method_attachment_status, &in, on_status, q))
                request_fail(q, FAULT_TOO_LARGE, NULL);
}

/* ---- GET: an attachment, or a range of it ---- */

struct download {
        h2o_generator_t generator;
        struct request *request;
        struct ulid id;
        struct str link;
        bool begun;              /* the head of the answer is out */
        bool asking;
        bool whole;              /* no Range: the first piece tells what it is */
        int64_t at, end;         /* the next byte, and the one after the last */
        struct buf piece;        /* until h2o asks for the next one */
};

static void read_piece(struct download *d, int64_t length);

static void download_end(struct download *d)
{
        buf_deinit(&d->piece);
        request_end(d->request);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *h2o)
{
        struct download *d = (struct download *)generator;

        (void)h2o;
        read_piece(d, d->end - d->at < PIECE_BYTES ? d->end - d->at : PIECE_BYTES);
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *h2o)
{
        struct download *d = (struct download *)generator;

        (void)h2o;
        if (!d->asking)
                download_end(d);
        /* else the answer finds the client gone */
}

/* Only what a browser shows without running anything; all text as plain text. */
static const char *shown_as(struct str type)
{
        static const char *const images[] = { "image/png", "image/jpeg", "image/gif", "image/webp" };

        for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++)
                if (str_is(type, images[i]))
                        return images[i];
        return str_starts(type, "text/") ? "text/plain; charset=utf-8" : NULL;
}

static bool is_plain(unsigned char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("!#$&+-.^_`|~", c));
}

/* RFC 6266: a name in ASCII for who knows no better, and the real one as RFC 5987 writes it. */
static void disposition(struct request *q, bool is_inline, struct str name)
{
        struct buf b = { 0 };

        buf_text(&b, is_inline ? "inline; filename=\"" : "attachment; filename=\"");
        for (size_t i = 0; i < name.n; i++) {
                unsigned char c = (unsigned char)name.p[i];

                if ((c & 0xc0) != 0x80)         /* one per character */
                        buf_char(&b, is_plain(c) || c == ' ' ? (char)c : '_');
        }
        buf_text(&b, "\"; filename*=UTF-8''");
        for (size_t i = 0; i < name.n; i++) {
                unsigned char c = (unsigned char)name.p[i];

                if (is_plain(c))
                        buf_char(&b, (char)c);
                else
                        buf_format(&b, "%%%02X", c);
        }
        request_add_header(q, "content-disposition", buf_view(&b));
        buf_deinit(&b);
}

/* Headers, and which part it will be: 200, 206, 304 or 416. */
static int describe(struct download *d, const struct attachment_read_result *in)
{
        struct request *q = d->request;
        struct str etag = arena_format(&q->arena, "\"%.*s\"", STR_ARG(in->etag)), if_range = request_header(q, "if-range");
        const char *shown = shown_as(in->type);
        struct range part = { .first = 0, .last = in->size - 1, .total = in->size };
        enum range_verdict verdict = RANGE_WHOLE;

        request_secure(q, "default-src 'none'; frame-ancestors 'none'; sandbox");
        request_add_header(q, "cross-origin-resource-policy", STR("same-origin"));
        request_add_header(q, "etag", etag);
        request_add_header(q, "cache-control", STR("private, no-cache"));      /* the right to see it is asked again each time */
        if (request_has(q, etag))
                return 304;
        request_add_header(q, "accept-ranges", STR("bytes"));
        if (!if_range.n || str_eq(if_range, etag))
                verdict = range_parse(request_header(q, "range"), in->size, &part);
        if (verdict == RANGE_OUTSIDE) {
                request_add_header(q, "content-range", arena_format(&q->arena, "bytes */%lld", (long long)in->size));
                return 416;
        }
        request_add_header(q, "content-type", str_of(shown ? shown : "application/octet-stream"));
        disposition(q, shown != NULL, in->name);
        d->at = part.first;
        d->end = part.last + 1;
        if (verdict == RANGE_WHOLE)
                return 200;
        request_add_header(q, "content-range", arena_format(&q->arena, "bytes %lld-%lld/%lld", (long long)part.first,
                                                            (long long)part.last, (long long)in->size));
        return 206;
}

/* Gives h2o a piece; the last one is copied to its own memory, for it does not say when that is out. */
static void send_piece(struct download *d, struct str data)
{
        h2o_req_t *h2o = d->request->h2o;
        bool last = d->at + (int64_t)data.n >= d->end;
        h2o_iovec_t vec;

        d->at += (int64_t)data.n;
        if (last) {
                vec = h2o_strdup(&h2o->pool, data.p, data.n);
                download_end(d);
                h2o_send(h2o, &vec, 1, H2O_SEND_STATE_FINAL);
                return;
        }
        buf_clear(&d->piece);
        buf_str(&d->piece, data);
        vec = h2o_iovec_init(d->piece.p, d->piece.n);
        h2o_send(h2o, &vec, 1, H2O_SEND_STATE_IN_PROGRESS);
}

static void begin(struct download *d, const struct attachment_read_result *in)
{
        struct request *q = d->request;
        h2o_req_t *h2o = q->h2o;
        int status = describe(d, in);
        bool empty = status == 304 || status == 416 || in->size == 0;

        d->begun = true;
        h2o->res.status = status;
        h2o->res.reason = http_reason(status);
        q->gateway->answers[status / 100]++;
        if (status != 304)
                h2o->res.content_length = empty ? 0 : (size_t)(d->end - d->at);
        if (empty || str_is(q->method, "HEAD")) {
                h2o_iovec_t none = { NULL, 0 };
                static h2o_generator_t nothing = { NULL, NULL };

                h2o_start_response(h2o, &nothing);
                download_end(d);
                h2o_send(h2o, &none, 1, H2O_SEND_STATE_FINAL);
                return;
        }
        d->generator = (h2o_generator_t){ .proceed = on_proceed, .stop = on_stop };
        h2o_start_response(h2o, &d->generator);
        if (d->whole)
                send_piece(d, in->data);
        else
                on_proceed(&d->generator, h2o);
}

static void on_read(void *data, const struct rpc_reply *reply)
{
        const struct attachment_read_result *in = reply->result;
        struct download *d = data;
        struct request *q = d->request;

        d->asking = false;
        if (!q->h2o) {
                download_end(d);
        } else if (!d->begun) {
                if (!reply->code) {
                        begin(d, in);
                } else if (reply->code == FAULT_NOT_FOUND && q->visitor && str_is(q->method, "HEAD")) {
                        upload_head(q, d->id);
                } else {
                        request_fail(q, reply->code, reply->fault);
                }
        } else if (reply->code || in->data.n == 0) {    /* too late to say why: the connection ends short */
                h2o_req_t *h2o = q->h2o;

                download_end(d);
                h2o_send(h2o, NULL, 0, H2O_SEND_STATE_ERROR);
        } else {
                send_piece(d, in->data);
        }
}

static void read_piece(struct download *d, int64_t length)
{
        struct request *q = d->request;
        const struct attachment_read in = { .attachment = d->id, .offset = d->at, .length = length, .has_link = d->link.n > 0,
                                            .link = d->link, .has_device = d->link.n > 0, .device = str_of(q->device) };

        d->asking = true;
        if (request_call(q, &schema_method_attachment_read, &in, on_read, d))
                request_fail(q, FAULT_TOO_LARGE, NULL);
}

static void get(struct request *q, struct ulid id, struct str link)
{
        struct download *d = ARENA_NEW(&q->arena, struct download);

        *d = (struct download){ .request = q, .id = id, .link = arena_str(&q->arena, link) };
        d->whole = str_is(q->method, "GET") && !request_header(q, "range").n && !request_header(q, "if-none-match").n;
        read_piece(d, d->whole ? PIECE_BYTES : 0);
}

/* ---- which of them ---- */


static void dispatch(struct request *q, struct str link)
{
        struct fault fault;
        struct ulid id;
        bool is_put = str_is(q->method, "PUT");
        int r = request_charge(q, is_put ? schema_method_attachment_write.rate : schema_method_attachment_read.rate, &fault);

        if (r)
                request_fail(q, r, &fault);
        else if (ulid_parse((struct str){ q->path.p + sizeof(prefix) - 1, q->path.n - (sizeof(prefix) - 1) }, &id))
                request_fail(q, FAULT_NOT_FOUND, NULL);
        else if (is_put)
                put(q, id);
        else
                get(q, id, link);
}

static void on_known(struct request *q, int code, const struct fault *fault)
{
        if (!code) {
                code = request_may(q, &schema_method_attachment_status);        /* attachment.read itself also takes links, of anyone */
                fault = NULL;
        }
        if (code)
                request_fail(q, code, fault);
        else
                dispatch(q, (struct str){ 0 });
}

void attachment_route(struct request *q)
{
        struct str link = request_query(q, "link");

        if (link.n && !str_is(q->method, "PUT"))
                dispatch(q, link);
        else
                request_identify(q, request_token(q), on_known);
}

/* The msgpack half of the codec (github.com/msgpack/msgpack/blob/master/spec.md). Written by hand because array and string
 * headers are checked against the bytes that are left before anything is allocated; numbers are written in their shortest form, so that
 * equal values have equal bytes. */
#include "codec_check.h"

#include <errno.h>
#include <string.h>

/* ---- writing ---- */

static void put_be(struct buf *out, uint8_t tag, uint64_t v, unsigned bytes)
{
        char *p = buf_reserve(out, 1 + bytes);

        *p++ = (char)tag;
        for (unsigned i = bytes; i-- > 0;)
                *p++ = (char)(v >> (8 * i));
        out->n += 1 + bytes;
}

void msgpack_put_array(struct buf *out, uint32_t n)
{
        if (n < 16)
                buf_char(out, (char)(0x90 | n));
        else if (n <= UINT16_MAX)
                put_be(out, 0xdc, n, 2);
        else
                put_be(out, 0xdd, n, 4);
}

void msgpack_put_nil(struct buf *out)
{
        buf_char(out, (char)0xc0);
}

void msgpack_put_bool(struct buf *out, bool v)
{
        buf_char(out, (char)(v ? 0xc3 : 0xc2));
}

void msgpack_put_int(struct buf *out, int64_t v)
{
        if (v >= -32 && v < 128)
                buf_char(out, (char)v);
        else if (v >= 0)
                put_be(out, v <= UINT8_MAX ? 0xcc : v <= UINT16_MAX ? 0xcd : v <= UINT32_MAX ? 0xce : 0xcf, (uint64_t)v,
                       v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8);
        else
                put_be(out, v >= INT8_MIN ? 0xd0 : v >= INT16_MIN ? 0xd1 : v >= INT32_MIN ? 0xd2 : 0xd3, (uint64_t)v,
                       v >= INT8_MIN ? 1 : v >= INT16_MIN ? 2 : v >= INT32_MIN ? 4 : 8);
}

void msgpack_put_str(struct buf *out, struct str s)
{
        if (s.n < 32)
                buf_char(out, (char)(0xa0 | s.n));
        else
                put_be(out, s.n <= UINT8_MAX ? 0xd9 : s.n <= UINT16_MAX ? 0xda : 0xdb, s.n,
                       s.n <= UINT8_MAX ? 1 : s.n <= UINT16_MAX ? 2 : 4);
        buf_str(out, s);
}

void msgpack_put_bin(struct buf *out, const void *bytes, size_t n)
{
        put_be(out, n <= UINT8_MAX ? 0xc4 : n <= UINT16_MAX ? 0xc5 : 0xc6, n, n <= UINT8_MAX ? 1 : n <= UINT16_MAX ? 2 : 4);
        buf_add(out, bytes, n);
}

static void write_struct(const struct schema_struct *type, const void *base, const struct codec_commit *c, struct buf *out);

static void write_one(const struct schema_field *f, const void *at, struct buf *out)
{
        switch (f->kind) {
        case SCHEMA_BOOL:
                msgpack_put_bool(out, *(const bool *)at);
                return;
        case SCHEMA_UINT:
        case SCHEMA_INT:
        case SCHEMA_TIME:
                msgpack_put_int(out, *(const int64_t *)at);
                return;
        case SCHEMA_ULID:
                msgpack_put_bin(out, at, sizeof(struct ulid));
                return;
        case SCHEMA_ENUM:
                msgpack_put_str(out, str_of(f->values->values[*(const int *)at]));
                return;
        case SCHEMA_BYTES:
                msgpack_put_bin(out, ((const struct str *)at)->p, ((const struct str *)at)->n);
                return;
        case SCHEMA_STRING:
        case SCHEMA_JSON:
                msgpack_put_str(out, *(const struct str *)at);
                return;
        case SCHEMA_STRUCT:
                write_struct(f->type, at, NULL, out);
                return;
        }
}

static void write_struct(const struct schema_struct *type, const void *base, const struct codec_commit *c, struct buf *out)
{
        msgpack_put_array(out, type->n_fields);
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];
                const void *at = schema_at(f, base);
                uint8_t commitment[32];

                switch (schema_presence(f, base)) {
                case SCHEMA_ABSENT:
                        msgpack_put_nil(out);
                        continue;
                case SCHEMA_NULL: /* absent is nil, so "none" needs a byte of its own */
                        msgpack_put_bool(out, false);
                        continue;
                case SCHEMA_PRESENT:
                        break;
                }
                if (c && (f->flags & SCHEMA_PERSONAL)) {
                        c->commit(c->data, i, *(const struct str *)at, commitment);
                        msgpack_put_bin(out, commitment, sizeof(commitment));
                } else if (schema_is_list(f)) {
                        const struct schema_list *list = at;

                        msgpack_put_array(out, (uint32_t)list->n);
                        for (size_t k = 0; k < list->n; k++)
                                write_one(f, (const char *)list->items + k * f->size, out);
                } else if (f->kind == SCHEMA_STRUCT && (f->flags & SCHEMA_OPTIONAL)) {
                        write_one(f, *(void *const *)at, out);
                } else {
                        write_one(f, at, out);
                }
        }
}

void msgpack_write(const struct schema_struct *type, const void *value, struct buf *out)
{
        write_struct(type, value, NULL, out);
}

void msgpack_write_committed(const struct schema_struct *type, const void *value, const struct codec_commit *c, struct buf *out)
{
        write_struct(type, value, c, out);
}

/* ---- reading ---- */

static int take_be(struct str *in, unsigned bytes, uint64_t *ret)
{
        uint64_t v = 0;

        if (in->n < 1 + bytes)
                return -EBADMSG;
        for (unsigned i = 1; i <= bytes; i++)
                v = v << 8 | (uint8_t)in->p[i];
        in->p += 1 + bytes;
        in->n -= 1 + bytes;
        *ret = v;
        return 0;
}

static int tag_of(const struct str *in)
{
        return in->n ? (uint8_t)in->p[0] : -1;
}

int msgpack_get_array(struct str *in, uint32_t *ret_n)
{
        struct str at = *in;
        uint64_t n;
        int tag = tag_of(&at), r;

        if (tag >= 0x90 && tag <= 0x9f)
                r = take_be(&at, 0, &n), n = (uint64_t)tag & 15;
        else if (tag == 0xdc || tag == 0xdd)
                r = take_be(&at, tag == 0xdc ? 2 : 4, &n);
        else
                return -EBADMSG;
        if (r || n > at.n) /* every item takes a byte at least */
                return -EBADMSG;
        *in = at;
        *ret_n = (uint32_t)n;
        return 0;
}

bool msgpack_get_nil(struct str *in)
{
        if (tag_of(in) != 0xc0)
                return false;
        in->p++;
        in->n--;
        return true;
}

int msgpack_get_bool(struct str *in, bool *ret)
{
        int tag = tag_of(in);

        if (tag != 0xc2 && tag != 0xc3)
                return -EBADMSG;
        *ret = tag == 0xc3;
        in->p++;
        in->n--;
        return 0;
}

int msgpack_get_int(struct str *in, int64_t *ret)
{
        struct str at = *in;
        int tag = tag_of(&at), r;
        uint64_t v;

        if (tag < 0)
                return -EBADMSG;
        if (tag < 0x80 || tag >= 0xe0) {
                v = (uint64_t)(int8_t)tag;
                at.p++;
                at.n--;
        } else if (tag >= 0xcc && tag <= 0xcf) {
                r = take_be(&at, 1u << (tag - 0xcc), &v);
                if (r || v > INT64_MAX)
                        return -EBADMSG;
        } else if (tag >= 0xd0 && tag <= 0xd3) {
                unsigned bytes = 1u << (tag - 0xd0);

                r = take_be(&at, bytes, &v);
                if (r)
                        return r;
                if (bytes < 8 && v >> (8 * bytes - 1))
                        v |= UINT64_MAX << (8 * bytes);
        } else {
                return -EBADMSG;
        }
        *ret = (int64_t)v;
        *in = at;
        return 0;
}

static int take_bytes(struct str *in, struct str at, uint64_t n, struct str *ret)
{
        if (n > at.n)
                return -EBADMSG;
        *ret = (struct str){ at.p, (size_t)n };
        *in = (struct str){ at.p + n, at.n - (size_t)n };
        return 0;
}

int msgpack_get_str(struct str *in, struct str *ret)
{
        struct str at = *in;
        int tag = tag_of(&at), r;
        uint64_t n;

        if (tag >= 0xa0 && tag <= 0xbf)
                r = take_be(&at, 0, &n), n = (uint64_t)tag & 31;
        else if (tag >= 0xd9 && tag <= 0xdb)
                r = take_be(&at, 1u << (tag - 0xd9), &n);
        else
                return -EBADMSG;
        return r ? r : take_bytes(in, at, n, ret);
}

int msgpack_get_bin(struct str *in, struct str *ret)
{
        struct str at = *in;
        int tag = tag_of(&at), r;
        uint64_t n;

        if (tag < 0xc4 || tag > 0xc6)
                return -EBADMSG;
        r = take_be(&at, 1u << (tag - 0xc4), &n);
        return r ? r : take_bytes(in, at, n, ret);
}

/* Without recursion: `left` counts the values that each open array or map still owes. */
int msgpack_skip(struct str *in)
{
        uint64_t left[CODEC_DEPTH], n;
        struct str at = *in, ignored;
        int depth = 0, r;

        left[0] = 1;
        while (depth >= 0) {
                int tag = tag_of(&at);

                if (!left[depth]) {
                        depth--;
                        continue;
                }
                left[depth]--;
                if (tag < 0)
                        return -EBADMSG;
                n = 0;
                if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3) {
                        r = take_be(&at, 0, &n);
                } else if (tag <= 0x9f || (tag >= 0xdc && tag <= 0xdf)) {
                        bool map = tag <= 0x8f || tag >= 0xde;

                        if (tag <= 0x9f)
                                r = take_be(&at, 0, &n), n = (uint64_t)tag & 15;
                        else
                                r = take_be(&at, tag & 1 ? 4 : 2, &n);
                        n = map ? 2 * n : n;
                        if (r || n > at.n)
                                return -EBADMSG;
                        if (n) {
                                if (++depth == CODEC_DEPTH)
                                        return -EBADMSG;
                                left[depth] = n;
                        }
                } else if (tag <= 0xbf || (tag >= 0xd9 && tag <= 0xdb)) {
                        r = msgpack_get_str(&at, &ignored);
                } else if (tag >= 0xc4 && tag <= 0xc6) {
                        r = msgpack_get_bin(&at, &ignored);
                } else if (tag >= 0xca && tag <= 0xd3) {
                        static const uint8_t width[] = { 4, 8, 1, 2, 4, 8, 1, 2, 4, 8 };

                        r = take_be(&at, width[tag - 0xca], &n);
                } else if (tag >= 0xd4 && tag <= 0xd8) { /* fixext: a type and 1 to 16 bytes */
                        r = take_be(&at, 1, &n);
                        if (!r)
                                r = take_bytes(&at, at, 1u << (tag - 0xd4), &ignored);
                } else if (tag >= 0xc7 && tag <= 0xc9) {
                        r = take_be(&at, 1u << (tag - 0xc7), &n);
                        if (!r)
                                r = take_bytes(&at, at, n + 1, &ignored);
                } else {
                        return -EBADMSG; /* 0xc1 */
                }
                if (r)
                        return r;
        }
        *in = at;
        return 0;
}

struct reader {
        struct arena *arena;
        struct codec_error *error;
        const struct codec_commit *commit;
        int depth;
};

static int read_struct(struct reader *r, const struct schema_struct *type, struct str *in, void *base, const struct codec_path *up);

static const char *kind_name(enum schema_kind kind)
{
        static const char *const names[] = { "true or false", "a whole number", "a whole number", "a time in ms", "a ULID",
                                             "a string", "bytes", "a name", "an array", "a JSON text" };

        return names[kind];
}

static int read_one(struct reader *r, const struct schema_field *f, struct str *in, void *at, const struct codec_path *path)
{
        struct str s;
        int e;

        switch (f->kind) {
        case SCHEMA_BOOL:
                if (msgpack_get_bool(in, at))
                        break;
                return 0;
        case SCHEMA_UINT:
        case SCHEMA_INT:
        case SCHEMA_TIME:
                if (msgpack_get_int(in, at))
                        break;
                return codec_check_int(f, *(int64_t *)at, path, r->error);
        case SCHEMA_ULID:
                if (msgpack_get_bin(in, &s) || s.n != sizeof(struct ulid))
                        break;
                memcpy(at, s.p, s.n);
                return 0;
        case SCHEMA_ENUM:
                if (msgpack_get_str(in, &s))
                        break;
                e = schema_enum_find(f->values, s);
                if (e < 0)
                        return codec_unknown_value(f, s, path, r->error);
                *(int *)at = e;
                return 0;
        case SCHEMA_BYTES:
                if (msgpack_get_bin(in, at))
                        break;
                return codec_check_str(f, *(struct str *)at, path, r->error);
        case SCHEMA_STRING:
        case SCHEMA_JSON:
                if (msgpack_get_str(in, at))
                        break;
                return codec_check_str(f, *(struct str *)at, path, r->error);
        case SCHEMA_STRUCT:
                return read_struct(r, f->type, in, at, path);
        }
        return codec_fail(r->error, path, "must be %s", kind_name(f->kind));
}

static int read_list(struct reader *r, const struct schema_field *f, struct str *in, void *at, const struct codec_path *path)
{
        struct schema_list *list = at;
        uint32_t n;
        int e;

        if (msgpack_get_array(in, &n))
                return codec_fail(r->error, path, "must be an array");
        e = codec_check_count(f, n, path, r->error);
        if (e)
                return e;
        list->items = arena_array(r->arena, n, f->size);
        list->n = n;
        for (uint32_t i = 0; i < n; i++) {
                e = read_one(r, f, in, (char *)list->items + (size_t)i * f->size, &(struct codec_path){ path, NULL, i });
                if (e)
                        return e;
        }
        return 0;
}

static int read_committed(struct reader *r, const struct schema_field *f, unsigned index, struct str *in, void *base,
                          const struct codec_path *path)
{
        struct str commitment, text = { "", 0 };
        int e;

        if (msgpack_get_bin(in, &commitment) || commitment.n != 32)
                return codec_fail(r->error, path, "must be a commitment of 32 bytes");
        e = r->commit->text(r->commit->data, index, (const uint8_t *)commitment.p, &text);
        if (e && e != -ENOENT)
                return e;
        codec_set_presence(f, base, e ? SCHEMA_ABSENT : SCHEMA_PRESENT);
        *(struct str *)schema_at(f, base) = text;
        return 0;
}

static int read_struct(struct reader *r, const struct schema_struct *type, struct str *in, void *base, const struct codec_path *up)
{
        const struct codec_commit *commit = r->commit;
        uint32_t n;
        int e = 0;

        if (msgpack_get_array(in, &n))
                return codec_fail(r->error, up, "must be an array");
        if (r->depth == CODEC_DEPTH)
                return codec_fail(r->error, up, "is nested deeper than %d", CODEC_DEPTH);
        r->depth++;
        memset(base, 0, type->size);
        for (uint32_t i = 0; i < type->n_fields && !e; i++) {
                const struct schema_field *f = &type->fields[i];
                struct codec_path path = { up, f->name, -1 };
                void *at = schema_at(f, base);
                bool none;

                if (i >= n || msgpack_get_nil(in)) {
                        e = codec_absent(f, base, &path, r->error);
                        continue;
                }
                if ((f->flags & SCHEMA_NULLABLE) && f->kind != SCHEMA_BOOL && msgpack_get_bool(in, &none) == 0) {
                        codec_set_presence(f, base, SCHEMA_NULL);
                        continue;
                }
                if (commit && (f->flags & SCHEMA_PERSONAL)) {
                        e = read_committed(r, f, i, in, base, &path);
                        continue;
                }
                r->commit = NULL; /* only the body's own members are committed */
                if (schema_is_list(f)) {
                        e = read_list(r, f, in, at, &path);
                } else if (f->kind == SCHEMA_STRUCT && (f->flags & SCHEMA_OPTIONAL)) {
                        void *value = arena_zalloc(r->arena, f->type->size);

                        *(void **)at = value;
                        e = read_one(r, f, in, value, &path);
                } else {
                        e = read_one(r, f, in, at, &path);
                }
                r->commit = commit;
                codec_set_presence(f, base, SCHEMA_PRESENT);
        }
        for (uint32_t i = type->n_fields; i < n && !e; i++)
                if (msgpack_skip(in))
                        e = codec_fail(r->error, up, "has an item that is not msgpack");
        r->depth--;
        return e;
}

int msgpack_read_next(const struct schema_struct *type, struct str *in, struct arena *arena, void *ret, struct codec_error *error)
{
        struct reader r = { arena, error, NULL, 0 };

        return read_struct(&r, type, in, ret, NULL);
}

int msgpack_read(const struct schema_struct *type, struct str in, struct arena *arena, void *ret, struct codec_error *error)
{
        int r = msgpack_read_next(type, &in, arena, ret, error);

        if (!r && in.n)
                r = codec_fail(error, NULL, "has %zu bytes behind its end", in.n);
        return r;
}

int msgpack_read_committed(const struct schema_struct *type, struct str in, const struct codec_commit *c, struct arena *arena,
                           void *ret, struct codec_error *error)
{
        struct reader r = { arena, error, c, 0 };
        int e = read_struct(&r, type, &in, ret, NULL);

        if (!e && in.n)
                e = codec_fail(error, NULL, "has %zu bytes behind its end", in.n);
        return e;
}

/* The writing half of JSON: compact, members in schema order, absent ones left out. */
#include "codec.h"

#include <inttypes.h>
#include <string.h>

static bool is_plain(unsigned char c)
{
        return c >= 0x20 && c != '"' && c != '\\';
}

/* How many bytes at its beginning stand for themselves. Eight at a time: a byte of x is below b where x - b borrows, and x had no high bit. */
static size_t plain_length(const char *p, size_t n)
{
        const uint64_t each = UINT64_C(0x0101010101010101), high = each << 7;
        size_t i = 0;

        for (; i + sizeof(uint64_t) <= n; i += sizeof(uint64_t)) {
                uint64_t x, quote, backslash;

                memcpy(&x, p + i, sizeof(x));
                quote = x ^ each * '"';
                backslash = x ^ each * '\\';
                if ((((x - each * 0x20) & ~x) | ((quote - each) & ~quote) | ((backslash - each) & ~backslash)) & high)
                        break;
        }
        while (i < n && is_plain((unsigned char)p[i]))
                i++;
        return i;
}

void json_string(struct buf *out, struct str s)
{
        buf_char(out, '"');
        for (size_t i = 0, n; i < s.n; i++) {
                unsigned char c;

                n = plain_length(s.p + i, s.n - i);
                buf_add(out, s.p + i, n);
                i += n;
                if (i == s.n)
                        break;
                c = (unsigned char)s.p[i];
                if (c == '"' || c == '\\')
                        buf_add(out, (char[]){ '\\', (char)c }, 2);
                else if (c == '\n')
                        buf_add(out, "\\n", 2);
                else if (c == '\t')
                        buf_add(out, "\\t", 2);
                else if (c == '\r')
                        buf_add(out, "\\r", 2);
                else
                        buf_format(out, "\\u%04x", c);
        }
        buf_char(out, '"');
}

static void json_ulid(struct buf *out, struct ulid id)
{
        char *p = buf_reserve(out, ULID_TEXT + 3);

        p[0] = '"';
        ulid_text(id, p + 1);
        p[ULID_TEXT + 1] = '"'; /* over the NUL */
        out->n += ULID_TEXT + 2;
}

/* Names are plain ASCII. */
static void json_name(struct buf *out, const char *name, bool first)
{
        size_t n = strlen(name);
        char *p = buf_reserve(out, n + 4);

        if (!first)
                *p++ = ',';
        *p++ = '"';
        p = mempcpy(p, name, n);
        *p++ = '"';
        *p++ = ':';
        out->n = (size_t)(p - out->p);
}

static void write_one(const struct schema_field *f, const void *at, struct buf *out)
{
        switch (f->kind) {
        case SCHEMA_BOOL:
                buf_text(out, *(const bool *)at ? "true" : "false");
                return;
        case SCHEMA_UINT:
        case SCHEMA_INT:
        case SCHEMA_TIME:
                buf_int(out, *(const int64_t *)at);
                return;
        case SCHEMA_ULID:
                json_ulid(out, *(const struct ulid *)at);
                return;
        case SCHEMA_STRING:
                json_string(out, *(const struct str *)at);
                return;
        case SCHEMA_BYTES:
                buf_char(out, '"');
                buf_base64url(out, ((const struct str *)at)->p, ((const struct str *)at)->n);
                buf_char(out, '"');
                return;
        case SCHEMA_ENUM:
                json_string(out, str_of(f->values->values[*(const int *)at]));
                return;
        case SCHEMA_JSON:
                buf_str(out, *(const struct str *)at);
                return;
        case SCHEMA_STRUCT:
                json_write(f->type, at, out);
                return;
        }
}

void json_write(const struct schema_struct *type, const void *value, struct buf *out)
{
        bool first = true;

        buf_char(out, '{');
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];
                enum schema_presence presence = schema_presence(f, value);
                const void *at = schema_at(f, value);

                if (presence == SCHEMA_ABSENT)
                        continue;
                json_name(out, f->name, first);
                first = false;
                if (presence == SCHEMA_NULL) {
                        buf_text(out, "null");
                } else if (f->flags & (SCHEMA_LIST | SCHEMA_SET)) {
                        const struct schema_list *list = at;

                        buf_char(out, '[');
                        for (size_t k = 0; k < list->n; k++) {
                                if (k)
                                        buf_char(out, ',');
                                write_one(f, (const char *)list->items + k * f->size, out);
                        }
                        buf_char(out, ']');
                } else if (f->kind == SCHEMA_STRUCT && (f->flags & SCHEMA_OPTIONAL)) {
                        write_one(f, *(void *const *)at, out);
                } else {
                        write_one(f, at, out);
                }
        }
        buf_char(out, '}');
}

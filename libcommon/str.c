#include "str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str str_of(const char *text)
{
        return (struct str){ text, text ? strlen(text) : 0 };
}

bool str_eq(struct str a, struct str b)
{
        return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
        size_t n = a.n < b.n ? a.n : b.n;
        int r = n ? memcmp(a.p, b.p, n) : 0;

        return r ? r : (a.n > b.n) - (a.n < b.n);
}

struct str str_cut(struct str *rest, char separator)
{
        const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
        struct str part = *rest;

        if (!at) {
                *rest = (struct str){ rest->p + rest->n, 0 };
                return part;
        }
        part.n = (size_t)(at - rest->p);
        *rest = (struct str){ at + 1, rest->n - part.n - 1 };
        return part;
}

static bool is_space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
        while (s.n && is_space(s.p[0])) {
                s.p++;
                s.n--;
        }
        while (s.n && is_space(s.p[s.n - 1]))
                s.n--;
        return s;
}

int str_u64(struct str s, uint64_t *ret)
{
        uint64_t v = 0;

        if (!s.n)
                return -EINVAL;
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] < '0' || s.p[i] > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
                        return -ERANGE;
        }
        *ret = v;
        return 0;
}

int64_t str_utf8_length(struct str s)
{
        const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
        int64_t length = 0;
        uint64_t ascii;

        for (; end - p >= 8; p += 8, length += 8) {     /* eight bytes at a time for as long as it is ASCII */
                memcpy(&ascii, p, 8);
                if (ascii & 0x8080808080808080)
                        break;
        }
        for (; p < end; length++) {
                unsigned follow, low = 0x80, high = 0xbf, c = *p++;

                if (c < 0x80)
                        continue;
                if (c >= 0xc2 && c <= 0xdf) {
                        follow = 1;
                } else if (c >= 0xe0 && c <= 0xef) {
                        follow = 2;
                        if (c == 0xe0)
                                low = 0xa0; /* shorter forms exist */
                        else if (c == 0xed)
                                high = 0x9f; /* surrogates */
                } else if (c >= 0xf0 && c <= 0xf4) {
                        follow = 3;
                        if (c == 0xf0)
                                low = 0x90;
                        else if (c == 0xf4)
                                high = 0x8f; /* U+10FFFF is the last */
                } else {
                        return -EILSEQ;
                }
                for (; follow; follow--, low = 0x80, high = 0xbf) {
                        if (p == end || *p < low || *p > high)
                                return -EILSEQ;
                        p++;
                }
        }
        return length;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void buf_base64url(struct buf *b, const void *bytes, size_t n)
{
        const uint8_t *in = bytes;
        char *out = buf_reserve(b, (n * 4 + 2) / 3);

        for (; n >= 3; n -= 3, in += 3) {
                *out++ = base64url[in[0] >> 2];
                *out++ = base64url[(in[0] << 4 | in[1] >> 4) & 63];
                *out++ = base64url[(in[1] << 2 | in[2] >> 6) & 63];
                *out++ = base64url[in[2] & 63];
        }
        if (n) {
                *out++ = base64url[in[0] >> 2];
                *out++ = base64url[(in[0] << 4 | (n == 2 ? in[1] >> 4 : 0)) & 63];
        }
        if (n == 2)
                *out++ = base64url[in[1] << 2 & 63];
        b->n = (size_t)(out - b->p);
}

static int base64url_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool str_is_base64url(struct str text)
{
        for (size_t i = 0; i < text.n; i++)
                if (base64url_value(text.p[i]) < 0)
                        return false;
        return true;
}

int str_from_base64url(struct str text, void *bytes, size_t size, size_t *ret_n)
{
        uint8_t *out = bytes;
        unsigned bits = 0, held = 0;
        size_t n = 0;

        if (text.n % 4 == 1)
                return -EINVAL;
        if (text.n * 3 / 4 > size)
                return -ENOSPC;
        for (size_t i = 0; i < text.n; i++) {
                int v = base64url_value(text.p[i]);

                if (v < 0)
                        return -EINVAL;
                bits = (bits << 6 | (unsigned)v) & 0xffff;
                held += 6;
                if (held >= 8) {
                        held -= 8;
                        out[n++] = (uint8_t)(bits >> held);
                }
        }
        if (bits & ((1u << held) - 1))
                return -EINVAL;
        *ret_n = n;
        return 0;
}

void buf_hex(struct buf *b, const void *bytes, size_t n)
{
        const uint8_t *in = bytes;
        char *out = buf_reserve(b, n * 2);

        for (size_t i = 0; i < n; i++) {
                *out++ = "0123456789abcdef"[in[i] >> 4];
                *out++ = "0123456789abcdef"[in[i] & 15];
        }
        b->n += n * 2;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int str_from_hex(struct str text, void *bytes, size_t n)
{
        uint8_t *out = bytes;

        if (text.n != n * 2)
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                if (hex_value(text.p[2 * i]) < 0 || hex_value(text.p[2 * i + 1]) < 0)
                        return -EINVAL;
        for (size_t i = 0; i < n; i++)
                out[i] = (uint8_t)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
        return 0;
}

void buf_deinit(struct buf *b)
{
        free(b->p);
        *b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
        b->n = 0;
}

char *buf_reserve(struct buf *b, size_t n)
{
        if (n > b->capacity - b->n) {
                size_t capacity = b->capacity ? b->capacity : 64;

                while (capacity - b->n < n)
                        if (__builtin_mul_overflow(capacity, 2, &capacity))
                                abort();
                b->p = realloc(b->p, capacity);
                if (!b->p)
                        abort();
                b->capacity = capacity;
        }
        return b->p + b->n;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
        if (!n)
                return;
        memcpy(buf_reserve(b, n), bytes, n);
        b->n += n;
}

void buf_char(struct buf *b, char c)
{
        *buf_reserve(b, 1) = c;
        b->n++;
}

void buf_str(struct buf *b, struct str s)
{
        buf_add(b, s.p, s.n);
}

void buf_text(struct buf *b, const char *text)
{
        buf_add(b, text, strlen(text));
}

void buf_int(struct buf *b, int64_t v)
{
        char digits[24], *p = digits + sizeof(digits);
        uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

        do
                *--p = (char)('0' + u % 10);
        while (u /= 10);
        if (v < 0)
                *--p = '-';
        buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void buf_vformat(struct buf *b, const char *format, va_list args)
{
        size_t room = (buf_reserve(b, 1), b->capacity - b->n);
        va_list again;
        int n;

        va_copy(again, args);
        n = vsnprintf(b->p + b->n, room, format, again);
        va_end(again);
        if (n < 0)
                abort();
        if ((size_t)n >= room)
                vsnprintf(buf_reserve(b, (size_t)n + 1), (size_t)n + 1, format, args);
        b->n += (size_t)n;
}

void buf_format(struct buf *b, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        buf_vformat(b, format, args);
        va_end(args);
}

const char *buf_z(struct buf *b)
{
        *buf_reserve(b, 1) = '\0';
        return b->p;
}

struct str buf_view(const struct buf *b)
{
        return (struct str){ b->p, b->n };
}

struct str buf_take(struct buf *b)
{
        struct str s = buf_view(b);

        *b = (struct buf){ 0 };
        return s;
}

/* Text and bytes by pointer and length, and a buffer that grows.
 *
 * A `struct str` owns nothing. One that was decoded points into the message it came from: copy it (arena_str)
 * to keep it. It is not NUL-terminated unless its maker says so. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
        const char *p;
        size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

/* Here, because the text is mostly a literal, whose length the compiler knows. */
static inline bool str_starts(struct str s, const char *prefix)
{
        size_t n = strlen(prefix);

        return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

static inline bool str_is(struct str s, const char *text)
{
        return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

struct str str_of(const char *text);    /* of a NUL-terminated text; NULL gives the empty str */
bool str_eq(struct str a, struct str b);
int str_cmp(struct str a, struct str b); /* bytewise; a prefix sorts first */
struct str str_cut(struct str *rest, char separator); /* the part before the separator; *rest becomes what follows */
struct str str_trim(struct str s);                    /* without ASCII white space at either end */
int str_u64(struct str s, uint64_t *ret);             /* decimal digits only; -EINVAL, -ERANGE */

/* The number of code points in valid UTF-8, or -EILSEQ: overlong forms, surrogates and values past U+10FFFF are invalid. */
int64_t str_utf8_length(struct str s);

/* base64url without padding (RFC 4648 section 5), and hexadecimal. The readers refuse every other character and non-zero spare bits. */
struct buf;
void buf_base64url(struct buf *b, const void *bytes, size_t n);
int str_from_base64url(struct str text, void *bytes, size_t size, size_t *ret_n); /* -EINVAL, -ENOSPC */
bool str_is_base64url(struct str text); /* of its characters alone; also one that no bytes are written as, like "A" */
void buf_hex(struct buf *b, const void *bytes, size_t n);
int str_from_hex(struct str text, void *bytes, size_t n); /* exactly n bytes; -EINVAL */

/* A buffer of bytes. Zero-initialised is empty and valid; buf_deinit frees it. A failed allocation aborts the
 * process: what can be asked for is bounded by limits that are checked before. */
struct buf {
        char *p;
        size_t n;
        size_t capacity;
};

void buf_deinit(struct buf *b);
void buf_clear(struct buf *b);               /* keeps the memory */
char *buf_reserve(struct buf *b, size_t n);  /* room for n more bytes; returns where they go, b->n is unchanged */
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_char(struct buf *b, char c);
void buf_str(struct buf *b, struct str s);
void buf_text(struct buf *b, const char *text);
void buf_int(struct buf *b, int64_t v);      /* decimal */
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vformat(struct buf *b, const char *format, va_list args);
const char *buf_z(struct buf *b);            /* NUL-terminated view; the NUL is not counted in n */
struct str buf_view(const struct buf *b);
struct str buf_take(struct buf *b);          /* hands the memory over: free((char *)str.p) */

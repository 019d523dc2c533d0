#include "json_yajl.h"

#include <stddef.h>
#include <string.h>

/* ---- memory ---- */

/* Each piece knows its size, for realloc. */
struct piece {
        _Alignas(16) size_t n;
        _Alignas(16) char bytes[];
};

static void *arena_malloc(void *ctx, size_t n)
{
        struct piece *piece = arena_alloc(ctx, sizeof(*piece) + n);

        piece->n = n;
        return piece->bytes;
}

static void arena_free(void *ctx, void *p)
{
        (void)ctx;
        (void)p;
}

static void *arena_realloc(void *ctx, void *p, size_t n)
{
        const struct piece *old = p ? (const void *)((char *)p - offsetof(struct piece, bytes)) : NULL;
        char *bytes;

        if (old && old->n >= n)
                return p;
        bytes = arena_malloc(ctx, n);
        if (old)
                memcpy(bytes, p, old->n);
        return bytes;
}

yajl_alloc_funcs json_yajl_memory(struct arena *arena)
{
        return (yajl_alloc_funcs){ arena_malloc, arena_realloc, arena_free, arena };
}

/* ---- what it lets pass ---- */

static unsigned hex4(const char *p)
{
        uint8_t b[2];

        return str_from_hex((struct str){ p, 4 }, b, 2) ? 0 : (unsigned)b[0] << 8 | b[1];
}

/* Escaped surrogates must come in pairs; yajl writes '?' for a lone one. A backslash stands in strings alone, or yajl refuses the
 * text anyway. */
static bool surrogates_pair(struct str in)
{
        const char *p = in.p, *end = in.p + in.n;

        while (p < end && (p = memchr(p, '\\', (size_t)(end - p)))) {
                unsigned v = end - p >= 6 && p[1] == 'u' ? hex4(p + 2) : 0;

                if (v >= 0xdc00 && v <= 0xdfff)
                        return false;
                if (v >= 0xd800 && v <= 0xdbff) {
                        v = end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : 0;
                        if (v < 0xdc00 || v > 0xdfff)
                                return false;
                        p += 10;
                }
                p += 2;
        }
        return true;
}

/* Nothing stands behind the root: yajl overlooks a token there that the text ends within, as in `{}"a`. */
static bool ends_blank(struct str in, size_t end)
{
        while (end < in.n && memchr(" \t\r\n", in.p[end], 4))
                end++;
        return end == in.n;
}

/* yajl takes \v and \f as white space. In strings they must be escaped, so they stand nowhere in JSON. */
static bool has_odd_blanks(struct str in)
{
        return in.n && (memchr(in.p, '\v', in.n) || memchr(in.p, '\f', in.n));
}

bool json_yajl_right(struct str in, size_t end)
{
        return surrogates_pair(in) && ends_blank(in, end) && !has_odd_blanks(in);
}

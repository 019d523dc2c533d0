#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 16 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
        struct arena_block *next;
        size_t size;
        _Alignas(ARENA_ALIGN) char bytes[];
};

void arena_deinit(struct arena *a)
{
        struct arena_block *next;

        for (struct arena_block *b = a->first; b; b = next) {
                next = b->next;
                free(b);
        }
        *a = (struct arena){ 0 };
}

void arena_reset(struct arena *a)
{
        struct arena_block **at = &a->first;
        size_t kept = 0;

        while (*at && kept + (*at)->size <= ARENA_KEEP_BYTES) {
                kept += (*at)->size;
                at = &(*at)->next;
        }
        while (*at) {
                struct arena_block *b = *at;

                *at = b->next;
                free(b);
        }
        a->current = a->first;
        a->used = 0;
}

static struct arena_block *arena_block_add(struct arena *a, size_t bytes)
{
        struct arena_block *block;
        size_t size = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;

        block = malloc(sizeof(*block) + size);
        if (!block)
                abort();
        block->size = size;
        if (a->current) {
                block->next = a->current->next;
                a->current->next = block;
        } else {
                block->next = a->first;
                a->first = block;
        }
        a->current = block;
        a->used = 0;
        return block;
}

static struct arena_block *arena_room(struct arena *a, size_t bytes)
{
        for (struct arena_block *b = a->current; b; b = b->next) { /* the next ones were kept from before a reset */
                if (b != a->current) {
                        a->current = b;
                        a->used = 0;
                }
                if (b->size - a->used >= bytes)
                        return b;
        }
        return arena_block_add(a, bytes);
}

void *arena_alloc(struct arena *a, size_t bytes)
{
        struct arena_block *block;
        void *p;

        if (bytes > SIZE_MAX / 2)
                abort();
        bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
        block = arena_room(a, bytes);
        p = block->bytes + a->used;
        a->used += bytes;
        return p;
}

void *arena_zalloc(struct arena *a, size_t bytes)
{
        return memset(arena_alloc(a, bytes), 0, bytes);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(count, size, &bytes))
                abort();
        return arena_zalloc(a, bytes);
}

struct str arena_bytes(struct arena *a, const void *bytes, size_t n)
{
        char *p = arena_alloc(a, n + 1);

        if (n)
                memcpy(p, bytes, n);
        p[n] = '\0';
        return (struct str){ p, n };
}

struct str arena_str(struct arena *a, struct str s)
{
        return arena_bytes(a, s.p, s.n);
}

struct str arena_format(struct arena *a, const char *format, ...)
{
        va_list args;
        char *p;
        int n;

        va_start(args, format);
        n = vsnprintf(NULL, 0, format, args);
        va_end(args);
        if (n < 0)
                abort();
        p = arena_alloc(a, (size_t)n + 1);
        va_start(args, format);
        vsnprintf(p, (size_t)n + 1, format, args);
        va_end(args);
        return (struct str){ p, (size_t)n };
}

/* Memory that lives as long as one call.
 *
 * Allocation moves a pointer; nothing is freed alone; arena_reset makes all of it available again and keeps
 * the blocks, so that a service in steady state allocates nothing from the heap. Blocks past ARENA_KEEP_BYTES are given
 * back at reset. A failed allocation aborts: sizes are bounded by limits that are checked before. */
#pragma once
#include "str.h"

enum { ARENA_KEEP_BYTES = 256 * 1024 };

struct arena_block;
struct arena {
        struct arena_block *first, *current;
        size_t used; /* of the current block */
};

void arena_deinit(struct arena *a);  /* zero-initialised is empty and valid */
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t bytes);                /* aligned to 16, not cleared */
void *arena_zalloc(struct arena *a, size_t bytes);               /* cleared */
void *arena_array(struct arena *a, size_t count, size_t size);   /* cleared */
struct str arena_str(struct arena *a, struct str s);             /* a NUL-terminated copy */
struct str arena_bytes(struct arena *a, const void *bytes, size_t n);
struct str arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))

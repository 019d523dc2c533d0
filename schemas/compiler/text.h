/* Memory and text for a program that reads, writes and ends: a pool that is freed at once, text that grows, and the
 * spelling of names in C. A failed allocation aborts. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct pool_block;
struct pool {
        struct pool_block *blocks;
};

void pool_deinit(struct pool *pool);
void *pool_new(struct pool *pool, size_t bytes); /* cleared */
char *pool_text(struct pool *pool, const char *bytes, size_t n);
char *pool_format(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Zero-initialised is empty and valid. */
struct text {
        char *p; /* NUL-terminated once anything was added */
        size_t n, capacity;
};

void text_deinit(struct text *text);
void text_add(struct text *text, const char *bytes, size_t n);
void text_put(struct text *text, const char *s);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_quoted(struct text *text, const char *s); /* as a C string literal */

char *name_snake(struct pool *pool, const char *name); /* "TicketState", "ticket.state": "ticket_state" */
char *name_upper(struct pool *pool, const char *name); /* "TICKET_STATE" */

/* The one of n names that looks most like a mistyped one; NULL where none is near. */
struct nearest {
        const char *wanted, *name;
        size_t distance;
};
void nearest_try(struct nearest *nearest, const char *candidate);

/* For tests: counts what our own code takes from the heap, by where the call came from, and apart from it what libraries take in the
 * thread that asks: they have threads of their own, too. In one translation unit of a program; under a sanitizer, which has the heap
 * itself, it counts nothing. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static _Atomic long heap_taken;
static _Thread_local long heap_taken_by_libraries __attribute__((unused)); /* not every program asks */

#ifdef __SANITIZE_ADDRESS__
static const bool heap_counts = false;
#else
static const bool heap_counts = true;

/* These stand before libc's. */
extern const char __executable_start, etext;
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static void heap_count(const void *from)
{
        if ((const char *)from >= &__executable_start && (const char *)from < &etext)
                atomic_fetch_add(&heap_taken, 1);
        else
                heap_taken_by_libraries++;
}

void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);

void *malloc(size_t n)
{
        heap_count(__builtin_return_address(0));
        return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
        heap_count(__builtin_return_address(0));
        return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
        heap_count(__builtin_return_address(0));
        return __libc_realloc(p, n);
}
#endif

#include "text.h"
#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
        struct pool_block *next;
        max_align_t bytes[];
};

static void *must(void *memory)
{
        if (!memory) {
                fputs("assist-schema: out of memory\n", stderr);
                abort();
        }
        return memory;
}

void pool_deinit(struct pool *pool)
{
        while (pool->blocks) {
                struct pool_block *block = pool->blocks;

                pool->blocks = block->next;
                free(block);
        }
}

void *pool_new(struct pool *pool, size_t bytes)
{
        struct pool_block *block = must(calloc(1, sizeof(*block) + bytes));

        block->next = pool->blocks;
        pool->blocks = block;
        return block->bytes;
}

char *pool_text(struct pool *pool, const char *bytes, size_t n)
{
        char *copy = pool_new(pool, n + 1);

        memcpy(copy, bytes, n);
        return copy;
}

char *pool_format(struct pool *pool, const char *format, ...)
{
        va_list args, again;
        char *result;
        int n;

        va_start(args, format);
        va_copy(again, args);
        n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        assert(n >= 0);
        result = pool_new(pool, (size_t)n + 1);
        vsnprintf(result, (size_t)n + 1, format, args);
        va_end(args);
        return result;
}

void text_deinit(struct text *text)
{
        free(text->p);
        *text = (struct text){ 0 };
}

void text_add(struct text *text, const char *bytes, size_t n)
{
        if (text->capacity - text->n <= n) {
                text->capacity = 2 * text->capacity + n + 256;
                text->p = must(realloc(text->p, text->capacity));
        }
        memcpy(text->p + text->n, bytes, n);
        text->n += n;
        text->p[text->n] = '\0';
}

void text_put(struct text *text, const char *s)
{
        text_add(text, s, strlen(s));
}

void text_format(struct text *text, const char *format, ...)
{
        va_list args;
        char line[1024];
        int n;

        va_start(args, format);
        n = vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        assert(n >= 0 && (size_t)n < sizeof(line)); /* names are short; docs go through text_quoted */
        text_add(text, line, (size_t)n);
}

void text_quoted(struct text *text, const char *s)
{
        text_put(text, "\"");
        for (; *s; s++) {
                if (*s == '\n')
                        text_put(text, "\\n");
                else if (*s == '"' || *s == '\\' || *s == '?') /* '?': no trigraphs */
                        text_format(text, "\\%c", *s);
                else
                        text_add(text, s, 1);
        }
        text_put(text, "\"");
}

static char *spelled(struct pool *pool, const char *name, int (*letter)(int))
{
        size_t n = strlen(name), at = 0;
        char *result = pool_new(pool, 2 * n + 1);

        for (size_t i = 0; i < n; i++) {
                bool starts_word = i > 0 && isupper((unsigned char)name[i]) && name[i - 1] != '_' &&
                                   (!isupper((unsigned char)name[i - 1]) || islower((unsigned char)name[i + 1]));

                if (starts_word)
                        result[at++] = '_';
                result[at++] = name[i] == '.' ? '_' : (char)letter((unsigned char)name[i]);
        }
        return result;
}

char *name_snake(struct pool *pool, const char *name)
{
        return spelled(pool, name, tolower);
}

char *name_upper(struct pool *pool, const char *name)
{
        return spelled(pool, name, toupper);
}

/* Levenshtein's, over one row; names are at most 60 characters. */
static size_t distance(const char *a, const char *b)
{
        size_t row[64], n = strlen(b);

        if (n >= 64)
                return n;
        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t same = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
                        size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

                        diagonal = row[j];
                        row[j] = same < least ? same : least;
                }
        }
        return row[n];
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
        size_t d = distance(nearest->wanted, candidate), far = strlen(nearest->wanted) / 3 + 1;

        if (d <= far && (!nearest->name || d < nearest->distance)) {
                nearest->name = candidate;
                nearest->distance = d;
        }
}

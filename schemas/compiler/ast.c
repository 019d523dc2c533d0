#include "ast.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const service_names[] = { "store", "identity", "fanout", "supervisor", "gateway" };

void report(struct program *program, const struct position *at, const char *format, ...)
{
        char message[1024];
        va_list args;

        if (program->error)
                return;
        va_start(args, format);
        vsnprintf(message, sizeof(message), format, args);
        va_end(args);
        program->error = at->line ? pool_format(&program->pool, "%s:%d:%d: %s", at->file->path, at->line, at->column, message)
                                  : pool_format(&program->pool, "%s: %s", at->file->path, message);
}

struct declaration *index_find(const struct index *index, const char *name)
{
        size_t low = 0, high = index->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(index->items[middle]->name, name);

                if (order == 0)
                        return index->items[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

struct declaration *type_find(const struct program *program, const char *name)
{
        static const enum declaration_kind kinds[] = { DECLARE_TYPE, DECLARE_ENUM, DECLARE_ALIAS };
        struct declaration *found = NULL;

        for (size_t i = 0; i < 3 && !found; i++)
                found = index_find(&program->by_kind[kinds[i]], name);
        return found;
}

struct field *field_find(struct field *fields, const char *name)
{
        for (struct field *f = fields; f; f = f->next)
                if (strcmp(f->name, name) == 0)
                        return f;
        return NULL;
}

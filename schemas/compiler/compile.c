#include "compile.h"
#include "check.h"
#include "emit.h"
#include "parser.h"
#include <string.h>

static const char *stem_of(struct pool *pool, const char *path)
{
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        size_t n = strlen(name), end = strlen(".schema");

        return pool_text(pool, name, n > end && strcmp(name + n - end, ".schema") == 0 ? n - end : n);
}

static struct text *add_output(struct compilation *c, const char *stem, const char *ending)
{
        struct output *output = &c->outputs[c->n_outputs++];

        output->name = pool_format(&c->program.pool, "%s%s", stem, ending);
        return &output->text;
}

bool compile(struct compilation *c, const struct source *sources, size_t n)
{
        struct program *program = &c->program;
        struct file **last = &program->files;

        for (size_t i = 0; i < n && !program->error; i++) {
                struct file *file = pool_new(&program->pool, sizeof(*file));

                *file = (struct file){ .path = sources[i].path, .text = sources[i].text, .n = sources[i].n };
                file->stem = stem_of(&program->pool, file->path);
                *last = file;
                last = &file->next;
                if (file->n > FILE_MAX_BYTES)
                        report(program, &(struct position){ .file = file }, "a file of %zu bytes; write at most %d", file->n,
                               FILE_MAX_BYTES);
                else
                        parse(program, file);
        }
        if (!program->error)
                check(program);
        if (program->error)
                return false;

        c->outputs = pool_new(&program->pool, (2 * n + 1 + 2 * (size_t)SERVICES) * sizeof(*c->outputs));
        for (const struct file *f = program->files; f; f = f->next) {
                emit_types(program, f, add_output(c, f->stem, ".h"));
                emit_tables(program, f, add_output(c, f->stem, ".c"));
        }
        emit_index(program, add_output(c, "index", ".c"));
        for (int i = 0; i < SERVICES; i++) {
                if (i == SERVICE_GATEWAY) /* has no socket that others call */
                        continue;
                emit_handler_types(program, (enum service)i, add_output(c, service_names[i], "_handlers.h"));
                emit_handler_tables(program, (enum service)i, add_output(c, service_names[i], "_handlers.c"));
        }
        return true;
}

void compilation_deinit(struct compilation *c)
{
        for (size_t i = 0; i < c->n_outputs; i++)
                text_deinit(&c->outputs[i].text);
        pool_deinit(&c->program.pool);
        *c = (struct compilation){ 0 };
}

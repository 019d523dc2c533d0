#include "check.h"
#include <ctype.h>
#include <string.h>

static struct file *file_find(const struct program *program, const char *stem)
{
        for (struct file *f = program->files; f; f = f->next)
                if (strcmp(f->stem, stem) == 0)
                        return f;
        return NULL;
}

static void check_stem(struct program *program, const struct file *file)
{
        const struct position at = { .file = file };
        const struct file *other = file_find(program, file->stem);
        size_t n = strlen(file->stem);

        if (!islower((unsigned char)*file->stem) || strspn(file->stem, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
                report(program, &at, "not a name for a schema file; write small letters, digits and _, then '.schema'");
        if (n > NAME_MAX_BYTES)
                report(program, &at, "a name of %zu characters; write at most %d", n, NAME_MAX_BYTES);
        if (strcmp(file->stem, "index") == 0 || (n > 9 && strcmp(file->stem + n - 9, "_handlers") == 0))
                report(program, &at, "index.c and *_handlers.c are made for all schemas; give the file another name");
        if (other != file)
                report(program, &at, "%s has the same name; give one of them another", other->path);
}

static void resolve_uses(struct program *program, struct file *file)
{
        for (struct mention *use = file->uses; use; use = use->next) {
                struct nearest nearest = { .wanted = use->name };

                use->file = file_find(program, use->name);
                if (use->file == file)
                        report(program, &use->at, "a file that uses itself; remove this");
                for (struct mention *u = file->uses; u != use; u = u->next)
                        if (u->file == use->file)
                                report(program, &use->at, "'use %s' twice; write it once", use->name);
                if (use->file)
                        continue;
                for (struct file *f = program->files; f; f = f->next)
                        if (f != file)
                                nearest_try(&nearest, f->stem);
                if (nearest.name)
                        report(program, &use->at, "there is no %s.schema; write 'use %s'", use->name, nearest.name);
                else
                        report(program, &use->at, "there is no %s.schema among the files given; write the name of one that is", use->name);
        }
}

static void find_circle(struct program *program, struct file *file)
{
        file->mark = MARK_OPEN;
        for (struct mention *use = file->uses; use && !program->error; use = use->next) {
                if (use->file->mark == MARK_OPEN)
                        report(program, &use->at, "%s.schema uses this file too, by itself or through others; move what both need into a "
                               "file of its own", use->name);
                else if (use->file->mark == MARK_NEW)
                        find_circle(program, use->file);
        }
        file->mark = MARK_DONE;
}

void check_files(struct program *program)
{
        for (struct file *f = program->files; f && !program->error; f = f->next) {
                check_stem(program, f);
                resolve_uses(program, f);
        }
        for (struct file *f = program->files; f && !program->error; f = f->next)
                if (f->mark == MARK_NEW)
                        find_circle(program, f);
}

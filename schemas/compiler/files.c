#include "files.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool read_all(FILE *f, struct text *text)
{
        char part[8192];
        size_t n;

        text_put(text, "");
        while ((n = fread(part, 1, sizeof(part), f)) > 0)
                text_add(text, part, n);
        return !ferror(f);
}

bool file_read(const char *path, struct text *ret)
{
        FILE *f = fopen(path, "rb");
        bool ok = f && read_all(f, ret);

        if (!ok)
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (f)
                fclose(f);
        return ok;
}

static bool is_equal(const char *path, const struct text *text)
{
        struct text old = { 0 };
        FILE *f = fopen(path, "rb");
        bool equal = f && read_all(f, &old) && old.n == text->n && memcmp(old.p, text->p, old.n) == 0;

        if (f)
                fclose(f);
        text_deinit(&old);
        return equal;
}

bool file_write_changed(const char *directory, const char *name, const struct text *text)
{
        struct text path = { 0 };
        bool ok = true;
        FILE *f;

        text_put(&path, directory);
        text_put(&path, "/");
        text_put(&path, name);
        if (!is_equal(path.p, text)) {
                f = fopen(path.p, "wb");
                ok = f && fwrite(text->p, 1, text->n, f) == text->n;
                if (f && fclose(f) != 0)
                        ok = false;
                if (!ok)
                        fprintf(stderr, "%s: %s\n", path.p, strerror(errno));
        }
        text_deinit(&path);
        return ok;
}

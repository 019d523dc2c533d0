/* assist-published check|write|break FILE: whether the schemas keep to what the file says was published.
 *   check   fails where they break it, and where the file lacks what is new
 *   write   adds what is new; refuses where they break it
 *   break   writes it anyway: for a release that says so */
#include "published.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool read_file(const char *path, struct buf *out)
{
        FILE *f = fopen(path, "r");
        char part[8192];
        size_t n;
        bool ok;

        if (!f)
                return errno == ENOENT;
        while ((n = fread(part, 1, sizeof(part), f)) > 0)
                buf_add(out, part, n);
        ok = !ferror(f);
        fclose(f);
        return ok;
}

static bool write_file(const char *path, struct str text)
{
        FILE *f = fopen(path, "w");
        bool ok = f && fwrite(text.p, 1, text.n, f) == text.n;

        return f && fclose(f) == 0 && ok;
}

static int run(const char *what, const char *path, struct buf *before, struct buf *now, struct buf *problems)
{
        if (!read_file(path, before)) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return 1;
        }
        published_write(now);
        published_compare(buf_view(before), buf_view(now), problems);
        if (problems->n && strcmp(what, "break") != 0) {
                fprintf(stderr, "%sThe schemas break what clients rely on. Add instead of changing; or, for a release whose changelog says "
                        "so: assist-published break %s\n", buf_z(problems), path);
                return 1;
        }
        if (str_eq(buf_view(before), buf_view(now)))
                return 0;
        if (strcmp(what, "check") == 0) {
                fprintf(stderr, "%s lacks what is new in the schemas: run `ninja reference` and commit it\n", path);
                return 1;
        }
        if (!write_file(path, buf_view(now))) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return 1;
        }
        return 0;
}

int main(int argc, char **argv)
{
        struct buf before = { 0 }, now = { 0 }, problems = { 0 };
        int r;

        if (argc != 3 || (strcmp(argv[1], "check") != 0 && strcmp(argv[1], "write") != 0 && strcmp(argv[1], "break") != 0)) {
                fprintf(stderr, "usage: assist-published check|write|break FILE\n");
                return 2;
        }
        r = run(argv[1], argv[2], &before, &now, &problems);
        buf_deinit(&problems);
        buf_deinit(&now);
        buf_deinit(&before);
        return r;
}

/* assist-reference DIR: writes the reference pages there. */
#include "reference.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool write_page(const char *directory, const struct reference_page *page)
{
        struct buf path = { 0 }, text = { 0 };
        bool ok = false;
        FILE *f;

        buf_format(&path, "%s/%s", directory, page->file);
        page->write(&text);
        f = fopen(buf_z(&path), "w");
        if (f) {
                ok = fwrite(text.p, 1, text.n, f) == text.n;
                ok = fclose(f) == 0 && ok;
        }
        if (!ok)
                fprintf(stderr, "%s: %s\n", buf_z(&path), strerror(errno));
        buf_deinit(&text);
        buf_deinit(&path);
        return ok;
}

int main(int argc, char **argv)
{
        if (argc != 2) {
                fprintf(stderr, "usage: assist-reference DIR\n");
                return 2;
        }
        for (const struct reference_page *page = reference_pages; page->file; page++)
                if (!write_page(argv[1], page))
                        return 1;
        return 0;
}

/* assist-typescript FILE: writes the module there. */
#include "typescript.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
        struct buf text = { 0 };
        bool ok = false;
        FILE *f;

        if (argc != 2) {
                fprintf(stderr, "usage: assist-typescript FILE\n");
                return 2;
        }
        typescript_write(&text);
        f = fopen(argv[1], "w");
        if (f) {
                ok = fwrite(text.p, 1, text.n, f) == text.n;
                ok = fclose(f) == 0 && ok;
        }
        if (!ok)
                fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        buf_deinit(&text);
        return ok ? 0 : 1;
}

/* assist-schema OUT_DIR FILE...: the C of all schema files together. Files whose content stays are left alone. */
#include "compile.h"
#include "files.h"
#include <stdio.h>
#include <stdlib.h>

static bool run(const char *directory, struct source *sources, struct text *texts, char **paths, size_t n)
{
        struct compilation compilation = { 0 };
        bool ok = true;

        for (size_t i = 0; i < n && ok; i++) {
                ok = file_read(paths[i], &texts[i]);
                sources[i] = (struct source){ paths[i], texts[i].p, texts[i].n };
        }
        if (ok) {
                ok = compile(&compilation, sources, n);
                if (!ok)
                        fprintf(stderr, "%s\n", compilation.program.error);
        }
        for (size_t i = 0; i < compilation.n_outputs && ok; i++)
                ok = file_write_changed(directory, compilation.outputs[i].name, &compilation.outputs[i].text);
        compilation_deinit(&compilation);
        return ok;
}

int main(int argc, char **argv)
{
        struct source *sources;
        struct text *texts;
        size_t n;
        bool ok;

        if (argc < 3) {
                fprintf(stderr, "usage: assist-schema OUT_DIR FILE...\n");
                return 2;
        }
        n = (size_t)argc - 2;
        sources = calloc(n, sizeof(*sources));
        texts = calloc(n, sizeof(*texts));
        ok = sources && texts && run(argv[1], sources, texts, argv + 2, n);
        for (size_t i = 0; texts && i < n; i++)
                text_deinit(&texts[i]);
        free(texts);
        free(sources);
        return ok ? 0 : 1;
}

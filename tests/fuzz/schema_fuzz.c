/* Any bytes as two schema files, parted by a line of "====": C comes out, or a message that says where and what. */
#include "schemas/compiler/compile.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char line[] = "\n====\n";
        const uint8_t *parting = size ? memmem(data, size, line, strlen(line)) : NULL;
        size_t first = parting ? (size_t)(parting - data) : size, rest = parting ? size - first - strlen(line) : 0;
        struct source sources[] = {
                { "ticket.schema", (const char *)data, first },
                { "person.schema", parting ? (const char *)parting + strlen(line) : "", rest },
        };
        struct compilation compilation = { 0 };

        if (compile(&compilation, sources, 2)) {
                for (size_t i = 0; i < compilation.n_outputs; i++)
                        if (!compilation.outputs[i].text.n)
                                abort();
        } else if (!compilation.program.error || !strstr(compilation.program.error, ".schema:")) {
                abort();
        }
        compilation_deinit(&compilation);
        return 0;
}

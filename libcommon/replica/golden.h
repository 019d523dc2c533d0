/* The golden vectors of docs/log.md: tests read them from there, so the document can't go stale. */
#pragma once
#include "str.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Compares bytes with the line "name = hex" of the document. Tests run in the repository's root. */
static inline void assert_golden(const char *name, const void *bytes, size_t n)
{
        struct buf hex = { 0 };
        char line[4096];
        size_t name_n = strlen(name);
        bool found = false;
        FILE *f = fopen("docs/log.md", "re");

        assert_non_null(f);
        buf_hex(&hex, bytes, n);
        while (fgets(line, sizeof(line), f)) {
                if (strncmp(line, name, name_n) != 0 || strncmp(line + name_n, " = ", 3) != 0)
                        continue;
                line[strcspn(line, "\n")] = '\0';
                if (strcmp(line + name_n + 3, buf_z(&hex)) != 0)
                        fail_msg("docs/log.md has %s, the code %s", line, buf_z(&hex));
                found = true;
        }
        if (!found)
                fail_msg("docs/log.md lacks %s = %s", name, buf_z(&hex));
        fclose(f);
        buf_deinit(&hex);
}

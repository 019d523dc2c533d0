/* docs/reference/, made from the tables: one page of Markdown for each kind of thing, and the OpenRPC document. */
#pragma once
#include "schema.h"

struct reference_page {
        const char *file;               /* "methods.md" */
        void (*write)(struct buf *out);
};

extern const struct reference_page reference_pages[]; /* ends with a NULL file */

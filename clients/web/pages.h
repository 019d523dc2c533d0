/* The files of the web client, as they lie in the gateway's program: made by embed.mjs of what vite built, or none.c without. */
#pragma once
#include "str.h"

struct page {
        const char *path;       /* as asked for: "/", "/assets/index-C3DB2WkX.js" */
        const char *type;       /* Content-Type */
        const char *etag;       /* of the plain bytes, quoted */
        const char *gzip_etag;
        struct str body;
        struct str gzip;        /* empty where it would be no smaller */
        bool immutable;         /* its name changes with its content */
};

extern const struct page pages[];
extern const size_t n_pages;

/* Schema texts in, texts of C out, without touching a file. */
#pragma once
#include "ast.h"

struct source {
        const char *path; /* for messages; its stem names what is made */
        const char *text;
        size_t n;
};

struct output {
        const char *name; /* "ticket.h" */
        struct text text;
};

/* Zero-initialised is empty and valid. */
struct compilation {
        struct program program;
        struct output *outputs;
        size_t n_outputs;
};

/* False where a schema is wrong: program.error says where, what, and what to write. The sources must outlive it. */
bool compile(struct compilation *compilation, const struct source *sources, size_t n);
void compilation_deinit(struct compilation *compilation);

/* SQLite alone, on tables of the store's shape: what a comment costs where nobody checks, hashes, signs or answers. */
#pragma once
#include <sqlite3.h>
#include <stdint.h>

struct plain {
        sqlite3 *db;
        sqlite3_stmt *op, *comment, *ticket;
        int64_t seq;
        int chunk;              /* comments in a chunk, which is a commit */
};

void plain_open(struct plain *p, const char *path, int chunk);
void plain_close(struct plain *p);
void plain_chunk(void *plain);

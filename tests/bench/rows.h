/* SQLite alone, writing the very rows of a store's database once more: into the same tables with the same indexes, the index of texts among them, a number
 * of rows a commit. Each row is written once, as it came to be in the end, a table after the other in the order of its key, which is the cheapest. */
#pragma once
#include "services/store/store.h"

/* path: of the new database. Returns us, all together, without what reading the old one takes. */
double rows_write(struct db *from, const char *path, int rows_a_commit);

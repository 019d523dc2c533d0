/* Comparing what was folded, and saying what differs. */
#pragma once
#include "tx.h"

enum { ROWS_REPORTED_MAX = 100 };

/* Lines for the operator: the first ones. */
struct report {
        struct arena *arena;
        struct str *items;
        size_t n;
};
void report_init(struct report *report, struct arena *arena);
void report_add(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Every folded and derived table; op_text too, since a redaction is a fold. And mine's counts against what they count. Differences
 * go to the report; 0, or an error of a database. */
int tables_compare(struct db *mine, struct db *fresh, struct report *report);
/* The index of texts, which goes up to the same position on both sides. */
int search_compare(struct db *mine, struct db *fresh, struct report *report);

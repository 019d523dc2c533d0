/* Figures as Prometheus reads them: its text format, version 0.0.4 (HELP and TYPE lines, then all samples of a figure together). */
#pragma once
#include "schema/stats.h"
#include "str.h"

/* Every figure has the prefix assist_ and the labels service and, where there is one, instance; assist_up says of each process whether it
 * answered. A name that the format does not know is left out, and so is a figure whose kind is not the one it has elsewhere. */
void page_write(const struct process_stats *processes, size_t n, struct buf *out);

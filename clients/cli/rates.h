/* What happened between two looks at the desk: from counters to rates. Nothing here knows a figure: what has the label `result` is work
 * that succeeds or fails (Xs_total), and X_seconds, with the same other labels, is how long it took. */
#pragma once
#include "vitals.h"

struct rates_work {
        struct str process, what;       /* "gateway@1", "ticket.create" */
        double per_s, failed_per_s;
        bool timed;
        double mean_s;
        double most_s;                  /* 95 % took at most so long; infinite where it was more than the last bound */
};

struct rates_figure {
        struct str process, name;       /* "queue_calls{thread=writer}" */
        bool counter;
        double value, per_s;            /* of a counter: by the second */
};

struct rates_process {
        const struct process_stats *told;
        struct str name;
        double cpu;                     /* 1: a core */
        double memory_bytes, descriptors;
};

struct rates {
        struct rates_process *processes;
        struct rates_work *work;        /* what happened at all, the most frequent first */
        struct rates_figure *figures;   /* the rest */
        size_t n_processes, n_work, n_figures;
};

/* A process that was started in between, or was not there, has done nothing yet. Everything lies in the arena, or in `now`. */
void rates_of(const struct vitals *before, const struct vitals *now, struct arena *arena, struct rates *ret);
void rates_json(const struct rates *rates, struct buf *out);   /* one line */
/* For people: at most so many lines of so many columns; 0: no limit. */
void rates_text(const struct rates *rates, size_t lines, size_t columns, struct buf *out);

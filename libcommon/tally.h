/* What was done how often, with which outcome, and how long it took: counted where it ends. One thread notes, any reads; a note is a few
 * additions, without lock or heap. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { TALLY_OUTCOMES = 15, TALLY_BOUNDS = 11 };

extern const int64_t tally_bounds_us[TALLY_BOUNDS];

/* Zero-initialised is empty and valid. */
struct tally {
        _Atomic uint64_t outcomes[TALLY_OUTCOMES];
        _Atomic uint64_t took[TALLY_BOUNDS + 1];    /* at most tally_bounds_us of the same index, and more than the one before */
        _Atomic uint64_t us;                        /* of all together */
};

/* code: 0 for what went well, or a fault_code. us: how long it took; below 0 where that means nothing. */
void tally_note(struct tally *tally, int code, int64_t us);

/* "ok", "NotFound", ...; the last one is of codes that nobody knows. */
const char *tally_outcome(int outcome);
/* Whether it is a fault of ours: Internal, Unavailable, or a code that nobody knows. */
bool tally_is_ours(int outcome);

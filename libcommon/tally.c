#include "tally.h"
#include "fault.h"

const int64_t tally_bounds_us[TALLY_BOUNDS] = {
        100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000,
};

static const int codes[] = {
        0, FAULT_UNAUTHENTICATED, FAULT_FORBIDDEN, FAULT_NOT_FOUND, FAULT_CONFLICT, FAULT_RATE_LIMITED, FAULT_UNAVAILABLE, FAULT_TOO_LARGE,
        FAULT_EXPIRED, FAULT_INVALID_REQUEST, FAULT_METHOD_NOT_FOUND, FAULT_INVALID_PARAMS, FAULT_INTERNAL, FAULT_PARSE,
};
enum { CODES = sizeof(codes) / sizeof(codes[0]) };
_Static_assert(CODES + 1 == TALLY_OUTCOMES, "each code has a place, and one is left for all others");

/* Not a locked addition: nobody else writes it. */
static void add(_Atomic uint64_t *to, uint64_t n)
{
        atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n, memory_order_relaxed);
}

void tally_note(struct tally *tally, int code, int64_t us)
{
        int outcome = 0, bound = 0;

        while (outcome < CODES && codes[outcome] != code)
                outcome++;
        add(&tally->outcomes[outcome], 1);
        if (us < 0)
                return;
        while (bound < TALLY_BOUNDS && us > tally_bounds_us[bound])
                bound++;
        add(&tally->took[bound], 1);
        add(&tally->us, (uint64_t)us);
}

const char *tally_outcome(int outcome)
{
        return outcome == 0 ? "ok" : fault_name(outcome < CODES ? codes[outcome] : 0);
}

bool tally_is_ours(int outcome)
{
        return outcome >= CODES || codes[outcome] == FAULT_INTERNAL || codes[outcome] == FAULT_UNAVAILABLE;
}

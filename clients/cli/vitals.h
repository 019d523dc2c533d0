/* How each process of the desk is doing, as they tell it (schemas/stats.schema): for `assistctl status` and `assistctl top`. */
#pragma once
#include "operator.h"
#include "schema/stats.h"

enum { VITALS_SERVICES = 4, VITALS_MAX = 100 * VITALS_SERVICES };

/* Whom to ask. */
struct vitals_from {
        struct rpc_client *clients[VITALS_SERVICES];
};
int vitals_open(struct operator *o, struct vitals_from *ret);   /* 0 or a negative errno */
void vitals_close(struct vitals_from *from);

struct vitals {
        struct process_stats of[VITALS_MAX];   /* texts and figures in the arena that was given */
        size_t n;
        int64_t at_us;                         /* steady */
};
/* Asks all; one that does not answer is there, and not `up`. */
void vitals_take(struct vitals_from *from, struct arena *arena, struct vitals *ret);

/* "gateway@1" */
struct str vitals_name(const struct process_stats *process, struct arena *arena);

int run_status(struct operator *o, int argc, char **argv);

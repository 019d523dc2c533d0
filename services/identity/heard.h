/* What processes said of themselves on another occasion: those without a socket of their own, gateways and the courier, when they asked for something
 * else, and the supervisor, whom users can't ask, when it was asked for the overlay. */
#pragma once
#include "rpc.h"
#include "schema/stats.h"

enum {
        HEARD_MAX = 64,                        /* processes; where there are more, the one that was silent longest is forgotten */
        HEARD_BYTES_MAX = 64 * 1024,           /* of one; what is more is not kept */
        HEARD_SILENT_US = 3 * 1000 * 1000,     /* they ask every second: one that did not for so long is away */
};

struct heard {
        struct heard_of {
                const char *service;           /* constant, by who called; not what they claim */
                char instance[160 + 1];        /* 40 characters */
                struct buf stats;              /* as msgpack */
                int64_t at_us;
        } of[HEARD_MAX];
        size_t n;
};

void heard_deinit(struct heard *heard);
/* Keeps what was told last of each process; NULL is fine, and nothing. */
void heard_take(struct heard *heard, const char *service, const struct process_stats *stats, int64_t now_us);
/* All of them, the supervisor only where it is wanted, and one that is away of each service of which nothing was heard. The list lies in the arena, with room for one more in
 * front; its texts are good until heard_take. */
void heard_list(const struct heard *heard, int64_t now_us, bool supervisor, struct arena *arena, struct process_stats **ret_list, size_t *ret_n);

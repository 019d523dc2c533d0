/* Has a daemon started where none runs: a systemd unit over D-Bus, or, where systemd does not run, a program as our child. Nothing here waits.
 *
 * Pauses between attempts grow from LAUNCHER_PAUSE_MIN_MS to LAUNCHER_PAUSE_MAX_MS, and begin anew once a daemon has served that long. A child
 * outlives us: a restart of the supervisor is not one of the overlay. */
#pragma once
#include "loop.h"
#include <stdbool.h>

enum {
        LAUNCHER_PAUSE_MIN_MS = 1000,
        LAUNCHER_PAUSE_MAX_MS = 60 * 1000,
        LAUNCHER_READY_MS = 10 * 1000,  /* what was started may take so long until it answers */
};

struct launcher;
struct launcher_options {
        struct loop *loop;
        const char *unit;                       /* "assist-mycelium.service" */
        /* For a child: 0, or -errno having logged why it may not be. The arguments, NULL at their end, are only read at once. */
        int (*prepare)(void *data, char *const **ret_argv);
        void (*ended)(void *data);              /* the child ended, which was logged */
        void *data;
};
int launcher_new(const struct launcher_options *options, struct launcher **ret);
void launcher_free(struct launcher *launcher);  /* NULL is fine */

/* No daemon answers: starts one, unless it is too soon to try again. One that was started and still does not answer is started anew. */
void launcher_want(struct launcher *launcher);
void launcher_served(struct launcher *launcher); /* a daemon answers */

/* When the index of texts is brought up to date: by the writer, in steps of a few milliseconds, each a transaction of its own, so that no
 * command waits longer for it.
 *
 * It takes in what is behind when it has had nothing to do for a while; so a flood of commands leaves it behind, but not by more than
 * SEARCH_FAR. A search, and whoever else needs it whole, waits until it has all that was committed before. Redacted words are scrubbed
 * from it first, beside commands. */
#pragma once
#include "queue.h"
#include <stdatomic.h>

struct store;

enum {
        SEARCH_LAG = 256,               /* ops behind which it begins by itself; then it takes in all */
        SEARCH_FAR = 32 * 1024,         /* behind which it takes steps between commands, too */
        SEARCH_QUIET_US = 20 * 1000,    /* without a command, before it begins */
        SEARCH_RETRY_US = 1000 * 1000,  /* after a step that failed */
        SEARCH_STEP_OPS = 256,
        SEARCH_STEP_PAGES = 32,
};

struct search_waiting;
struct search_upkeep {
        _Atomic int64_t indexed;        /* the log's position up to which the index goes; committed */
        _Atomic bool stained;           /* redacted words may be in it, though nobody finds them */
        struct search_waiting *first, **last; /* writer: who waits for it */
        bool begun;                     /* writer: it takes in what is behind, until a command comes */
        int64_t retry_us;               /* writer: steady; no step before */
};

/* On start. */
int search_upkeep_load(struct store *s);
/* How long the writer is to wait for commands before the next step; negative: there is none to do. On the writer, as the next two. */
int64_t search_upkeep_pause_us(const struct store *s);
/* A step, where one is due. ops: how many were committed since the one before. idle: no command came for the pause. */
void search_upkeep_step(struct store *s, int64_t ops, bool idle);
/* The writer ends: who waits is answered Unavailable. */
void search_upkeep_stop(struct store *s);
/* Texts were redacted by a command. On the writer. */
void search_upkeep_stained(struct store *s);
/* Queues a call once the index has all that was committed until now. On the loop. Where the index can't be written (a full disk), the call
 * goes on with what is there; one whose time is over is answered Unavailable. */
void search_then(struct store *s, struct call *c, struct queue *queue);

/* The index of texts: subjects, comments, and apart from them notes, as SQLite's FTS5 has words. It is derived from the tables, and
 * follows the log by a position of its own, so that no command pays for it: the writer brings it up to date in batches, between
 * commands, and a search waits for what was committed before it. Redaction alone is done with the command: no word is left. */
#pragma once
#include "queue.h"
#include <stdatomic.h>

struct db;
struct store;

enum search_source { SEARCH_SUBJECT, SEARCH_COMMENT, SEARCH_NOTE };

enum {
        SEARCH_LAG = 256,       /* ops behind which the writer begins by itself */
        SEARCH_OPS = 1024,      /* taken in one transaction, more than one batch of commands makes */
};

struct search_upkeep {
        struct task task;       /* writer */
        bool queued;            /* writer */
        int64_t reached;        /* writer: by the task under way */
        _Atomic int64_t indexed;/* the log's position up to which the index goes; committed */
};

/* The position up to which the index goes, in this connection's view. */
int search_position(struct db *db, int64_t *ret);
/* Takes in what the next ops changed, at most max_ops of them; the position is then *ret_seq. In the caller's transaction. */
int search_index(struct db *db, struct arena *arena, int64_t max_ops, int64_t *ret_seq);
/* Before an op's text is deleted: it is not found any more. */
int search_forget(struct db *db, struct ulid op_id, uint32_t n);
/* After texts were redacted: FTS5 has only written that their words are out, and so have edits and deletions before. All segments become
 * one, which has none of them. */
int search_scrub(struct db *db, bool notes);

/* On start. */
int search_load(struct store *s);
/* Lets the writer catch up where the index is far behind. On the writer. */
void search_catch_up(struct store *s);
/* Queues a call once the index has all that was committed until now. On the loop. Where the index can't be written (a full disk), the call
 * goes on with what is there; one whose time is over is answered Unavailable. */
void search_then(struct store *s, struct call *c, struct queue *queue);

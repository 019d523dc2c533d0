/* The newest comments as they were written, for those who follow the log: reading each back, while its writer is busy, takes a third
 * of what writing it takes. A comment is here only as long as it still is as it was written; whatever may change one forgets them
 * all, before it is committed. Ops that are not here are read from the log.
 *
 * The writer puts ops in before they are committed. Who reads asks for committed ones only, so what became of a batch that was
 * undone is never seen: its positions are written anew. */
#pragma once
#include "arena.h"
#include "schema/comment.h"
#include <pthread.h>

enum {
        FRESH_OPS = 1024,        /* two batches, the longest are of a seed's: one is read while the next is written */
        FRESH_BODY_MAX = 2048,   /* bytes; longer ones are not kept */
};

struct log_entry;
struct fresh_slot;
struct fresh {
        pthread_mutex_t mutex;
        struct fresh_slot *slots; /* by seq modulo FRESH_OPS */
};

int fresh_init(struct fresh *fresh);    /* 0 or -ENOMEM */
void fresh_deinit(struct fresh *fresh);

/* On the writer, for each op that is appended; then, where it is a comment that looks as it was written, how it looks. */
void fresh_append(struct fresh *fresh, const struct log_entry *e);
void fresh_show(struct fresh *fresh, int64_t seq, const struct comment *comment);

/* A committed op, where it is a comment that is here. The entry has no record, body or base; the comment's text is in the arena. */
bool fresh_find(struct fresh *fresh, int64_t seq, struct arena *arena, struct log_entry *ret_entry, struct comment *ret_comment);

/* What is to happen by itself, and when: rows of the due table. The writer makes it happen, as commands whose op_id is a hash of what
 * is due, so that it happens once however often it is tried: before and after a crash, or at two instances. */
#pragma once
#include "db.h"
#include "loop.h"
#include "queue.h"

struct store;

enum due_kind {
        DUE_WAKE = 1,       /* target: a ticket; derived from its state */
        DUE_SNOOZE = 2,     /* target: a user and a ticket; local */
};
enum { DUE_TARGET_MAX = 32 };

/* When; NULL: not any more. */
int due_set(struct db *db, enum due_kind kind, struct str target, const int64_t *at_ms);

struct ulid due_op_id(enum due_kind kind, struct str target, int64_t at_ms);

/* A row, by which rows are ordered. */
struct due_row {
        int64_t at, kind;
        uint8_t target[DUE_TARGET_MAX];
        size_t target_n;
};

struct due {
        struct loop_timer *timer;      /* loop */
        struct task task;              /* at the writer while `firing` */
        bool firing, failed;           /* loop; writer while it fires */
        struct loop_work fired;        /* writer to loop */
        struct due_row place;          /* writer: what is not behind it was tried */
        int64_t stuck;                 /* writer: so many of those are there all the same: what they ask for was done before */
        struct due_row reached;        /* writer: where the batch under way would move it */
        _Atomic int64_t next_at;       /* when there is something to do; INT64_MAX: never */
};

/* The next time, after a commit. On the writer. */
int due_look(struct store *s);
/* Waits until the next time. On the loop. */
void due_arm(struct store *s);
/* Makes happen what is due now; as a task of the writer. */
int due_fire(struct task *task);
/* After the commit. */
void due_fired(struct task *task, int r);

int due_start(struct store *s);
void due_stop(struct store *s);

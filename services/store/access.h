/* Who looked at which ticket, and what was refused to whom. Any thread notes it, at no more than the price of a lock; the writer takes what
 * was noted in a second into a table, where it is one row for each hour, user, ticket and method. Local: never logged. What was noted
 * within the second before a crash is lost; not when the store is stopped. */
#pragma once
#include "caller.h"
#include "loop.h"
#include "queue.h"
#include "schema/audit.h"
#include <pthread.h>

struct store;
struct call;
struct db;

enum { ACCESS_KEPT_DAYS = 400 };

struct access_item;
struct access {
        pthread_mutex_t mutex;
        struct access_item *noted, *kept;  /* open hash tables: what comes, and what the writer has under way */
        size_t n_noted;                    /* under the mutex, as what follows */
        int64_t lost;                      /* for want of room */
        bool waiting;                      /* the loop knows that there is something */
        size_t n_kept;                     /* writer, as what follows */
        int64_t kept_lost, written_in;     /* of the batch in which kept was written */
        struct task task;
        struct loop_timer *timer;          /* loop */
        struct loop_work woken;            /* any thread to loop */
        bool flushing;                     /* loop; the task is the writer's */
        bool failed;                       /* writer, while it flushes; else loop */
        struct loop_work over;             /* writer to loop */
};

int access_init(struct access *access);
void access_deinit(struct access *access);
int access_start(struct store *s);   /* on the loop */
void access_stop(struct store *s);
/* What was noted last, when the threads have ended. */
void access_finish(struct store *s);

/* An agent has it before them. */
void access_viewed(struct store *s, const struct call *c, const struct caller *caller, struct ulid ticket);
/* A call's result, of which only refusals count. */
void access_result(struct store *s, const struct call *c, int r);

/* Hands a call on once all that was noted is in the table. */
void access_then(struct store *s, struct call *c, struct queue *queue);
int access_sweep(struct db *db, int64_t now_ms);

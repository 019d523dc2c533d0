/* Calls and tasks handed to a worker thread, in order. */
#pragma once
#include "rpc.h"
#include <pthread.h>

/* Work that is no call: its maker embeds it and owns it; run and done happen on the worker. */
struct task {
        struct task *next;
        int (*run)(struct task *task);          /* inside the worker's transaction, where it has one */
        void (*done)(struct task *task, int r); /* after the commit; r is run's, or what became of the commit */
};

struct queue {
        pthread_mutex_t mutex;
        pthread_cond_t filled;
        struct call *calls, **last_call;
        struct task *tasks, **last_task;
        bool closed;
};

void queue_init(struct queue *q);
void queue_deinit(struct queue *q);
void queue_call(struct queue *q, struct call *c);
void queue_task(struct queue *q, struct task *t);
void queue_close(struct queue *q);      /* queue_take answers false when it is empty, too */
bool queue_closed(struct queue *q);
size_t queue_depth(struct queue *q);    /* calls that wait */

/* Waits for something, at most wait_us (negative: as long as it takes), then takes at most max calls and all tasks: none of either where
 * nothing came in time. False: it is closed, and empty. */
bool queue_take(struct queue *q, size_t max, int64_t wait_us, struct call **ret_calls, struct task **ret_tasks);

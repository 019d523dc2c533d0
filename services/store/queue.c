#include "queue.h"

void queue_init(struct queue *q)
{
        *q = (struct queue){ .last_call = &q->calls, .last_task = &q->tasks };
        pthread_mutex_init(&q->mutex, NULL);
        pthread_cond_init(&q->filled, NULL);
}

void queue_deinit(struct queue *q)
{
        pthread_cond_destroy(&q->filled);
        pthread_mutex_destroy(&q->mutex);
}

static bool queue_empty(const struct queue *q)
{
        return !q->calls && !q->tasks;
}

void queue_call(struct queue *q, struct call *c)
{
        bool idle;

        c->next = NULL;
        pthread_mutex_lock(&q->mutex);
        idle = queue_empty(q);
        *q->last_call = c;
        q->last_call = &c->next;
        pthread_mutex_unlock(&q->mutex);
        if (idle) /* else the worker is busy, and looks again by itself */
                pthread_cond_signal(&q->filled);
}

void queue_task(struct queue *q, struct task *t)
{
        t->next = NULL;
        pthread_mutex_lock(&q->mutex);
        *q->last_task = t;
        q->last_task = &t->next;
        pthread_mutex_unlock(&q->mutex);
        pthread_cond_signal(&q->filled);
}

void queue_close(struct queue *q)
{
        pthread_mutex_lock(&q->mutex);
        q->closed = true;
        pthread_mutex_unlock(&q->mutex);
        pthread_cond_signal(&q->filled);
}

bool queue_closed(struct queue *q)
{
        bool closed;

        pthread_mutex_lock(&q->mutex);
        closed = q->closed;
        pthread_mutex_unlock(&q->mutex);
        return closed;
}

size_t queue_depth(struct queue *q)
{
        size_t n = 0;

        pthread_mutex_lock(&q->mutex);
        for (const struct call *c = q->calls; c; c = c->next)
                n++;
        pthread_mutex_unlock(&q->mutex);
        return n;
}

bool queue_take(struct queue *q, size_t max, struct call **ret_calls, struct task **ret_tasks)
{
        struct call **at;

        pthread_mutex_lock(&q->mutex);
        while (queue_empty(q) && !q->closed)
                pthread_cond_wait(&q->filled, &q->mutex);
        if (queue_empty(q)) {
                pthread_mutex_unlock(&q->mutex);
                return false;
        }
        *ret_calls = q->calls;
        at = ret_calls;
        for (size_t n = 0; *at && n < max; n++)
                at = &(*at)->next;
        q->calls = *at;
        *at = NULL;
        if (!q->calls)
                q->last_call = &q->calls;
        *ret_tasks = q->tasks;
        q->tasks = NULL;
        q->last_task = &q->tasks;
        pthread_mutex_unlock(&q->mutex);
        return true;
}

#include "queue.h"

#include <errno.h>
#include <time.h>

void queue_init(struct queue *q)
{
        pthread_condattr_t steady;

        *q = (struct queue){ .last_call = &q->calls, .last_task = &q->tasks };
        pthread_mutex_init(&q->mutex, NULL);
        pthread_condattr_init(&steady);
        pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
        pthread_cond_init(&q->filled, &steady);
        pthread_condattr_destroy(&steady);
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

static struct timespec steady_in(int64_t us)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_nsec += us % 1000000 * 1000;
        t.tv_sec += us / 1000000 + t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        return t;
}

/* Of who holds the mutex. */
static void wait_for_some(struct queue *q, int64_t wait_us)
{
        struct timespec until = wait_us > 0 ? steady_in(wait_us) : (struct timespec){ 0 };
        int r = wait_us ? 0 : ETIMEDOUT;

        while (!r && queue_empty(q) && !q->closed)
                r = wait_us < 0 ? pthread_cond_wait(&q->filled, &q->mutex) : pthread_cond_timedwait(&q->filled, &q->mutex, &until);
}

bool queue_take(struct queue *q, size_t max, int64_t wait_us, struct call **ret_calls, struct task **ret_tasks)
{
        struct call **at;

        pthread_mutex_lock(&q->mutex);
        wait_for_some(q, wait_us);
        if (queue_empty(q) && q->closed) {
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

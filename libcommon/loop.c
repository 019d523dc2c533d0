/* The loop: one epoll set that holds a timerfd, an eventfd and a signalfd beside what users add, so that the set's own
 * descriptor says when anything is due and the loop nests in another one. */
#include "loop.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NOT_SET SIZE_MAX
#define NEVER INT64_MAX
enum { EVENTS_AT_ONCE = 64 };

struct loop_io {
        struct loop *loop;
        int fd;
        loop_io_fn *fn;
        void *data;
        bool dead;             /* freed while events of the same round may still name it */
        struct loop_io *next;  /* of the dead */
};

struct loop_timer {
        struct loop *loop;
        loop_timer_fn *fn;
        void *data;
        int64_t due_us;
        size_t at;             /* its place in the heap, or NOT_SET */
};

struct loop {
        const struct clock *clock;
        int epoll_fd, timer_fd, event_fd, signal_fd;
        struct loop_io *timer_io, *event_io, *signal_io;
        unsigned depth;              /* of loop_dispatch: a callback may dispatch again */
        struct loop_io *dead;
        bool stopped;

        struct loop_timer **heap;    /* the earliest first */
        size_t heap_n, heap_capacity;
        int64_t armed_us;            /* what the timerfd is set to, or NEVER; never later than the earliest timer */

        _Atomic(struct loop_work *) posted;  /* newest first */
        struct loop_work *ready, **ready_end; /* taken from there, oldest first */
        struct loop_work *deferred, **deferred_end;

        sigset_t signals;
        struct {
                loop_signal_fn *fn;
                void *data;
        } on_signal[NSIG];
};

static _Thread_local const struct loop *dispatching; /* the innermost of this thread */

/* ---- timers: a binary heap ---- */

static void heap_place(struct loop *l, size_t at, struct loop_timer *t)
{
        l->heap[at] = t;
        t->at = at;
}

static void heap_up(struct loop *l, size_t at, struct loop_timer *t)
{
        while (at > 0 && l->heap[(at - 1) / 2]->due_us > t->due_us) {
                heap_place(l, at, l->heap[(at - 1) / 2]);
                at = (at - 1) / 2;
        }
        heap_place(l, at, t);
}

static void heap_down(struct loop *l, size_t at, struct loop_timer *t)
{
        for (;;) {
                size_t child = 2 * at + 1;

                if (child + 1 < l->heap_n && l->heap[child + 1]->due_us < l->heap[child]->due_us)
                        child++;
                if (child >= l->heap_n || l->heap[child]->due_us >= t->due_us)
                        break;
                heap_place(l, at, l->heap[child]);
                at = child;
        }
        heap_place(l, at, t);
}

static void heap_remove(struct loop *l, struct loop_timer *t)
{
        size_t at = t->at;
        struct loop_timer *moved = l->heap[--l->heap_n];

        t->at = NOT_SET;
        if (moved == t)
                return;
        if (at > 0 && l->heap[(at - 1) / 2]->due_us > moved->due_us)
                heap_up(l, at, moved);
        else
                heap_down(l, at, moved);
}

/* The timerfd is moved only to an earlier time: a timer that is set again and again, as deadlines are, then costs no system
 * call, and at most one wake-up for nothing. */
static void arm(struct loop *l)
{
        struct itimerspec when = { 0 };
        int64_t wait_us;

        if (l->heap_n == 0 || l->heap[0]->due_us >= l->armed_us)
                return;
        l->armed_us = l->heap[0]->due_us;
        wait_us = l->armed_us - clock_steady_us(l->clock);
        if (wait_us <= 0)
                when.it_value.tv_nsec = 1;  /* 0 would disarm it */
        else
                when.it_value = (struct timespec){ wait_us / 1000000, wait_us % 1000000 * 1000 };
        timerfd_settime(l->timer_fd, 0, &when, NULL);
}

static void on_timer_fd(void *data, uint32_t events)
{
        struct loop *l = data;
        uint64_t n;

        (void)events;
        if (read(l->timer_fd, &n, sizeof(n)) == sizeof(n))
                l->armed_us = NEVER;
}

static void run_timers(struct loop *l)
{
        int64_t now;
        size_t n = l->heap_n;   /* one that sets itself again for now waits for the next round */

        if (n == 0)
                return;
        now = clock_steady_us(l->clock);
        while (n-- > 0 && l->heap_n > 0 && l->heap[0]->due_us <= now) {
                struct loop_timer *t = l->heap[0];

                heap_remove(l, t);
                t->fn(t->data);
        }
        arm(l);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *data)
{
        struct loop_timer *t = calloc(1, sizeof(*t));

        if (!t)
                abort();
        *t = (struct loop_timer){ .loop = loop, .fn = fn, .data = data, .at = NOT_SET };
        return t;
}

void loop_timer_set(struct loop_timer *t, int64_t after_us)
{
        struct loop *l = t->loop;

        loop_timer_stop(t);
        t->due_us = clock_steady_us(l->clock) + (after_us > 0 ? after_us : 0);
        if (l->heap_n == l->heap_capacity) {
                l->heap_capacity = l->heap_capacity ? 2 * l->heap_capacity : 16;
                l->heap = reallocarray(l->heap, l->heap_capacity, sizeof(*l->heap));
                if (!l->heap)
                        abort();
        }
        heap_up(l, l->heap_n++, t);
        arm(l);
}

void loop_timer_stop(struct loop_timer *t)
{
        if (t->at != NOT_SET)
                heap_remove(t->loop, t);
}

void loop_timer_free(struct loop_timer *t)
{
        if (!t)
                return;
        loop_timer_stop(t);
        free(t);
}

/* ---- descriptors ---- */

struct loop_io *loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *data)
{
        struct loop_io *io = calloc(1, sizeof(*io));
        struct epoll_event e = { .events = events, .data.ptr = io };

        if (!io)
                abort();
        *io = (struct loop_io){ .loop = loop, .fd = fd, .fn = fn, .data = data };
        if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) {
                free(io);
                return NULL;
        }
        return io;
}

void loop_io_events(struct loop_io *io, uint32_t events)
{
        struct epoll_event e = { .events = events, .data.ptr = io };

        epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &e);
}

void loop_io_free(struct loop_io *io)
{
        if (!io)
                return;
        epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
        if (io->loop->depth == 0) {
                free(io);
                return;
        }
        io->dead = true;
        io->next = io->loop->dead;
        io->loop->dead = io;
}

static void bury(struct loop *l)
{
        while (l->dead) {
                struct loop_io *io = l->dead;

                l->dead = io->next;
                free(io);
        }
}

/* ---- work from other threads ---- */

void loop_post(struct loop *loop, struct loop_work *work)
{
        uint64_t one = 1;
        struct loop_work *head = atomic_load_explicit(&loop->posted, memory_order_relaxed);

        do
                work->next = head;
        while (!atomic_compare_exchange_weak_explicit(&loop->posted, &head, work, memory_order_release, memory_order_relaxed));
        if (!head && write(loop->event_fd, &one, sizeof(one)) != sizeof(one))
                abort();   /* an eventfd that only we write refuses only a full counter */
}

/* Moves what was posted to the end of the ready ones, in the order in which it was posted. */
static void collect(struct loop *l)
{
        struct loop_work *newest = atomic_exchange_explicit(&l->posted, NULL, memory_order_acquire);
        struct loop_work *oldest = NULL, *last = newest;

        while (newest) {
                struct loop_work *next = newest->next;

                newest->next = oldest;
                oldest = newest;
                newest = next;
        }
        if (oldest) {
                *l->ready_end = oldest;
                l->ready_end = &last->next;
        }
}

static void on_event_fd(void *data, uint32_t events)
{
        struct loop *l = data;
        uint64_t n;

        (void)events;
        if (read(l->event_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
                abort();
        collect(l);
        while (l->ready) {
                struct loop_work *w = l->ready;

                l->ready = w->next;
                if (!l->ready)
                        l->ready_end = &l->ready;
                w->run(w);
        }
}

static bool take_back(struct loop_work **first, struct loop_work ***end, const struct loop_work *work)
{
        for (struct loop_work **at = first; *at; at = &(*at)->next) {
                if (*at != work)
                        continue;
                *at = work->next;
                if (!*at)
                        *end = at;
                return true;
        }
        return false;
}

bool loop_unpost(struct loop *loop, struct loop_work *work)
{
        collect(loop);
        return take_back(&loop->ready, &loop->ready_end, work) || take_back(&loop->deferred, &loop->deferred_end, work);
}

/* ---- work for later in the same round ---- */

void loop_defer(struct loop *loop, struct loop_work *work)
{
        work->next = NULL;
        *loop->deferred_end = work;
        loop->deferred_end = &work->next;
}

void loop_run_deferred(struct loop *loop)
{
        while (loop->deferred) {
                struct loop_work *w = loop->deferred;

                loop->deferred = w->next;
                if (!loop->deferred)
                        loop->deferred_end = &loop->deferred;
                w->run(w);
        }
}

/* ---- signals ---- */

static void on_signal_fd(void *data, uint32_t events)
{
        struct loop *l = data;
        struct signalfd_siginfo info;

        (void)events;
        while (read(l->signal_fd, &info, sizeof(info)) == sizeof(info))
                if (info.ssi_signo < NSIG && l->on_signal[info.ssi_signo].fn)
                        l->on_signal[info.ssi_signo].fn(l->on_signal[info.ssi_signo].data, (int)info.ssi_signo);
}

int loop_signal(struct loop *loop, int signal, loop_signal_fn *fn, void *data)
{
        int fd, r;

        if (signal <= 0 || signal >= NSIG)
                return -EINVAL;
        sigaddset(&loop->signals, signal);
        r = pthread_sigmask(SIG_BLOCK, &loop->signals, NULL);
        if (r)
                return -r;
        fd = signalfd(loop->signal_fd, &loop->signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return -errno;
        loop->on_signal[signal].fn = fn;
        loop->on_signal[signal].data = data;
        if (loop->signal_fd >= 0)
                return 0;
        loop->signal_fd = fd;
        loop->signal_io = loop_io_new(loop, fd, EPOLLIN, on_signal_fd, loop);
        return loop->signal_io ? 0 : -errno;
}

/* ---- the loop ---- */

struct loop *loop_new(const struct clock *clock)
{
        struct loop *l = calloc(1, sizeof(*l));

        if (!l)
                abort();
        l->clock = clock;
        l->armed_us = NEVER;
        l->ready_end = &l->ready;
        l->deferred_end = &l->deferred;
        l->signal_fd = -1;
        sigemptyset(&l->signals);
        l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (l->epoll_fd >= 0 && l->timer_fd >= 0 && l->event_fd >= 0) {
                l->timer_io = loop_io_new(l, l->timer_fd, EPOLLIN, on_timer_fd, l);
                l->event_io = loop_io_new(l, l->event_fd, EPOLLIN, on_event_fd, l);
        }
        if (!l->timer_io || !l->event_io) {
                int error = errno;

                loop_free(l);
                errno = error;
                return NULL;
        }
        return l;
}

static void close_fd(int fd)
{
        if (fd >= 0)
                close(fd);
}

void loop_free(struct loop *loop)
{
        if (!loop)
                return;
        assert(loop->depth == 0);
        loop_io_free(loop->timer_io);
        loop_io_free(loop->event_io);
        loop_io_free(loop->signal_io);
        close_fd(loop->signal_fd);
        close_fd(loop->event_fd);
        close_fd(loop->timer_fd);
        close_fd(loop->epoll_fd);
        free(loop->heap);
        free(loop);
}

/* What is ready has its turn. */
static void round_of(struct loop *l, const struct epoll_event *events, int n)
{
        const struct loop *outer = dispatching;

        dispatching = l;
        l->depth++;
        for (int i = 0; i < n; i++) {
                struct loop_io *io = events[i].data.ptr;

                if (!io->dead)
                        io->fn(io->data, events[i].events);
        }
        run_timers(l);
        loop_run_deferred(l);
        if (--l->depth == 0)
                bury(l);
        dispatching = outer;
}

int loop_dispatch(struct loop *loop, int timeout_ms)
{
        struct epoll_event events[EVENTS_AT_ONCE];
        int n;

        if (loop->deferred) {   /* from outside: it may be what the caller waits for */
                round_of(loop, NULL, 0);
                return 0;
        }
        /* By the clock that was given: one that is held still, or jumps in a test, decides alone. */
        if (loop->heap_n > 0 && loop->heap[0]->due_us <= clock_steady_us(loop->clock))
                timeout_ms = 0;
        n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        round_of(loop, events, n);
        return 0;
}

bool loop_inside(const struct loop *loop)
{
        return dispatching == loop;
}

int loop_run(struct loop *loop)
{
        int r = 0;

        while (!loop->stopped && r == 0)
                r = loop_dispatch(loop, -1);
        loop->stopped = false;
        return r;
}

void loop_stop(struct loop *loop)
{
        loop->stopped = true;
}

bool loop_stopped(const struct loop *loop)
{
        return loop->stopped;
}

int loop_fd(struct loop *loop)
{
        return loop->epoll_fd;
}

const struct clock *loop_clock(struct loop *loop)
{
        return loop->clock;
}

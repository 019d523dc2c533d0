/* One thread's event loop over epoll: file descriptors, timers, signals, and work handed over by other threads.
 *
 * Everything here is called on the loop's own thread, except loop_post. A loop nests in another one: its descriptor
 * (loop_fd) is readable when loop_dispatch has something to do. Callbacks may add and remove anything, themselves included.
 * An idle loop sleeps without any wake-up. */
#pragma once
#include "clock.h"
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;

struct loop *loop_new(const struct clock *clock);  /* NULL with errno */
void loop_free(struct loop *loop);                 /* NULL is fine; drops work that was posted and did not run */
int loop_run(struct loop *loop);                   /* until loop_stop; 0 or -errno */
void loop_stop(struct loop *loop);
bool loop_stopped(const struct loop *loop);        /* for who drives it by loop_dispatch */
int loop_dispatch(struct loop *loop, int timeout_ms); /* what is ready now, at most waiting so long; -1: for ever; 0 or -errno */
int loop_fd(struct loop *loop);
const struct clock *loop_clock(struct loop *loop);

/* events: EPOLLIN, EPOLLOUT, ... The caller keeps the descriptor and closes it after loop_io_free. */
typedef void loop_io_fn(void *data, uint32_t events);
struct loop_io *loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *data);
void loop_io_events(struct loop_io *io, uint32_t events);
void loop_io_free(struct loop_io *io);

/* A timer fires once each time it is set. */
typedef void loop_timer_fn(void *data);
struct loop_timer *loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *data);
void loop_timer_set(struct loop_timer *timer, int64_t after_us);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

/* Blocks the signal in this thread (call before other threads start) and hears it here. Freed with the loop. */
typedef void loop_signal_fn(void *data, int signal);
int loop_signal(struct loop *loop, int signal, loop_signal_fn *fn, void *data);

/* Work from any thread, run once on the loop's thread in the order posted. The item is the caller's own memory
 * (embedded in what is handed over), and must not be posted again before it ran. One wake-up for many posts. */
struct loop_work {
        struct loop_work *next;
        void (*run)(struct loop_work *work);
};
void loop_post(struct loop *loop, struct loop_work *work);
/* Takes back what was posted or deferred and did not run yet; false where it was not waiting. On the loop's thread, for who frees
 * the memory. */
bool loop_unpost(struct loop *loop, struct loop_work *work);

/* Work of the loop's own thread, run when everything that is ready has had its turn: at the end of the loop_dispatch under way, or
 * at the beginning of the next. It costs no system call: this is how many small writes become one. */
void loop_defer(struct loop *loop, struct loop_work *work);
/* Runs what was deferred; for who nests the loop in another one, and defers from there. */
void loop_run_deferred(struct loop *loop);
bool loop_inside(const struct loop *loop);         /* true on its thread, while it dispatches */

#include "loop.h"
#include "held_clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

struct room {
        int64_t now_us;
        struct clock clock;
        struct loop *loop;
        char said[64];   /* one letter for each thing that happened */
        size_t n;
};

static int enter(void **state)
{
        static struct room r;

        r = (struct room){ .now_us = 1000 };
        r.clock = held_clock(&r.now_us);
        r.loop = loop_new(&r.clock);
        *state = &r;
        return r.loop ? 0 : -1;
}

static int leave(void **state)
{
        loop_free(((struct room *)*state)->loop);
        return 0;
}

struct saying {
        struct room *room;
        char letter;
        struct loop_timer *timer, *other;
        struct loop_io *io, *other_io;
        struct loop_work work;
        int again;
};

static void say(struct saying *s)
{
        s->room->said[s->room->n++] = s->letter;
}

static void say_timer(void *data)
{
        struct saying *s = data;

        say(s);
        if (s->again-- > 0)
                loop_timer_set(s->timer, 0);
        if (s->other) {
                loop_timer_free(s->other);
                s->other = NULL;
        }
}

static void say_io(void *data, uint32_t events)
{
        struct saying *s = data;

        (void)events;
        say(s);
        loop_io_free(s->io);
        loop_io_free(s->other_io);
        s->io = s->other_io = NULL;
}

static void say_work(struct loop_work *work)
{
        say((struct saying *)((char *)work - offsetof(struct saying, work)));
}

static void timers_fire_in_the_order_in_which_they_are_due(void **state)
{
        struct room *r = *state;
        struct saying all[26];

        for (int i = 0; i < 26; i++) {
                all[i] = (struct saying){ .room = r, .letter = (char)('a' + i) };
                all[i].timer = loop_timer_new(r->loop, say_timer, &all[i]);
        }
        for (int i = 0; i < 26; i++) {
                int k = i * 7 % 26;
                loop_timer_set(all[k].timer, (k + 1) * 1000);
        }
        loop_timer_stop(all[3].timer);
        loop_timer_stop(all[25].timer);
        loop_timer_set(all[0].timer, 24500);
        assert_int_equal(loop_dispatch(r->loop, 0), 0);
        assert_int_equal(r->n, 0);
        r->now_us += 10000;
        assert_int_equal(loop_dispatch(r->loop, -1), 0);
        assert_string_equal(r->said, "bcefghij");
        r->now_us += 100000;
        assert_int_equal(loop_dispatch(r->loop, -1), 0);
        assert_string_equal(r->said, "bcefghijklmnopqrstuvwxay");
        for (int i = 0; i < 26; i++)
                loop_timer_free(all[i].timer);
}

static void a_timer_that_sets_itself_again_does_not_hold_the_loop(void **state)
{
        struct room *r = *state;
        struct saying s = { .room = r, .letter = 'x', .again = 2 };

        s.timer = loop_timer_new(r->loop, say_timer, &s);
        loop_timer_set(s.timer, 0);
        loop_dispatch(r->loop, -1);
        assert_string_equal(r->said, "x");
        loop_dispatch(r->loop, -1);
        loop_dispatch(r->loop, -1);
        assert_string_equal(r->said, "xxx");
        loop_dispatch(r->loop, 0);
        assert_string_equal(r->said, "xxx");
        loop_timer_free(s.timer);
}

static void a_timer_may_free_another_one_that_is_due(void **state)
{
        struct room *r = *state;
        struct saying a = { .room = r, .letter = 'a' }, b = { .room = r, .letter = 'b' };

        a.timer = loop_timer_new(r->loop, say_timer, &a);
        a.other = loop_timer_new(r->loop, say_timer, &b);
        loop_timer_set(a.timer, 1);
        loop_timer_set(a.other, 2);
        r->now_us += 10;
        loop_dispatch(r->loop, -1);
        assert_string_equal(r->said, "a");
        loop_timer_free(a.timer);
}

static void a_callback_may_free_itself_and_others_of_the_same_round(void **state)
{
        struct room *r = *state;
        struct saying a = { .room = r, .letter = 'a' }, b = { .room = r, .letter = 'b' };
        int p[2], q[2];

        assert_int_equal(pipe(p), 0);
        assert_int_equal(pipe(q), 0);
        assert_int_equal(write(p[1], "x", 1), 1);
        assert_int_equal(write(q[1], "x", 1), 1);
        a.io = b.other_io = loop_io_new(r->loop, p[0], EPOLLIN, say_io, &a);
        b.io = a.other_io = loop_io_new(r->loop, q[0], EPOLLIN, say_io, &b);
        loop_dispatch(r->loop, -1);
        loop_dispatch(r->loop, 0);
        assert_int_equal(r->n, 1);
        for (int i = 0; i < 2; i++) {
                close(p[i]);
                close(q[i]);
        }
}

static void events_can_be_changed(void **state)
{
        struct room *r = *state;
        struct saying a = { .room = r, .letter = 'a' };
        int p[2];

        assert_int_equal(pipe(p), 0);
        assert_int_equal(write(p[1], "x", 1), 1);
        a.io = loop_io_new(r->loop, p[0], 0, say_io, &a);
        loop_dispatch(r->loop, 0);
        assert_int_equal(r->n, 0);
        loop_io_events(a.io, EPOLLIN);
        loop_dispatch(r->loop, 0);
        assert_string_equal(r->said, "a");
        close(p[0]);
        close(p[1]);
}

static void a_closed_descriptor_is_refused(void **state)
{
        struct room *r = *state;

        assert_null(loop_io_new(r->loop, -1, EPOLLIN, say_io, NULL));
}

enum { POSTERS = 4, POSTS = 5000 };

struct poster {
        struct room *room;
        struct loop *loop;
        struct posted_item {
                struct loop_work work;
                struct poster *poster;
                int number;
        } items[POSTS];
        int next;
        bool in_order;
};

static int done_posts;

static void count_work(struct loop_work *work)
{
        struct posted_item *item = (struct posted_item *)work;

        if (item->number != item->poster->next++)
                item->poster->in_order = false;
        if (++done_posts == POSTERS * POSTS)
                loop_stop(item->poster->loop);
}

static void *post_all(void *data)
{
        struct poster *p = data;

        for (int i = 0; i < POSTS; i++) {
                p->items[i] = (struct posted_item){ .work.run = count_work, .poster = p, .number = i };
                loop_post(p->loop, &p->items[i].work);
        }
        return NULL;
}

static void work_from_other_threads_runs_once_each_in_the_order_posted(void **state)
{
        static struct poster posters[POSTERS];
        pthread_t threads[POSTERS];
        struct room *r = *state;

        done_posts = 0;
        for (int i = 0; i < POSTERS; i++) {
                posters[i] = (struct poster){ .room = r, .loop = r->loop, .in_order = true };
                assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
        }
        assert_int_equal(loop_run(r->loop), 0);
        for (int i = 0; i < POSTERS; i++) {
                pthread_join(threads[i], NULL);
                assert_true(posters[i].in_order);
                assert_int_equal(posters[i].next, POSTS);
        }
}

static void posted_work_can_be_taken_back_until_it_runs(void **state)
{
        struct room *r = *state;
        struct saying s[3];

        for (int i = 0; i < 3; i++) {
                s[i] = (struct saying){ .room = r, .letter = (char)('a' + i), .work.run = say_work };
                loop_post(r->loop, &s[i].work);
        }
        assert_true(loop_unpost(r->loop, &s[1].work));
        assert_false(loop_unpost(r->loop, &s[1].work));
        assert_true(loop_unpost(r->loop, &s[2].work));
        loop_post(r->loop, &s[1].work);
        loop_dispatch(r->loop, -1);
        assert_string_equal(r->said, "ab");
        assert_false(loop_unpost(r->loop, &s[0].work));
}

static void say_and_defer(struct loop_work *work)
{
        struct saying *s = (struct saying *)((char *)work - offsetof(struct saying, work));

        say(s);
        if (s->again-- > 0)
                loop_defer(s->room->loop, &s->work);
}

static void defer_twice(void *data)
{
        struct saying *s = data;

        assert_true(loop_inside(s[0].room->loop));
        loop_defer(s[0].room->loop, &s[1].work);
        loop_defer(s[0].room->loop, &s[2].work);
}

static void deferred_work_waits_until_everything_ready_had_its_turn(void **state)
{
        struct room *r = *state;
        struct saying s[4];
        struct loop_timer *first;

        for (int i = 0; i < 4; i++)
                s[i] = (struct saying){ .room = r, .letter = (char)('a' + i), .work.run = say_and_defer };
        s[1].again = 1;
        first = loop_timer_new(r->loop, defer_twice, s);
        s[3].timer = loop_timer_new(r->loop, say_timer, &s[3]);
        loop_timer_set(first, 0);
        loop_timer_set(s[3].timer, 0);
        loop_dispatch(r->loop, -1);
        assert_string_equal(r->said, "dbcb");
        assert_false(loop_inside(r->loop));
        loop_timer_free(first);
        loop_timer_free(s[3].timer);
}

static void what_was_deferred_from_outside_is_done_without_waiting_for_an_event(void **state)
{
        struct room *r = *state;
        struct saying s[3];

        for (int i = 0; i < 3; i++) {
                s[i] = (struct saying){ .room = r, .letter = (char)('a' + i), .work.run = say_and_defer };
                loop_defer(r->loop, &s[i].work);
        }
        assert_true(loop_unpost(r->loop, &s[1].work));
        assert_false(loop_unpost(r->loop, &s[1].work));
        loop_dispatch(r->loop, -1);
        assert_string_equal(r->said, "ac");
        loop_defer(r->loop, &s[1].work);
        loop_run_deferred(r->loop);
        assert_string_equal(r->said, "acb");
}

static void on_usr1(void *data, int signal)
{
        struct saying *s = data;

        assert_int_equal(signal, SIGUSR1);
        say(s);
}

static void a_signal_is_heard_by_the_loop(void **state)
{
        struct room *r = *state;
        struct saying a = { .room = r, .letter = 'a' };

        assert_int_equal(loop_signal(r->loop, SIGUSR1, on_usr1, &a), 0);
        assert_int_equal(loop_signal(r->loop, SIGUSR2, on_usr1, &a), 0);
        assert_int_equal(loop_signal(r->loop, 0, on_usr1, &a), -22);
        kill(getpid(), SIGUSR1);
        loop_dispatch(r->loop, 5000);
        assert_string_equal(r->said, "a");
}

static bool readable(struct loop *loop, int timeout_ms)
{
        struct pollfd p = { .fd = loop_fd(loop), .events = POLLIN };

        return poll(&p, 1, timeout_ms) == 1;
}

static void the_loops_descriptor_tells_of_timers_and_work_and_is_quiet_else(void **state)
{
        struct room *r = *state;
        struct loop *real = loop_new(&clock_system);
        struct saying a = { .room = r, .letter = 'a', .work.run = say_work };

        assert_false(readable(real, 0));
        loop_post(real, &a.work);
        assert_true(readable(real, 0));
        loop_dispatch(real, 0);
        assert_false(readable(real, 0));

        a.timer = loop_timer_new(real, say_timer, &a);
        loop_timer_set(a.timer, 60 * 1000 * 1000);
        assert_false(readable(real, 0));
        loop_timer_set(a.timer, 2000);
        assert_true(readable(real, 5000));
        loop_dispatch(real, 0);
        assert_string_equal(r->said, "aa");
        assert_false(readable(real, 0));
        loop_timer_free(a.timer);
        loop_free(real);
}

static void a_timer_set_later_again_and_again_fires_once_at_its_last_time(void **state)
{
        struct room *r = *state;
        struct loop *real = loop_new(&clock_system);
        struct saying a = { .room = r, .letter = 'a' };
        int64_t start = clock_steady_us(&clock_system);

        a.timer = loop_timer_new(real, say_timer, &a);
        for (int i = 0; i < 100; i++)
                loop_timer_set(a.timer, 100 * i);
        loop_timer_set(a.timer, 20000);
        while (r->n == 0)
                assert_int_equal(loop_dispatch(real, 5000), 0);
        assert_true(clock_steady_us(&clock_system) - start >= 20000);
        loop_timer_free(a.timer);
        loop_free(real);
}

static void stop_from_timer(void *data)
{
        loop_stop(data);
}

static void running_ends_with_stop_and_can_begin_again(void **state)
{
        struct room *r = *state;
        struct loop_timer *t = loop_timer_new(r->loop, stop_from_timer, r->loop);

        loop_stop(r->loop);
        assert_int_equal(loop_run(r->loop), 0);
        loop_timer_set(t, 0);
        assert_int_equal(loop_run(r->loop), 0);
        loop_timer_free(t);
        assert_ptr_equal(loop_clock(r->loop), &r->clock);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(timers_fire_in_the_order_in_which_they_are_due, enter, leave),
                cmocka_unit_test_setup_teardown(a_timer_that_sets_itself_again_does_not_hold_the_loop, enter, leave),
                cmocka_unit_test_setup_teardown(a_timer_may_free_another_one_that_is_due, enter, leave),
                cmocka_unit_test_setup_teardown(a_callback_may_free_itself_and_others_of_the_same_round, enter, leave),
                cmocka_unit_test_setup_teardown(events_can_be_changed, enter, leave),
                cmocka_unit_test_setup_teardown(a_closed_descriptor_is_refused, enter, leave),
                cmocka_unit_test_setup_teardown(work_from_other_threads_runs_once_each_in_the_order_posted, enter, leave),
                cmocka_unit_test_setup_teardown(posted_work_can_be_taken_back_until_it_runs, enter, leave),
                cmocka_unit_test_setup_teardown(deferred_work_waits_until_everything_ready_had_its_turn, enter, leave),
                cmocka_unit_test_setup_teardown(what_was_deferred_from_outside_is_done_without_waiting_for_an_event, enter, leave),
                cmocka_unit_test_setup_teardown(a_signal_is_heard_by_the_loop, enter, leave),
                cmocka_unit_test_setup_teardown(the_loops_descriptor_tells_of_timers_and_work_and_is_quiet_else, enter, leave),
                cmocka_unit_test_setup_teardown(a_timer_set_later_again_and_again_fires_once_at_its_last_time, enter, leave),
                cmocka_unit_test_setup_teardown(running_ends_with_stop_and_can_begin_again, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

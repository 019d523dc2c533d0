/* From what processes counted at two moments to what they did in between. */
#include "rates.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STARTED = 1000, BOUNDS = 3 };

static int64_t bounds[BOUNDS] = { 100, 1000, 1000000 };

/* A store that answered so many ticket.get well and so many not, each well one in `us`. */
struct desk {
        struct vitals vitals;
        struct process_stats *store;
        struct figure figures[5];
        struct figure_sample calls[2], times, head, cpu, waiting;
        struct figure_label ok[2], not_found[2], method, thread;
        int64_t buckets[BOUNDS + 1];
};

static struct desk *desk_at(int64_t s, int64_t ok, int64_t not_found, int bucket)
{
        struct desk *d = calloc(1, sizeof(*d));

        d->method = (struct figure_label){ STR("method"), STR("ticket.get") };
        d->thread = (struct figure_label){ STR("thread"), STR("writer") };
        d->ok[0] = d->not_found[0] = d->method;
        d->ok[1] = (struct figure_label){ STR("result"), STR("ok") };
        d->not_found[1] = (struct figure_label){ STR("result"), STR("NotFound") };
        d->calls[0] = (struct figure_sample){ .labels = { d->ok, 2 }, .value = ok };
        d->calls[1] = (struct figure_sample){ .labels = { d->not_found, 2 }, .value = not_found };
        d->buckets[0] = not_found;
        d->buckets[bucket] += ok;
        d->times = (struct figure_sample){ .labels = { &d->method, 1 }, .value = 500 * (ok + not_found), .buckets = { d->buckets, BOUNDS + 1 } };
        d->head = (struct figure_sample){ .value = 7 };
        d->cpu = (struct figure_sample){ .value = s * 250000 };
        d->waiting = (struct figure_sample){ .labels = { &d->thread, 1 }, .value = 3 };
        d->figures[0] = (struct figure){ .name = STR("rpc_calls_total"), .kind = FIGURE_KIND_COUNTER, .samples = { d->calls, 2 } };
        d->figures[1] = (struct figure){ .name = STR("rpc_call_seconds"), .kind = FIGURE_KIND_HISTOGRAM, .unit = FIGURE_UNIT_MICROSECONDS,
                                         .bounds = { bounds, BOUNDS }, .samples = { &d->times, 1 } };
        d->figures[2] = (struct figure){ .name = STR("log_head"), .kind = FIGURE_KIND_GAUGE, .samples = { &d->head, 1 } };
        d->figures[3] = (struct figure){ .name = STR("process_cpu_seconds_total"), .kind = FIGURE_KIND_COUNTER,
                                         .unit = FIGURE_UNIT_MICROSECONDS, .samples = { &d->cpu, 1 } };
        d->figures[4] = (struct figure){ .name = STR("queue_calls"), .kind = FIGURE_KIND_GAUGE, .samples = { &d->waiting, 1 } };
        d->vitals.n = 2;
        d->store = &d->vitals.of[0];
        *d->store = (struct process_stats){ .service = STR("store"), .up = true, .started_at = STARTED, .told_at = s * 1000,
                                            .status = STR("7 ops in the log"), .figures = { d->figures, 5 } };
        d->vitals.of[1] = (struct process_stats){ .service = STR("gateway"), .instance = STR("2") };
        return d;
}

struct room {
        struct arena arena;
        struct desk *was, *is;
        struct rates rates;
        struct buf out;
};

static int setup(void **state)
{
        struct room *r = calloc(1, sizeof(*r));

        r->was = desk_at(10, 100, 10, 1);
        r->is = desk_at(12, 300, 20, 1);
        *state = r;
        return 0;
}

static int teardown(void **state)
{
        struct room *r = *state;

        arena_deinit(&r->arena);
        buf_deinit(&r->out);
        free(r->was);
        free(r->is);
        free(r);
        return 0;
}

static void look(struct room *r)
{
        rates_of(&r->was->vitals, &r->is->vitals, &r->arena, &r->rates);
}

static void is_about(double a, double b)
{
        assert_true(fabs(a - b) < 1e-9);
}

static void work_is_what_was_done_by_the_second(void **state)
{
        struct room *r = *state;

        look(r);
        assert_int_equal(r->rates.n_work, 1);
        assert_true(str_is(r->rates.work[0].process, "store") && str_is(r->rates.work[0].what, "ticket.get"));
        is_about(r->rates.work[0].per_s, 105);
        is_about(r->rates.work[0].failed_per_s, 5);
        assert_true(r->rates.work[0].timed);
        is_about(r->rates.work[0].mean_s, 500e-6);
        is_about(r->rates.work[0].most_s, 1000e-6);
        is_about(r->rates.processes[0].cpu, 0.25);
}

static void the_slowest_of_all_have_no_bound(void **state)
{
        struct room *r = *state;

        free(r->is);
        r->is = desk_at(12, 300, 20, BOUNDS);
        r->is->buckets[1] = 100;        /* those of before */
        r->is->buckets[BOUNDS] = 200;
        look(r);
        assert_true(isinf(r->rates.work[0].most_s));
        rates_json(&r->rates, &r->out);
        assert_null(strstr(buf_z(&r->out), "p95_s"));
        assert_null(strstr(buf_z(&r->out), "inf"));
}

static void where_nothing_was_done_there_is_no_work(void **state)
{
        struct room *r = *state;

        free(r->is);
        r->is = desk_at(12, 100, 10, 1);
        look(r);
        assert_int_equal(r->rates.n_work, 0);
}

static void a_process_that_was_started_anew_begins_with_nothing(void **state)
{
        struct room *r = *state;

        free(r->is);
        r->is = desk_at(12, 5, 0, 1);
        r->is->store->started_at = STARTED + 1;
        look(r);
        assert_int_equal(r->rates.n_work, 0);
        is_about(r->rates.processes[0].cpu, 0);
}

static void one_that_told_nothing_new_is_not_divided_by(void **state)
{
        struct room *r = *state;

        r->is->store->told_at = r->was->store->told_at;
        look(r);
        assert_int_equal(r->rates.n_work, 0);
        assert_int_equal(r->rates.n_figures, 2);
}

static void the_rest_are_figures(void **state)
{
        struct room *r = *state;

        look(r);
        assert_int_equal(r->rates.n_figures, 2);
        assert_true(str_is(r->rates.figures[0].name, "log_head"));
        is_about(r->rates.figures[0].value, 7);
        assert_true(str_is(r->rates.figures[1].name, "queue_calls{thread=writer}"));
}

static void a_page_fits_the_terminal(void **state)
{
        struct room *r = *state;
        size_t lines = 0, columns = 0;

        look(r);
        rates_text(&r->rates, 0, 0, &r->out);
        assert_non_null(strstr(buf_z(&r->out), "7 ops in the log\n"));
        assert_non_null(strstr(buf_z(&r->out), "gateway@2            does not answer\n"));
        assert_non_null(strstr(buf_z(&r->out), "ticket.get                  105.0       5.0     500 µs     1.0 ms\n"));
        assert_non_null(strstr(buf_z(&r->out), "queue_calls{thread=writer}"));
        buf_clear(&r->out);
        rates_text(&r->rates, 6, 40, &r->out);
        for (size_t i = 0; i < r->out.n; i++) {
                columns = r->out.p[i] == '\n' ? 0 : columns + 1;
                lines += r->out.p[i] == '\n';
                assert_true(columns <= 40);
        }
        assert_int_equal(lines, 6);
}

static void what_others_wrote_does_not_speak_to_the_terminal(void **state)
{
        struct room *r = *state;

        r->is->store->status = STR("red: \x1b[31m");
        look(r);
        rates_text(&r->rates, 0, 0, &r->out);
        assert_null(strchr(buf_z(&r->out), '\x1b'));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(work_is_what_was_done_by_the_second, setup, teardown),
                cmocka_unit_test_setup_teardown(the_slowest_of_all_have_no_bound, setup, teardown),
                cmocka_unit_test_setup_teardown(where_nothing_was_done_there_is_no_work, setup, teardown),
                cmocka_unit_test_setup_teardown(a_process_that_was_started_anew_begins_with_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_told_nothing_new_is_not_divided_by, setup, teardown),
                cmocka_unit_test_setup_teardown(the_rest_are_figures, setup, teardown),
                cmocka_unit_test_setup_teardown(a_page_fits_the_terminal, setup, teardown),
                cmocka_unit_test_setup_teardown(what_others_wrote_does_not_speak_to_the_terminal, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

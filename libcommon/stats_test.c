/* Figures that a process tells of itself. */
#include "heap_count.h"
#include "stats.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct room {
        struct service service;
        struct arena arena;
        struct stats stats;
        struct process_stats *told;
};

static void say_umlauts(void *data, struct buf *out)
{
        (void)data;
        for (int i = 0; i < 300; i++)
                buf_text(out, "ü");
}

static const struct service_type wordy = { .name = "small", .status = say_umlauts };

static int setup(void **state)
{
        struct room *r = calloc(1, sizeof(*r));

        r->service = (struct service){ .name = "small", .clock = &clock_system, .started_at = 1700000000000 };
        r->told = stats_begin(&r->stats, &r->arena, &r->service);
        *state = r;
        return 0;
}

static int teardown(void **state)
{
        struct room *r = *state;

        buf_deinit(&r->service.status);
        arena_deinit(&r->arena);
        free(r);
        return 0;
}

static const struct figure *figure(const struct process_stats *told, const char *name)
{
        for (size_t i = 0; i < told->figures.n; i++)
                if (str_is(told->figures.items[i].name, name))
                        return &told->figures.items[i];
        fail_msg("there is no figure %s", name);
        return NULL;
}

static int64_t value(const struct process_stats *told, const char *name)
{
        const struct figure *f = figure(told, name);

        assert_int_equal(f->samples.n, 1);
        return f->samples.items[0].value;
}

static void fits_its_schema(const struct process_stats *told)
{
        struct codec_error error;

        if (schema_check(&schema_type_process_stats, told, &error))
                fail_msg("%s: %s", error.field, error.reason);
}

static void every_process_tells_of_its_start_memory_and_descriptors(void **state)
{
        struct room *r = *state;
        int64_t before = value(r->told, "process_open_fds");
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(str_is(r->told->service, "small") && r->told->up);
        assert_int_equal(value(r->told, "process_start_time_seconds"), INT64_C(1700000000000000));
        assert_int_equal(figure(r->told, "process_start_time_seconds")->unit, FIGURE_UNIT_MICROSECONDS);
        assert_true(value(r->told, "process_resident_memory_bytes") > 100 * 1024);
        assert_true(before >= 3 && before <= value(r->told, "process_max_fds"));
        r->told = stats_begin(&r->stats, &r->arena, &r->service);
        close(fd);
        assert_int_equal(value(r->told, "process_open_fds"), before + 1);
        fits_its_schema(r->told);
}

static void a_long_status_line_is_cut_between_characters(void **state)
{
        struct room *r = *state;

        r->service.type = &wordy;
        r->told = stats_begin(&r->stats, &r->arena, &r->service);
        assert_int_equal(r->told->status.n, 400);
        fits_its_schema(r->told);
}

static struct tally counted;

static void sum_counted(void *data, struct past_sums *ret)
{
        (void)data;
        past_add(ret, &counted);
        ret->counted = "calls_total";
        ret->waits = "queue";
        ret->waiting = 2;
}

static const struct service_type summed = { .name = "small", .sums = sum_counted };

static void who_has_sums_tells_of_its_last_hour(void **state)
{
        struct room *r = *state;

        assert_null(r->told->past);
        r->service.type = &summed;
        r->told = stats_begin(&r->stats, &r->arena, &r->service);
        tally_note(&counted, 32004, 250);
        r->told = stats_begin(&r->stats, &r->arena, &r->service);
        assert_non_null(r->told->past);
        assert_true(str_is(r->told->past->counted, "calls_total") && str_is(r->told->past->waits, "queue"));
        assert_int_equal(r->told->past->minutes.n, 1);
        assert_int_equal(r->told->past->minutes.items[0].calls, 1);
        assert_int_equal(r->told->past->minutes.items[0].refused, 1);
        assert_int_equal(r->told->past->minutes.items[0].waiting, 2);
        assert_int_equal(r->told->past->minutes.items[0].took.items[1], 1);
        fits_its_schema(r->told);
}

static void a_tally_is_two_figures(void **state)
{
        struct room *r = *state;
        struct tally t = { 0 };
        const struct figure *calls, *times;

        tally_note(&t, 0, 50);
        tally_note(&t, 0, 200);
        tally_note(&t, 32004, 250);
        stats_tally(&r->stats, "jsonrpc_call", "Calls.", &t);
        calls = figure(r->told, "jsonrpc_calls_total");
        times = figure(r->told, "jsonrpc_call_seconds");
        assert_int_equal(calls->kind, FIGURE_KIND_COUNTER);
        assert_int_equal(calls->samples.n, 2);
        assert_int_equal(calls->samples.items[0].value, 2);
        assert_true(str_is(calls->samples.items[0].labels.items[0].name, "result") && str_is(calls->samples.items[0].labels.items[0].value, "ok"));
        assert_int_equal(calls->samples.items[1].value, 1);
        assert_true(str_is(calls->samples.items[1].labels.items[0].value, "Conflict"));
        assert_int_equal(times->kind, FIGURE_KIND_HISTOGRAM);
        assert_int_equal(times->bounds.n + 1, times->samples.items[0].buckets.n);
        assert_int_equal(times->samples.items[0].value, 500);
        assert_int_equal(times->samples.items[0].buckets.items[0], 1);
        assert_int_equal(times->samples.items[0].buckets.items[1], 2);
        fits_its_schema(r->told);
}

static void a_database_tells_its_size_and_the_room_that_is_left(void **state)
{
        static const char *const steps[] = { "CREATE TABLE t (x)" };
        static const struct db_migrations migrations = { steps, 1 };
        struct room *r = *state;
        char folder[] = "/tmp/stats-XXXXXX", path[64], command[64];
        struct db *db;

        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/x.db", folder);
        assert_int_equal(db_open(path, 0, NULL, &migrations, &db), 0);
        assert_int_equal(db_run(db, "BEGIN; INSERT INTO t VALUES (zeroblob(100000)); COMMIT"), 0);
        stats_database(&r->stats, db);
        assert_true(value(r->told, "database_bytes") > 0);
        assert_true(value(r->told, "database_wal_bytes") > 100000);
        assert_true(value(r->told, "disk_free_bytes") > 0);
        db_close(db);
        snprintf(command, sizeof(command), "rm -r %s", folder);
        assert_int_equal(system(command), 0);
}

static void telling_again_takes_nothing_from_the_heap(void **state)
{
        struct room *r = *state;
        struct tally t = { 0 };
        long before = 0;

        r->service.type = &wordy;
        for (int i = 0; i < 10; i++) {
                if (i == 2)
                        before = atomic_load(&heap_taken);
                arena_reset(&r->arena);
                r->told = stats_begin(&r->stats, &r->arena, &r->service);
                tally_note(&t, 0, i);
                stats_tally(&r->stats, "call", "Calls.", &t);
        }
        if (heap_counts)
                assert_true(before > 0);
        assert_int_equal(atomic_load(&heap_taken) - before, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(every_process_tells_of_its_start_memory_and_descriptors, setup, teardown),
                cmocka_unit_test_setup_teardown(a_long_status_line_is_cut_between_characters, setup, teardown),
                cmocka_unit_test_setup_teardown(who_has_sums_tells_of_its_last_hour, setup, teardown),
                cmocka_unit_test_setup_teardown(a_tally_is_two_figures, setup, teardown),
                cmocka_unit_test_setup_teardown(telling_again_takes_nothing_from_the_heap, setup, teardown),
                cmocka_unit_test_setup_teardown(a_database_tells_its_size_and_the_room_that_is_left, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

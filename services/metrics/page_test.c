/* The text format: what Prometheus reads of the figures. */
#include "page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD \
        "# HELP assist_up Whether the process answered, or was heard of in the last seconds.\n" \
        "# TYPE assist_up gauge\n"
#define BUILD_HEAD \
        "# HELP assist_build_info The version of what runs.\n" \
        "# TYPE assist_build_info gauge\n"

static void is_page(const struct process_stats *processes, size_t n, const char *expected)
{
        struct buf out = { 0 };

        page_write(processes, n, &out);
        assert_string_equal(buf_z(&out), expected);
        buf_deinit(&out);
}

static struct figure_sample sample(int64_t value)
{
        return (struct figure_sample){ .value = value };
}

static void who_is_up_is_said_of_each_process(void **state)
{
        const struct process_stats processes[] = {
                { .service = STR("store"), .up = true, .version = STR("0.1.0") },
                { .service = STR("gateway"), .instance = STR("2"), .up = false },
        };

        (void)state;
        is_page(processes, 2, HEAD
                "assist_up{service=\"store\"} 1\n"
                "assist_up{service=\"gateway\",instance=\"2\"} 0\n" BUILD_HEAD
                "assist_build_info{service=\"store\",version=\"0.1.0\"} 1\n");
}

static void a_figure_of_many_processes_stands_together(void **state)
{
        struct figure_sample one = sample(1), two = sample(2), other = sample(-5);
        struct figure store[] = {
                { .name = STR("connections"), .help = STR("Callers."), .kind = FIGURE_KIND_GAUGE, .samples = { &one, 1 } },
                { .name = STR("ops_total"), .help = STR("Ops."), .kind = FIGURE_KIND_COUNTER, .samples = { &other, 1 } },
        };
        struct figure fanout[] = {
                { .name = STR("connections"), .help = STR("Callers."), .kind = FIGURE_KIND_GAUGE, .samples = { &two, 1 } },
                { .name = STR("ops_total"), .help = STR("Not what it is elsewhere."), .kind = FIGURE_KIND_GAUGE, .samples = { &two, 1 } },
        };
        const struct process_stats processes[] = {
                { .service = STR("store"), .figures = { store, 2 } }, { .service = STR("fanout"), .figures = { fanout, 2 } },
        };

        (void)state;
        is_page(processes, 2, HEAD
                "assist_up{service=\"store\"} 0\n"
                "assist_up{service=\"fanout\"} 0\n" BUILD_HEAD
                "# HELP assist_connections Callers.\n"
                "# TYPE assist_connections gauge\n"
                "assist_connections{service=\"store\"} 1\n"
                "assist_connections{service=\"fanout\"} 2\n"
                "# HELP assist_ops_total Ops.\n"
                "# TYPE assist_ops_total counter\n"
                "assist_ops_total{service=\"store\"} -5\n");
}

static void microseconds_become_seconds_with_every_digit(void **state)
{
        static const struct { int64_t us; const char *text; } times[] = {
                { 0, "0" }, { 1, "0.000001" }, { 1500000, "1.5" }, { -250, "-0.00025" }, { 1795269154113001, "1795269154.113001" },
                { 60000000, "60" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
                struct figure_sample s = sample(times[i].us);
                struct figure f = { .name = STR("x_seconds"), .help = STR("X."), .kind = FIGURE_KIND_GAUGE, .unit = FIGURE_UNIT_MICROSECONDS,
                                    .samples = { &s, 1 } };
                const struct process_stats p = { .service = STR("store"), .figures = { &f, 1 } };
                char expected[500];

                snprintf(expected, sizeof(expected), HEAD "assist_up{service=\"store\"} 0\n" BUILD_HEAD "# HELP assist_x_seconds X.\n"
                         "# TYPE assist_x_seconds gauge\nassist_x_seconds{service=\"store\"} %s\n", times[i].text);
                is_page(&p, 1, expected);
        }
}

static void a_histogram_adds_up_and_ends_at_infinity(void **state)
{
        int64_t bounds[] = { 100, 1000000 }, buckets[] = { 3, 2, 1 }, short_of_one[] = { 1, 2 };
        struct figure_label method = { STR("method"), STR("ticket.create") };
        struct figure_sample samples[] = {
                { .labels = { &method, 1 }, .value = 4000150, .buckets = { buckets, 3 } },
                { .labels = { &method, 1 }, .value = 1, .buckets = { short_of_one, 2 } },
        };
        struct figure f = { .name = STR("t_seconds"), .help = STR("T."), .kind = FIGURE_KIND_HISTOGRAM, .unit = FIGURE_UNIT_MICROSECONDS,
                            .bounds = { bounds, 2 }, .samples = { samples, 2 } };
        const struct process_stats p = { .service = STR("store"), .figures = { &f, 1 } };

        (void)state;
        is_page(&p, 1, HEAD "assist_up{service=\"store\"} 0\n" BUILD_HEAD
                "# HELP assist_t_seconds T.\n"
                "# TYPE assist_t_seconds histogram\n"
                "assist_t_seconds_bucket{service=\"store\",method=\"ticket.create\",le=\"0.0001\"} 3\n"
                "assist_t_seconds_bucket{service=\"store\",method=\"ticket.create\",le=\"1\"} 5\n"
                "assist_t_seconds_bucket{service=\"store\",method=\"ticket.create\",le=\"+Inf\"} 6\n"
                "assist_t_seconds_sum{service=\"store\",method=\"ticket.create\"} 4.00015\n"
                "assist_t_seconds_count{service=\"store\",method=\"ticket.create\"} 6\n");
}

static void what_others_say_does_not_break_out_of_its_place(void **state)
{
        struct figure_label labels[] = { { STR("why"), STR("a \"quote\", a \\ and\na line") }, { STR("le\"} 1\nx"), STR("y") } };
        struct figure_sample s = { .labels = { labels, 2 }, .value = 7 };
        struct figure figures[] = {
                { .name = STR("fine"), .help = STR("a \"quote\", a \\ and\na line"), .kind = FIGURE_KIND_GAUGE, .samples = { &s, 1 } },
                { .name = STR("not fine"), .help = STR("x"), .samples = { &s, 1 } },
                { .name = STR("9lives"), .help = STR("x"), .samples = { &s, 1 } },
                { .name = STR("x\nassist_up"), .help = STR("x"), .samples = { &s, 1 } },
                { .name = STR(""), .help = STR("x"), .samples = { &s, 1 } },
                { .name = STR("fine"), .help = STR("twice"), .kind = FIGURE_KIND_GAUGE, .samples = { &s, 1 } },
        };
        const struct process_stats p = { .service = STR("gate\"way"), .figures = { figures, 6 } };

        (void)state;
        is_page(&p, 1, HEAD "assist_up{service=\"gate\\\"way\"} 0\n" BUILD_HEAD
                "# HELP assist_fine a \"quote\", a \\\\ and\\na line\n"
                "# TYPE assist_fine gauge\n"
                "assist_fine{service=\"gate\\\"way\",why=\"a \\\"quote\\\", a \\\\ and\\na line\"} 7\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_is_up_is_said_of_each_process),
                cmocka_unit_test(a_figure_of_many_processes_stands_together),
                cmocka_unit_test(microseconds_become_seconds_with_every_digit),
                cmocka_unit_test(a_histogram_adds_up_and_ends_at_infinity),
                cmocka_unit_test(what_others_say_does_not_break_out_of_its_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

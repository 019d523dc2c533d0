/* What gateways and the courier said of themselves, and when it is held to be over. */
#include "heard.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct room {
        struct heard heard;
        bool supervisor;
        struct arena arena;
        struct process_stats *list;
        size_t n;
};

static int setup(void **state)
{
        *state = calloc(1, sizeof(struct room));
        return 0;
}

static int teardown(void **state)
{
        struct room *r = *state;

        heard_deinit(&r->heard);
        arena_deinit(&r->arena);
        free(r);
        return 0;
}

static void tell(struct room *r, const char *service, const char *instance, const char *status, int64_t at_s)
{
        struct process_stats told = { .service = STR("store"), .instance = str_of(instance), .up = true, .version = STR("1"),
                                      .status = str_of(status) };

        heard_take(&r->heard, service, &told, at_s * 1000000);
}

/* What is known of it; NULL where nothing is listed. */
static const struct process_stats *known(struct room *r, const char *service, const char *instance, int64_t at_s)
{
        arena_reset(&r->arena);
        heard_list(&r->heard, at_s * 1000000, r->supervisor, &r->arena, &r->list, &r->n);
        for (size_t i = 1; i < r->n; i++)
                if (str_is(r->list[i].service, service) && str_is(r->list[i].instance, instance))
                        return &r->list[i];
        return NULL;
}

static void who_was_never_heard_of_is_away(void **state)
{
        struct room *r = *state;

        assert_false(known(r, "gateway", "", 10)->up);
        assert_false(known(r, "courier", "", 10)->up);
        assert_int_equal(r->n, 3);
        tell(r, "gateway", "1", "well", 10);
        assert_null(known(r, "gateway", "", 10));
        assert_false(known(r, "courier", "", 10)->up);
}

static void the_last_word_counts_until_there_is_silence(void **state)
{
        struct room *r = *state;

        tell(r, "gateway", "1", "first", 10);
        tell(r, "gateway", "2", "other", 10);
        tell(r, "gateway", "1", "second", 12);
        assert_true(known(r, "gateway", "1", 13)->up);
        assert_true(str_is(known(r, "gateway", "1", 13)->status, "second"));
        assert_true(known(r, "gateway", "2", 13)->up);
        assert_false(known(r, "gateway", "2", 14)->up);
        assert_int_equal(known(r, "gateway", "2", 14)->status.n, 0);
        tell(r, "gateway", "2", "back", 15);
        assert_true(str_is(known(r, "gateway", "2", 15)->status, "back"));
}

static void nobody_speaks_for_another_service(void **state)
{
        struct room *r = *state;

        tell(r, "courier", "", "I am the store", 10);
        assert_null(known(r, "store", "", 10));
        assert_true(known(r, "courier", "", 10)->up);
}

static void the_supervisor_is_told_of_where_it_is_wanted(void **state)
{
        struct room *r = *state;

        tell(r, "mycelium-supervisor", "", "well", 10);
        assert_null(known(r, "mycelium-supervisor", "", 10));
        assert_int_equal(r->n, 3);
        r->supervisor = true;
        assert_true(known(r, "mycelium-supervisor", "", 10)->up);
        assert_int_equal(r->n, 4);
        assert_false(known(r, "mycelium-supervisor", "", 14)->up);
}

static void of_too_many_the_one_that_was_silent_longest_is_forgotten(void **state)
{
        struct room *r = *state;
        char name[16];

        for (int i = 0; i <= HEARD_MAX; i++) {
                snprintf(name, sizeof(name), "%d", i);
                tell(r, "gateway", name, "well", i == 3 ? 1 : 2);
        }
        assert_null(known(r, "gateway", "3", 2));
        assert_non_null(known(r, "gateway", "64", 2));
        assert_int_equal(r->heard.n, HEARD_MAX);
}

static void who_says_nothing_or_too_much_is_not_kept(void **state)
{
        struct room *r = *state;
        struct process_stats told = { .instance = STR(""), .up = true };
        static struct figure figures[128];
        char help[2000];

        heard_take(&r->heard, "courier", NULL, 0);
        assert_int_equal(r->heard.n, 0);
        memset(help, 'x', sizeof(help));
        for (int i = 0; i < 128; i++)
                figures[i].help = (struct str){ help, sizeof(help) };
        told.figures.items = figures;
        told.figures.n = 128;
        heard_take(&r->heard, "courier", &told, 1000000);
        assert_false(known(r, "courier", "", 1)->up);
        assert_int_equal(r->heard.of[0].stats.capacity, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(who_was_never_heard_of_is_away, setup, teardown),
                cmocka_unit_test_setup_teardown(the_last_word_counts_until_there_is_silence, setup, teardown),
                cmocka_unit_test_setup_teardown(nobody_speaks_for_another_service, setup, teardown),
                cmocka_unit_test_setup_teardown(the_supervisor_is_told_of_where_it_is_wanted, setup, teardown),
                cmocka_unit_test_setup_teardown(of_too_many_the_one_that_was_silent_longest_is_forgotten, setup, teardown),
                cmocka_unit_test_setup_teardown(who_says_nothing_or_too_much_is_not_kept, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

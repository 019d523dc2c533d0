/* A command line becomes parameters, and what is wrong with it is said in its own words. */
#include "flags.h"

#include "schema/ticket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;
static struct flags_error error;

static int read_set(struct ticket_set *ret, int argc, ...)
{
        static const char *const positional[] = { "subject", NULL };
        char *argv[16];
        va_list args;

        va_start(args, argc);
        for (int i = 0; i < argc; i++)
                argv[i] = va_arg(args, char *);
        va_end(args);
        return flags_read(schema_method_ticket_set.params, argc, argv, positional, NULL, &arena, ret, &error);
}

#define TICKET "--ticket", "01ARZ3NDEKTSV4RRFFQ69G5FAV"

static void every_kind_of_value_has_its_flag(void **state)
{
        struct ticket_set set;

        (void)state;
        assert_int_equal(read_set(&set, 11, TICKET, "A subject", "--state=pending", "--add-tags", "vpn", "--add_tags", "mail", "--assignee",
                                  "none", "--made-at=17"), 0);
        assert_true(set.has_subject && str_is(set.subject, "A subject"));
        assert_int_equal(set.state, TICKET_STATE_PENDING);
        assert_int_equal(set.add_tags.n, 2);
        assert_true(str_is(set.add_tags.items[1], "mail"));
        assert_int_equal(set.has_assignee, SCHEMA_NULL);
        assert_int_equal(set.made_at, 17);
        assert_int_equal(read_set(&set, 4, TICKET, "--", "--odd subject"), 0);
        assert_true(str_is(set.subject, "--odd subject"));
}

static void what_is_wrong_is_said_with_the_flags_name(void **state)
{
        struct ticket_set set;

        (void)state;
        assert_int_equal(read_set(&set, 0), -EINVAL);
        assert_string_equal(error.text, "--ticket is missing");
        assert_int_equal(read_set(&set, 4, TICKET, "--stat", "open"), -EINVAL);
        assert_string_equal(error.text, "there is no --stat; --help has what there is");
        assert_int_equal(read_set(&set, 3, TICKET, "--state"), -EINVAL);
        assert_string_equal(error.text, "--state needs a value");
        assert_int_equal(read_set(&set, 4, TICKET, "--state", "gone"), -EINVAL);
        assert_non_null(strstr(error.text, "--state is \"gone\"; must be one of new, open"));
        assert_int_equal(read_set(&set, 4, TICKET, "--made-at", "soon"), -EINVAL);
        assert_string_equal(error.text, "--made_at must be a time, in ms since 1970");
        assert_int_equal(read_set(&set, 4, TICKET, "one", "two"), -EINVAL);
        assert_string_equal(error.text, "\"two\" is one argument too many");
        assert_int_equal(read_set(&set, 4, TICKET, "--state=open", "--state=open"), -EINVAL);
        assert_string_equal(error.text, "--state is given twice");
        arena_deinit(&arena);
}

static void a_command_is_known_by_all_its_words(void **state)
{
        char *argv[] = { (char[]){ "ticket" }, (char[]){ "new" }, (char[]){ "x" } };

        (void)state;
        assert_int_equal(flags_words("ticket new", 3, argv), 2);
        assert_int_equal(flags_words("ticket", 3, argv), 1);
        assert_int_equal(flags_words("ticket list", 3, argv), 0);
        assert_int_equal(flags_words("ticket new", 1, argv), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_kind_of_value_has_its_flag),
                cmocka_unit_test(what_is_wrong_is_said_with_the_flags_name),
                cmocka_unit_test(a_command_is_known_by_all_its_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

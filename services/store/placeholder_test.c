#include "placeholder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const struct str values[PLACEHOLDERS] = { { "42", 2 }, { "{agent.name}", 12 }, { "Zoë", 4 }, { "Agnes", 5 }, { "Desk", 4 } };

static void what_is_named_is_filled_in_once(void **state)
{
        static const char *const cases[][2] = {
                { "#{ticket.number} for {requester.name}", "#42 for Zoë" },
                { "{ticket.subject}", "{agent.name}" }, /* what people wrote is no placeholder */
                { "{{ticket.number}} and {{{agent.name}", "{ticket.number}} and {Agnes" },
                { "{ not one } {} { {a-b} {", "{ not one } {} { {a-b} {" },
                { "{agent.name}{project.name}", "AgnesDesk" },
                { "", "" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct placeholder_fault fault;
                struct buf out = { 0 };

                assert_int_equal(placeholder_check(str_of(cases[i][0]), &fault), 0);
                placeholder_fill(str_of(cases[i][0]), values, &out);
                assert_string_equal(buf_z(&out), cases[i][1]);
                buf_deinit(&out);
        }
}

static void an_unknown_one_is_told_by_name_and_column(void **state)
{
        static const struct {
                const char *text;
                size_t column;
                const char *name;
        } cases[] = { { "{agent}", 1, "{agent}" }, { "é {ticket.numbr}", 3, "{ticket.numbr}" }, { "{{x} {y}", 6, "{y}" } };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct placeholder_fault fault;

                assert_int_not_equal(placeholder_check(str_of(cases[i].text), &fault), 0);
                assert_int_equal(fault.column, cases[i].column);
                assert_non_null(strstr(fault.reason, cases[i].name));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_named_is_filled_in_once),
                cmocka_unit_test(an_unknown_one_is_told_by_name_and_column),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

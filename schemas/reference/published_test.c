#include "published.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const char before[] =
        "method ticket.create role=customer via=rpc mutates\n"
        "  param op_id ulid optional\n"
        "  param subject string range=1..200\n"
        "  param limit uint range=1..100 default=20\n"
        "  result op_id ulid\n"
        "  result number uint range=1..999\n"
        "  error NotFound\n"
        "method ticket.old role=agent via=rpc deprecated\n"
        "event comment.added audience=ticket\n"
        "  field comment Comment\n"
        "op comment.add audience=ticket\n"
        "  field body markdown range=0..65536 personal\n"
        "type Comment in out\n"
        "  field body string range=1..100\n"
        "enum State\n"
        "  value open\n"
        "  value closed\n"
        "error NotFound 32003\n";

/* What is said when `from` becomes `to` in it; "" for nothing. In a buffer of the test's own. */
static const char *said(struct buf *out, const char *from, const char *to)
{
        const char *at = strstr(before, from);
        struct buf now = { 0 };

        assert_non_null(at);
        buf_clear(out);
        buf_add(&now, before, (size_t)(at - before));
        buf_text(&now, to);
        buf_text(&now, at + strlen(from));
        published_compare(str_of(before), buf_view(&now), out);
        buf_deinit(&now);
        return buf_z(out);
}

static void what_stays_is_no_problem(void **state)
{
        struct buf out = { 0 };

        (void)state;
        assert_string_equal(said(&out, "", ""), "");
        buf_deinit(&out);
}

static void additions_are_no_problem(void **state)
{
        struct buf out = { 0 };

        (void)state;
        assert_string_equal(said(&out, "default=20\n", "default=20\n  param more bool optional\n  param mode Mode default=fast\n"), "");
        assert_string_equal(said(&out, "range=1..999\n", "range=1..999\n  result more bool\n"), "");
        assert_string_equal(said(&out, "  value closed\n", "  value stale\n  value closed\n"), "");
        assert_string_equal(said(&out, "event ", "event a.b audience=all\nevent "), "");
        assert_string_equal(said(&out, "field comment Comment\n", "field comment Comment\n  field at time\n"), "");
        buf_deinit(&out);
}

static void parameters_may_allow_more_and_results_less(void **state)
{
        struct buf out = { 0 };

        (void)state;
        assert_string_equal(said(&out, "range=1..200", "range=0..300 optional"), "");
        assert_string_equal(said(&out, "range=1..999", "range=5..500"), "");
        assert_string_equal(said(&out, "role=customer", "role=stranger"), "");
        assert_non_null(strstr(said(&out, "range=1..200", "range=1..100"), "param 'subject' takes less"));
        assert_non_null(strstr(said(&out, "range=1..999", "range=1..1000"), "result 'number' answers more"));
        assert_non_null(strstr(said(&out, "role=customer", "role=agent"), "a greater role"));
        buf_deinit(&out);
}

static void a_type_used_both_ways_keeps_its_limits(void **state)
{
        struct buf out = { 0 };

        (void)state;
        assert_non_null(strstr(said(&out, "range=1..100\nenum", "range=1..99\nenum"), "type Comment: field 'body' takes less"));
        assert_non_null(strstr(said(&out, "range=1..100\nenum", "range=1..101\nenum"), "type Comment: field 'body' answers more"));
        assert_non_null(strstr(said(&out, "range=1..100\nenum", "range=1..100\n  field new bool\nenum"), "is new"));
        buf_deinit(&out);
}

static void every_breaking_change_is_named(void **state)
{
        static const struct {
                const char *from, *to, *says;
        } cases[] = {
                { "method ticket.create", "method ticket.make", "method ticket.create: is gone" },
                { "via=rpc mutates", "via=session mutates", "another route" },
                { "via=rpc mutates", "via=rpc", "'mutates' has come or gone" },
                { "  param subject string range=1..200\n", "", "param 'subject' is gone" },
                { "  param subject", "  param new bool optional\n  param subject", "param 'subject' has moved" },
                { "string range=1..200", "bytes range=1..200", "param 'subject' has another type" },
                { " default=20", "", "param 'limit' was not needed" },
                { " default=20", " default=21", "param 'limit' had another default" },
                { "default=20\n", "default=20\n  param more bool\n", "param 'more' is new" },
                { "  result op_id ulid\n", "  result op_id ulid optional\n", "result 'op_id' was always there" },
                { "range=1..999\n", "range=1..999 nullable\n", "result 'number' was never null" },
                { "event comment.added audience=ticket", "event comment.added audience=all", "another audience" },
                { " personal", "", "the log holds it" },
                { "  value closed\n", "", "value 'closed' is gone" },
                { "32003", "32004", "error NotFound: has another code" },
                { "error NotFound 32003\n", "", "error NotFound: is gone" },
        };
        struct buf out = { 0 };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                if (!strstr(said(&out, cases[i].from, cases[i].to), cases[i].says))
                        fail_msg("'%s' to '%s' says: %s", cases[i].from, cases[i].to, buf_z(&out));
        buf_deinit(&out);
}

static void what_was_deprecated_may_go(void **state)
{
        struct buf out = { 0 };

        (void)state;
        assert_string_equal(said(&out, "method ticket.old role=agent via=rpc deprecated\n", ""), "");
        buf_deinit(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_stays_is_no_problem),
                cmocka_unit_test(additions_are_no_problem),
                cmocka_unit_test(parameters_may_allow_more_and_results_less),
                cmocka_unit_test(a_type_used_both_ways_keeps_its_limits),
                cmocka_unit_test(every_breaking_change_is_named),
                cmocka_unit_test(what_was_deprecated_may_go),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "range.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void a_content_range_names_a_part_and_the_whole(void **state)
{
        struct range r;

        (void)state;
        assert_int_equal(content_range_parse(STR("bytes 0-0/1"), &r), 0);
        assert_int_equal(r.first, 0);
        assert_int_equal(r.last, 0);
        assert_int_equal(r.total, 1);
        assert_int_equal(content_range_parse(STR("bytes 1048576-2097151/26214400"), &r), 0);
        assert_int_equal(r.first, 1048576);
        assert_int_equal(r.last, 2097151);
        assert_int_equal(r.total, 26214400);
}

static void a_content_range_that_makes_no_sense_is_refused_and_changes_nothing(void **state)
{
        static const char *const wrong[] = {
                "", "bytes", "bytes ", "bytes 0-1", "bytes 0-1/", "bytes 0-1/*", "bytes */5", "bytes 2-1/5", "bytes 0-5/5", "bytes -1/5",
                "bytes 0-/5", "bytes=0-1/5", "octets 0-1/5", "bytes 0-1/5 ", "bytes 0x0-1/5", "bytes 0-1-2/5",
                "bytes 0-99999999999999999999/99999999999999999999",
        };
        struct range r = { 7, 7, 7 };

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(content_range_parse(str_of(wrong[i]), &r), -EINVAL);
        assert_int_equal(r.first, 7);
}

static void check(const char *text, int64_t size, enum range_verdict verdict, int64_t first, int64_t last)
{
        struct range r = { -1, -1, -1 };

        assert_int_equal(range_parse(str_of(text), size, &r), verdict);
        if (verdict != RANGE_PART)
                return;
        assert_int_equal(r.first, first);
        assert_int_equal(r.last, last);
}

static void a_range_is_cut_to_the_file(void **state)
{
        (void)state;
        check("bytes=0-0", 10, RANGE_PART, 0, 0);
        check("bytes=2-", 10, RANGE_PART, 2, 9);
        check("bytes=2-99", 10, RANGE_PART, 2, 9);
        check("bytes=-3", 10, RANGE_PART, 7, 9);
        check("bytes=-30", 10, RANGE_PART, 0, 9);
        check("bytes= 1 - 2 ", 10, RANGE_PART, 1, 2);
}

static void a_range_outside_the_file_is_told_and_one_that_is_not_understood_is_ignored(void **state)
{
        (void)state;
        check("bytes=10-", 10, RANGE_OUTSIDE, 0, 0);
        check("bytes=-0", 10, RANGE_OUTSIDE, 0, 0);
        check("bytes=0-", 0, RANGE_OUTSIDE, 0, 0);
        check("bytes=-1", 0, RANGE_OUTSIDE, 0, 0);
        check("", 10, RANGE_WHOLE, 0, 0);
        check("bytes=0-1,3-4", 10, RANGE_WHOLE, 0, 0);
        check("bytes=3-1", 10, RANGE_WHOLE, 0, 0);
        check("bytes=x-", 10, RANGE_WHOLE, 0, 0);
        check("bytes=-", 10, RANGE_WHOLE, 0, 0);
        check("lines=1-2", 10, RANGE_WHOLE, 0, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_content_range_names_a_part_and_the_whole),
                cmocka_unit_test(a_content_range_that_makes_no_sense_is_refused_and_changes_nothing),
                cmocka_unit_test(a_range_is_cut_to_the_file),
                cmocka_unit_test(a_range_outside_the_file_is_told_and_one_that_is_not_understood_is_ignored),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

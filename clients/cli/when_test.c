#include "when.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* Wednesday 2026-11-25 10:30:20 in Berlin, which is an hour ahead of UTC then. */
static const int64_t now = 1795599020000;

static void reads(const char *text, enum when_side side, const char *expected)
{
        int64_t at = -1;
        char shown[32];
        time_t seconds;
        struct tm tm;

        assert_int_equal(when_parse(str_of(text), now, side, &at), 0);
        seconds = (time_t)(at / 1000);
        localtime_r(&seconds, &tm);
        strftime(shown, sizeof(shown), "%a %Y-%m-%d %H:%M:%S", &tm);
        assert_string_equal(shown, expected);
}

static void what_is_to_come(void **state)
{
        (void)state;
        reads("30m", WHEN_TO_COME, "Wed 2026-11-25 11:00:20");
        reads("1d12h", WHEN_TO_COME, "Thu 2026-11-26 22:30:20");
        reads("2w", WHEN_TO_COME, "Wed 2026-12-09 10:30:20");
        reads("tomorrow 9:00", WHEN_TO_COME, "Thu 2026-11-26 09:00:00");
        reads(" Tomorrow ", WHEN_TO_COME, "Thu 2026-11-26 09:00:00");
        reads("monday", WHEN_TO_COME, "Mon 2026-11-30 09:00:00");
        reads("wed", WHEN_TO_COME, "Wed 2026-12-02 09:00:00");
        reads("wednesday 10:31", WHEN_TO_COME, "Wed 2026-11-25 10:31:00");
        reads("14:30", WHEN_TO_COME, "Wed 2026-11-25 14:30:00");
        reads("10:30", WHEN_TO_COME, "Thu 2026-11-26 10:30:00");
        reads("2026-12-24 18:00", WHEN_TO_COME, "Thu 2026-12-24 18:00:00");
        reads("2026-12-24T18:00:01", WHEN_TO_COME, "Thu 2026-12-24 18:00:01");
        reads("2027-07-01", WHEN_TO_COME, "Thu 2027-07-01 09:00:00"); /* in summer time, too */
}

static void what_is_gone(void **state)
{
        (void)state;
        reads("2h", WHEN_GONE, "Wed 2026-11-25 08:30:20");
        reads("yesterday", WHEN_GONE, "Tue 2026-11-24 00:00:00");
        reads("yesterday 23:59", WHEN_GONE, "Tue 2026-11-24 23:59:00");
        reads("monday", WHEN_GONE, "Mon 2026-11-23 00:00:00");
        reads("wednesday", WHEN_GONE, "Wed 2026-11-25 00:00:00");
        reads("11:00", WHEN_GONE, "Tue 2026-11-24 11:00:00");
        reads("2026-11-01", WHEN_GONE, "Sun 2026-11-01 00:00:00");
}

static void what_is_no_time(void **state)
{
        static const char *const wrong[] = { "", "soon", "2", "2x", "d", "0h", "25:00", "9:60", "9", "tomorrow at 9", "2026-13-01", "2026-02-30",
                                             "2026-1", "9:00 tomorrow", "1000000d", "99999999999999h" };
        int64_t at = 7;

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(when_parse(str_of(wrong[i]), now, WHEN_TO_COME, &at), -EINVAL);
        assert_int_equal(at, 7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_to_come),
                cmocka_unit_test(what_is_gone),
                cmocka_unit_test(what_is_no_time),
        };

        setenv("TZ", "Europe/Berlin", 1);
        tzset();
        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "day.h"

#include <time.h>

static bool digits(struct str s, size_t at, size_t n, int *ret)
{
        *ret = 0;
        for (size_t i = at; i < at + n; i++) {
                if (s.p[i] < '0' || s.p[i] > '9')
                        return false;
                *ret = *ret * 10 + (s.p[i] - '0');
        }
        return true;
}

bool day_read(struct str s, int64_t *ret_ms)
{
        struct tm day = { 0 }, back;
        time_t at;
        int year, month;

        if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !digits(s, 0, 4, &year) || !digits(s, 5, 2, &month) ||
            !digits(s, 8, 2, &day.tm_mday) || year < 1970)
                return false;
        day.tm_year = year - 1900;
        day.tm_mon = month - 1;
        back = day;
        at = timegm(&back);
        *ret_ms = (int64_t)at * 1000;
        return back.tm_mday == day.tm_mday && back.tm_mon == day.tm_mon && back.tm_year == day.tm_year;
}

#include "when.h"

#include <errno.h>
#include <strings.h>
#include <time.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, AMOUNT_MAX = 100000 };

static bool is(struct str s, const char *word)
{
        return s.n == str_of(word).n && strncasecmp(s.p, word, s.n) == 0;
}

/* Digits at the beginning, taken off; false where there are none, or too many. */
static bool number_take(struct str *s, size_t digits_max, int *ret)
{
        size_t n = 0;

        *ret = 0;
        while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9' && n < digits_max)
                *ret = *ret * 10 + (s->p[n++] - '0');
        *s = (struct str){ s->p + n, s->n - n };
        return n > 0;
}

static bool char_take(struct str *s, char c)
{
        if (!s->n || *s->p != c)
                return false;
        *s = (struct str){ s->p + 1, s->n - 1 };
        return true;
}

/* "2d", "1d12h" */
static bool duration_read(struct str s, int64_t *ret_ms)
{
        int64_t all = 0;
        int amount;

        while (s.n) {
                if (!number_take(&s, 6, &amount) || amount > AMOUNT_MAX)
                        return false;
                if (char_take(&s, 'm'))
                        all += (int64_t)amount * MINUTE_MS;
                else if (char_take(&s, 'h'))
                        all += (int64_t)amount * HOUR_MS;
                else if (char_take(&s, 'd'))
                        all += (int64_t)amount * 24 * HOUR_MS;
                else if (char_take(&s, 'w'))
                        all += (int64_t)amount * 7 * 24 * HOUR_MS;
                else
                        return false;
        }
        *ret_ms = all;
        return all > 0;
}

/* "9:00", "18:30:05" */
static bool time_read(struct str s, struct tm *tm)
{
        tm->tm_sec = 0;
        if (!number_take(&s, 2, &tm->tm_hour) || tm->tm_hour > 23 || !char_take(&s, ':') || !number_take(&s, 2, &tm->tm_min) || tm->tm_min > 59)
                return false;
        if (char_take(&s, ':') && (!number_take(&s, 2, &tm->tm_sec) || tm->tm_sec > 59))
                return false;
        return s.n == 0;
}

static bool date_read(struct str s, struct tm *tm)
{
        int year, month;
        struct tm noon;

        if (!number_take(&s, 4, &year) || year < 1970 || !char_take(&s, '-') || !number_take(&s, 2, &month) || month < 1 || month > 12 ||
            !char_take(&s, '-') || !number_take(&s, 2, &tm->tm_mday) || tm->tm_mday < 1 || tm->tm_mday > 31)
                return false;
        tm->tm_year = year - 1900;
        tm->tm_mon = month - 1;
        noon = *tm;
        noon.tm_hour = 12;
        noon.tm_isdst = -1;
        return s.n == 0 && mktime(&noon) != -1 && noon.tm_mday == tm->tm_mday; /* there is no 31 February */
}

/* 0..6 from Sunday, or -1. */
static int weekday_of(struct str s)
{
        static const char *const names[] = { "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" };

        for (int i = 0; i < 7; i++)
                if (is(s, names[i]) || (s.n == 3 && strncasecmp(s.p, names[i], 3) == 0))
                        return i;
        return -1;
}

/* The day, where the word is one; *ret_step: what to move by where it is on the wrong side of now. */
static bool day_read(struct str s, enum when_side side, struct tm *tm, int *ret_step)
{
        int weekday = weekday_of(s);

        *ret_step = 0;
        if (is(s, "today"))
                return true;
        if (is(s, "tomorrow")) {
                tm->tm_mday++;
                return true;
        }
        if (is(s, "yesterday")) {
                tm->tm_mday--;
                return true;
        }
        if (weekday < 0)
                return date_read(s, tm);
        tm->tm_mday += side == WHEN_TO_COME ? (weekday - tm->tm_wday + 7) % 7 : -((tm->tm_wday - weekday + 7) % 7);
        *ret_step = 7;
        return true;
}

static int64_t ms_of(const struct tm *tm)
{
        struct tm copy = *tm;

        copy.tm_isdst = -1;
        return (int64_t)mktime(&copy) * 1000;
}

int when_parse(struct str text, int64_t now_ms, enum when_side side, int64_t *ret_ms)
{
        struct str rest = str_trim(text), first = rest;
        time_t seconds = (time_t)(now_ms / 1000);
        int step = 1;
        struct tm tm;
        int64_t at;

        for (size_t i = 0; i < rest.n; i++)
                if (rest.p[i] == ' ' || (rest.p[i] == 'T' && i == 10)) {
                        first = (struct str){ rest.p, i };
                        break;
                }
        rest = str_trim((struct str){ rest.p + first.n + (first.n < rest.n), rest.n - first.n - (first.n < rest.n) });
        if (!rest.n && duration_read(first, &at)) {
                *ret_ms = side == WHEN_TO_COME ? now_ms + at : now_ms - at;
                return 0;
        }
        localtime_r(&seconds, &tm);
        tm.tm_sec = 0;
        if (rest.n || !time_read(first, &tm)) {
                if (!day_read(first, side, &tm, &step))
                        return -EINVAL;
                tm.tm_hour = side == WHEN_TO_COME ? WHEN_MORNING_HOUR : 0;
                tm.tm_min = 0;
                if (rest.n && !time_read(rest, &tm))
                        return -EINVAL;
        }
        at = ms_of(&tm);
        if (step && side == WHEN_TO_COME && at <= now_ms)
                tm.tm_mday += step;
        if (step && side == WHEN_GONE && at > now_ms)
                tm.tm_mday -= step;
        *ret_ms = ms_of(&tm);
        return 0;
}

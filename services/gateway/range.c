#include "range.h"

#include <errno.h>

enum { DIGITS_MAX = 15 };

static int number(struct str text, int64_t *ret)
{
        uint64_t v;

        if (text.n > DIGITS_MAX || str_u64(text, &v))
                return -EINVAL;
        *ret = (int64_t)v;
        return 0;
}

static bool cut_unit(struct str *text, const char *unit)
{
        size_t n = str_of(unit).n;

        if (!str_starts(*text, unit))
                return false;
        *text = (struct str){ text->p + n, text->n - n };
        return true;
}

int content_range_parse(struct str text, struct range *ret)
{
        struct range r;
        struct str range;

        if (!cut_unit(&text, "bytes "))
                return -EINVAL;
        range = str_cut(&text, '/');
        if (number(str_cut(&range, '-'), &r.first) || number(range, &r.last) || number(text, &r.total) || r.first > r.last ||
            r.last >= r.total)
                return -EINVAL;
        *ret = r;
        return 0;
}

enum range_verdict range_parse(struct str text, int64_t size, struct range *ret)
{
        struct range r = { .total = size };
        struct str first, last;

        if (!cut_unit(&text, "bytes="))
                return RANGE_WHOLE;
        last = text;
        first = str_trim(str_cut(&last, '-'));
        last = str_trim(last);
        if (first.n == 0) {     /* the last so many */
                int64_t n;

                if (number(last, &n))
                        return RANGE_WHOLE;
                if (n == 0 || size == 0)
                        return RANGE_OUTSIDE;
                r.first = n < size ? size - n : 0;
                r.last = size - 1;
        } else {
                if (number(first, &r.first) || (last.n > 0 && (number(last, &r.last) || r.last < r.first)))
                        return RANGE_WHOLE;
                if (r.first >= size)
                        return RANGE_OUTSIDE;
                if (last.n == 0 || r.last >= size)
                        r.last = size - 1;
        }
        *ret = r;
        return RANGE_PART;
}

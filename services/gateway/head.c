#include "head.h"

#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS_MAX = 15 };

struct reading {
        struct head head;
        bool host, length, coding, authorization, origin;
        const char *reason;
};

/* By character, from NUL to DEL. */
static const char in_token[128 + 1] = "................................"
                                      ".x.xxxxx..xx.xx.xxxxxxxxxx......"
                                      ".xxxxxxxxxxxxxxxxxxxxxxxxxx...xx"
                                      "xxxxxxxxxxxxxxxxxxxxxxxxxxx.x.x.";

static bool is_token(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] > 0x7f || in_token[(unsigned char)s.p[i]] != 'x')
                        return false;
        return s.n > 0;
}

/* No control characters but tabs. Eight bytes at a time: these are most of a head. */
static bool is_text(struct str s)
{
        const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
        size_t i = 0;

        for (; i + 8 <= s.n; i += 8) {
                uint64_t w, del;

                memcpy(&w, s.p + i, 8);
                del = w ^ 0x7f * ones;
                if (((w - 0x20 * ones) & ~w & highs) || ((del - ones) & ~del & highs))
                        break;          /* something below a space, or DEL: which one is seen below */
        }
        for (; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];

                if ((c < 0x20 && c != '\t') || c == 0x7f)
                        return false;
        }
        return true;
}

static bool is_target(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] <= ' ' || s.p[i] == 0x7f)    /* bytes above ASCII are negative */
                        return false;
        return s.n > 0;
}

static bool is_named(struct str name, const char *lower_case)
{
        return strncasecmp(name.p, lower_case, name.n) == 0;
}

static int refuse(struct reading *r, int status, const char *reason)
{
        r->reason = reason;
        return status;
}

static int once(struct reading *r, bool *seen, const char *reason)
{
        bool again = *seen;

        *seen = true;
        return again ? refuse(r, 400, reason) : 0;
}

static int request_line(struct reading *r, struct str line)
{
        struct str rest = line, method = str_cut(&rest, ' '), target = str_cut(&rest, ' ');

        if (!is_token(method) || !is_target(target))
                return refuse(r, 400, "the request line is broken");
        if (!str_is(rest, "HTTP/1.1") && !str_is(rest, "HTTP/1.0"))
                return refuse(r, 400, "only HTTP/1.1 is spoken here");
        r->head.target = target;
        return 0;
}

static int length_field(struct reading *r, struct str value)
{
        uint64_t n;

        if (value.n > LENGTH_DIGITS_MAX || str_u64(value, &n))
                return refuse(r, 400, "Content-Length must be a number");
        r->head.body = (int64_t)n;
        return once(r, &r->length, "Content-Length must stand once");
}

static int field(struct reading *r, struct str line)
{
        struct str value = line, name = str_cut(&value, ':');

        if (!is_token(name) || name.n == line.n || !is_text(value))
                return refuse(r, 400, "a header field is broken");
        switch (name.n) {
        case 4:
                return is_named(name, "host") ? once(r, &r->host, "Host must stand once") : 0;
        case 6:
                if (is_named(name, "origin"))
                        return once(r, &r->origin, "Origin must stand once");
                value = str_trim(value);
                if (is_named(name, "expect") && (value.n != 12 || !is_named(value, "100-continue")))
                        return refuse(r, 417, "only 100-continue can be expected");
                return 0;
        case 13:
                if (!is_named(name, "authorization"))
                        return 0;
                r->head.authorization = str_trim(value);
                return once(r, &r->authorization, "Authorization must stand once");
        case 14:
                return is_named(name, "content-length") ? length_field(r, str_trim(value)) : 0;
        case 17:
                r->coding |= is_named(name, "transfer-encoding");
                return 0;
        default:
                return 0;
        }
}

static int whole(struct reading *r)
{
        if (r->coding && r->length)
                return refuse(r, 400, "a body has Content-Length or Transfer-Encoding, not both");
        if (r->coding)
                return refuse(r, 411, "bodies need Content-Length: Transfer-Encoding is not taken");
        if (!r->host)
                return refuse(r, 400, "Host is missing");
        return 0;
}

static int lines(struct reading *r, struct str bytes)
{
        const char *p = bytes.p, *end = bytes.p + bytes.n;

        if (bytes.n >= 2 && memcmp(p, "\r\n", 2) == 0)
                p += 2;         /* an empty line before a request is forgiven, as RFC 9112 2.2 wants */
        for (int n = 0;; n++) {
                const char *feed = memchr(p, '\n', (size_t)(end - p));
                struct str line = { p, feed ? (size_t)(feed - p) : 0 };
                int status;

                if (!feed && n == 0 && end > p && *p != '\r' && !is_token((struct str){ p, 1 }))
                        return refuse(r, 400, "this is no HTTP");
                if ((feed ? feed : end) - bytes.p >= HEAD_MAX || n > HEAD_FIELDS_MAX + 1)
                        return refuse(r, 431, "the request's head is too long");
                if (!feed)
                        return HEAD_MORE;
                p = feed + 1;
                if (line.n == 0 || line.p[--line.n] != '\r')
                        return refuse(r, 400, "lines end with CR LF");
                if (n > 0 && line.n == 0)
                        break;
                status = n == 0 ? request_line(r, line) : field(r, line);
                if (status)
                        return status;
        }
        r->head.n = (size_t)(p - bytes.p);
        return whole(r);
}

int head_read(struct str bytes, struct head *ret, const char **ret_reason)
{
        struct reading r = { 0 };
        int status = lines(&r, bytes);

        if (!status)
                *ret = r.head;
        else if (status != HEAD_MORE)
                *ret_reason = r.reason;
        return status;
}

#include "ulid.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct ulid ulid_of(int64_t now_ms, const uint8_t random[10])
{
        struct ulid id;

        for (int i = 0; i < 6; i++)
                id.b[i] = (uint8_t)(now_ms >> (40 - 8 * i));
        memcpy(id.b + 6, random, 10);
        return id;
}

struct ulid ulid_new(int64_t now_ms)
{
        static _Thread_local struct {
                uint8_t random[64][10];         /* one system call for so many */
                unsigned left;
        } dice;

        if (!dice.left) {
                randombytes_buf(dice.random, sizeof(dice.random));
                dice.left = sizeof(dice.random) / sizeof(dice.random[0]);
        }
        return ulid_of(now_ms, dice.random[--dice.left]);
}

int64_t ulid_time_ms(struct ulid id)
{
        int64_t ms = 0;

        for (int i = 0; i < 6; i++)
                ms = ms << 8 | id.b[i];
        return ms;
}

int ulid_cmp(struct ulid a, struct ulid b)
{
        return memcmp(a.b, b.b, sizeof(a.b));
}

bool ulid_eq(struct ulid a, struct ulid b)
{
        return ulid_cmp(a, b) == 0;
}

bool ulid_is_zero(struct ulid id)
{
        return ulid_eq(id, (struct ulid){ { 0 } });
}

void ulid_text(struct ulid id, char ret_text[ULID_TEXT + 1])
{
        char *out = ret_text;

        /* 26 digits of 5 bits hold 130: the first digit has only the top 3. Then 5 bytes are 8 digits. */
        *out++ = crockford[id.b[0] >> 5];
        *out++ = crockford[id.b[0] & 31];
        for (const uint8_t *in = id.b + 1; in < id.b + 16; in += 5) {
                *out++ = crockford[in[0] >> 3];
                *out++ = crockford[(in[0] << 2 | in[1] >> 6) & 31];
                *out++ = crockford[in[1] >> 1 & 31];
                *out++ = crockford[(in[1] << 4 | in[2] >> 4) & 31];
                *out++ = crockford[(in[2] << 1 | in[3] >> 7) & 31];
                *out++ = crockford[in[3] >> 2 & 31];
                *out++ = crockford[(in[3] << 3 | in[4] >> 5) & 31];
                *out++ = crockford[in[4] & 31];
        }
        *out = '\0';
}

static int crockford_value(char c)
{
        const char *at;

        if (c >= 'a' && c <= 'z')
                c = (char)(c - 'a' + 'A');
        at = c ? strchr(crockford, c) : NULL;
        return at ? (int)(at - crockford) : -1;
}

int ulid_parse(struct str text, struct ulid *ret)
{
        struct ulid id;
        unsigned bits = 0, held = 0;
        int n = 0;

        if (text.n != ULID_TEXT || text.p[0] > '7')
                return -EINVAL;
        for (int i = 0; i < ULID_TEXT; i++) {
                int v = crockford_value(text.p[i]);

                if (v < 0)
                        return -EINVAL;
                bits = (bits << 5 | (unsigned)v) & 0xfff;
                held += i ? 5 : 3;
                if (held >= 8) {
                        held -= 8;
                        id.b[n++] = (uint8_t)(bits >> held);
                }
        }
        *ret = id;
        return 0;
}

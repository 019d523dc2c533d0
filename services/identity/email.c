#include "email.h"
#include <errno.h>
#include <string.h>

enum { LOCAL_MAX = 64, DOMAIN_MAX = 253 };

static bool is_alphanumeric(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Parts of alphanumerics and `also`, with single dots between them. */
static bool is_dotted(struct str s, const char *also)
{
        char before = '.';

        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '.' ? before == '.' : !is_alphanumeric(s.p[i]) && !(s.p[i] && strchr(also, s.p[i])))
                        return false;
                before = s.p[i];
        }
        return before != '.';
}

static struct str lower(struct arena *arena, struct str s, size_t from)
{
        struct str copy = arena_str(arena, s);
        char *p = (char *)(uintptr_t)copy.p;

        for (size_t i = from; i < copy.n; i++)
                if (p[i] >= 'A' && p[i] <= 'Z')
                        p[i] = (char)(p[i] - 'A' + 'a');
        return copy;
}

int email_normalize(struct str in, struct arena *arena, struct str *ret_email, struct str *ret_key)
{
        struct str email = str_trim(in), domain = email, local = str_cut(&domain, '@');

        if (local.n == email.n || local.n > LOCAL_MAX || domain.n > DOMAIN_MAX)
                return -EINVAL;
        if (!is_dotted(local, "!#$%&'*+/=?^_`{|}~-") || !is_dotted(domain, "-"))
                return -EINVAL;
        *ret_email = lower(arena, email, local.n + 1);
        *ret_key = lower(arena, email, 0);
        return 0;
}

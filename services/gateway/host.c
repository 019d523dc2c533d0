#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { HTTP_PORT = 80 };

int host_address_parse(struct str text, uint16_t port, union host_address *ret)
{
        union host_address a = { 0 };
        char z[INET6_ADDRSTRLEN];

        if (text.n == 0 || text.n >= sizeof(z) || memchr(text.p, '\0', text.n))
                return -EINVAL;
        memcpy(z, text.p, text.n);
        z[text.n] = '\0';
        if (inet_pton(AF_INET, z, &a.in.sin_addr) == 1) {
                a.in.sin_family = AF_INET;
                a.in.sin_port = htons(port);
        } else if (inet_pton(AF_INET6, z, &a.in6.sin6_addr) == 1) {
                a.in6.sin6_family = AF_INET6;
                a.in6.sin6_port = htons(port);
        } else {
                return -EINVAL;
        }
        *ret = a;
        return 0;
}

bool host_address_eq(const union host_address *a, const union host_address *b)
{
        if (a->any.sa_family != b->any.sa_family)
                return false;
        if (a->any.sa_family == AF_INET)
                return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
        return a->in6.sin6_port == b->in6.sin6_port && memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

void host_address_set_port(union host_address *a, uint16_t port)
{
        if (a->any.sa_family == AF_INET)
                a->in.sin_port = htons(port);
        else
                a->in6.sin6_port = htons(port);
}

socklen_t host_address_size(const union host_address *a)
{
        return a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

void host_address_text(const struct sockaddr *a, char ret_text[INET6_ADDRSTRLEN])
{
        const union host_address *u = (const union host_address *)(const void *)a;

        ret_text[0] = '\0';
        if (a->sa_family == AF_INET)
                inet_ntop(AF_INET, &u->in.sin_addr, ret_text, INET6_ADDRSTRLEN);
        else if (a->sa_family == AF_INET6)
                inet_ntop(AF_INET6, &u->in6.sin6_addr, ret_text, INET6_ADDRSTRLEN);
}

/* "name", "name:port", "[address]:port": the name without brackets. */
static int split(struct str text, struct str *ret_name, bool *ret_has_port, uint16_t *ret_port)
{
        struct str rest = text, name;
        uint64_t port = 0;

        if (text.n > 0 && text.p[0] == '[') {
                rest = (struct str){ text.p + 1, text.n - 1 };
                if (!memchr(rest.p, ']', rest.n))
                        return -EINVAL;
                name = str_cut(&rest, ']');
                if (!memchr(name.p, ':', name.n) || (rest.n > 0 && rest.p[0] != ':'))
                        return -EINVAL;
                *ret_has_port = rest.n > 0;
                rest = *ret_has_port ? (struct str){ rest.p + 1, rest.n - 1 } : rest;
        } else {
                *ret_has_port = text.n > 0 && memchr(text.p, ':', text.n);
                name = str_cut(&rest, ':');
        }
        if (name.n == 0)
                return -EINVAL;
        if (*ret_has_port && (rest.n > 5 || str_u64(rest, &port) || port == 0 || port > UINT16_MAX))
                return -EINVAL;
        *ret_name = name;
        *ret_port = (uint16_t)port;
        return 0;
}

static bool eq_ignoring_case(struct str a, struct str b)
{
        return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

bool host_is_ours(struct str host, const union host_address *own, struct str names)
{
        uint16_t own_port = ntohs(own->any.sa_family == AF_INET ? own->in.sin_port : own->in6.sin6_port);
        union host_address a;
        struct str name;
        bool has_port;
        uint16_t port;

        if (split(host, &name, &has_port, &port))
                return false;
        if (!has_port)
                port = HTTP_PORT;
        if (host_address_parse(name, port, &a) == 0 && (a.any.sa_family == AF_INET6) == (host.p[0] == '['))
                return host_address_eq(&a, own);
        while (names.n > 0) {
                struct str one = str_cut(&names, ' '), ours;
                bool ours_has_port;
                uint16_t ours_port;

                if (split(one, &ours, &ours_has_port, &ours_port))
                        continue;
                if (eq_ignoring_case(name, ours) && port == (ours_has_port ? ours_port : own_port))
                        return true;
        }
        return false;
}

bool origin_is_ours(struct str origin, struct str host)
{
        static const char scheme[] = "http://";
        const size_t n = sizeof(scheme) - 1;

        if (origin.n == 0)
                return true;
        if (origin.n <= n || strncasecmp(origin.p, scheme, n) != 0)
                return false;
        return eq_ignoring_case((struct str){ origin.p + n, origin.n - n }, host);
}

#include "endpoint.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static int parse_unix(struct str path, struct sockaddr_storage *ret_address, socklen_t *ret_n)
{
        struct sockaddr_un *un = (struct sockaddr_un *)ret_address;

        if (path.n < 2 || path.p[0] != '/' || path.n >= sizeof(un->sun_path) || memchr(path.p, '\0', path.n))
                return -EINVAL;
        *ret_address = (struct sockaddr_storage){ .ss_family = AF_UNIX };
        memcpy(un->sun_path, path.p, path.n);
        *ret_n = sizeof(*un);
        return 0;
}

/* The address, without the brackets of IPv6. */
static int parse_host(struct str host, uint16_t port, struct sockaddr_storage *ret_address, socklen_t *ret_n)
{
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
        char z[INET6_ADDRSTRLEN];

        if (host.n >= sizeof(z))
                return -EINVAL;
        memcpy(z, host.p, host.n);
        z[host.n] = '\0';
        if (inet_pton(AF_INET, z, &in.sin_addr) == 1 && ntohl(in.sin_addr.s_addr) >> 24 == 127) {
                memcpy(ret_address, &in, sizeof(in));
                *ret_n = sizeof(in);
                return 0;
        }
        if (inet_pton(AF_INET6, z, &in6.sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr)) {
                memcpy(ret_address, &in6, sizeof(in6));
                *ret_n = sizeof(in6);
                return 0;
        }
        return -EINVAL;
}

int endpoint_parse(struct str text, struct sockaddr_storage *ret_address, socklen_t *ret_n)
{
        struct str host = text;
        uint64_t port;
        size_t colon;

        if (str_starts(text, "unix://"))
                return parse_unix((struct str){ text.p + 7, text.n - 7 }, ret_address, ret_n);
        if (str_starts(text, "tcp://"))
                host = (struct str){ text.p + 6, text.n - 6 };
        colon = host.n;
        while (colon > 0 && host.p[colon - 1] != ':')
                colon--;
        if (colon < 2 || str_u64((struct str){ host.p + colon, host.n - colon }, &port) || port == 0 || port > UINT16_MAX)
                return -EINVAL;
        host.n = colon - 1;
        if ((memchr(host.p, ':', host.n) != NULL) != (host.p[0] == '[' && host.p[host.n - 1] == ']'))
                return -EINVAL;
        if (host.p[0] == '[')
                host = (struct str){ host.p + 1, host.n - 2 };
        return parse_host(host, (uint16_t)port, ret_address, ret_n);
}

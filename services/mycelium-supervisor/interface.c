#include "interface.h"
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct interface_watch {
        struct loop_io *io;
        int fd;
        interface_fn *fn;
        void *data;
};

static bool matches(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
        return memcmp(a->s6_addr, b->s6_addr, bits / 8) == 0;
}

bool interface_find(const struct in6_addr *address, unsigned prefix_bits, char ret_name[IF_NAMESIZE], unsigned *ret_index,
                    struct in6_addr *ret_address)
{
        struct ifaddrs *all;
        unsigned index = 0;

        if (getifaddrs(&all) < 0)
                return false;
        for (const struct ifaddrs *i = all; i && !index; i = i->ifa_next) {
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)i->ifa_addr;

                if (!in6 || in6->sin6_family != AF_INET6 || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK) ||
                    !matches(&in6->sin6_addr, address, prefix_bits))
                        continue;
                index = if_nametoindex(i->ifa_name);
                if (!index)     /* gone meanwhile */
                        continue;
                strncpy(ret_name, i->ifa_name, IF_NAMESIZE - 1);
                ret_name[IF_NAMESIZE - 1] = '\0';
                *ret_index = index;
                *ret_address = in6->sin6_addr;
        }
        freeifaddrs(all);
        return index != 0;
}

/* What exactly changed is looked up anew, so the messages are only emptied out; one that was lost (ENOBUFS) tells as much. */
static void on_change(void *data, uint32_t events)
{
        struct interface_watch *w = data;
        char message[8192];

        (void)events;
        while (recv(w->fd, message, sizeof(message), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR)
                ;
        w->fn(w->data);
}

int interface_watch_new(struct loop *loop, interface_fn *fn, void *data, struct interface_watch **ret)
{
        struct sockaddr_nl groups = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV6_IFADDR };
        struct interface_watch *w = calloc(1, sizeof(*w));

        if (!w)
                return -ENOMEM;
        *w = (struct interface_watch){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), .fn = fn, .data = data };
        if (w->fd >= 0 && bind(w->fd, (const struct sockaddr *)&groups, sizeof(groups)) == 0)
                w->io = loop_io_new(loop, w->fd, EPOLLIN, on_change, w);
        if (!w->io) {
                int r = -errno;

                interface_watch_free(w);
                return r;
        }
        *ret = w;
        return 0;
}

void interface_watch_free(struct interface_watch *w)
{
        if (!w)
                return;
        loop_io_free(w->io);
        if (w->fd >= 0)
                close(w->fd);
        free(w);
}

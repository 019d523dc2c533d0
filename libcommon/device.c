#include "device.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
        [OVERLAY_LOOPBACK] = "loopback",
        [OVERLAY_MYCELIUM] = "mycelium",
        [OVERLAY_YGGDRASIL] = "yggdrasil",
};

int overlay_driver_parse(struct str name, enum overlay_driver *ret)
{
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (str_is(name, names[i])) {
                        *ret = (enum overlay_driver)i;
                        return 0;
                }
        }
        return -EINVAL;
}

const char *overlay_driver_name(enum overlay_driver driver)
{
        return names[driver];
}

static int loopback_device(const struct sockaddr *address, char *ret_device)
{
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        char text[INET_ADDRSTRLEN];

        if (address->sa_family != AF_INET || ntohl(in->sin_addr.s_addr) >> 24 != 127)
                return -EADDRNOTAVAIL;
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        snprintf(ret_device, DEVICE_MAX + 1, "loopback:%s", text);
        return 0;
}

int device_of(enum overlay_driver driver, const struct sockaddr *address, char ret_device[DEVICE_MAX + 1])
{
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        char text[INET6_ADDRSTRLEN];
        struct in6_addr a;

        if (driver == OVERLAY_LOOPBACK)
                return loopback_device(address, ret_device);
        if (address->sa_family != AF_INET6)
                return -EADDRNOTAVAIL;
        a = in6->sin6_addr;
        if (driver == OVERLAY_MYCELIUM) {
                if ((a.s6_addr[0] & 0xfe) != 0x04)      /* 400::/7 */
                        return -EADDRNOTAVAIL;
                memset(a.s6_addr + 8, 0, 8);            /* a node owns its whole /64 */
        } else if (a.s6_addr[0] != 0x02) {              /* 200::/8; 300::/8 are networks routed behind a node */
                return -EADDRNOTAVAIL;
        }
        inet_ntop(AF_INET6, &a, text, sizeof(text));
        snprintf(ret_device, DEVICE_MAX + 1, "%s:%s%s", names[driver], text, driver == OVERLAY_MYCELIUM ? "/64" : "");
        return 0;
}

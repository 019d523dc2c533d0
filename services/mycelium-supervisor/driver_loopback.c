/* No overlay at all: each 127.x.y.z is a device. Anyone on the machine may take any of them, so it runs in development alone. */
#include "driver.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct loopback {
        struct supervisor *supervisor;
};

/* Whether the text is an address that this driver knows devices by. */
static bool is_address(struct str text)
{
        struct sockaddr_in in = { .sin_family = AF_INET };
        char device[DEVICE_MAX + 1], z[INET_ADDRSTRLEN];

        if (text.n >= sizeof(z))
                return false;
        memcpy(z, text.p, text.n);
        z[text.n] = 0;
        return strlen(z) == text.n && inet_pton(AF_INET, z, &in.sin_addr) == 1 &&
               device_of(OVERLAY_LOOPBACK, (const struct sockaddr *)&in, device) == 0;
}

static int publish(struct loopback *l, const struct settings *settings)
{
        unsigned index = if_nametoindex("lo");

        if (!is_address(settings->loopback_address)) {
                log_error("overlay.loopback_address is not an address in 127.0.0.0/8");
                return -EINVAL;
        }
        supervisor_publish(l->supervisor, &(struct overlay){
                .driver = STR("loopback"), .state = index ? OVERLAY_STATE_UP : OVERLAY_STATE_DOWN, .ifname = STR("lo"),
                .ifindex = index, .address = settings->loopback_address, .subnet = STR("127.0.0.0/8") });
        return 0;
}

static int start(struct supervisor *supervisor, const struct settings *settings, void **ret_data)
{
        struct loopback *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->supervisor = supervisor;
        *ret_data = l;
        return publish(l, settings);
}

static void reload(void *data, const struct settings *settings)
{
        publish(data, settings);
}

static int pubkey(void *data, struct call *c, struct str address, struct overlay_pubkey_result *ret)
{
        (void)data;
        if (!is_address(address))
                return call_not_found(c);
        ret->pubkey = (struct str){ 0 };
        return 0;
}

static void stop(void *data)
{
        free(data);
}

const struct driver driver_loopback = {
        .which = OVERLAY_LOOPBACK, .start = start, .reload = reload, .pubkey = pubkey, .stop = stop,
};

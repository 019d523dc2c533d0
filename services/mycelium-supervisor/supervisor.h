/* The overlay, watched: the one place that knows which driver runs, and what interface, address and key it has just now. */
#pragma once
#include "driver.h"
#include "libcommon/service.h"

struct supervisor {
        struct service *service;
        struct rpc_server *server;
        struct feed feed;
        const struct driver *driver;
        void *driver_data;

        int64_t head;            /* of what was published; begins at the hour, so that no two runs share a number */
        int64_t changes;         /* published since start */
        struct buf packed;       /* what was published, as msgpack: what overlay points into */
        struct arena arena;
        struct overlay overlay;
        const char *why;         /* what is wrong with it; NULL: nothing */
};

extern const struct service_type supervisor_service;

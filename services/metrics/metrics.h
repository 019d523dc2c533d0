/* What the desk's processes count, for Prometheus: GET http://127.0.0.1:9472/metrics.
 *
 * It asks each service for its figures when it is asked, and knows none of them. One that is away is said to be, and keeps nobody
 * waiting. It may call nothing else (the schemas name it for `stats` alone), holds nothing, and needs no network: systemd hands it its
 * socket, starts it with the first scrape, and it ends when nobody asks any more. Without systemd it listens itself. */
#pragma once
#include "service.h"

enum {
        METRICS_PATIENCE_MS = 1000,                        /* for each service, all at once */
        METRICS_IDLE_US = 5 * 60 * 1000 * 1000,            /* longer than anybody's scrape interval */
};

extern const struct service_type metrics_service;

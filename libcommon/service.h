/* A service's life: settings, log, loop, readiness, watchdog, reload, drain, end. Its main.c is one call.
 *
 * Places, with --root DIR / without:
 *   settings  DIR/etc/assist.conf          /etc/assist/assist.conf
 *   sockets   DIR/run/assist-X/rpc.sock    /run/assist-X/rpc.sock
 *   state     DIR/state/X                  $STATE_DIRECTORY, else /var/lib/assist-X
 *   secrets   DIR/keys/X/NAME              $CREDENTIALS_DIRECTORY/NAME, else /etc/assist/keys/X/NAME     (32 bytes in hexadecimal, one line)
 *
 * SIGTERM and SIGINT: drain, then stop; SIGHUP: re-read the settings. Tells systemd READY, STATUS, RELOADING, STOPPING and
 * WATCHDOG from the loop itself, so a loop that hangs is seen. */
#pragma once
#include "db.h"
#include "past.h"
#include "rpc.h"
#include "settings.h"

struct service {
        const char *name;             /* "store" */
        struct loop *loop;
        const struct clock *clock;
        struct settings settings;
        struct rpc_peers peers;
        const char *root;             /* NULL without --root */
        int64_t started_at;
        /* service.c's own from here */
        struct arena arena;
        const struct service_type *type;
        void *data;
        struct loop_timer *watchdog, *drain;
        struct buf status;            /* the STATUS= line that was made last */
        int64_t watchdog_us, drain_until_us;
        struct past past;
        bool draining;
};

struct service_type {
        const char *name;                            /* "store": its user, socket folder and log are assist-store */
        unsigned peer;                               /* its enum schema_peer: outside development it must run as that user */
        int (*start)(struct service *service, void **ret_data);  /* 0 or -errno, having logged why; then it is ready */
        int (*run)(void *data);                      /* instead of loop_run, until loop_stopped(service->loop); NULL is fine */
        void (*reload)(void *data);                  /* service->settings is new; NULL is fine */
        void (*drain)(void *data);                   /* take nothing new; NULL is fine */
        bool (*drained)(void *data);                 /* nothing is under way; asked until true or 5 s are over; NULL is fine */
        void (*stop)(void *data);                    /* free all; half-built is fine: called whenever start gave data, even if it failed */
        void (*status)(void *data, struct buf *out); /* the STATUS= line: what a person wants to know; NULL is fine */
        void (*sums)(void *data, struct past_sums *ret); /* what its past is made of; NULL: it tells of none */
};

int service_main(const struct service_type *type, int argc, char **argv);

/* Where things lie; in the service's arena. */
const char *service_socket(struct service *service, const char *of);
const char *service_state(struct service *service, const char *file);
int service_secret(struct service *service, const char *name, uint8_t ret_key[32]);        /* 0, or -errno, logged */
int service_secret_text(struct service *service, const char *name, struct arena *arena, struct str *ret);

/* A client of the service `of` ("store", "mycelium-supervisor"), and this service's own server. Failures are logged. */
int service_client(struct service *service, const char *of, unsigned peer, struct rpc_client **ret);
int service_server(struct service *service, const struct rpc_handler *handlers, void *data,
                   bool (*route)(void *data, struct call *c), const uint8_t *caller_key, struct rpc_server **ret);
/* An occasion to end a minute of the past, for those without a server (service_server makes one of each message): may be asked often. */
void service_look(struct service *service);
/* false: there is no past. */
bool service_sums(struct service *service, struct past_sums *ret);
void service_status(struct service *service);   /* say the STATUS= line again */
struct str service_status_text(struct service *service);  /* what it says just now; good until it is made again */

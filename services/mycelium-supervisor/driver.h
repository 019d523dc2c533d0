/* What a kind of overlay has to do to be one. Everything runs on the service's loop.
 *
 * A driver finds its daemon (or has it started), watches it, and publishes what the overlay is whenever that changes: others
 * bind their sockets by it and know their own address from it. */
#pragma once
#include "libcommon/rpc.h"
#include "libcommon/settings.h"
#include "schema/overlay.h"

struct supervisor;

struct driver {
        enum overlay_driver which;
        /* 0 and *ret_data, or -errno, having logged why. Publishes at once or later. The settings live until reload. */
        int (*start)(struct supervisor *supervisor, const struct settings *settings, void **ret_data);
        void (*reload)(void *data, const struct settings *settings);
        /* The public key behind an address, checked against the address: as a handler answers, so it may say CALL_PARKED and
         * answer later. Empty where this overlay's addresses have no key; NotFound where it is not an address of this overlay. */
        int (*pubkey)(void *data, struct call *c, struct str address, struct overlay_pubkey_result *ret);
        void (*stop)(void *data);   /* what it parked is answered before */
};

extern const struct driver driver_mycelium, driver_yggdrasil, driver_loopback;

/* Says what the overlay is now; it is copied. Followers hear of it where it is not what was said before. */
void supervisor_publish(struct supervisor *supervisor, const struct overlay *overlay);
/* What is wrong, for the log and the status line: a constant text; NULL where all is well. */
void supervisor_explain(struct supervisor *supervisor, const char *why);
struct loop *supervisor_loop(struct supervisor *supervisor);

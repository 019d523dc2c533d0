/* The public keys behind devices: a device of mycelium is its /64 and the key whose hash that is, so what was bound under one key counts for
 * that key alone. Asking the supervisor is the one question that a service asks another to answer: which devices will come can't be followed
 * beforehand. So it is asked by a session's proof and by enrolment only, once for all who wait for the same device, and kept for
 * KEYS_LIFE_MS; nobody else waits meanwhile.
 *
 * What the overlay's daemon says may be wrong for a while, because a neighbour can make it so: only a key that hashes to the /64 is taken. */
#pragma once
#include "mycelium.h"
#include "rpc.h"

enum {
        KEYS_LIFE_MS = 10 * 60 * 1000,
        KEYS_MAX = 4096,        /* devices that are remembered */
        KEYS_WAITING_MAX = 32,  /* calls that wait; more are told to come back */
        KEYS_ASK_MS = 3000,
        KEYS_RETRY_MS = 2000,   /* how long a device without a known route is told to wait, and is not asked about again */
};

struct keys_entry;
struct keys {
        struct loop *loop;
        struct rpc_client *supervisor;
        struct keys_entry *entries;     /* by /64 */
        size_t n_waiting;
        bool draining;
};

void keys_init(struct keys *keys, struct loop *loop, struct rpc_client *supervisor);
void keys_drain(struct keys *keys);     /* answers those who wait, and lets nobody wait */
void keys_deinit(struct keys *keys);    /* before its client is freed; zeroed is fine */

/* For a handler that has changed nothing yet: 0 and the device's key, empty where its driver has none; CALL_PARKED, when the call runs
 * again once the key is known; FAULT_UNAVAILABLE, filled, while there is no route to it. */
int keys_find(struct keys *keys, struct call *c, struct str device, struct str *ret_key);

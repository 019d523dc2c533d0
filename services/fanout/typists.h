/* How often a user may be shown as typing: a bucket each, as in GCRA (ITU-T I.371), kept only while it is not full. */
#pragma once
#include "ulid.h"
#include <uthash.h>

enum { TYPING_PER_MINUTE = 60 };

struct typist {
        struct ulid user;            /* the key */
        int64_t full_us;             /* when the bucket is full again */
        UT_hash_handle hh;
};

struct typists {
        struct typist *by_user;      /* in the order of who typed last */
};
void typists_deinit(struct typists *t);
/* Takes one from the user's bucket: 0, or FAULT_RATE_LIMITED with how long to wait. */
int typists_take(struct typists *t, struct ulid user, int64_t now_us, int64_t *ret_retry_after_ms);

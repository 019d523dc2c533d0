/* How much one device and one user may ask for. Each has a bucket per class of method, which holds a minute's worth and fills
 * evenly. The table is bounded: where it is full, the bucket that is nearest to full (which means the least) is forgotten. */
#pragma once
#include "str.h"
#include "ulid.h"

enum limits_class { LIMITS_READ, LIMITS_WRITE, LIMITS_UPLOAD, LIMITS_SESSION, LIMITS_ENROLL, LIMITS_TYPING, LIMITS_SEARCH, LIMITS_CLASSES };

enum { LIMITS_SETS = 2048, LIMITS_WAYS = 8 };

struct limits {
        int64_t device_rate, user_rate;  /* a minute; each class has a share of it */
        uint8_t key[16];                 /* so that nobody can choose what falls into one set */
        struct limits_bucket {
                uint64_t id;
                int64_t full_us;         /* when it will be full again; in the past: as if it was not there */
        } buckets[LIMITS_SETS][LIMITS_WAYS];
};

void limits_init(struct limits *limits, int64_t device_rate, int64_t user_rate);
enum limits_class limits_class_of(const char *rate);  /* of a schema; one that is not known here counts as read */
/* A minute's worth of this class where everything together may be `rate`; at least 1. */
int64_t limits_share(enum limits_class of, int64_t rate);

/* Takes one from the device's bucket and the user's (NULL: a stranger's have none): 0, or FAULT_RATE_LIMITED with how long to wait;
 * then neither was charged. */
int limits_take(struct limits *limits, enum limits_class of, struct str device, const struct ulid *user, int64_t now_us,
                int64_t *ret_retry_after_ms);

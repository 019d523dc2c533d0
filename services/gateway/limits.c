/* The buckets are kept as in GCRA (ITU-T I.371): one number each, the time at which the bucket will be full again. */
#include "limits.h"

#include "fault.h"
#include <sodium.h>
#include <string.h>

enum { MINUTE_US = 60 * 1000 * 1000 };

static const struct {
        const char *rate;
        int percent;
} classes[LIMITS_CLASSES] = {
        [LIMITS_READ] = { "read", 100 },
        [LIMITS_WRITE] = { "write", 50 },
        [LIMITS_UPLOAD] = { "upload", 50 },
        [LIMITS_SESSION] = { "session", 10 },
        [LIMITS_ENROLL] = { "enroll", 2 },
        [LIMITS_TYPING] = { "typing", 100 },
        [LIMITS_SEARCH] = { "search", 20 }, /* the dearest of what is read */
};

void limits_init(struct limits *limits, int64_t device_rate, int64_t user_rate)
{
        memset(limits, 0, sizeof(*limits));
        limits->device_rate = device_rate;
        limits->user_rate = user_rate;
        randombytes_buf(limits->key, sizeof(limits->key));
}

enum limits_class limits_class_of(const char *rate)
{
        for (int i = 0; i < LIMITS_CLASSES; i++)
                if (strcmp(classes[i].rate, rate) == 0)
                        return (enum limits_class)i;
        return LIMITS_READ;
}

int64_t limits_share(enum limits_class of, int64_t rate)
{
        int64_t share = rate * classes[of].percent / 100;

        return share > 0 ? share : 1;
}

static struct limits_bucket *find(struct limits *limits, enum limits_class of, char kind, const void *name, size_t n, int64_t now_us)
{
        uint8_t text[2 + 96], hash[8];
        struct limits_bucket *set, *least;
        uint64_t id;

        text[0] = (uint8_t)kind;
        text[1] = (uint8_t)of;
        if (n > sizeof(text) - 2)
                n = sizeof(text) - 2;
        memcpy(text + 2, name, n);
        crypto_shorthash(hash, text, 2 + n, limits->key);
        memcpy(&id, hash, sizeof(id));
        set = limits->buckets[id % LIMITS_SETS];
        least = set;
        for (int i = 0; i < LIMITS_WAYS; i++) {
                if (set[i].id == id)
                        return &set[i];
                if (set[i].full_us < least->full_us)
                        least = &set[i];
        }
        *least = (struct limits_bucket){ .id = id, .full_us = now_us };
        return least;
}

/* How long until one can be taken; 0: now. */
static int64_t wait_us(struct limits_bucket *b, int64_t share, int64_t now_us)
{
        if (b->full_us < now_us)
                b->full_us = now_us;
        b->full_us = b->full_us < now_us + MINUTE_US ? b->full_us : now_us + MINUTE_US;   /* a smaller rate was set */
        return b->full_us - now_us + MINUTE_US / share <= MINUTE_US ? 0 : b->full_us - now_us + MINUTE_US / share - MINUTE_US;
}

static int refuse(int64_t us, int64_t *ret_retry_after_ms)
{
        *ret_retry_after_ms = (us + 999) / 1000;
        return FAULT_RATE_LIMITED;
}

int limits_take(struct limits *limits, enum limits_class of, struct str device, const struct ulid *user, int64_t now_us,
                int64_t *ret_retry_after_ms)
{
        int64_t device_share = limits_share(of, limits->device_rate), user_share = limits_share(of, limits->user_rate);
        struct limits_bucket *d = find(limits, of, 'd', device.p, device.n, now_us), *u = NULL;
        int64_t wait = wait_us(d, device_share, now_us), user_wait = 0;

        if (wait)
                return refuse(wait, ret_retry_after_ms);
        d->full_us += MINUTE_US / device_share;
        if (!user)
                return 0;
        u = find(limits, of, 'u', user->b, sizeof(user->b), now_us);
        user_wait = wait_us(u, user_share, now_us);
        if (user_wait) {
                d->full_us -= MINUTE_US / device_share;
                return refuse(user_wait, ret_retry_after_ms);
        }
        u->full_us += MINUTE_US / user_share;
        return 0;
}

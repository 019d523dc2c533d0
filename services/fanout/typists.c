#include "typists.h"

#include "fault.h"
#include <stdlib.h>

enum { MINUTE_US = 60 * 1000000, EACH_US = MINUTE_US / TYPING_PER_MINUTE };

/* From the front: whoever typed last a minute ago has a full bucket, so nobody stays for longer. */
static void forget(struct typists *t, int64_t now_us)
{
        while (t->by_user && t->by_user->full_us <= now_us) {
                struct typist *first = t->by_user;

                HASH_DEL(t->by_user, first);
                free(first);
        }
}

int typists_take(struct typists *t, struct ulid user, int64_t now_us, int64_t *ret_retry_after_ms)
{
        struct typist *u;
        int64_t full_us;

        forget(t, now_us);
        HASH_FIND(hh, t->by_user, &user, sizeof(user), u);
        full_us = (u && u->full_us > now_us ? u->full_us : now_us) + EACH_US;
        if (full_us > now_us + MINUTE_US) {
                *ret_retry_after_ms = (full_us - now_us - MINUTE_US + 999) / 1000;
                return FAULT_RATE_LIMITED;
        }
        if (u) {
                HASH_DEL(t->by_user, u);
        } else {
                u = calloc(1, sizeof(*u));
                if (!u)
                        abort();
                u->user = user;
        }
        u->full_us = full_us;
        HASH_ADD(hh, t->by_user, user, sizeof(u->user), u);
        return 0;
}

void typists_deinit(struct typists *t)
{
        struct typist *u, *next;

        HASH_ITER(hh, t->by_user, u, next) {
                HASH_DEL(t->by_user, u);
                free(u);
        }
}

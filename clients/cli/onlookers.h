/* Who else has a ticket open, in words: lines for those who come and go, and one phrase for what they do just now. */
#pragma once
#include "schema/presence.h"

enum { ONLOOKERS_MAX = 100 };
struct onlookers {
        struct viewer items[ONLOOKERS_MAX];
        size_t n;
};

/* A person's name. */
typedef struct str onlookers_name_fn(void *data, struct ulid person);

/* Takes who have it open now, the caller left out. Adds a line for each who came or went ("Carl is looking.") and, with `doing`, for each who
 * began to type or to draft ("Carl is typing…"), where there is no place that shows onlookers_doing. */
void onlookers_take(struct onlookers *o, const struct viewer *people, size_t n, struct ulid me, bool doing, onlookers_name_fn *name, void *data,
                    struct buf *lines);
/* What they do just now is not known any more; that they are there may still be. */
void onlookers_still(struct onlookers *o);
/* "Carl is typing…  Agnes is drafting…", or nothing. */
void onlookers_doing(const struct onlookers *o, onlookers_name_fn *name, void *data, struct buf *out);

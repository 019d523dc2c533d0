#include "schema/supervisor_handlers.h"
#include "supervisor.h"

int supervisor_on_overlay_follow(struct supervisor *s, struct call *c, const struct overlay_follow *in,
                                 struct overlay_follow_result *ret)
{
        ret->head = s->head;
        ret->overlay = s->overlay;
        /* Not `greater`: who followed another run of this process may be ahead of us, and wrong. */
        return in->after != s->head ? 0 : feed_park(&s->feed, c);
}

int supervisor_on_overlay_pubkey(struct supervisor *s, struct call *c, const struct overlay_pubkey *in,
                                 struct overlay_pubkey_result *ret)
{
        return s->driver->pubkey(s->driver_data, c, in->address, ret);
}

#include "schema/supervisor_handlers.h"
#include "stats.h"
#include "supervisor.h"

static struct process_stats *tell(struct supervisor *s, struct arena *arena)
{
        const char *driver = overlay_driver_name(s->driver->which);
        struct stats stats;
        struct process_stats *told = stats_begin(&stats, arena, s->service);
        struct figure *state;

        stats_server(&stats, s->server);
        state = stats_figure(&stats, FIGURE_KIND_GAUGE, "overlay_state", "1 for the state that the overlay is in.",
                             (size_t)schema_enum_overlay_state.n);
        for (int i = 0; i < schema_enum_overlay_state.n; i++)
                stats_sample(&stats, state, i == s->overlay.state, "driver", driver, "state", schema_enum_overlay_state.values[i], NULL);
        stats_counter(&stats, "overlay_changes_total", "How often the state, the interface or the address changed.", s->changes);
        return told;
}

int supervisor_on_overlay_follow(struct supervisor *s, struct call *c, const struct overlay_follow *in,
                                 struct overlay_follow_result *ret)
{
        ret->head = s->head;
        ret->overlay = s->overlay;
        /* Not `greater`: who followed another run of this process may be ahead of us, and wrong. */
        if (in->after == s->head && feed_park(&s->feed, c))
                return CALL_PARKED;
        if (in->tell)
                ret->stats = tell(s, &c->arena);
        return 0;
}

int supervisor_on_overlay_pubkey(struct supervisor *s, struct call *c, const struct overlay_pubkey *in,
                                 struct overlay_pubkey_result *ret)
{
        return s->driver->pubkey(s->driver_data, c, in->address, ret);
}

int supervisor_on_supervisor_stats(struct supervisor *s, struct call *c, const struct supervisor_stats *in,
                                   struct supervisor_stats_result *ret)
{
        (void)in;
        ret->value.processes.items = tell(s, &c->arena);
        ret->value.processes.n = 1;
        return 0;
}

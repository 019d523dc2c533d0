#include "schema/supervisor_handlers.h"
#include "stats.h"
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

int supervisor_on_supervisor_stats(struct supervisor *s, struct call *c, const struct supervisor_stats *in,
                                   struct supervisor_stats_result *ret)
{
        const char *driver = overlay_driver_name(s->driver->which);
        struct figure *state;
        struct stats stats;

        (void)in;
        ret->value.processes.items = stats_begin(&stats, &c->arena, s->service);
        ret->value.processes.n = 1;
        stats_server(&stats, s->server);
        state = stats_figure(&stats, FIGURE_KIND_GAUGE, "overlay_state", "1 for the state that the overlay is in.",
                             (size_t)schema_enum_overlay_state.n);
        for (int i = 0; i < schema_enum_overlay_state.n; i++)
                stats_sample(&stats, state, i == s->overlay.state, "driver", driver, "state", schema_enum_overlay_state.values[i], NULL);
        stats_counter(&stats, "overlay_changes_total", "How often the state, the interface or the address changed.", s->changes);
        return 0;
}

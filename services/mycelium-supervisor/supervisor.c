#include "supervisor.h"
#include "schema/supervisor_handlers.h"
#include "stats.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const struct driver *const drivers[] = { &driver_mycelium, &driver_yggdrasil, &driver_loopback };

struct loop *supervisor_loop(struct supervisor *s)
{
        return s->service->loop;
}

void supervisor_publish(struct supervisor *s, const struct overlay *overlay)
{
        struct buf packed = { 0 };
        int r;

        msgpack_write(&schema_type_overlay, overlay, &packed);
        if (str_eq(buf_view(&packed), buf_view(&s->packed))) {
                buf_deinit(&packed);
                return;
        }
        buf_deinit(&s->packed);
        s->packed = packed;
        arena_reset(&s->arena);
        r = msgpack_read(&schema_type_overlay, buf_view(&s->packed), &s->arena, &s->overlay, NULL);
        assert(r == 0);
        s->head++;
        s->changes++;
        log_notice("%.*s is %s, address %.*s on %.*s", STR_ARG(s->overlay.driver),
                   schema_enum_overlay_state.values[s->overlay.state], STR_ARG(s->overlay.address), STR_ARG(s->overlay.ifname));
        feed_wake(&s->feed);
        service_status(s->service);
}

void supervisor_explain(struct supervisor *s, const char *why)
{
        if (why == s->why)
                return;
        s->why = why;
        if (why)
                log_warning("%.*s: %s", STR_ARG(s->overlay.driver), why);
        service_status(s->service);
}

static const struct driver *driver_find(int which)
{
        for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
                if (drivers[i]->which == (enum overlay_driver)which)
                        return drivers[i];
        abort(); /* the settings have checked it */
}

static int start(struct service *service, void **ret_data)
{
        struct supervisor *s = calloc(1, sizeof(*s));
        const char *name = overlay_driver_name((enum overlay_driver)service->settings.driver);
        int r;

        if (!s)
                return -ENOMEM;
        *ret_data = s;
        s->service = service;
        s->head = clock_now_ms(service->clock);
        s->driver = driver_find(service->settings.driver);
        r = feed_init(&s->feed, service->loop);
        if (r)
                return r;
        supervisor_publish(s, &(struct overlay){ .driver = str_of(name), .state = OVERLAY_STATE_DOWN });
        r = s->driver->start(s, &service->settings, &s->driver_data);
        if (r)
                return r;
        return service_server(service, supervisor_handlers, s, NULL, NULL, &s->server);
}

static void reload(void *data)
{
        struct supervisor *s = data;

        if ((int)s->driver->which != s->service->settings.driver)
                log_warning("another overlay.driver is used only after a restart");
        s->driver->reload(s->driver_data, &s->service->settings);
}

static void drain(void *data)
{
        struct supervisor *s = data;

        rpc_server_stop(s->server);
        feed_drain(&s->feed);
}

static void stop(void *data)
{
        struct supervisor *s = data;

        if (s->driver_data)
                s->driver->stop(s->driver_data);
        if (s->feed.timer)
                feed_deinit(&s->feed);
        rpc_server_free(s->server);
        arena_deinit(&s->arena);
        buf_deinit(&s->packed);
        free(s);
}

static void status(void *data, struct buf *out)
{
        const struct supervisor *s = data;

        buf_format(out, "%.*s is %s", STR_ARG(s->overlay.driver), schema_enum_overlay_state.values[s->overlay.state]);
        if (s->overlay.ifname.n > 0)
                buf_format(out, ", %.*s on %.*s", STR_ARG(s->overlay.address), STR_ARG(s->overlay.ifname));
        if (s->why)
                buf_format(out, ": %s", s->why);
}

static void sums(void *data, struct past_sums *ret)
{
        stats_sums(ret, ((const struct supervisor *)data)->server);
}

const struct service_type supervisor_service = {
        .name = "mycelium-supervisor", .peer = SCHEMA_PEER_SUPERVISOR, .start = start, .reload = reload, .drain = drain,
        .stop = stop, .status = status, .sums = sums,
};

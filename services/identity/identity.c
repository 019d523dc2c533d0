#include "identity.h"
#include "fault.h"
#include "file.h"
#include "schema/identity_handlers.h"
#include "schema/overlay.h"
#include "stats.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { OVERLAY_BYTES = 64 * 1024 };

int identity_device(const struct identity *d, struct str address, struct arena *arena, struct str *ret_device)
{
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        const struct sockaddr *sa = NULL;
        char device[DEVICE_MAX + 1];
        const char *text = arena_str(arena, address).p;

        if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
                sa = (const struct sockaddr *)&v4;
        else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
                sa = (const struct sockaddr *)&v6;
        if (!sa || device_of(d->driver, sa, device) < 0)
                return FAULT_UNAUTHENTICATED;
        *ret_device = arena_str(arena, str_of(device));
        return 0;
}

struct str identity_link(const struct identity *d, struct arena *arena)
{
        bool v6 = strchr(d->address, ':');

        return arena_format(arena, "http://%s%s%s:%lld/bind#", v6 ? "[" : "", d->address, v6 ? "]" : "", (long long)d->port);
}

static void set_address(struct identity *d, struct str address)
{
        if (address.n >= sizeof(d->address))
                return;
        memcpy(d->address, address.p, address.n);
        d->address[address.n] = '\0';
}

static void on_overlay(void *data, const void *result)
{
        const struct overlay_follow_result *r = result;
        struct identity *d = data;
        enum overlay_driver driver;

        d->overlay_head = r->head;
        heard_take(&d->heard, "mycelium-supervisor", r->stats, clock_steady_us(d->service->clock));
        if (overlay_driver_parse(r->overlay.driver, &driver) < 0 || r->overlay.address.n == 0 ||
            (driver == OVERLAY_LOOPBACK && !d->service->settings.development))
                return;
        d->driver = driver;
        if (str_is(r->overlay.address, d->address))
                return;
        set_address(d, r->overlay.address);
        if (database_set(d->db, STR("address"), r->overlay.address) < 0)
                log_error("can't store the server's address: %s", db_error(d->db));
        service_status(d->service);
}

static void ask_overlay(void *data, void *params)
{
        const struct identity *d = data;

        *(struct overlay_follow *)params = (struct overlay_follow){ .after = d->overlay_head, .max_bytes = OVERLAY_BYTES, .tell = true };
}

/* So that identity can serve while the supervisor is away. */
static int load_address(struct identity *d)
{
        struct buf stored = { 0 };
        int r;

        if (d->driver == OVERLAY_LOOPBACK) { /* not found out but configured */
                set_address(d, d->service->settings.loopback_address);
                return 0;
        }
        r = database_get(d->db, STR("address"), &stored);
        if (r == 0)
                set_address(d, buf_view(&stored));
        buf_deinit(&stored);
        return r == -ENOENT ? 0 : r;
}

static int open_database(struct identity *d)
{
        int r = database_open(service_state(d->service, "identity.db"), &d->db);

        if (r < 0)
                return r; /* db_open said why */
        r = database_key(d->db, d->key);
        if (r == 0)
                r = load_address(d);
        if (r < 0)
                log_error("can't read identity.db: %s", db_error(d->db));
        return r;
}

static int follow_overlay(struct identity *d)
{
        int r = service_client(d->service, "mycelium-supervisor", SCHEMA_PEER_SUPERVISOR, &d->supervisor);

        if (r < 0)
                return r;
        keys_init(&d->keys, d->service->loop, d->supervisor);
        return follower_new(d->service->loop, &(struct follower_options){
                .client = d->supervisor,
                .method = &schema_method_overlay_follow,
                .ask = ask_overlay,
                .take = on_overlay,
                .data = d,
        }, &d->overlay);
}

static void identity_reload(void *data)
{
        struct identity *d = data;

        d->port = d->service->settings.port;
}

static void identity_stop(void *data)
{
        struct identity *d = data;

        follower_free(d->overlay);
        keys_deinit(&d->keys);
        rpc_client_free(d->supervisor);
        callers_deinit(&d->callers);
        feed_deinit(&d->changes);
        feed_deinit(&d->outbox);
        feed_deinit(&d->people);
        heard_deinit(&d->heard);
        rpc_server_free(d->server);
        db_close(d->db);
        sodium_memzero(d, sizeof(*d));
        free(d);
}

static int identity_start(struct service *service, void **ret_data)
{
        struct identity *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return -ENOMEM;
        *ret_data = d;
        d->service = service;
        d->clock = service->clock;
        d->driver = (enum overlay_driver)service->settings.driver;
        callers_init(&d->callers, service->loop);
        identity_reload(d);
        d->backup = service_state(service, "backup");
        file_remove(d->backup); /* of a run before: nobody comes for it any more */
        r = open_database(d);
        if (r == 0)
                r = service_secret(service, "caller", d->caller_key);
        if (r == 0)
                r = service_secret(service, "project", d->project);
        if (r == 0)
                r = feed_init(&d->people, service->loop);
        if (r == 0)
                r = feed_init(&d->outbox, service->loop);
        if (r == 0)
                r = feed_init(&d->changes, service->loop);
        if (r == 0)
                r = follow_overlay(d);
        if (r == 0)
                r = service_server(service, identity_handlers, d, NULL, d->caller_key, &d->server);
        return r;
}

static void identity_drain(void *data)
{
        struct identity *d = data;

        rpc_server_stop(d->server);
        callers_drain(&d->callers);
        keys_drain(&d->keys);
        feed_drain(&d->changes);
        feed_drain(&d->outbox);
        feed_drain(&d->people);
}

static bool identity_drained(void *data)
{
        struct identity *d = data;

        return rpc_server_busy(d->server) == 0;
}

static void identity_status(void *data, struct buf *out)
{
        struct identity *d = data;
        int64_t users = 0, waiting = 0;

        if (db_int(d->db, &users, "SELECT count(*) FROM user", "") == 0 &&
            db_int(d->db, &waiting, "SELECT count(*) FROM outbox WHERE outcome IS NULL", "") == 0)
                buf_format(out, "%lld users, %lld mails waiting%s", (long long)users, (long long)waiting,
                           d->address[0] ? "" : ", the overlay's address is not known yet");
}

static void identity_sums(void *data, struct past_sums *ret)
{
        const struct identity *d = data;
        int64_t waiting;

        stats_sums(ret, d->server);
        ret->waits = "outbox_waiting";
        if (!db_int(d->db, &waiting, "SELECT count(*) FROM outbox WHERE outcome IS NULL", ""))
                ret->waiting = (uint64_t)waiting;
}

const struct service_type identity_service = {
        .name = "identity",
        .peer = SCHEMA_PEER_IDENTITY,
        .start = identity_start,
        .reload = identity_reload,
        .drain = identity_drain,
        .drained = identity_drained,
        .stop = identity_stop,
        .status = identity_status,
        .sums = identity_sums,
};

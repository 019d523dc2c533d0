/* yggdrasil: its daemon, which others start, asked at its admin socket. It checks the source of every packet against the sender's key, so
 * a device is a whole address in 200::/8, and nobody needs to know its key. */
#include "admin.h"
#include "node.h"
#include "supervisor.h"
#include "yggdrasil_reply.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct yggdrasil {
        struct supervisor *supervisor;
        const struct settings *settings;
        struct node node;
        struct admin *asking;
        struct loop_timer *settle;
        struct arena arena;
        struct node_info info;          /* of the probe under way */
};

static void ask(struct yggdrasil *y, const char *question, admin_done_fn *done)
{
        if (admin_ask(supervisor_loop(y->supervisor), y->settings->overlay_admin, question, done, y, &y->asking))
                node_silent(&y->node, false, NULL);
}

static void on_peers(void *data, int error, struct str reply)
{
        struct yggdrasil *y = data;
        size_t n = 0;

        y->asking = NULL;
        if (!error)
                (void)yggdrasil_read_peers(reply, &y->arena, &n);
        y->info.connected = n > 0;
        node_answered(&y->node, &y->info);
}

static void on_self(void *data, int error, struct str reply)
{
        struct yggdrasil *y = data;
        struct yggdrasil_self self;

        y->asking = NULL;
        if (error || yggdrasil_read_self(reply, &y->arena, &self)) {
                node_silent(&y->node, error == -ECONNREFUSED,
                            error == -EACCES ? "the admin socket may not be opened" :
                            error ? NULL : "what answers at the admin socket is not a yggdrasil daemon");
                return;
        }
        y->info = (struct node_info){ .subnet = self.subnet, .has_address = true, .address = self.address, .has_key = true };
        memcpy(y->info.key, self.key, sizeof(y->info.key));
        ask(y, "{\"request\":\"getpeers\",\"arguments\":{}}", on_peers);
}

static void ask_self(void *data)
{
        ask(data, "{\"request\":\"getself\",\"arguments\":{}}", on_self);
}

static void on_reached(void *data, int error, struct str reply)
{
        struct yggdrasil *y = data;

        y->asking = NULL;
        if (error)
                on_self(y, error, reply);
        else
                loop_timer_set(y->settle, NODE_SETTLE_MS * 1000);
}

static void probe(void *data)
{
        struct yggdrasil *y = data;

        arena_reset(&y->arena);
        /* One that is starting listens before it may be asked: 0.4.7 then reads and writes a map at once, and ends. */
        if (y->node.ifindex)
                ask_self(y);
        else
                ask(y, NULL, on_reached);
}

static int pubkey(void *data, struct call *c, struct str address, struct overlay_pubkey_result *ret)
{
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
        char device[DEVICE_MAX + 1];

        (void)data;
        if (inet_pton(AF_INET6, arena_str(&c->arena, address).p, &in6.sin6_addr) != 1 ||
            device_of(OVERLAY_YGGDRASIL, (const struct sockaddr *)&in6, device))
                return call_not_found(c);
        ret->pubkey = (struct str){ 0 };
        return 0;
}

static const struct node_kind kind = { OVERLAY_YGGDRASIL, probe, NULL, NULL };

static int start(struct supervisor *supervisor, const struct settings *settings, void **ret_data)
{
        struct yggdrasil *y = calloc(1, sizeof(*y));

        if (!y)
                return -ENOMEM;
        *ret_data = y;
        y->supervisor = supervisor;
        y->settings = settings;
        y->settle = loop_timer_new(supervisor_loop(supervisor), ask_self, y);
        return node_init(&y->node, supervisor, &kind, y, service_state(supervisor->service, "yggdrasil.pubkey"));
}

static void reload(void *data, const struct settings *settings)
{
        struct yggdrasil *y = data;

        y->settings = settings;
        node_probe_soon(&y->node, 0);
}

static void stop(void *data)
{
        struct yggdrasil *y = data;

        admin_cancel(y->asking);
        loop_timer_free(y->settle);
        node_deinit(&y->node);
        arena_deinit(&y->arena);
        free(y);
}

const struct driver driver_yggdrasil = {
        .which = OVERLAY_YGGDRASIL, .start = start, .reload = reload, .pubkey = pubkey, .stop = stop,
};

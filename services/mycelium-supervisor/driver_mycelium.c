/* mycelium: its daemon asked by JSON-RPC, else by REST; started where none runs. A device is a /64, and the key whose hash that is. */
#include "http.h"
#include "launcher.h"
#include "log_messages.h"
#include "mycelium_reply.h"
#include "node.h"
#include "supervisor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_ROUTE_RETRY_MS = 2000, BUSY_RETRY_MS = 500, LOOKUPS_MAX = HTTP_PARALLEL - 4, ARGUMENTS_MAX = 64, STATUS_NOT_FOUND = 404, STATUS_OK = 200 };

/* An address whose key was asked for. In its call's arena. */
struct lookup {
        struct mycelium *mycelium;
        struct call *call;
        enum mycelium_api api;
        struct in6_addr address;
        struct lookup *next;
};

struct mycelium {
        struct supervisor *supervisor;
        const struct settings *settings;
        struct node node;
        struct http *http;
        struct launcher *launcher;
        const char *key_path;
        enum mycelium_api api;          /* by which it answered last */
        const char *not_started;        /* why no daemon could be, the last time; NULL: it could */
        struct lookup *lookups;
        size_t n_lookups;

        /* of the probe under way */
        struct arena arena;
        enum mycelium_api asked;
        bool nobody;                    /* no port had a listener */
        const char *why;                /* what was wrong with an answer */
        struct node_info info;
};

/* ---- asking ---- */

static int ask(struct mycelium *m, enum mycelium_api api, const char *method, const char *argument, const char *path, http_done_fn *done, void *data)
{
        struct arena arena = { 0 };
        const char *url, *body = NULL;
        int r;

        if (api == MYCELIUM_JSONRPC) {
                url = arena_format(&arena, "http://%.*s/", STR_ARG(m->settings->overlay_jsonrpc)).p;
                body = arena_format(&arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[%s%s%s]}", method,
                                    argument ? "\"" : "", argument ? argument : "", argument ? "\"" : "").p;
        } else {
                url = arena_format(&arena, "http://%.*s/api/v1/%s%s", STR_ARG(m->settings->overlay_rest), path, argument ? argument : "").p;
        }
        r = http_ask(m->http, url, body, done, data);
        arena_deinit(&arena);
        return r;
}

/* ---- probing: getInfo, by REST if not by JSON-RPC, then getPeers ---- */

static void on_peers(void *data, int error, long status, struct str body)
{
        struct mycelium *m = data;
        size_t alive = 0;

        if (!error && status == STATUS_OK)
                (void)mycelium_read_peers(m->asked, body, &m->arena, &alive);
        m->info.connected = alive > 0;
        m->api = m->asked;
        launcher_served(m->launcher);
        node_answered(&m->node, &m->info);
}

static void ask_info(struct mycelium *m, enum mycelium_api api);

/* What the daemon says of itself into m->info; false, with m->why, where that is not what a daemon would say. */
static bool take_info(struct mycelium *m, long status, struct str body)
{
        struct mycelium_info said;

        if (status != STATUS_OK) {
                m->why = "something else than a mycelium daemon answers at its port";
                return false;
        }
        if (mycelium_read_info(m->asked, body, &m->arena, &said, &m->why))
                return false;
        m->info = (struct node_info){ .subnet = said.subnet, .has_address = said.has_address, .address = said.address,
                                      .has_key = said.has_key };
        memcpy(m->info.key, said.key, sizeof(m->info.key));
        return true;
}

static void on_info(void *data, int error, long status, struct str body)
{
        struct mycelium *m = data;

        if (error != -ECONNREFUSED)
                m->nobody = false;
        if (error == -EMSGSIZE || error == -EPROTO)
                m->why = "what answers at the daemon's port does not speak as one";
        if (!error && take_info(m, status, body) && ask(m, m->asked, "getPeers", NULL, "admin/peers", on_peers, m) == 0)
                return;
        if (m->asked == MYCELIUM_JSONRPC && error != -ETIMEDOUT)
                ask_info(m, MYCELIUM_REST);     /* older than 0.6 */
        else
                node_silent(&m->node, m->nobody, m->why);
}

static void ask_info(struct mycelium *m, enum mycelium_api api)
{
        m->asked = api;
        if (ask(m, api, "getInfo", NULL, "admin", on_info, m))
                node_silent(&m->node, false, m->why);
}

static void probe(void *data)
{
        struct mycelium *m = data;

        arena_reset(&m->arena);
        m->nobody = true;
        m->why = NULL;
        ask_info(m, MYCELIUM_JSONRPC);
}

/* ---- starting a daemon ---- */

/* The key before the daemon: without one it would make a new identity, and say nothing. */
static const char *check_key(struct mycelium *m)
{
        uint8_t public[PIN_BYTES];
        int r;

        if (!m->node.has_pin)
                return key_make(m->key_path) ? "the node's key can't be written" : NULL;
        r = key_public(m->key_path, public);
        if (r == -ENOENT)
                return "the node's key file is lost";
        if (r)
                return "the node's key file can't be read, or is not 32 bytes";
        return memcmp(public, m->node.pin, sizeof(public)) ? "the node's key file has another key than the pinned one" : NULL;
}

static int prepare(void *data, char *const **ret_argv)
{
        struct mycelium *m = data;
        const struct settings *s = m->settings;
        struct str rest = s->overlay_peers, peer;
        const char **argv;
        const char *not_started = check_key(m);
        size_t n = 0;

        if (not_started && not_started != m->not_started)
                log_write(LOG_LEVEL_ERROR, LOG_OVERLAY_KEY_LOST, "no daemon is started: %s (%s)", not_started, m->key_path);
        m->not_started = not_started;
        if (not_started)
                return -ENOKEY;
        argv = arena_array(&m->arena, ARGUMENTS_MAX + 1, sizeof(*argv));
        argv[n++] = arena_str(&m->arena, s->overlay_program).p;
        argv[n++] = "-k";
        argv[n++] = m->key_path;
        argv[n++] = "--tun-name";
        argv[n++] = arena_str(&m->arena, s->overlay_tun_name).p;
        argv[n++] = "--api-addr";
        argv[n++] = arena_str(&m->arena, s->overlay_rest).p;
        argv[n++] = "--jsonrpc-addr";
        argv[n++] = arena_str(&m->arena, s->overlay_jsonrpc).p;
        argv[n++] = "--log-format";
        argv[n++] = "plain";
        if (rest.n)
                argv[n++] = "--peers";
        while (rest.n && n < ARGUMENTS_MAX) {
                peer = str_trim(str_cut(&rest, ' '));
                if (peer.n)
                        argv[n++] = arena_str(&m->arena, peer).p;
        }
        *ret_argv = (char *const *)(uintptr_t)argv;
        return 0;
}

static const char *absent(void *data)
{
        struct mycelium *m = data;

        if (!m->settings->overlay_start)
                return NULL;
        launcher_want(m->launcher);
        return m->not_started;
}

static void ended(void *data)
{
        struct mycelium *m = data;

        node_probe_soon(&m->node, 0);
}

/* ---- keys of others ---- */

static void lookup_end(struct lookup *l)
{
        struct lookup **at = &l->mycelium->lookups;

        while (*at != l)
                at = &(*at)->next;
        *at = l->next;
        l->mycelium->n_lookups--;
}

static int lookup_result(struct lookup *l, int error, long status, struct str body)
{
        struct overlay_pubkey_result *ret = l->call->result;
        uint8_t key[MYCELIUM_KEY_BYTES];
        int r;

        if (error || (status != STATUS_OK && status != STATUS_NOT_FOUND))
                return call_unavailable(l->call, NO_ROUTE_RETRY_MS, "the overlay's daemon does not answer");
        r = status == STATUS_NOT_FOUND ? -ENOENT : mycelium_read_key(l->api, body, &l->call->arena, &l->address, key);
        if (r == -EKEYREJECTED)
                log_warning("the overlay's daemon named a key that is not the one of its address: it is asked again");
        if (r)
                return call_unavailable(l->call, NO_ROUTE_RETRY_MS, r == -ENOENT ? "there is no route to this address yet" :
                                                                                    "the overlay's daemon does not know this address' key");
        ret->pubkey = arena_bytes(&l->call->arena, key, sizeof(key));
        return 0;
}

static void on_key(void *data, int error, long status, struct str body)
{
        struct lookup *l = data;

        lookup_end(l);
        call_answer(l->call, lookup_result(l, error, status, body));    /* frees l with its arena */
}

static int pubkey(void *data, struct call *c, struct str address, struct overlay_pubkey_result *ret)
{
        char text[INET6_ADDRSTRLEN], device[DEVICE_MAX + 1];
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
        struct mycelium *m = data;
        struct lookup *l;

        /* Nothing but an address of the overlay ever gets to the daemon: one of IPv4 would end it. */
        if (inet_pton(AF_INET6, arena_str(&c->arena, address).p, &in6.sin6_addr) != 1 ||
            device_of(OVERLAY_MYCELIUM, (const struct sockaddr *)&in6, device))
                return call_not_found(c);
        if (m->node.has_pin && node_is_own(&m->node, &in6.sin6_addr)) {
                ret->pubkey = (struct str){ (const char *)m->node.pin, sizeof(m->node.pin) };
                return 0;
        }
        if (!m->node.answers || m->node.refused)
                return call_unavailable(c, NO_ROUTE_RETRY_MS, "the overlay's daemon does not answer");
        l = ARENA_NEW(&c->arena, struct lookup);
        *l = (struct lookup){ .mycelium = m, .call = c, .api = m->api, .address = in6.sin6_addr, .next = m->lookups };
        inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
        if (m->n_lookups == LOOKUPS_MAX || ask(m, l->api, "getPublicKeyFromIp", text, "pubkey/", on_key, l))
                return call_unavailable(c, BUSY_RETRY_MS, "too many keys are asked for at once");
        m->lookups = l;
        m->n_lookups++;
        return CALL_PARKED;
}

/* ---- life ---- */

static const struct node_kind kind = { OVERLAY_MYCELIUM, probe, absent, mycelium_address };

static void stop(void *data)
{
        struct mycelium *m = data;
        struct lookup *l;

        http_free(m->http);
        while ((l = m->lookups)) {
                m->lookups = l->next;
                call_answer(l->call, call_unavailable(l->call, NO_ROUTE_RETRY_MS, "the service is stopping"));
        }
        node_deinit(&m->node);
        launcher_free(m->launcher);
        arena_deinit(&m->arena);
        free(m);
}

static int start(struct supervisor *supervisor, const struct settings *settings, void **ret_data)
{
        struct mycelium *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        *ret_data = m;
        m->supervisor = supervisor;
        m->settings = settings;
        m->key_path = service_state(supervisor->service, "mycelium.key");
        r = http_new(supervisor_loop(supervisor), &m->http);
        if (r)
                log_error("no HTTP: %s", strerror(-r));
        else
                r = launcher_new(&(struct launcher_options){ .loop = supervisor_loop(supervisor), .unit = "assist-mycelium.service",
                                                             .prepare = prepare, .ended = ended, .data = m }, &m->launcher);
        if (!r)
                r = node_init(&m->node, supervisor, &kind, m, service_state(supervisor->service, "mycelium.pubkey"));
        return r;
}

static void reload(void *data, const struct settings *settings)
{
        struct mycelium *m = data;

        m->settings = settings;
        node_probe_soon(&m->node, 0);
}

const struct driver driver_mycelium = {
        .which = OVERLAY_MYCELIUM, .start = start, .reload = reload, .pubkey = pubkey, .stop = stop,
};

#include "node.h"
#include "log_messages.h"
#include "supervisor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SUBNET_BYTES = 8, SUBNET_BITS = 64, ADDRESS_BITS = 128 };

/* ---- what is published ---- */

/* The node's address, as far as it is known: from the daemon, else from the pinned key. */
static bool address_of(const struct node *n, struct in6_addr *ret)
{
        if (n->known && n->info.has_address) {
                *ret = n->info.address;
                return true;
        }
        if (!n->has_pin || !n->kind->address_of)
                return false;
        n->kind->address_of(n->pin, ret);
        return true;
}

static void find_interface(struct node *n)
{
        struct in6_addr address;
        bool found = false;

        if (address_of(n, &address))
                found = interface_find(&address, ADDRESS_BITS, n->ifname, &n->ifindex, &address);
        else if (n->known)      /* a daemon that tells its network alone: its interface tells the rest */
                found = n->info.has_address = interface_find(&n->info.subnet, SUBNET_BITS, n->ifname, &n->ifindex, &n->info.address);
        if (!found) {
                n->ifname[0] = '\0';
                n->ifindex = 0;
        }
}

static enum overlay_state state_of(const struct node *n)
{
        if (!n->answers || n->refused || !n->ifindex)
                return OVERLAY_STATE_DOWN;
        return n->info.connected ? OVERLAY_STATE_UP : OVERLAY_STATE_STARTING;
}

static void publish(struct node *n)
{
        char text[INET6_ADDRSTRLEN], subnet[INET6_ADDRSTRLEN + 4];
        struct overlay overlay = { .driver = str_of(overlay_driver_name(n->kind->which)) };
        struct in6_addr address;

        find_interface(n);
        overlay.state = state_of(n);
        /* where another node than ours runs, its interface is not ours */
        if (n->ifindex && !n->refused) {
                overlay.ifname = str_of(n->ifname);
                overlay.ifindex = n->ifindex;
        }
        if (address_of(n, &address)) {
                overlay.address = str_of(inet_ntop(AF_INET6, &address, text, sizeof(text)));
                if (n->known)
                        address = n->info.subnet;
                memset(address.s6_addr + SUBNET_BYTES, 0, SUBNET_BYTES);
                inet_ntop(AF_INET6, &address, subnet, INET6_ADDRSTRLEN);
                strcat(subnet, "/64");
                overlay.subnet = str_of(subnet);
        }
        if (n->has_pin)
                overlay.pubkey = (struct str){ (const char *)n->pin, sizeof(n->pin) };
        supervisor_publish(n->supervisor, &overlay);
        if (n->answers && !n->refused)
                supervisor_explain(n->supervisor, n->ifindex ? NULL : "the daemon runs, but no interface has its address");
}

/* ---- the pinned key ---- */

/* Whether this may be our node. Pins the first key that is seen. */
static bool is_ours(struct node *n, const struct node_info *info)
{
        struct in6_addr pinned;

        if (!n->has_pin && info->has_key) {
                int r = pin_store(n->pin_path, info->key);

                if (r) {        /* pinned for this run at least */
                        log_error("the node's public key can't be written to %s: %s", n->pin_path, strerror(-r));
                } else {
                        log_notice("the node's public key is pinned in %s", n->pin_path);
                }
                memcpy(n->pin, info->key, sizeof(n->pin));
                n->has_pin = true;
                return true;
        }
        if (!n->has_pin)
                return true;
        if (info->has_key)
                return memcmp(info->key, n->pin, sizeof(n->pin)) == 0;
        if (!n->kind->address_of)
                return false;
        n->kind->address_of(n->pin, &pinned);
        return memcmp(pinned.s6_addr, info->subnet.s6_addr, SUBNET_BYTES) == 0;
}

static void refuse(struct node *n, const struct node_info *info)
{
        char subnet[INET6_ADDRSTRLEN];

        if (!n->refused)
                log_write(LOG_LEVEL_ERROR, LOG_OVERLAY_KEY_REFUSED,
                          "the overlay's daemon has another key than ours (its network is %s/64): refused. Ours is in %s",
                          inet_ntop(AF_INET6, &info->subnet, subnet, sizeof(subnet)), n->pin_path);
        n->refused = true;
        n->known = false;
        supervisor_explain(n->supervisor, "refused: the daemon has another key than the pinned one");
}

/* ---- asking ---- */

static void plan(struct node *n, int64_t ms)
{
        loop_timer_set(n->timer, (n->again ? NODE_SETTLE_MS : ms) * 1000);
        n->again = false;
}

static void on_timer(void *data)
{
        struct node *n = data;

        if (n->probing)
                return;
        n->probing = true;
        n->kind->probe(n->data);
}

void node_probe_soon(struct node *n, int64_t after_ms)
{
        if (n->probing)
                n->again = true;
        else
                loop_timer_set(n->timer, after_ms * 1000);
}

void node_answered(struct node *n, const struct node_info *info)
{
        n->probing = false;
        n->failed = 0;
        n->answers = true;
        if (is_ours(n, info)) {
                bool knew_address = n->known && n->info.has_address;
                struct in6_addr address = n->info.address;

                n->refused = false;
                n->known = true;
                n->info = *info;
                if (!info->has_address && knew_address && memcmp(address.s6_addr, info->subnet.s6_addr, SUBNET_BYTES) == 0) {
                        n->info.has_address = true;     /* as the interface told */
                        n->info.address = address;
                }
        } else {
                refuse(n, info);
        }
        publish(n);
        plan(n, state_of(n) == OVERLAY_STATE_UP ? NODE_HEALTH_MS : NODE_AWAY_MS);
}

void node_silent(struct node *n, bool refused, const char *why)
{
        n->probing = false;
        n->failed++;
        if (n->failed < NODE_TRIES) {
                publish(n);     /* the interface may be gone already */
                plan(n, NODE_RETRY_MS);
                return;
        }
        n->answers = n->refused = false;
        publish(n);
        if (!refused && n->ifindex) {
                why = "its interface is there, but the daemon does not answer";
        } else if (n->kind->absent) {
                /* not beside a daemon that only does not answer: it would fail on the interface and the ports */
                const char *not_started = n->kind->absent(n->data);

                why = not_started ? not_started : why;
        }
        supervisor_explain(n->supervisor, why ? why : "no daemon answers");
        plan(n, NODE_AWAY_MS);
}

/* Interfaces or addresses changed. Where that is nothing to us, and all is well, nothing is asked. */
static void on_interfaces(void *data)
{
        struct node *n = data;
        unsigned before = n->ifindex;

        publish(n);
        if (n->ifindex != before || !n->answers || !n->ifindex)
                node_probe_soon(n, NODE_SETTLE_MS);
}

bool node_is_own(const struct node *n, const struct in6_addr *address)
{
        struct in6_addr own;

        return address_of(n, &own) && memcmp(own.s6_addr, address->s6_addr, SUBNET_BYTES) == 0;
}

int node_init(struct node *n, struct supervisor *supervisor, const struct node_kind *kind, void *data, const char *pin_path)
{
        int r;

        *n = (struct node){ .supervisor = supervisor, .kind = kind, .data = data, .pin_path = pin_path };
        r = pin_load(pin_path, &n->has_pin, n->pin);
        if (r) {
                log_error("the node's pinned public key in %s can't be read: %s", pin_path, strerror(-r));
                return r;
        }
        r = interface_watch_new(supervisor_loop(supervisor), on_interfaces, n, &n->watch);
        if (r) {
                log_error("interfaces can't be watched: %s", strerror(-r));
                return r;
        }
        n->timer = loop_timer_new(supervisor_loop(supervisor), on_timer, n);
        publish(n);
        loop_timer_set(n->timer, 0);
        return 0;
}

void node_deinit(struct node *n)
{
        loop_timer_free(n->timer);
        interface_watch_free(n->watch);
}

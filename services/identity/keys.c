#include "keys.h"
#include "schema/overlay.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum state { ASKING, KNOWN, FAILED };

struct keys_entry {
        struct keys *keys;
        struct in6_addr subnet;
        enum state state;
        int64_t at_us;                  /* since when it is known, or failed */
        uint8_t key[MYCELIUM_KEY_BYTES];
        struct call *waiting, **end;    /* in the order in which they came */
        UT_hash_handle hh;
};

static int64_t now_us(const struct keys *keys)
{
        return clock_steady_us(loop_clock(keys->loop));
}

/* "mycelium:5a6:f0c6:f365:177d::/64" */
static bool subnet_of(struct str device, struct in6_addr *ret)
{
        static const struct str prefix = { "mycelium:", 9 };
        char text[DEVICE_MAX + 1];
        size_t n;

        if (!str_starts(device, prefix.p) || device.n > DEVICE_MAX)
                return false;
        n = device.n - prefix.n;
        memcpy(text, device.p + prefix.n, n);
        text[n] = '\0';
        *strchrnul(text, '/') = '\0';
        return inet_pton(AF_INET6, text, ret) == 1;
}

/* ---- what is remembered ---- */

static void entry_free(struct keys_entry *e)
{
        HASH_DEL(e->keys->entries, e);
        free(e);
}

/* Room for one more: the oldest that nobody waits for goes. */
static bool make_room(struct keys *keys)
{
        struct keys_entry *e;

        if (HASH_COUNT(keys->entries) < KEYS_MAX)
                return true;
        for (e = keys->entries; e; e = e->hh.next) {    /* in the order in which they came */
                if (e->state != ASKING) {
                        entry_free(e);
                        return true;
                }
        }
        return false;
}

static struct keys_entry *entry_add(struct keys *keys, const struct in6_addr *subnet)
{
        struct keys_entry *e = make_room(keys) ? calloc(1, sizeof(*e)) : NULL;

        if (!e)
                return NULL;
        e->keys = keys;
        e->subnet = *subnet;
        HASH_ADD(hh, keys->entries, subnet, sizeof(e->subnet), e);
        return e;
}

/* NULL where it has to be asked for. */
static struct keys_entry *entry_find(struct keys *keys, const struct in6_addr *subnet)
{
        struct keys_entry *e;
        int64_t life_us;

        HASH_FIND(hh, keys->entries, subnet, sizeof(*subnet), e);
        if (!e || e->state == ASKING)
                return e;
        life_us = (e->state == KNOWN ? KEYS_LIFE_MS : KEYS_RETRY_MS) * INT64_C(1000);
        if (now_us(keys) - e->at_us < life_us)
                return e;
        entry_free(e);
        return NULL;
}

/* ---- asking ---- */

/* Those who wait run again; each finds what became of its question. */
static void run_waiting(struct keys_entry *e)
{
        struct call *c = e->waiting;

        e->waiting = NULL;
        while (c) {
                struct call *next = c->next;
                int r;

                e->keys->n_waiting--;
                r = call_execute(c);
                if (r != CALL_PARKED)
                        call_answer(c, r);
                c = next;
        }
}

static void on_key(void *data, const struct rpc_reply *reply)
{
        const struct overlay_pubkey_result *result = reply->result;
        struct keys_entry *e = data;

        e->state = FAILED;
        e->at_us = now_us(e->keys);
        if (reply->code == 0 && result->pubkey.n == sizeof(e->key)) {
                memcpy(e->key, result->pubkey.p, sizeof(e->key));
                if (mycelium_owns(e->key, &e->subnet))
                        e->state = KNOWN;
                else
                        log_warning("the supervisor named a key that is not that of its device");
        }
        run_waiting(e);
}

static int ask(struct keys_entry *e)
{
        char text[INET6_ADDRSTRLEN];
        const struct overlay_pubkey params = { .address = str_of(inet_ntop(AF_INET6, &e->subnet, text, sizeof(text))) };
        const struct rpc_request request = { .method = &schema_method_overlay_pubkey, .params = &params, .timeout_ms = KEYS_ASK_MS };

        e->state = ASKING;
        return rpc_call(e->keys->supervisor, &request, on_key, e);
}

static int wait_for(struct keys_entry *e, struct call *c)
{
        e->keys->n_waiting++;
        c->next = NULL;
        if (!e->waiting)
                e->end = &e->waiting;
        *e->end = c;
        e->end = &c->next;
        return CALL_PARKED;
}

static int not_now(struct call *c)
{
        return call_unavailable(c, KEYS_RETRY_MS, "the overlay does not know the way to this device yet");
}

int keys_find(struct keys *keys, struct call *c, struct str device, struct str *ret_key)
{
        struct keys_entry *e;
        struct in6_addr subnet;

        if (!subnet_of(device, &subnet)) {
                *ret_key = STR("");
                return 0;
        }
        e = entry_find(keys, &subnet);
        if (e && e->state == KNOWN) {
                *ret_key = arena_bytes(&c->arena, e->key, sizeof(e->key));
                return 0;
        }
        if ((e && e->state == FAILED) || keys->draining || keys->n_waiting == KEYS_WAITING_MAX)
                return not_now(c);
        if (!e) {
                e = entry_add(keys, &subnet);
                if (!e)
                        return not_now(c);
                if (ask(e)) {
                        entry_free(e);
                        return not_now(c);
                }
        }
        return wait_for(e, c);
}

/* ---- life ---- */

void keys_init(struct keys *keys, struct loop *loop, struct rpc_client *supervisor)
{
        *keys = (struct keys){ .loop = loop, .supervisor = supervisor };
}

void keys_drain(struct keys *keys)
{
        keys->draining = true;
        for (struct keys_entry *e = keys->entries; e; e = e->hh.next) {
                struct call *c = e->waiting;

                e->waiting = NULL;
                while (c) {
                        struct call *after = c->next;

                        keys->n_waiting--;
                        call_answer(c, not_now(c));
                        c = after;
                }
        }
}

void keys_deinit(struct keys *keys)
{
        keys_drain(keys);
        while (keys->entries) {
                if (keys->entries->state == ASKING)
                        rpc_cancel(keys->supervisor, keys->entries);
                entry_free(keys->entries);
        }
}

#include "visitors.h"

#include "live.h"
#include "schema/identity.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 300, ROUNDS_MAX = 3 };

struct visitors {
        struct gateway *gateway;
        struct visitor *table;      /* the oldest first */
        struct follower *follower;
        struct resolving *resolving;
        int64_t revision;           /* of callers.follow: acted on everything up to here */
};

struct waiting {
        struct waiting *next;
        visitor_fn *done;
        void *data;
};

/* One session.resolve. */
struct resolving {
        struct visitors *visitors;
        struct resolving *next, **at;
        struct visitor *visitor;    /* held */
        struct waiting *first, **last;
        int rounds;
        char request[ULID_TEXT + 1];
};

struct visitor *visitor_ref(struct visitor *v)
{
        v->refs++;
        return v;
}

void visitor_unref(struct visitor *v)
{
        if (!v || --v->refs > 0)
                return;
        sodium_memzero(v->token.p, v->token.n);
        buf_deinit(&v->token);
        buf_deinit(&v->sealed);
        free(v);
}

void visitors_forget(struct visitors *vs, struct visitor *v)
{
        if (v->forgotten)
                return;
        v->forgotten = true;
        HASH_DEL(vs->table, v);
        visitor_unref(v);
}

static void key_of(struct str token, struct str address, uint8_t ret[32])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, NULL, 0, 32);
        crypto_generichash_update(&state, (const uint8_t *)address.p, address.n);
        crypto_generichash_update(&state, (const uint8_t *)"", 1);
        crypto_generichash_update(&state, (const uint8_t *)token.p, token.n);
        crypto_generichash_final(&state, ret, 32);
}

/* Whether that one is meant, and in the table still. */
static bool is_same(const struct visitor *v, struct str token, struct str address)
{
        return v && !v->forgotten && str_eq(buf_view(&v->token), token) && str_is(address, v->address);
}

static struct visitor *lookup(struct visitors *vs, const uint8_t key[32])
{
        struct visitor *v;

        HASH_FIND(hh, vs->table, key, 32, v);
        return v;
}

static bool is_good(const struct visitors *vs, const struct visitor *v)
{
        return v->known && v->expires_at > clock_now_ms(vs->gateway->service->clock);
}

size_t visitors_count(const struct visitors *vs)
{
        return HASH_COUNT(vs->table);
}

/* ---- asking identity ---- */

static void on_resolved(void *data, const struct rpc_reply *reply);

static void ask(struct resolving *r)
{
        struct visitor *v = r->visitor;
        const struct session_resolve in = { .token = buf_view(&v->token), .address = str_of(v->address) };
        const struct rpc_request request = { .method = &schema_method_session_resolve, .params = &in, .request = str_of(r->request) };

        r->rounds++;
        if (rpc_call(r->visitors->gateway->identity, &request, on_resolved, r))
                abort();        /* only a message beyond its limit fails, and these are small */
}

static void learn(struct visitors *vs, struct visitor *v, const struct session_resolve_result *in)
{
        buf_clear(&v->sealed);
        buf_str(&v->sealed, in->caller);
        v->role = in->has_role ? (enum schema_role)(SCHEMA_ROLE_CUSTOMER + (int)in->role) : SCHEMA_ROLE_STRANGER;
        v->has_user = in->has_user;
        v->user = in->has_user ? in->user : (struct ulid){ 0 };
        memcpy(v->device, in->device.p, in->device.n < DEVICE_MAX ? in->device.n : DEVICE_MAX);
        v->expires_at = in->expires_at;
        v->fetched_us = clock_steady_us(vs->gateway->service->clock);
        v->known = true;
}

static void resolving_free(struct resolving *r)
{
        while (r->first) {
                struct waiting *w = r->first;

                r->first = w->next;
                free(w);
        }
        *r->at = r->next;
        if (r->next)
                r->next->at = r->at;
        visitor_unref(r->visitor);
        free(r);
}

static void finish(struct resolving *r, int code, const struct fault *fault)
{
        struct visitor *v = r->visitor;

        v->resolving = NULL;
        while (r->first) {
                struct waiting *w = r->first;

                r->first = w->next;
                w->done(w->data, code, fault, code ? NULL : v);
                free(w);
        }
        resolving_free(r);
}

static void on_resolved(void *data, const struct rpc_reply *reply)
{
        struct resolving *r = data;
        struct visitors *vs = r->visitors;
        struct visitor *v = r->visitor;
        const struct session_resolve_result *in = reply->result;

        /* answered before a change that we have acted on already: it may be about this very caller */
        if (!reply->code && in->revision < vs->revision && r->rounds < ROUNDS_MAX) {
                ask(r);
                return;
        }
        if (!reply->code) {
                learn(vs, v, in);
        } else if (reply->code == FAULT_UNAUTHENTICATED) {
                visitors_forget(vs, v);
        } else if (!is_good(vs, v)) {
                visitors_forget(vs, v);
        }
        finish(r, reply->code, reply->fault);
}

static void resolve(struct visitors *vs, struct visitor *v, struct str request)
{
        struct resolving *r = calloc(1, sizeof(*r));

        if (!r)
                abort();
        r->visitors = vs;
        r->visitor = visitor_ref(v);
        r->last = &r->first;
        r->at = &vs->resolving;
        r->next = vs->resolving;
        if (r->next)
                r->next->at = &r->next;
        vs->resolving = r;
        if (request.n == ULID_TEXT)
                memcpy(r->request, request.p, ULID_TEXT);
        v->resolving = r;
        ask(r);
}

static struct visitor *visitor_add(struct visitors *vs, struct str token, struct str address, const uint8_t key[32])
{
        struct visitor *v = calloc(1, sizeof(*v));

        if (!v)
                abort();
        if (HASH_COUNT(vs->table) >= VISITORS_MAX)
                visitors_forget(vs, vs->table);
        memcpy(v->key, key, 32);
        buf_str(&v->token, token);
        memcpy(v->address, address.p, address.n < sizeof(v->address) - 1 ? address.n : sizeof(v->address) - 1);
        v->refs = 1;
        HASH_ADD(hh, vs->table, key, sizeof(v->key), v);
        return v;
}

void visitors_find(struct visitors *vs, struct str token, const struct visit *visit, visitor_fn *done, void *data)
{
        static const struct fault refused = { .has_reason = true, .reason = { "this is no token", 16 } };
        struct gateway *g = vs->gateway;
        uint8_t key[32];
        struct visitor *v;
        struct waiting *w;

        v = is_same(visit->last, token, visit->address) ? visit->last : NULL;
        if (!v) {
                if (token.n == 0 || token.n > TOKEN_MAX || str_utf8_length(token) < 0) {
                        done(data, FAULT_UNAUTHENTICATED, &refused, NULL);
                        return;
                }
                key_of(token, visit->address, key);
                v = lookup(vs, key);
        }
        if (v && is_good(vs, v)) {
                if (!v->resolving && clock_steady_us(g->service->clock) - v->fetched_us > VISITOR_REFRESH_US)
                        resolve(vs, v, (struct str){ 0 });
                done(data, 0, NULL, v);
                return;
        }
        if (visit->device.n > 0 && !(v && v->resolving)) {
                struct fault fault = { .has_reason = true, .reason = STR("too many sessions, or tokens that are not good"),
                                       .has_retry_after_ms = true };

                /* before identity answers, else it could be kept busy with guesses */
                if (limits_take(g->limits, LIMITS_SESSION, visit->device, NULL, clock_steady_us(g->service->clock), &fault.retry_after_ms)) {
                        done(data, FAULT_RATE_LIMITED, &fault, NULL);
                        return;
                }
        }
        if (!v)
                v = visitor_add(vs, token, visit->address, key);
        w = calloc(1, sizeof(*w));
        if (!w)
                abort();
        if (!v->resolving)
                resolve(vs, v, visit->request);
        *w = (struct waiting){ .done = done, .data = data };
        *v->resolving->last = w;
        v->resolving->last = &w->next;
}

void visitors_cancel(struct visitors *vs, const void *data)
{
        for (struct resolving *r = vs ? vs->resolving : NULL; r; r = r->next) {
                struct waiting **at = &r->first;

                while (*at) {
                        struct waiting *w = *at;

                        if (w->data != data) {
                                at = &w->next;
                                continue;
                        }
                        *at = w->next;
                        free(w);
                }
                r->last = at;
        }
}

/* ---- following identity ---- */

static void changes_ask(void *data, void *params)
{
        struct visitors *vs = data;

        *(struct callers_follow *)params = (struct callers_follow){ .gateway = vs->gateway->id, .after = vs->revision,
                                                                    .max_bytes = 262144, .stats = gateway_tell(vs->gateway) };
}

static bool names(const struct caller_change *c, const struct visitor *v)
{
        if (c->has_user && v->has_user && ulid_eq(c->user, v->user))
                return true;
        return c->device.n > 0 && str_is(c->device, v->device);
}

static void forget_named(struct visitors *vs, const struct caller_change *change)
{
        struct visitor *v, *next;

        HASH_ITER(hh, vs->table, v, next)
                if (v->known && names(change, v))
                        visitors_forget(vs, v);
        live_caller_changed(vs->gateway->live, change);
}

static void changes_take(void *data, const void *result)
{
        const struct callers_follow_result *in = result;
        struct visitors *vs = data;
        struct visitor *v, *next;

        if (in->reset) {
                HASH_ITER(hh, vs->table, v, next)
                        visitors_forget(vs, v);
        }
        for (size_t i = 0; i < in->items.n; i++)
                forget_named(vs, &in->items.items[i]);
        vs->revision = in->head;
        if (in->reset)
                live_callers_reset(vs->gateway->live);
}

struct visitors *visitors_new(struct gateway *g)
{
        struct visitors *vs = calloc(1, sizeof(*vs));

        if (!vs)
                abort();
        vs->gateway = g;
        return vs;
}

int visitors_follow(struct visitors *vs)
{
        return follower_new(vs->gateway->service->loop,
                            &(struct follower_options){ .client = vs->gateway->identity, .method = &schema_method_callers_follow,
                                                        .ask = changes_ask, .take = changes_take, .data = vs },
                            &vs->follower);
}

void visitors_free(struct visitors *vs)
{
        struct visitor *v, *next;

        if (!vs)
                return;
        follower_free(vs->follower);
        while (vs->resolving) {
                struct resolving *r = vs->resolving;

                rpc_cancel(vs->gateway->identity, r);
                resolving_free(r);
        }
        HASH_ITER(hh, vs->table, v, next)
                visitors_forget(vs, v);
        free(vs);
}

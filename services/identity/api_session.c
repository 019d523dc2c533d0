/* Sessions and the binding of devices. */
#include "email.h"
#include "enroll.h"
#include "mutation.h"
#include "schema/identity_handlers.h"
#include "session.h"
#include "user.h"
#include <errno.h>
#include <string.h>

static int check_address(const struct identity *d, struct call *c)
{
        return d->address[0] == '\0' ? call_unavailable(c, 1000, "the overlay's address is not known yet") : 0;
}

int identity_on_session_nonce(struct identity *d, struct call *c, const struct session_nonce *in, struct session_nonce_result *ret)
{
        char *nonce = arena_alloc(&c->arena, SESSION_NONCE_BYTES);
        int r;

        r = check_address(d, c);
        if (r == 0)
                r = identity_device(d, in->address, &c->arena, &ret->device);
        if (r)
                return r;
        ret->server = str_of(d->address);
        session_nonce(d->key, clock_now_ms(d->clock), ret->device, (uint8_t *)nonce);
        ret->nonce = (struct str){ nonce, SESSION_NONCE_BYTES };
        ret->project = (struct str){ (const char *)d->project, sizeof(d->project) };
        return 0;
}

/* Whose proof it is. The device was seen then. */
static int prove(struct identity *d, struct call *c, const struct session_open *in, struct str device, struct session *ret)
{
        struct ulid binding;
        struct str key;
        int r;

        r = check_address(d, c);
        if (r == 0)
                r = keys_find(&d->keys, c, device, &key);
        if (r == 0)
                r = binding_prove(d->db, d->project, str_of(d->address), device, key, in->nonce, (const uint8_t *)in->proof.p, &binding);
        if (r == 0)
                r = session_of_binding(d->db, binding, &c->arena, ret);
        if (r == 0)
                r = binding_seen(d->db, binding, clock_now_ms(d->clock));
        return r;
}

int identity_on_session_open(struct identity *d, struct call *c, const struct session_open *in, struct session_open_result *ret)
{
        int64_t now = clock_now_ms(d->clock);
        struct session session = { 0 };
        struct str device;
        int r;

        r = identity_device(d, in->address, &c->arena, &device);
        if (r == 0)
                r = session_nonce_check(d->key, now, device, in->nonce);
        if (r == FAULT_EXPIRED)
                return call_expired(c, "the nonce is over: ask for another one");
        if (r == 0 && in->has_proof)
                r = prove(d, c, in, device, &session);
        if (r)
                return r;
        ret->expires_at = now + SESSION_TOKEN_LIFE_MS;
        session.embed |= in->embed;
        ret->token = session_token(d->key, ret->expires_at, device, &session, &c->arena);
        if (ulid_is_zero(session.binding))
                return 0;
        ret->has_role = ret->has_user = ret->has_name = true;
        ret->role = session_role(&session);
        ret->user = session.user.id;
        ret->name = session.user.name;
        return 0;
}

static enum schema_role caller_role(const struct session *session)
{
        if (ulid_is_zero(session->binding))
                return SCHEMA_ROLE_STRANGER;
        return (enum schema_role)(SCHEMA_ROLE_CUSTOMER + session_role(session));
}
_Static_assert(ROLE_AGENT == ROLE_CUSTOMER + 1 && ROLE_ADMIN == ROLE_AGENT + 1, "roles ascend as those of schema.h");

int identity_on_session_resolve(struct identity *d, struct call *c, const struct session_resolve *in, struct session_resolve_result *ret)
{
        int64_t now = clock_now_ms(d->clock);
        struct buf sealed = { 0 };
        struct session session;
        struct caller caller;
        int r;

        r = callers_revision(d->db, &ret->revision);
        if (r == 0)
                r = identity_device(d, in->address, &c->arena, &ret->device);
        if (r == 0)
                r = session_find(d->db, d->key, now, ret->device, in->token, &c->arena, &session);
        if (r)
                return r;
        caller = (struct caller){
                .user = session.user.id,
                .device = ret->device,
                .role = caller_role(&session),
                .expires_at = session.expires_at < now + SESSION_SEAL_LIFE_MS ? session.expires_at : now + SESSION_SEAL_LIFE_MS,
        };
        caller_seal(d->caller_key, &caller, &sealed);
        ret->caller = arena_str(&c->arena, buf_view(&sealed));
        buf_deinit(&sealed);
        ret->expires_at = caller.expires_at;
        if (caller.role == SCHEMA_ROLE_STRANGER)
                return 0;
        ret->has_role = ret->has_user = true;
        ret->role = session_role(&session);
        ret->user = session.user.id;
        return 0;
}

/* The key of the device that wants to be bound. A caller whose device is another driver's comes from before a change of the driver. */
static int key_of_caller(struct identity *d, struct call *c, struct str *ret_key)
{
        const char *driver = overlay_driver_name(d->driver);

        if (!str_starts(c->caller.device, driver) || c->caller.device.p[strlen(driver)] != ':')
                return FAULT_UNAUTHENTICATED;
        return keys_find(&d->keys, c, c->caller.device, ret_key);
}

int identity_on_enroll_start(struct identity *d, struct call *c, const struct enroll_start *in, struct enroll_start_result *ret)
{
        struct enroll_request request = { .device = c->caller.device, .label = in->label, .embed = in->embed };
        int64_t retry_after_ms;
        struct mutation m;
        int r;

        if (!enroll_label_is_valid(in->label))
                return call_invalid(c, "label", "must be 1 to 40 letters, digits, spaces or . _ -");
        if (email_normalize(in->email, &c->arena, &request.email, &request.email_key) < 0)
                return call_invalid(c, "email", "must be one plain address like ada@example.org");
        r = check_address(d, c);
        if (r == 0)
                r = key_of_caller(d, c, &request.device_key);
        if (r == 0)
                r = mutation_begin_by_device(&m, d, c);
        if (r)
                return r;
        if (!m.repeated) {
                request.link = identity_link(d, &c->arena);
                r = mutation_end(&m, enroll_start(d->db, d->key, clock_now_ms(d->clock), &request, &c->arena, &m.entity, &retry_after_ms));
                if (r == FAULT_RATE_LIMITED)
                        return call_rate_limited(c, retry_after_ms);
                if (r)
                        return r;
                feed_wake(&d->outbox);
        }
        return enroll_expires_at(d->db, m.entity, &ret->expires_at);
}

int identity_on_enroll_redeem(struct identity *d, struct call *c, const struct enroll_redeem *in, struct enroll_redeem_result *ret)
{
        uint8_t *secret = arena_alloc(&c->arena, PROOF_SECRET_BYTES);
        char code[ENROLL_CODE];
        struct device device;
        struct mutation m;
        struct str key;
        int r;

        if (enroll_code_parse(in->code, code) < 0)
                return call_invalid(c, "code", "must be the 8 letters and digits of the mail");
        r = key_of_caller(d, c, &key);
        if (r == 0)
                r = mutation_begin_by_device(&m, d, c);
        if (r)
                return r;
        if (!m.repeated) {
                r = enroll_redeem(d->db, d->key, clock_now_ms(d->clock), c->caller.device, key, code, &c->arena, &m.entity);
                r = r == FAULT_NOT_FOUND ? mutation_refuse(&m, r) : mutation_end(&m, r);
                if (r == FAULT_NOT_FOUND)
                        return call_not_found(c);
                if (r == FAULT_EXPIRED)
                        return call_expired(c, "this device has no code to redeem: ask for a new one");
                if (r == FAULT_CONFLICT)
                        return call_conflict(c, "this device is bound too often: revoke some of its bindings");
                if (r)
                        return r;
                feed_wake(&d->outbox);
                feed_wake(&d->changes);
        }
        r = binding_find(d->db, m.entity, &c->arena, &device);
        if (r == 0)
                r = binding_unused_secret(d->db, m.entity, secret);
        if (r == FAULT_EXPIRED)
                return call_expired(c, "the secret was used: it is told no more");
        if (r)
                return r;
        ret->user = device.user;
        ret->secret = (struct str){ (const char *)secret, PROOF_SECRET_BYTES };
        return 0;
}

/* A session: a nonce, the proof of the device's secret over it, a token. docs/protocol.md, "Session". */
#include "private.h"

#include "proof.h"
#include "schema/identity.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void opening_begin(struct opening *o, struct assist *a)
{
        *o = (struct opening){ .a = a, .prove = true };
        buf_text(&o->body, "{}");
}

void opening_deinit(struct opening *o)
{
        buf_deinit(&o->body);
}

struct http_request opening_request(const struct opening *o)
{
        return (struct http_request){ .method = "POST", .path = o->asked ? "/session" : "/session/nonce", .content_type = "application/json",
                                      .body = buf_view(&o->body), .fd = -1 };
}

/* The two requests are not JSON-RPC: the body is the params, the answer the result, or {"error": ...}. */
static int read_answer(const struct assist *a, int r, const struct http_answer *answer, const struct schema_struct *type, struct arena *arena,
                       void *ret, struct assist_error *error)
{
        struct rpc_reply reply = { 0 };

        if (r == -EADDRNOTAVAIL)
                return assist_fail(error, r, "%s is no address of this machine", a->from);
        if (r)
                return assist_fail(error, r, "no desk answers at %s:%d: %s", a->address, a->port, strerror(-r));
        if (answer->status == 200 && !json_read(type, answer->body, arena, ret, NULL))
                return 0;
        if (answer->status == 200)
                return assist_fail(error, -EPROTO, "what answers at %s:%d is no desk", a->address, a->port);
        if (json_read(&schema_type_rpc_reply, answer->body, arena, &reply, NULL) || !reply.error)
                return assist_fail(error, -EPROTO, "what answers at %s:%d is no desk (HTTP %ld)", a->address, a->port, answer->status);
        return assist_fail(error, assist_code(reply.error->code), "%.*s", STR_ARG(reply.error->message));
}

/* The second request: over the nonce, the proof that we are this device. */
static int nonce_taken(struct opening *o, const struct session_nonce_result *nonce, struct str dialled, struct assist_error *error)
{
        struct assist *a = o->a;
        uint8_t proof[PROOF_BYTES];
        int r;

        if (nonce->project.n != sizeof(a->identity.project) || !nonce->project.p)
                return assist_fail(error, -EPROTO, "the desk's key has not 32 bytes");
        /* else it could pass on the nonce of another desk, whose key it names, and our proof to that one */
        if (!str_eq(nonce->server, dialled))
                return assist_fail(error, -EKEYREJECTED, "what answers at %s:%d says that it is at another address", a->address, a->port);
        memcpy(a->identity.project, nonce->project.p, sizeof(a->identity.project));
        snprintf(a->identity.device, sizeof(a->identity.device), "%.*s", STR_ARG(nonce->device));
        r = device_pin(a, error);
        if (!r)
                r = device_load(a, error);
        if (r)
                return r;
        o->asked = true;
        buf_clear(&o->body);
        buf_text(&o->body, "{\"nonce\":\"");
        buf_base64url(&o->body, nonce->nonce.p, nonce->nonce.n);
        buf_char(&o->body, '"');
        if (o->prove && a->has_secret) {
                session_proof(a->secret, a->identity.project, nonce->server, nonce->device, nonce->nonce, proof);
                buf_text(&o->body, ",\"proof\":\"");
                buf_base64url(&o->body, proof, sizeof(proof));
                buf_char(&o->body, '"');
        }
        buf_char(&o->body, '}');
        return OPENING_NEXT;
}

static int token_taken(struct assist *a, const struct session_open_result *session, struct assist_error *error)
{
        if (session->token.n >= sizeof(a->token))
                return assist_fail(error, -EPROTO, "the desk's token is too long");
        snprintf(a->token, sizeof(a->token), "%.*s", STR_ARG(session->token));
        a->identity.bound = session->has_role;
        a->identity.role = session->role;
        a->identity.user = session->user;
        snprintf(a->identity.name, sizeof(a->identity.name), "%.*s", session->has_name ? (int)session->name.n : 0, session->name.p);
        return 0;
}

int opening_answered(struct opening *o, int r, const struct http_answer *answer, struct arena *arena, struct assist_error *error)
{
        struct session_nonce_result nonce = { 0 };
        struct session_open_result session = { 0 };
        struct assist *a = o->a;

        if (!o->asked) {
                r = read_answer(a, r, answer, schema_method_session_nonce.result, arena, &nonce, error);
                return r ? r : nonce_taken(o, &nonce, answer->dialled, error);
        }
        r = read_answer(a, r, answer, schema_method_session_open.result, arena, &session, error);
        if (r == FAULT_UNAUTHENTICATED && o->prove && a->has_secret) { /* the device was revoked: it may bind itself again */
                opening_deinit(o);
                opening_begin(o, a);
                o->prove = false;
                return OPENING_NEXT;
        }
        return r ? r : token_taken(a, &session, error);
}

int session_open(struct assist *a, struct assist_error *error)
{
        struct opening opening;
        int r = 0;

        if (a->token[0])
                return 0;
        opening_begin(&opening, a);
        do {
                struct patience patience = patience_new(a);
                struct http_answer answer = { 0 };
                const struct http_request request = opening_request(&opening);

                do
                        r = http_do(a, &request, &answer);
                while (http_passes(r, &answer) && patience_wait(&patience, answer.retry_after_ms));
                r = opening_answered(&opening, r, &answer, &a->arena, error);
        } while (r == OPENING_NEXT);
        opening_deinit(&opening);
        return r;
}

int assist_identify(struct assist *a, struct assist_identity *ret, struct assist_error *error)
{
        int r = session_open(a, error);

        if (!r)
                *ret = a->identity;
        return r;
}

int assist_bind(struct assist *a, const uint8_t secret[32], struct assist_error *error)
{
        int r;

        memcpy(a->secret, secret, 32);
        r = device_save(a, error);
        if (r)
                return r;
        a->has_secret = true;
        a->token[0] = '\0';
        return session_open(a, error);
}

/* A session: a nonce, the proof of the device's secret over it, a token. docs/protocol.md, "Session". */
#include "private.h"

#include "proof.h"
#include "schema/identity.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The two requests are not JSON-RPC: the body is the params, the answer the result, or {"error": ...}. */
static int ask(struct assist *a, const char *path, struct str body, const struct schema_struct *type, void *ret, struct assist_error *error)
{
        struct patience patience = patience_new(a);
        struct http_answer answer = { 0 };
        struct codec_error wrong;
        struct rpc_reply reply = { 0 };
        int r;

        do {
                r = http_do(a, &(struct http_request){ .method = "POST", .path = path, .content_type = "application/json", .body = body, .fd = -1 },
                            &answer);
                if (r == -EADDRNOTAVAIL)
                        return assist_fail(error, r, "%s is no address of this machine", a->from);
                if (!r && answer.status == 200) {
                        if (json_read(type, answer.body, &a->arena, ret, &wrong))
                                return assist_fail(error, -EPROTO, "what answers at %s:%d is no desk", a->address, a->port);
                        return 0;
                }
                if (!r && answer.status / 100 != 5 && answer.status != 429)
                        break;
        } while (patience_wait(&patience, answer.retry_after_ms));
        if (r)
                return assist_fail(error, r, "no desk answers at %s:%d: %s", a->address, a->port, strerror(-r));
        if (json_read(&schema_type_rpc_reply, answer.body, &a->arena, &reply, &wrong) || !reply.error)
                return assist_fail(error, -EPROTO, "what answers at %s:%d is no desk (HTTP %ld)", a->address, a->port, answer.status);
        return assist_fail(error, assist_code(reply.error->code), "%.*s", STR_ARG(reply.error->message));
}

static int open_with(struct assist *a, bool prove, struct assist_error *error)
{
        struct session_nonce_result nonce = { 0 };
        struct session_open_result session = { 0 };
        const char *dialled = NULL;
        uint8_t proof[PROOF_BYTES];
        struct buf body = { 0 };
        int r;

        r = ask(a, "/session/nonce", STR("{}"), schema_method_session_nonce.result, &nonce, error);
        if (r)
                return r;
        if (nonce.project.n != sizeof(a->identity.project) || !nonce.project.p)
                return assist_fail(error, -EPROTO, "the desk's key has not 32 bytes");
        /* else it could pass on the nonce of another desk, whose key it names, and our proof to that one */
        curl_easy_getinfo(a->curl, CURLINFO_PRIMARY_IP, &dialled);
        if (!dialled || !str_is(nonce.server, dialled))
                return assist_fail(error, -EKEYREJECTED, "what answers at %s:%d says that it is at another address", a->address, a->port);
        memcpy(a->identity.project, nonce.project.p, sizeof(a->identity.project));
        snprintf(a->identity.device, sizeof(a->identity.device), "%.*s", STR_ARG(nonce.device));
        r = device_pin(a, error);
        if (!r)
                r = device_load(a, error);
        if (r)
                return r;
        buf_text(&body, "{\"nonce\":\"");
        buf_base64url(&body, nonce.nonce.p, nonce.nonce.n);
        buf_char(&body, '"');
        if (prove && a->has_secret) {
                session_proof(a->secret, a->identity.project, nonce.server, nonce.device, nonce.nonce, proof);
                buf_text(&body, ",\"proof\":\"");
                buf_base64url(&body, proof, sizeof(proof));
                buf_char(&body, '"');
        }
        buf_char(&body, '}');
        r = ask(a, "/session", arena_str(&a->arena, buf_view(&body)), schema_method_session_open.result, &session, error);
        buf_deinit(&body);
        if (r)
                return r;
        if (session.token.n >= sizeof(a->token))
                return assist_fail(error, -EPROTO, "the desk's token is too long");
        snprintf(a->token, sizeof(a->token), "%.*s", STR_ARG(session.token));
        a->identity.bound = session.has_role;
        a->identity.role = session.role;
        a->identity.user = session.user;
        snprintf(a->identity.name, sizeof(a->identity.name), "%.*s", session.has_name ? (int)session.name.n : 0, session.name.p);
        return 0;
}

int session_open(struct assist *a, struct assist_error *error)
{
        int r;

        if (a->token[0])
                return 0;
        r = open_with(a, true, error);
        if (r == FAULT_UNAUTHENTICATED && a->has_secret) /* the device was revoked: it may bind itself again */
                r = open_with(a, false, error);
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

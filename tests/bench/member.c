#include "member.h"

#include "bench.h"
#include "codec.h"
#include "proof.h"
#include "schema/identity.h"
#include "schema/ticket.h"
#include "schema/wire.h"
#include "web.h"

#include <stdio.h>

static void read_json(struct desk *desk, const struct schema_struct *type, struct str text, void *ret)
{
        struct codec_error error;

        if (json_read(type, text, &desk->arena, ret, &error))
                bench_fail("%s %s: %.*s", error.field, error.reason, STR_ARG(text));
}

static void call(struct desk *desk, const struct member *m, const struct schema_method *method, const char *params, void *ret)
{
        struct str answer = web_ask(&desk->arena, m->address, desk->port, desk_call(desk, m, &desk->arena, method->name, params));
        struct rpc_reply reply = { 0 };

        read_json(desk, &schema_type_rpc_reply, answer, &reply);
        if (!reply.has_result)
                bench_fail("%s: %.*s", method->name, STR_ARG(answer));
        read_json(desk, method->result, reply.result, ret);
}

/* A stranger's session without a secret. */
static void session(struct desk *desk, struct member *m, const uint8_t *secret)
{
        struct session_nonce_result nonce = { 0 };
        struct session_open_result opened = { 0 };
        uint8_t proof[PROOF_BYTES];
        struct buf body = { 0 };

        read_json(desk, schema_method_session_nonce.result,
                  web_ask(&desk->arena, m->address, desk->port, web_post(&desk->arena, desk->port, "/session/nonce", NULL, STR("{}"))), &nonce);
        buf_text(&body, "{\"nonce\":\"");
        buf_base64url(&body, nonce.nonce.p, nonce.nonce.n);
        if (secret) {
                session_proof(secret, (const uint8_t *)nonce.project.p, nonce.server, nonce.device, nonce.nonce, proof);
                buf_text(&body, "\",\"proof\":\"");
                buf_base64url(&body, proof, sizeof(proof));
        }
        buf_text(&body, "\"}");
        read_json(desk, schema_method_session_open.result,
                  web_ask(&desk->arena, m->address, desk->port, web_post(&desk->arena, desk->port, "/session", NULL, buf_view(&body))), &opened);
        buf_deinit(&body);
        snprintf(m->token, sizeof(m->token), "%.*s", STR_ARG(opened.token));
}

void member_ask(struct desk *desk, struct member *m)
{
        struct enroll_start_result asked = { 0 };

        session(desk, m, NULL);
        call(desk, m, &schema_method_enroll_start, arena_format(&desk->arena, "{\"email\":\"%s\",\"label\":\"Bench\"}", m->email).p, &asked);
}

void member_bind(struct desk *desk, struct member *m, struct str code)
{
        struct enroll_redeem_result redeemed = { 0 };

        call(desk, m, &schema_method_enroll_redeem, arena_format(&desk->arena, "{\"code\":\"%.*s\"}", STR_ARG(code)).p, &redeemed);
        m->user = redeemed.user;
        session(desk, m, (const uint8_t *)redeemed.secret.p);
}

struct ulid member_file(struct desk *desk, const struct member *m)
{
        struct ticket_create_result ticket = { 0 };

        call(desk, m, &schema_method_ticket_create, "{\"subject\":\"A question\",\"body\":\"What does it cost?\"}", &ticket);
        return ticket.value.id;
}

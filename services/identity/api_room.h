/* The identity service on a temporary database, asked through real calls by whoever the test says; the wall clock in its hand. */
#pragma once
#include "fixture.h"
#include "identity.h"
#include "schema/identity_handlers.h"

#define PHONE "loopback:127.0.0.2"
#define LAPTOP "loopback:127.0.0.3"

struct room {
        struct fixture *f;
        struct service service;
        struct clock clock;
        struct identity d;
        struct rpc_client *client;
        struct arena arena;
        struct fault fault;
        uint8_t next_op;
};

static inline int64_t room_now_ms(void *data)
{
        return ((struct fixture *)data)->now;
}

static inline int64_t room_steady_us(void *data)
{
        (void)data;
        return clock_system.steady_us(clock_system.data);
}

static inline int room_setup(void **state)
{
        struct room *r = calloc(1, sizeof(*r));
        char path[96];

        fixture_setup((void **)&r->f);
        *state = r;
        r->clock = (struct clock){ .now_ms = room_now_ms, .steady_us = room_steady_us, .data = r->f };
        r->service = (struct service){ .name = "identity", .clock = &r->clock, .type = &identity_service, .data = &r->d };
        r->service.loop = loop_new(&r->clock);
        r->service.settings.development = true;
        assert_int_equal(rpc_peers_load(true, &r->service.peers), 0);
        r->d = (struct identity){ .service = &r->service, .db = r->f->db, .clock = &r->clock, .driver = OVERLAY_LOOPBACK,
                                  .address = "127.0.0.1", .port = 8080, .caller_key = "seals", .project = "the project's public key" };
        memcpy(r->d.key, r->f->key, sizeof(r->d.key));
        feed_init(&r->d.people, r->service.loop);
        feed_init(&r->d.outbox, r->service.loop);
        feed_init(&r->d.changes, r->service.loop);
        callers_init(&r->d.callers, r->service.loop);
        snprintf(path, sizeof(path), "%s/rpc.sock", r->f->directory);
        assert_int_equal(rpc_server_new(r->service.loop, &(struct rpc_server_options){
                .path = path, .handlers = identity_handlers, .data = &r->d, .peers = &r->service.peers,
                .caller_key = r->d.caller_key, .clock = &r->clock }, &r->d.server), 0);
        assert_int_equal(rpc_client_new(r->service.loop, &(struct rpc_client_options){
                .path = path, .service = SCHEMA_PEER_IDENTITY, .peers = &r->service.peers }, &r->client), 0);
        return 0;
}

static inline int room_teardown(void **state)
{
        struct room *r = *state;
        char path[96];

        rpc_client_free(r->client);
        callers_deinit(&r->d.callers);
        feed_deinit(&r->d.changes);
        feed_deinit(&r->d.outbox);
        feed_deinit(&r->d.people);
        rpc_server_free(r->d.server);
        loop_free(r->service.loop);
        buf_deinit(&r->service.status);
        arena_deinit(&r->arena);
        snprintf(path, sizeof(path), "%s/rpc.sock", r->f->directory);
        unlink(path);
        fixture_teardown((void **)&r->f);
        free(r);
        return 0;
}

static inline struct str room_sealed(struct room *r, struct ulid user, enum schema_role role, const char *device)
{
        struct caller caller = { .user = user, .device = str_of(device), .role = role, .expires_at = r->f->now + 60000 };
        struct buf sealed = { 0 };
        struct str s;

        caller_seal(r->d.caller_key, &caller, &sealed);
        s = arena_str(&r->arena, buf_view(&sealed));
        buf_deinit(&sealed);
        return s;
}

static inline struct str room_stranger(struct room *r, const char *device)
{
        return room_sealed(r, (struct ulid){ { 0 } }, SCHEMA_ROLE_STRANGER, device);
}

/* caller: sealed; empty for a service or operator. The fault, if any, is in r->fault. */
static inline int room_call(struct room *r, const struct schema_method *method, const void *params, struct str caller, void *ret)
{
        const struct rpc_request request = { .method = method, .params = params, .caller = caller };

        r->fault = (struct fault){ 0 };
        return rpc_call_wait(r->client, &request, &r->arena, ret, &r->fault);
}

#define NOBODY ((struct str){ 0 })
#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)

static inline struct ulid room_op(struct room *r)
{
        return (struct ulid){ { 0x70, ++r->next_op } };
}

/* The nonce for an address, and the token that a proof with this secret (NULL: none) gets there. */
static inline int room_open(struct room *r, const char *address, const uint8_t *secret, struct session_open_result *ret)
{
        struct session_nonce_result nonce;
        struct session_open open = { .address = str_of(address) };
        uint8_t proof[PROOF_BYTES];
        int code;

        code = room_call(r, &schema_method_session_nonce, &(struct session_nonce){ .address = str_of(address) }, NOBODY, &nonce);
        if (code)
                return code;
        open.nonce = nonce.nonce;
        if (secret) {
                session_proof(secret, (const uint8_t *)nonce.project.p, nonce.server, nonce.device, nonce.nonce, proof);
                open.has_proof = true;
                open.proof = (struct str){ (const char *)proof, sizeof(proof) };
        }
        return room_call(r, &schema_method_session_open, &open, NOBODY, ret);
}

/* The code of the newest mail. */
static inline struct str room_code(struct room *r)
{
        sqlite3_stmt *q = db_query(r->f->db, "SELECT body FROM outbox ORDER BY id DESC LIMIT 1", "");
        struct str code;
        const char *at;

        assert_int_equal(db_step(r->f->db, q), 1);
        at = strstr(arena_str(&r->arena, db_column_str(q, 0)).p, "/bind#");
        assert_non_null(at);
        code = arena_str(&r->arena, (struct str){ at + 6, 8 });
        db_done(q);
        return code;
}

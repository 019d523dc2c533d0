/* The cache of callers against an identity that says what the test wants, with the time in the test's hand. */
#include "visitors.h"

#include "connection.h"
#include "live.h"
#include "schema/identity.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MINUTE_MS = 60 * 1000, SEAL_MS = 10 * MINUTE_MS };

static const struct ulid ada = { { 1 } };

struct room {
        struct clock clock;
        int64_t ms;
        struct service service;
        struct gateway gateway;
        struct rpc_server *server;
        struct feed feed;
        char folder[32], path[64];
        /* what identity says */
        int code;
        int64_t revision;
        int resolves;
        struct callers_follow_result changes;   /* told once its head is past what was asked */
        int64_t followed;                       /* as the gateway said last */
        /* what came of the last visitors_find */
        bool answered;
        int found;
        struct visitor *visitor;
};

static int64_t room_now_ms(void *data)
{
        return 1700000000000 + ((struct room *)data)->ms;
}

static int64_t room_steady_us(void *data)
{
        return ((struct room *)data)->ms * 1000;
}

static int on_resolve(void *data, struct call *c, const void *params, void *ret)
{
        const struct session_resolve *in = params;
        struct session_resolve_result *out = ret;
        struct room *r = data;

        (void)c;
        r->resolves++;
        if (r->code)
                return r->code;
        if (str_is(in->token, "bad"))
                return FAULT_UNAUTHENTICATED;
        *out = (struct session_resolve_result){ .caller = STR("sealed"), .has_role = true, .role = ROLE_AGENT, .has_user = true, .user = ada,
                                                .device = STR("loopback:127.0.0.2"), .expires_at = room_now_ms(r) + SEAL_MS,
                                                .revision = r->revision };
        if (r->revision < r->changes.head)
                r->revision = r->changes.head;  /* asked again, it has caught up */
        return 0;
}

static int on_follow(void *data, struct call *c, const void *params, void *ret)
{
        const struct callers_follow *in = params;
        struct room *r = data;
        int code;

        r->followed = in->after;
        if (in->after >= r->changes.head) {
                code = feed_park(&r->feed, c);
                if (code)
                        return code;
        }
        *(struct callers_follow_result *)ret = r->changes;
        if (in->after >= r->changes.head) {
                ((struct callers_follow_result *)ret)->items.n = 0;
                ((struct callers_follow_result *)ret)->reset = false;
        }
        return 0;
}

static const struct rpc_handler handlers[] = {
        { &schema_method_session_resolve, on_resolve },
        { &schema_method_callers_follow, on_follow },
        { NULL, NULL },
};

static int setup(void **state)
{
        struct room *r = calloc(1, sizeof(*r));
        struct gateway *g = &r->gateway;

        *state = r;
        log_level(LOG_LEVEL_ERROR);
        r->clock = (struct clock){ .now_ms = room_now_ms, .steady_us = room_steady_us, .data = r };
        r->service = (struct service){ .name = "gateway", .clock = &r->clock, .loop = loop_new(&clock_system) };
        assert_int_equal(rpc_peers_load(true, &r->service.peers), 0);
        strcpy(r->folder, "/tmp/visitors-XXXXXX");
        assert_non_null(mkdtemp(r->folder));
        snprintf(r->path, sizeof(r->path), "%s/rpc.sock", r->folder);
        assert_int_equal(feed_init(&r->feed, r->service.loop), 0);
        assert_int_equal(rpc_server_new(r->service.loop, &(struct rpc_server_options){
                .path = r->path, .handlers = handlers, .data = r, .peers = &r->service.peers, .clock = &clock_system }, &r->server), 0);
        *g = (struct gateway){ .service = &r->service, .id = { { 9 } }, .driver = OVERLAY_LOOPBACK };
        assert_int_equal(rpc_client_new(r->service.loop, &(struct rpc_client_options){
                .path = r->path, .service = SCHEMA_PEER_IDENTITY, .peers = &r->service.peers }, &g->identity), 0);
        g->limits = malloc(sizeof(*g->limits));
        limits_init(g->limits, 600, 600);
        g->visitors = visitors_new(g);
        g->live = live_new(g);
        g->connections = connections_new(g);
        return 0;
}

static int teardown(void **state)
{
        struct room *r = *state;

        visitor_unref(r->visitor);
        visitors_free(r->gateway.visitors);
        live_free(r->gateway.live);
        rpc_client_free(r->gateway.identity);
        connections_free(r->gateway.connections);
        arena_deinit(&r->gateway.stats);
        feed_deinit(&r->feed);
        rpc_server_free(r->server);
        loop_free(r->service.loop);
        free(r->gateway.limits);
        unlink(r->path);
        rmdir(r->folder);
        free(r);
        return 0;
}

static void turn(struct room *r)
{
        assert_int_equal(loop_dispatch(r->service.loop, 10000), 0);
}

static void on_found(void *data, int code, const struct fault *fault, struct visitor *visitor)
{
        struct room *r = data;

        (void)fault;
        assert_false(r->answered);
        r->answered = true;
        r->found = code;
        visitor_unref(r->visitor);
        r->visitor = code ? NULL : visitor_ref(visitor);
}

/* Whether it was answered at once. */
static bool ask(struct room *r, const char *token)
{
        r->answered = false;
        visitors_find(r->gateway.visitors, str_of(token), &(struct visit){ .address = STR("127.0.0.2"), .device = STR("loopback:127.0.0.2") },
                      on_found, r);
        return r->answered;
}

static int find(struct room *r, const char *token)
{
        ask(r, token);
        while (!r->answered)
                turn(r);
        return r->found;
}

static void follow(struct room *r)
{
        assert_int_equal(visitors_follow(r->gateway.visitors), 0);
}

/* Tells the gateway, and waits until it says that it has acted. */
static void change(struct room *r, bool reset, struct caller_change *items, size_t n)
{
        r->changes.head++;
        r->changes.reset = reset;
        r->changes.items.items = items;
        r->changes.items.n = n;
        feed_wake(&r->feed);
        while (r->followed < r->changes.head)
                turn(r);
}

static void a_caller_is_asked_for_once(void **state)
{
        struct room *r = *state;

        assert_int_equal(find(r, "good"), 0);
        assert_int_equal(r->visitor->role, SCHEMA_ROLE_AGENT);
        assert_true(ulid_eq(r->visitor->user, ada));
        assert_true(str_is(buf_view(&r->visitor->sealed), "sealed"));
        for (int i = 0; i < 10; i++)
                assert_true(ask(r, "good"));
        assert_int_equal(r->resolves, 1);
        assert_int_equal(visitors_count(r->gateway.visitors), 1);
}

static void many_who_ask_at_once_share_one_question(void **state)
{
        struct room *r = *state;

        assert_false(ask(r, "good"));
        visitors_cancel(r->gateway.visitors, r);        /* and who gave up is not told */
        assert_false(ask(r, "good"));
        while (!r->answered)
                turn(r);
        assert_int_equal(r->found, 0);
        assert_int_equal(r->resolves, 1);
}

static void after_five_minutes_it_is_asked_again_in_the_background(void **state)
{
        struct room *r = *state;
        int64_t expires_at;

        assert_int_equal(find(r, "good"), 0);
        expires_at = r->visitor->expires_at;
        r->ms += 5 * MINUTE_MS;
        assert_true(ask(r, "good"));
        assert_int_equal(r->resolves, 1);
        r->ms++;
        assert_true(ask(r, "good"));
        while (r->visitor->expires_at == expires_at)
                turn(r);
        assert_int_equal(r->resolves, 2);
}

static void while_identity_is_away_a_caller_stays_good_until_the_seal_is_over(void **state)
{
        struct room *r = *state;

        assert_int_equal(find(r, "good"), 0);
        r->code = FAULT_UNAVAILABLE;
        r->ms += SEAL_MS - 1;
        assert_true(ask(r, "good"));
        assert_int_equal(r->found, 0);
        while (r->resolves < 2 || r->visitor->resolving)
                turn(r);
        assert_true(ask(r, "good"));
        assert_int_equal(r->found, 0);
        r->ms++;
        assert_int_equal(find(r, "good"), FAULT_UNAVAILABLE);
        r->code = 0;
        assert_int_equal(find(r, "good"), 0);
}

static void a_refused_token_is_not_remembered(void **state)
{
        struct room *r = *state;

        assert_int_equal(find(r, "bad"), FAULT_UNAUTHENTICATED);
        assert_int_equal(visitors_count(r->gateway.visitors), 0);
        assert_int_equal(find(r, ""), FAULT_UNAUTHENTICATED);
        assert_int_equal(r->resolves, 1);
}

static void guesses_are_charged_before_identity_has_answered(void **state)
{
        struct room *r = *state;
        char guess[32];
        int n = 0;

        do
                snprintf(guess, sizeof(guess), "guess %d", n++);
        while (!ask(r, guess));
        assert_int_equal(n - 1, 60);    /* a tenth of the rate */
        assert_int_equal(r->found, FAULT_RATE_LIMITED);
        assert_int_equal(r->resolves, 0);
        visitors_cancel(r->gateway.visitors, r);
        /* what the gateway asks for itself is not the device's doing */
        visitors_find(r->gateway.visitors, STR("good"), &(struct visit){ .address = STR("127.0.0.2") }, on_found, r);
        r->answered = false;
        while (!r->answered)
                turn(r);
        assert_int_equal(r->found, 0);
        /* and who is known goes on */
        assert_true(ask(r, "good"));
        assert_int_equal(r->found, 0);
}

static void what_identity_names_is_forgotten(void **state)
{
        struct caller_change other = { .has_user = true, .user = { { 2 } }, .device = STR("") };
        struct caller_change user = { .has_user = true, .user = ada, .device = STR("") };
        struct caller_change device = { .device = STR("loopback:127.0.0.2") };
        struct room *r = *state;

        follow(r);
        assert_int_equal(find(r, "good"), 0);
        change(r, false, &other, 1);
        assert_true(ask(r, "good"));
        change(r, false, &user, 1);
        assert_int_equal(visitors_count(r->gateway.visitors), 0);
        assert_int_equal(find(r, "good"), 0);
        change(r, false, &device, 1);
        assert_int_equal(visitors_count(r->gateway.visitors), 0);
        assert_int_equal(find(r, "good"), 0);
        change(r, true, NULL, 0);
        assert_int_equal(visitors_count(r->gateway.visitors), 0);
}

static void an_answer_from_before_a_change_is_asked_for_again(void **state)
{
        struct caller_change user = { .has_user = true, .user = ada, .device = STR("") };
        struct room *r = *state;

        follow(r);
        change(r, false, &user, 1);
        assert_int_equal(r->revision, 0);
        assert_int_equal(find(r, "good"), 0);
        assert_int_equal(r->resolves, 2);
}

static void a_token_is_known_by_its_address_too(void **state)
{
        struct room *r = *state;

        assert_int_equal(find(r, "good"), 0);
        r->answered = false;
        visitors_find(r->gateway.visitors, STR("good"), &(struct visit){ .address = STR("127.0.0.3") }, on_found, r);
        assert_false(r->answered);
        visitors_cancel(r->gateway.visitors, r);
        assert_false(ask(r, "goo"));
        visitors_cancel(r->gateway.visitors, r);
        assert_true(ask(r, "good"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_caller_is_asked_for_once),
                TEST(many_who_ask_at_once_share_one_question),
                TEST(after_five_minutes_it_is_asked_again_in_the_background),
                TEST(while_identity_is_away_a_caller_stays_good_until_the_seal_is_over),
                TEST(a_refused_token_is_not_remembered),
                TEST(guesses_are_charged_before_identity_has_answered),
                TEST(what_identity_names_is_forgotten),
                TEST(an_answer_from_before_a_change_is_asked_for_again),
                TEST(a_token_is_known_by_its_address_too),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

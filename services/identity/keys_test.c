/* What a device is, by each driver's rule: asked for as the gateway does, with a supervisor that says what the test wants. */
#include "api_room.h"
#include "keys.h"
#include "schema/overlay.h"
#include <arpa/inet.h>

/* Of the secret key 01 02 ... 20. */
#define KEY "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
#define OTHER_KEY "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
#define ADDRESS "5a6:f0c6:f365:177d:66be:4a2b:d9fd:b59e"
#define SECOND_ADDRESS "5a6:f0c6:f365:177d::77"         /* of the same node */
#define DEVICE "mycelium:5a6:f0c6:f365:177d::/64"
#define OTHER_ADDRESS "520:c662:fd00:9e92:5d99:34ed:ab8:82ab"

enum says { SAYS_KEY, SAYS_NOTHING, SAYS_NO_ROUTE, SAYS_LATER };

struct supervisor {
        enum says says;
        uint8_t key[32];
        size_t asked;
        char address[64];       /* that was asked for last */
        struct call *parked;
        struct rpc_server *server;
};

struct desk {
        struct room *room;
        struct supervisor supervisor;
};

static int64_t skipped_us;      /* by the test's hand */

static int64_t steady_us(void *data)
{
        (void)data;
        return clock_system.steady_us(clock_system.data) + skipped_us;
}

static int on_pubkey(void *data, struct call *c, const void *params, void *ret)
{
        const struct overlay_pubkey *in = params;
        struct overlay_pubkey_result *out = ret;
        struct supervisor *s = data;

        s->asked++;
        snprintf(s->address, sizeof(s->address), "%.*s", STR_ARG(in->address));
        switch (s->says) {
        case SAYS_KEY:
                out->pubkey = (struct str){ (const char *)s->key, sizeof(s->key) };
                return 0;
        case SAYS_NOTHING:
                return 0;
        case SAYS_NO_ROUTE:
                return call_unavailable(c, 100, "no route");
        case SAYS_LATER:
                s->parked = c;
                return CALL_PARKED;
        }
        return 0;
}

static int set_up(void **state)
{
        static const struct rpc_handler handlers[] = { { &schema_method_overlay_pubkey, on_pubkey }, { 0 } };
        struct desk *d = calloc(1, sizeof(*d));
        char path[96];
        struct room *r;

        room_setup((void **)&d->room);
        *state = d;
        r = d->room;
        skipped_us = 0;
        r->clock.steady_us = steady_us;
        r->d.driver = OVERLAY_MYCELIUM;
        strcpy(r->d.address, "4ff::1");
        str_from_hex(STR(KEY), d->supervisor.key, sizeof(d->supervisor.key));
        snprintf(path, sizeof(path), "%s/supervisor.sock", r->f->directory);
        assert_int_equal(rpc_server_new(r->service.loop, &(struct rpc_server_options){
                .path = path, .handlers = handlers, .data = &d->supervisor, .peers = &r->service.peers, .clock = &r->clock },
                &d->supervisor.server), 0);
        assert_int_equal(rpc_client_new(r->service.loop, &(struct rpc_client_options){
                .path = path, .service = SCHEMA_PEER_SUPERVISOR, .peers = &r->service.peers }, &r->d.supervisor), 0);
        keys_init(&r->d.keys, r->service.loop, r->d.supervisor);
        return 0;
}

static int tear_down(void **state)
{
        struct desk *d = *state;
        char path[96];

        snprintf(path, sizeof(path), "%s/supervisor.sock", d->room->f->directory);
        keys_deinit(&d->room->d.keys);
        rpc_client_free(d->room->d.supervisor);
        rpc_server_free(d->supervisor.server);
        unlink(path);
        room_teardown((void **)&d->room);
        free(d);
        return 0;
}

static int start(struct room *r, struct str caller)
{
        struct enroll_start_result started;

        return room_call(r, &schema_method_enroll_start,
                         &(struct enroll_start){ .has_op_id = true, .op_id = room_op(r), .email = STR("linus@example.org"), .label = STR("My phone") },
                         caller, &started);
}

static int redeem(struct room *r, struct str caller, struct str code, uint8_t ret_secret[PROOF_SECRET_BYTES])
{
        struct enroll_redeem_result redeemed;
        int code_of = room_call(r, &schema_method_enroll_redeem, &(struct enroll_redeem){ .has_op_id = true, .op_id = room_op(r), .code = code },
                                caller, &redeemed);

        if (code_of == 0)
                memcpy(ret_secret, redeemed.secret.p, PROOF_SECRET_BYTES);
        return code_of;
}

static void enroll(struct room *r, const char *device, uint8_t ret_secret[PROOF_SECRET_BYTES])
{
        struct str stranger = room_stranger(r, device);

        r->f->now++;    /* so that mails are in order */
        assert_int_equal(start(r, stranger), 0);
        assert_int_equal(redeem(r, stranger, room_code(r), ret_secret), 0);
}

static int resolve(struct room *r, struct str token, const char *address)
{
        struct session_resolve_result who;

        return room_call(r, &schema_method_session_resolve, &(struct session_resolve){ .token = token, .address = str_of(address) }, NOBODY, &who);
}

/* ---- mycelium: the /64 and its key ---- */

static void a_device_is_its_network_and_key_and_may_use_each_of_its_addresses(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open;

        enroll(r, DEVICE, secret);
        assert_int_equal(d->supervisor.asked, 1);       /* once for both, and for the sessions to come */
        assert_int_equal(room_open(r, ADDRESS, secret, &open), 0);
        assert_true(open.has_role);
        assert_int_equal(room_open(r, SECOND_ADDRESS, secret, &open), 0);
        assert_int_equal(resolve(r, open.token, ADDRESS), 0);
        assert_int_equal(d->supervisor.asked, 1);
        assert_int_equal(resolve(r, open.token, OTHER_ADDRESS), FAULT_UNAUTHENTICATED);
        assert_int_equal(fixture_count(r->f, "SELECT count(*) FROM binding WHERE device_key = x'" KEY "'"), 1);
}

static void another_key_on_a_pinned_network_is_a_stranger(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        uint8_t secret[PROOF_SECRET_BYTES], again[PROOF_SECRET_BYTES];
        struct session_open_result open;

        enroll(r, DEVICE, secret);
        /* Two keys of one network take 2^57 attempts to find: the pin is changed instead. */
        assert_int_equal(db_do(r->f->db, "UPDATE binding SET device_key = x'" OTHER_KEY "'", ""), 0);
        assert_int_equal(room_open(r, ADDRESS, secret, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, ADDRESS, NULL, &open), 0);
        assert_false(open.has_role);
        enroll(r, DEVICE, again);                       /* as any stranger may */
        assert_int_equal(room_open(r, ADDRESS, again, &open), 0);
        assert_int_equal(room_open(r, ADDRESS, secret, &open), FAULT_UNAUTHENTICATED);
}

static void a_code_is_redeemed_by_the_key_that_asked_for_it(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        struct str stranger = room_stranger(r, DEVICE), code;
        uint8_t secret[PROOF_SECRET_BYTES];

        assert_int_equal(start(r, stranger), 0);
        code = room_code(r);
        assert_int_equal(db_do(r->f->db, "UPDATE enrolment SET device_key = x'" OTHER_KEY "'", ""), 0);
        assert_int_equal(redeem(r, stranger, code, secret), FAULT_EXPIRED);
        assert_int_equal(db_do(r->f->db, "UPDATE enrolment SET device_key = x'" KEY "'", ""), 0);
        assert_int_equal(redeem(r, stranger, code, secret), 0);
}

static void a_stranger_gets_a_session_without_a_question(void **state)
{
        struct desk *d = *state;
        struct session_open_result open;

        d->supervisor.says = SAYS_NO_ROUTE;
        assert_int_equal(room_open(d->room, ADDRESS, NULL, &open), 0);
        assert_int_equal(resolve(d->room, open.token, SECOND_ADDRESS), 0);
        assert_int_equal(d->supervisor.asked, 0);
}

static void while_there_is_no_route_a_device_is_told_when_to_come_back(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open;

        d->supervisor.says = SAYS_NO_ROUTE;
        assert_int_equal(start(r, room_stranger(r, DEVICE)), FAULT_UNAVAILABLE);
        assert_int_equal(r->fault.retry_after_ms, KEYS_RETRY_MS);
        assert_int_equal(fixture_count(r->f, "SELECT count(*) FROM enrolment"), 0);
        d->supervisor.says = SAYS_KEY;
        assert_int_equal(start(r, room_stranger(r, DEVICE)), FAULT_UNAVAILABLE);        /* nor is the daemon asked all the time */
        assert_int_equal(d->supervisor.asked, 1);
        skipped_us += KEYS_RETRY_MS * 1000;
        enroll(r, DEVICE, secret);
        assert_int_equal(room_open(r, ADDRESS, secret, &open), 0);
        assert_int_equal(d->supervisor.asked, 2);
}

static void only_a_key_that_hashes_to_the_network_is_taken(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;

        str_from_hex(STR(OTHER_KEY), d->supervisor.key, sizeof(d->supervisor.key));
        assert_int_equal(start(r, room_stranger(r, DEVICE)), FAULT_UNAVAILABLE);
        skipped_us += KEYS_RETRY_MS * 1000;
        d->supervisor.says = SAYS_NOTHING;
        assert_int_equal(start(r, room_stranger(r, DEVICE)), FAULT_UNAVAILABLE);
        assert_int_equal(d->supervisor.asked, 2);
        assert_string_equal(d->supervisor.address, "5a6:f0c6:f365:177d::");
}

static void a_key_is_asked_for_again_after_its_time(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open;

        enroll(r, DEVICE, secret);
        skipped_us += KEYS_LIFE_MS * INT64_C(1000);
        assert_int_equal(room_open(r, ADDRESS, secret, &open), 0);
        assert_int_equal(d->supervisor.asked, 2);
}

/* ---- waiting ---- */

struct asked {
        int code;               /* -1: not yet */
        int64_t retry_after_ms;
};

static void on_done(void *data, const struct rpc_reply *reply)
{
        struct asked *a = data;

        a->code = reply->code;
        if (reply->fault)
                a->retry_after_ms = reply->fault->retry_after_ms;
}

static void start_many(struct room *r, const char *device, struct asked *asked, size_t n)
{
        struct str caller = room_stranger(r, device);

        for (size_t i = 0; i < n; i++) {
                const struct enroll_start in = { .has_op_id = true, .op_id = room_op(r), .email = STR("linus@example.org"), .label = STR("My phone") };

                asked[i].code = -1;
                assert_int_equal(rpc_call(r->client, &(struct rpc_request){ .method = &schema_method_enroll_start, .params = &in, .caller = caller },
                                          on_done, &asked[i]), 0);
        }
}

static void dispatch_until(struct room *r, bool met(const void *data), const void *data)
{
        int64_t until_us = steady_us(NULL) + 30 * INT64_C(1000000);

        while (!met(data)) {
                if (steady_us(NULL) > until_us)
                        fail_msg("not within 30 s");
                assert_int_equal(loop_dispatch(r->service.loop, 1000), 0);
        }
}

static bool is_parked(const void *data)
{
        return ((const struct supervisor *)data)->parked != NULL;
}

static bool is_answered(const void *data)
{
        return ((const struct asked *)data)->code != -1;
}

/* Of KEYS_WAITING_MAX + 1. */
static size_t n_answered(const struct asked *asked, int code)
{
        size_t n = 0;

        for (size_t i = 0; i <= KEYS_WAITING_MAX; i++)
                n += asked[i].code == code;
        return n;
}

static bool one_is_refused(const void *data)
{
        return n_answered(data, FAULT_UNAVAILABLE) == 1;
}

static bool none_waits(const void *data)
{
        return n_answered(data, -1) == 0;
}

static void answer_later(struct supervisor *s)
{
        struct overlay_pubkey_result *out = s->parked->result;

        out->pubkey = (struct str){ (const char *)s->key, sizeof(s->key) };
        call_answer(s->parked, 0);
        s->parked = NULL;
}

static void those_who_wait_for_one_device_share_a_question_and_nobody_else_waits(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        struct session_open_result open;
        struct user_list_result users;
        struct asked asked[3];

        d->supervisor.says = SAYS_LATER;
        start_many(r, DEVICE, asked, 3);
        dispatch_until(r, is_parked, &d->supervisor);
        assert_int_equal(room_open(r, OTHER_ADDRESS, NULL, &open), 0);
        assert_int_equal(room_call(r, &schema_method_user_list, &(struct user_list){ .limit = 10 }, NOBODY, &users), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(asked[i].code, -1);
        answer_later(&d->supervisor);
        for (int i = 0; i < 3; i++) {
                dispatch_until(r, is_answered, &asked[i]);
                assert_int_equal(asked[i].code, 0);
        }
        assert_int_equal(d->supervisor.asked, 1);
}

static void where_too_many_wait_the_next_one_is_told_to_come_back(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        struct asked asked[KEYS_WAITING_MAX + 1], other;

        d->supervisor.says = SAYS_LATER;
        start_many(r, DEVICE, asked, KEYS_WAITING_MAX + 1);
        dispatch_until(r, one_is_refused, asked);
        start_many(r, "mycelium:520:c662:fd00:9e92::/64", &other, 1);
        dispatch_until(r, is_answered, &other);
        assert_int_equal(other.code, FAULT_UNAVAILABLE);
        assert_int_equal(other.retry_after_ms, KEYS_RETRY_MS);
        dispatch_until(r, is_parked, &d->supervisor);
        d->supervisor.says = SAYS_KEY;
        answer_later(&d->supervisor);
        dispatch_until(r, none_waits, asked);
        assert_true(one_is_refused(asked));
}

static void those_who_wait_when_it_stops_are_answered(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        struct asked asked;

        d->supervisor.says = SAYS_LATER;
        start_many(r, DEVICE, &asked, 1);
        dispatch_until(r, is_parked, &d->supervisor);
        keys_drain(&r->d.keys);
        dispatch_until(r, is_answered, &asked);
        assert_int_equal(asked.code, FAULT_UNAVAILABLE);
        assert_int_equal(start(r, room_stranger(r, DEVICE)), FAULT_UNAVAILABLE);        /* nobody waits any more */
        answer_later(&d->supervisor);
}

static void the_oldest_are_forgotten_where_there_are_too_many(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        uint8_t secret[PROOF_SECRET_BYTES] = { 0 };
        struct session_open_result open;
        char text[INET6_ADDRSTRLEN];

        for (uint32_t i = 0; i <= KEYS_MAX; i++) {
                struct in6_addr address;

                memcpy(d->supervisor.key, &i, sizeof(i));
                mycelium_address(d->supervisor.key, &address);
                inet_ntop(AF_INET6, &address, text, sizeof(text));
                assert_int_equal(room_open(r, text, secret, &open), FAULT_UNAUTHENTICATED);
        }
        assert_int_equal(d->supervisor.asked, KEYS_MAX + 1);
        assert_int_equal(room_open(r, text, secret, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(d->supervisor.asked, KEYS_MAX + 1);
        memset(d->supervisor.key, 0, 4);
        {
                struct in6_addr first;

                mycelium_address(d->supervisor.key, &first);
                inet_ntop(AF_INET6, &first, text, sizeof(text));
        }
        assert_int_equal(room_open(r, text, secret, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(d->supervisor.asked, KEYS_MAX + 2);
}

/* ---- the other drivers ---- */

static void a_device_of_yggdrasil_is_its_whole_address_and_needs_no_key(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open;

        r->d.driver = OVERLAY_YGGDRASIL;
        enroll(r, "yggdrasil:201:f315:c859:9777::1", secret);
        assert_int_equal(room_open(r, "201:f315:c859:9777::1", secret, &open), 0);
        assert_true(open.has_role);
        assert_int_equal(room_open(r, "201:f315:c859:9777::2", secret, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(resolve(r, open.token, "201:f315:c859:9777::2"), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "301:f315:c859:9777::1", secret, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(d->supervisor.asked, 0);
}

static void a_binding_counts_under_its_own_driver_only(void **state)
{
        struct desk *d = *state;
        struct room *r = d->room;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open, other;
        struct str stranger;

        enroll(r, DEVICE, secret);
        assert_int_equal(room_open(r, ADDRESS, secret, &open), 0);
        stranger = room_stranger(r, DEVICE);            /* a seal that is still good */
        r->d.driver = OVERLAY_YGGDRASIL;
        assert_int_equal(resolve(r, open.token, ADDRESS), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, ADDRESS, secret, &other), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "201:f315:c859:9777::1", secret, &other), FAULT_UNAUTHENTICATED);
        assert_int_equal(start(r, stranger), FAULT_UNAUTHENTICATED);
        r->d.driver = OVERLAY_MYCELIUM;
        assert_int_equal(resolve(r, open.token, ADDRESS), 0);
        assert_int_equal(room_open(r, ADDRESS, secret, &other), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_device_is_its_network_and_key_and_may_use_each_of_its_addresses),
                TEST(another_key_on_a_pinned_network_is_a_stranger),
                TEST(a_code_is_redeemed_by_the_key_that_asked_for_it),
                TEST(a_stranger_gets_a_session_without_a_question),
                TEST(while_there_is_no_route_a_device_is_told_when_to_come_back),
                TEST(only_a_key_that_hashes_to_the_network_is_taken),
                TEST(a_key_is_asked_for_again_after_its_time),
                TEST(those_who_wait_for_one_device_share_a_question_and_nobody_else_waits),
                TEST(where_too_many_wait_the_next_one_is_told_to_come_back),
                TEST(those_who_wait_when_it_stops_are_answered),
                TEST(the_oldest_are_forgotten_where_there_are_too_many),
                TEST(a_device_of_yggdrasil_is_its_whole_address_and_needs_no_key),
                TEST(a_binding_counts_under_its_own_driver_only),
        };

        log_open("test", LOG_LEVEL_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

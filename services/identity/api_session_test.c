/* Sessions and enrolment as the gateway asks for them. */
#include "api_room.h"
#include "enroll.h"
#include "outbox.h"
#include "session.h"

static int start(struct room *r, struct ulid op_id, const char *email, struct str caller, struct enroll_start_result *ret)
{
        struct enroll_start in = { .has_op_id = true, .op_id = op_id, .email = str_of(email), .label = STR("My phone") };

        return room_call(r, &schema_method_enroll_start, &in, caller, ret);
}

static int redeem(struct room *r, struct ulid op_id, struct str code, struct str caller, struct enroll_redeem_result *ret)
{
        return room_call(r, &schema_method_enroll_redeem, &(struct enroll_redeem){ .has_op_id = true, .op_id = op_id, .code = code }, caller, ret);
}

/* Binds the phone to the customer. */
static void enroll(struct room *r, uint8_t ret_secret[PROOF_SECRET_BYTES])
{
        struct str stranger = room_stranger(r, PHONE);
        struct enroll_start_result started;
        struct enroll_redeem_result redeemed;

        assert_int_equal(start(r, room_op(r), "linus@example.org", stranger, &started), 0);
        assert_int_equal(redeem(r, room_op(r), room_code(r), stranger, &redeemed), 0);
        assert_true(ulid_eq(redeemed.user, r->f->customer));
        memcpy(ret_secret, redeemed.secret.p, PROOF_SECRET_BYTES);
}

static int resolve(struct room *r, struct str token, const char *address, struct session_resolve_result *ret)
{
        return room_call(r, &schema_method_session_resolve, &(struct session_resolve){ .token = token, .address = str_of(address) }, NOBODY, ret);
}

static void a_bound_device_opens_a_session_and_is_known_by_its_token(void **state)
{
        struct room *r = *state;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open;
        struct session_resolve_result who;
        struct caller caller;

        enroll(r, secret);
        assert_int_equal(room_open(r, "127.0.0.2", secret, &open), 0);
        assert_true(open.has_role && open.role == ROLE_CUSTOMER);
        assert_true(str_is(open.name, "Linus"));
        assert_int_equal(open.expires_at, r->f->now + SESSION_TOKEN_LIFE_MS);
        assert_int_equal(resolve(r, open.token, "127.0.0.2", &who), 0);
        assert_int_equal(who.expires_at, r->f->now + SESSION_SEAL_LIFE_MS);
        assert_int_equal(caller_open(r->d.caller_key, who.caller, r->f->now, &caller), 0);
        assert_true(ulid_eq(caller.user, r->f->customer));
        assert_int_equal(caller.role, SCHEMA_ROLE_CUSTOMER);
        assert_true(str_is(caller.device, PHONE));
        assert_int_equal(caller.expires_at, who.expires_at);
}

static void a_seal_never_outlives_its_token(void **state)
{
        struct room *r = *state;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open;
        struct session_resolve_result who;

        enroll(r, secret);
        assert_int_equal(room_open(r, "127.0.0.2", secret, &open), 0);
        r->f->now = open.expires_at - 1000;
        assert_int_equal(resolve(r, open.token, "127.0.0.2", &who), 0);
        assert_int_equal(who.expires_at, open.expires_at);
        r->f->now = open.expires_at;
        assert_int_equal(resolve(r, open.token, "127.0.0.2", &who), FAULT_UNAUTHENTICATED);
}

static void a_stranger_gets_a_token_without_a_role(void **state)
{
        struct room *r = *state;
        struct session_open_result open;
        struct session_resolve_result who;
        struct caller caller;

        assert_int_equal(room_open(r, "127.0.0.2", NULL, &open), 0);
        assert_false(open.has_role || open.has_user || open.has_name);
        assert_int_equal(resolve(r, open.token, "127.0.0.2", &who), 0);
        assert_false(who.has_role || who.has_user);
        assert_int_equal(caller_open(r->d.caller_key, who.caller, r->f->now, &caller), 0);
        assert_int_equal(caller.role, SCHEMA_ROLE_STRANGER);
        assert_true(ulid_is_zero(caller.user));
}

static void a_wrong_proof_a_foreign_token_and_an_address_outside_are_unauthenticated(void **state)
{
        struct room *r = *state;
        uint8_t secret[PROOF_SECRET_BYTES], wrong[PROOF_SECRET_BYTES] = { 0 };
        struct session_open_result open;
        struct session_resolve_result who;

        enroll(r, secret);
        assert_int_equal(room_open(r, "127.0.0.2", wrong, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "127.0.0.3", secret, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "10.0.0.1", NULL, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "::1", NULL, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "nonsense", NULL, &open), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "127.0.0.2", secret, &open), 0);
        assert_int_equal(resolve(r, open.token, "127.0.0.3", &who), FAULT_UNAUTHENTICATED);
}

static void a_stale_nonce_is_expired(void **state)
{
        struct room *r = *state;
        struct session_nonce_result nonce;
        struct session_open_result open;
        struct session_open in = { .address = STR("127.0.0.2") };

        assert_int_equal(room_call(r, &schema_method_session_nonce, &(struct session_nonce){ .address = in.address }, NOBODY, &nonce), 0);
        in.nonce = nonce.nonce;
        r->f->now += SESSION_NONCE_LIFE_MS;
        assert_int_equal(room_call(r, &schema_method_session_open, &in, NOBODY, &open), FAULT_EXPIRED);
}

static void revoking_a_device_and_disabling_a_user_end_sessions(void **state)
{
        struct room *r = *state;
        uint8_t secret[PROOF_SECRET_BYTES];
        struct session_open_result open;
        struct session_resolve_result who;
        struct user_disable_result disabled;
        struct device_list_result devices;
        struct device_revoke_result revoked;
        struct user_disable in = { .has_op_id = true, .op_id = room_op(r), .user = r->f->customer };

        enroll(r, secret);
        assert_int_equal(room_open(r, "127.0.0.2", secret, &open), 0);
        assert_int_equal(room_call(r, &schema_method_user_disable, &in, NOBODY, &disabled), 0);
        assert_int_equal(resolve(r, open.token, "127.0.0.2", &who), FAULT_UNAUTHENTICATED);
        in.op_id = room_op(r);
        in.active = true;
        assert_int_equal(room_call(r, &schema_method_user_disable, &in, NOBODY, &disabled), 0);
        assert_int_equal(resolve(r, open.token, "127.0.0.2", &who), 0);
        assert_int_equal(room_call(r, &schema_method_device_list, &(struct device_list){ .limit = 10 }, NOBODY, &devices), 0);
        assert_true(devices.items.items[0].has_seen_at);
        assert_int_equal(room_call(r, &schema_method_device_revoke, &(struct device_revoke){ .has_op_id = true, .op_id = room_op(r),
                                   .device = devices.items.items[0].id }, NOBODY, &revoked), 0);
        assert_int_equal(resolve(r, open.token, "127.0.0.2", &who), FAULT_UNAUTHENTICATED);
        assert_int_equal(room_open(r, "127.0.0.2", secret, &open), FAULT_UNAUTHENTICATED);
}

static void a_retried_redeem_tells_the_same_secret_until_it_was_used(void **state)
{
        struct room *r = *state;
        struct str stranger = room_stranger(r, PHONE), code;
        struct enroll_start_result started;
        struct enroll_redeem_result first, again;
        struct session_open_result open;
        struct ulid op = room_op(r);

        assert_int_equal(start(r, room_op(r), "linus@example.org", stranger, &started), 0);
        code = room_code(r);
        assert_int_equal(redeem(r, op, code, stranger, &first), 0);
        assert_int_equal(redeem(r, op, code, stranger, &again), 0);
        assert_true(str_eq(first.secret, again.secret));
        assert_int_equal(redeem(r, op, code, room_stranger(r, LAPTOP), &again), FAULT_CONFLICT);
        assert_int_equal(fixture_count(r->f, "SELECT count(*) FROM binding"), 1);
        assert_int_equal(room_open(r, "127.0.0.2", (const uint8_t *)first.secret.p, &open), 0);
        assert_int_equal(redeem(r, op, code, stranger, &again), FAULT_EXPIRED);
}

static void a_retried_start_sends_one_mail_and_answers_the_same(void **state)
{
        struct room *r = *state;
        struct str stranger = room_stranger(r, PHONE);
        struct enroll_start_result first, again;
        struct ulid op = room_op(r);

        assert_int_equal(start(r, op, "linus@example.org", stranger, &first), 0);
        assert_int_equal(first.expires_at, r->f->now + ENROLL_LIFE_MS);
        r->f->now += 1000;
        assert_int_equal(start(r, op, "linus@example.org", stranger, &again), 0);
        assert_int_equal(again.expires_at, first.expires_at);
        assert_int_equal(fixture_count(r->f, "SELECT count(*) FROM outbox"), 1);
}

static void tries_are_counted_though_they_are_refused(void **state)
{
        struct room *r = *state;
        struct str stranger = room_stranger(r, PHONE), code;
        struct enroll_start_result started;
        struct enroll_redeem_result out;
        char wrong[9] = "";

        assert_int_equal(start(r, room_op(r), "linus@example.org", stranger, &started), 0);
        code = room_code(r);
        memcpy(wrong, code.p, 8);
        wrong[3] = wrong[3] == 'Z' ? 'Y' : 'Z';
        assert_int_equal(redeem(r, room_op(r), STR("UUUUUUUU"), stranger, &out), FAULT_INVALID_PARAMS);
        assert_true(str_is(r->fault.field, "code"));
        for (int i = 0; i < ENROLL_TRIES; i++)
                assert_int_equal(redeem(r, room_op(r), str_of(wrong), stranger, &out), FAULT_NOT_FOUND);
        assert_int_equal(redeem(r, room_op(r), code, stranger, &out), FAULT_EXPIRED);
}

static void known_and_unknown_emails_get_the_same_answers_to_everything(void **state)
{
        struct room *r = *state;
        struct str strangers[2] = { room_stranger(r, PHONE), room_stranger(r, LAPTOP) };
        const char *const emails[2] = { "linus@example.org", "elvis@example.org" };
        int code[2];

        for (int i = 0; i < 2; i++) {
                struct enroll_start_result started;
                struct enroll_redeem_result out;

                assert_int_equal(start(r, room_op(r), emails[i], strangers[i], &started), 0);
                assert_int_equal(started.expires_at, r->f->now + ENROLL_LIFE_MS);
                for (int k = 0; k <= ENROLL_TRIES; k++)
                        code[i] = redeem(r, room_op(r), STR("00000000"), strangers[i], &out);
        }
        assert_int_equal(code[0], FAULT_EXPIRED);
        assert_int_equal(code[1], FAULT_EXPIRED);
}

static void too_many_starts_say_when_to_come_back(void **state)
{
        struct room *r = *state;
        struct str stranger = room_stranger(r, PHONE);
        struct enroll_start_result out;

        for (int i = 0; i < ENROLL_PER_EMAIL; i++)
                assert_int_equal(start(r, room_op(r), "linus@example.org", stranger, &out), 0);
        assert_int_equal(start(r, room_op(r), "linus@example.org", stranger, &out), FAULT_RATE_LIMITED);
        assert_true(r->fault.has_retry_after_ms);
        assert_int_equal(r->fault.retry_after_ms, ENROLL_WINDOW_MS);
}

static void a_label_that_is_no_label_is_named(void **state)
{
        struct room *r = *state;
        struct enroll_start in = { .has_op_id = true, .op_id = room_op(r), .email = STR("linus@example.org"), .label = STR("a\nb") };
        struct enroll_start_result out;

        assert_int_equal(room_call(r, &schema_method_enroll_start, &in, room_stranger(r, PHONE), &out), FAULT_INVALID_PARAMS);
        assert_true(str_is(r->fault.field, "label"));
}

static void until_the_overlay_is_known_sessions_are_unavailable(void **state)
{
        struct room *r = *state;
        struct session_open_result open;

        r->d.address[0] = '\0';
        assert_int_equal(room_open(r, "127.0.0.2", NULL, &open), FAULT_UNAVAILABLE);
        assert_true(r->fault.has_retry_after_ms);
}

struct taken {
        bool here;
        size_t n;
        struct ulid mail;
};

static void on_mails(void *data, const struct rpc_reply *reply)
{
        const struct outbox_follow_result *result = reply->result;
        struct taken *t = data;

        assert_int_equal(reply->code, 0);
        t->here = true;
        t->n = result->items.n;
        if (t->n > 0)
                t->mail = result->items.items[0].id;
}

static void the_courier_is_woken_by_a_new_mail_and_says_what_became_of_it(void **state)
{
        struct room *r = *state;
        const struct outbox_follow in = { .after = 1, .max_bytes = 262144 };
        int64_t until = room_steady_us(NULL) + 5 * 1000 * 1000, began = room_steady_us(NULL);
        struct enroll_start_result started;
        struct outbox_done_result done;
        struct outbox_list_result list;
        struct taken taken = { 0 };

        assert_int_equal(rpc_call(r->client, &(struct rpc_request){ .method = &schema_method_outbox_follow, .params = &in }, on_mails, &taken), 0);
        assert_int_equal(start(r, room_op(r), "linus@example.org", room_stranger(r, PHONE), &started), 0);
        while (!taken.here && room_steady_us(NULL) < until)
                loop_dispatch(r->service.loop, 10);
        assert_true(taken.here && room_steady_us(NULL) - began < RPC_PARK_MS * 1000);
        assert_int_equal(taken.n, 1);
        assert_int_equal(room_call(r, &schema_method_outbox_done, &(struct outbox_done){ .mail = taken.mail, .outcome = MAIL_OUTCOME_SENT,
                                   .status = 250 }, NOBODY, &done), 0);
        assert_int_equal(room_call(r, &schema_method_outbox_list, &(struct outbox_list){ .limit = 10 }, NOBODY, &list), 0);
        assert_int_equal(list.items.n, 1);
        assert_true(list.items.items[0].has_outcome);
        assert_int_equal(list.items.items[0].status, 250);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ROOM_TEST(a_bound_device_opens_a_session_and_is_known_by_its_token),
                ROOM_TEST(a_seal_never_outlives_its_token),
                ROOM_TEST(a_stranger_gets_a_token_without_a_role),
                ROOM_TEST(a_wrong_proof_a_foreign_token_and_an_address_outside_are_unauthenticated),
                ROOM_TEST(a_stale_nonce_is_expired),
                ROOM_TEST(revoking_a_device_and_disabling_a_user_end_sessions),
                ROOM_TEST(a_retried_redeem_tells_the_same_secret_until_it_was_used),
                ROOM_TEST(a_retried_start_sends_one_mail_and_answers_the_same),
                ROOM_TEST(tries_are_counted_though_they_are_refused),
                ROOM_TEST(known_and_unknown_emails_get_the_same_answers_to_everything),
                ROOM_TEST(too_many_starts_say_when_to_come_back),
                ROOM_TEST(a_label_that_is_no_label_is_named),
                ROOM_TEST(until_the_overlay_is_known_sessions_are_unavailable),
                ROOM_TEST(the_courier_is_woken_by_a_new_mail_and_says_what_became_of_it),
        };

        log_open("identity-test", LOG_LEVEL_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

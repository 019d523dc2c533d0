#include "session.h"
#include "binding.h"
#include "fixture.h"

#define PHONE STR("loopback:127.0.0.2")
#define OTHER STR("loopback:127.0.0.3")
#define SERVER STR("127.0.0.1")

static const uint8_t project[PROOF_PROJECT_BYTES] = "the project's public key";

static struct str nonce_for(struct fixture *f, struct str device, uint8_t bytes[SESSION_NONCE_BYTES])
{
        session_nonce(f->key, f->now, device, bytes);
        return (struct str){ (const char *)bytes, SESSION_NONCE_BYTES };
}

static struct ulid bind_user(struct fixture *f, struct ulid user, struct str device, uint8_t secret[PROOF_SECRET_BYTES])
{
        struct ulid id;

        assert_int_equal(binding_add(f->db, f->now, &(struct device){ .user = user, .address = device, .label = STR("My phone") }, NO_KEY, &id), 0);
        assert_int_equal(binding_unused_secret(f->db, id, secret), 0);
        return id;
}

static struct str token_for(struct fixture *f, struct str device, struct ulid binding)
{
        return session_token(f->key, f->now + SESSION_TOKEN_LIFE_MS, device, &(struct session){ .binding = binding }, &f->arena);
}

static void a_nonce_is_good_for_its_device_and_for_sixty_seconds(void **state)
{
        uint8_t bytes[SESSION_NONCE_BYTES], again[SESSION_NONCE_BYTES];
        struct fixture *f = *state;
        struct str nonce = nonce_for(f, PHONE, bytes);

        nonce_for(f, PHONE, again);
        assert_memory_not_equal(bytes, again, sizeof(bytes));
        assert_int_equal(session_nonce_check(f->key, f->now, PHONE, nonce), 0);
        assert_int_equal(session_nonce_check(f->key, f->now + SESSION_NONCE_LIFE_MS - 1, PHONE, nonce), 0);
        assert_int_equal(session_nonce_check(f->key, f->now + SESSION_NONCE_LIFE_MS, PHONE, nonce), FAULT_EXPIRED);
        assert_int_equal(session_nonce_check(f->key, f->now, OTHER, nonce), FAULT_UNAUTHENTICATED);
        nonce.n--;
        assert_int_equal(session_nonce_check(f->key, f->now, PHONE, nonce), FAULT_UNAUTHENTICATED);
}

static void no_bit_of_a_nonce_or_token_can_be_changed(void **state)
{
        uint8_t bytes[SESSION_NONCE_BYTES], secret[PROOF_SECRET_BYTES], token[128];
        struct fixture *f = *state;
        struct str nonce = nonce_for(f, PHONE, bytes);
        struct ulid binding = bind_user(f, f->customer, PHONE, secret);
        struct session session;
        size_t n;

        for (size_t i = 0; i < 8 * sizeof(bytes); i++) {
                bytes[i / 8] ^= (uint8_t)(1 << i % 8);
                assert_int_equal(session_nonce_check(f->key, f->now, PHONE, nonce), FAULT_UNAUTHENTICATED);
                bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        assert_int_equal(str_from_base64url(token_for(f, PHONE, binding), token, sizeof(token), &n), 0);
        for (size_t i = 0; i < 8 * n; i++) {
                struct buf text = { 0 };

                token[i / 8] ^= (uint8_t)(1 << i % 8);
                buf_base64url(&text, token, n);
                assert_int_equal(session_find(f->db, f->key, f->now, PHONE, buf_view(&text), &f->arena, &session), FAULT_UNAUTHENTICATED);
                token[i / 8] ^= (uint8_t)(1 << i % 8);
                buf_deinit(&text);
        }
}

static void a_proof_is_found_among_all_bindings_of_its_device(void **state)
{
        uint8_t first[PROOF_SECRET_BYTES], second[PROOF_SECRET_BYTES], nonce[SESSION_NONCE_BYTES], proof[PROOF_BYTES];
        struct fixture *f = *state;
        struct str n = nonce_for(f, PHONE, nonce);
        struct ulid a = bind_user(f, f->customer, PHONE, first), b = bind_user(f, f->agent, PHONE, second), found;

        session_proof(first, project, SERVER, PHONE, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), 0);
        assert_true(ulid_eq(found, a));
        session_proof(second, project, SERVER, PHONE, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), 0);
        assert_true(ulid_eq(found, b));
}

static void a_proof_for_another_device_server_project_nonce_or_secret_is_none(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES], nonce[SESSION_NONCE_BYTES], other_nonce[SESSION_NONCE_BYTES], proof[PROOF_BYTES];
        static const uint8_t other_project[PROOF_PROJECT_BYTES] = "another";
        struct fixture *f = *state;
        struct str n = nonce_for(f, PHONE, nonce), m = nonce_for(f, PHONE, other_nonce);
        struct ulid found;

        bind_user(f, f->customer, PHONE, secret);
        session_proof(secret, project, SERVER, OTHER, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), FAULT_UNAUTHENTICATED);
        session_proof(secret, project, STR("127.0.0.9"), PHONE, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), FAULT_UNAUTHENTICATED);
        session_proof(secret, other_project, SERVER, PHONE, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), FAULT_UNAUTHENTICATED);
        session_proof(secret, project, SERVER, PHONE, m, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), FAULT_UNAUTHENTICATED);
        session_proof(secret, project, SERVER, PHONE, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, OTHER, NO_KEY, n, proof, &found), FAULT_UNAUTHENTICATED);
        secret[31] ^= 1;
        session_proof(secret, project, SERVER, PHONE, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), FAULT_UNAUTHENTICATED);
}

static void a_token_says_who_its_device_speaks_for_until_it_is_over(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES];
        struct fixture *f = *state;
        struct ulid binding = bind_user(f, f->customer, PHONE, secret);
        struct str token = token_for(f, PHONE, binding);
        struct session session;

        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token, &f->arena, &session), 0);
        assert_true(ulid_eq(session.user.id, f->customer));
        assert_int_equal(session.user.role, ROLE_CUSTOMER);
        assert_int_equal(session.expires_at, f->now + SESSION_TOKEN_LIFE_MS);
        fixture_restart(f);
        assert_int_equal(session_find(f->db, f->key, f->now + SESSION_TOKEN_LIFE_MS - 1, PHONE, token, &f->arena, &session), 0);
        assert_int_equal(session_find(f->db, f->key, f->now + SESSION_TOKEN_LIFE_MS, PHONE, token, &f->arena, &session), FAULT_UNAUTHENTICATED);
}

static void an_embedded_session_has_a_customers_role_by_its_token_or_by_its_binding(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES];
        struct fixture *f = *state;
        struct session session = { .binding = bind_user(f, f->agent, PHONE, secret), .embed = true };
        struct device embedded = { .user = f->agent, .address = PHONE, .label = STR("A page"), .embed = true };
        int64_t end = f->now + SESSION_TOKEN_LIFE_MS;
        struct ulid binding;

        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, session_token(f->key, end, PHONE, &session, &f->arena), &f->arena, &session), 0);
        assert_true(session.embed);
        assert_int_equal(session_role(&session), ROLE_CUSTOMER);
        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token_for(f, PHONE, session.binding), &f->arena, &session), 0);
        assert_int_equal(session_role(&session), ROLE_AGENT);
        assert_int_equal(binding_add(f->db, f->now, &embedded, NO_KEY, &binding), 0);
        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token_for(f, PHONE, binding), &f->arena, &session), 0);
        assert_int_equal(session_role(&session), ROLE_CUSTOMER);
}

static void what_a_clock_that_was_ahead_gave_out_does_not_outlive_its_promise(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES], bytes[SESSION_NONCE_BYTES];
        struct fixture *f = *state;
        struct ulid binding = bind_user(f, f->customer, PHONE, secret);
        struct str token = token_for(f, PHONE, binding), nonce = nonce_for(f, PHONE, bytes);
        int64_t back = f->now - SESSION_CLOCK_BACK_MS;
        struct session session;

        assert_int_equal(session_find(f->db, f->key, back, PHONE, token, &f->arena, &session), 0);
        assert_int_equal(session_nonce_check(f->key, back, PHONE, nonce), 0);
        assert_int_equal(session_find(f->db, f->key, back - 1, PHONE, token, &f->arena, &session), FAULT_UNAUTHENTICATED);
        assert_int_equal(session_nonce_check(f->key, back - 1, PHONE, nonce), FAULT_EXPIRED);
}

static void a_token_from_another_address_is_none(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES];
        struct fixture *f = *state;
        struct str token = token_for(f, PHONE, bind_user(f, f->customer, PHONE, secret));
        struct session session;

        bind_user(f, f->customer, OTHER, secret);
        assert_int_equal(session_find(f->db, f->key, f->now, OTHER, token, &f->arena, &session), FAULT_UNAUTHENTICATED);
}

static void a_strangers_token_has_no_user_even_on_a_bound_device(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES];
        struct fixture *f = *state;
        struct session session;

        bind_user(f, f->admin, PHONE, secret);
        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token_for(f, PHONE, (struct ulid){ { 0 } }), &f->arena, &session), 0);
        assert_true(ulid_is_zero(session.binding) && ulid_is_zero(session.user.id));
}

static void a_revoked_device_has_neither_token_nor_proof_nor_secret(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES], nonce[SESSION_NONCE_BYTES], proof[PROOF_BYTES];
        struct fixture *f = *state;
        struct ulid binding = bind_user(f, f->customer, PHONE, secret), found;
        struct str token = token_for(f, PHONE, binding), n = nonce_for(f, PHONE, nonce);
        struct session session;

        session_proof(secret, project, SERVER, PHONE, n, proof);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), 0);
        assert_int_equal(binding_revoke(f->db, binding, f->now), 0);
        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token, &f->arena, &session), FAULT_UNAUTHENTICATED);
        assert_int_equal(binding_prove(f->db, project, SERVER, PHONE, NO_KEY, n, proof, &found), FAULT_UNAUTHENTICATED);
        assert_int_equal(binding_unused_secret(f->db, binding, secret), FAULT_EXPIRED);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM binding WHERE secret IS NOT NULL"), 0);
}

static void a_disabled_user_has_no_session_and_a_new_role_counts_at_once(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES];
        struct fixture *f = *state;
        struct str token = token_for(f, PHONE, bind_user(f, f->customer, PHONE, secret));
        struct session session;
        struct user user;

        assert_int_equal(user_find(f->db, f->customer, &f->arena, &user), 0);
        user.role = ROLE_AGENT;
        assert_int_equal(user_set_person(f->db, f->now, &user), 0);
        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token, &f->arena, &session), 0);
        assert_int_equal(session.user.role, ROLE_AGENT);
        user.active = false;
        assert_int_equal(user_set_person(f->db, f->now, &user), 0);
        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token, &f->arena, &session), FAULT_UNAUTHENTICATED);
}

static void a_restored_database_with_a_new_key_voids_tokens(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES];
        struct fixture *f = *state;
        struct str token = token_for(f, PHONE, bind_user(f, f->customer, PHONE, secret));
        struct session session;

        assert_int_equal(db_run(f->db, "DELETE FROM setting WHERE name = 'key'"), 0);
        assert_int_equal(database_key(f->db, f->key), 0);
        assert_int_equal(session_find(f->db, f->key, f->now, PHONE, token, &f->arena, &session), FAULT_UNAUTHENTICATED);
}

static void garbage_is_no_token(void **state)
{
        static const char *const garbage[] = { "", "A", "AAAA", "====", "\xff\xff" };
        struct fixture *f = *state;
        struct session session;

        for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++)
                assert_int_equal(session_find(f->db, f->key, f->now, PHONE, str_of(garbage[i]), &f->arena, &session), FAULT_UNAUTHENTICATED);
}

static void a_device_is_bound_sixty_four_times_at_most(void **state)
{
        uint8_t secret[PROOF_SECRET_BYTES];
        struct fixture *f = *state;
        struct ulid id = { { 0 } };

        for (int i = 0; i < BINDING_PER_DEVICE_MAX; i++)
                id = bind_user(f, f->customer, PHONE, secret);
        assert_int_equal(binding_add(f->db, f->now, &(struct device){ .user = f->customer, .address = PHONE, .label = STR("x") }, NO_KEY, &id),
                         FAULT_CONFLICT);
        assert_int_equal(binding_revoke(f->db, id, f->now), 0);
        bind_user(f, f->customer, PHONE, secret);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                FIXTURE_TEST(a_nonce_is_good_for_its_device_and_for_sixty_seconds),
                FIXTURE_TEST(no_bit_of_a_nonce_or_token_can_be_changed),
                FIXTURE_TEST(a_proof_is_found_among_all_bindings_of_its_device),
                FIXTURE_TEST(a_proof_for_another_device_server_project_nonce_or_secret_is_none),
                FIXTURE_TEST(a_token_says_who_its_device_speaks_for_until_it_is_over),
                FIXTURE_TEST(an_embedded_session_has_a_customers_role_by_its_token_or_by_its_binding),
                FIXTURE_TEST(what_a_clock_that_was_ahead_gave_out_does_not_outlive_its_promise),
                FIXTURE_TEST(a_token_from_another_address_is_none),
                FIXTURE_TEST(a_strangers_token_has_no_user_even_on_a_bound_device),
                FIXTURE_TEST(a_revoked_device_has_neither_token_nor_proof_nor_secret),
                FIXTURE_TEST(a_disabled_user_has_no_session_and_a_new_role_counts_at_once),
                FIXTURE_TEST(a_restored_database_with_a_new_key_voids_tokens),
                FIXTURE_TEST(garbage_is_no_token),
                FIXTURE_TEST(a_device_is_bound_sixty_four_times_at_most),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

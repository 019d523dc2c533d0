#include "done.h"
#include "fixture.h"

static struct done done_of(uint8_t id, const char *actor, const char *method, const char *params)
{
        struct done done = { .op_id = { { id } }, .actor = str_of(actor) };

        done_hash(str_of(method), str_of(params), done.request);
        return done;
}

static void the_same_request_again_finds_what_it_was_about_for_ever(void **state)
{
        struct fixture *f = *state;
        struct done done = done_of(1, "user:A", "user.add", "x");
        struct ulid entity;

        assert_int_equal(done_find(f->db, &done, &entity), FAULT_NOT_FOUND);
        assert_int_equal(done_put(f->db, &done, f->agent), 0);
        fixture_restart(f);
        assert_int_equal(done_find(f->db, &done, &entity), 0);
        assert_true(ulid_eq(entity, f->agent));
}

static void another_actor_method_or_parameter_is_a_conflict_that_tells_nothing(void **state)
{
        struct fixture *f = *state;
        struct done done = done_of(1, "user:A", "user.add", "x"), others[] = {
                done_of(1, "user:B", "user.add", "x"),
                done_of(1, "user:A", "user.set", "x"),
                done_of(1, "user:A", "user.add", "y"),
        };
        struct ulid entity = { { 0 } };

        assert_int_equal(done_put(f->db, &done, f->agent), 0);
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
                assert_int_equal(done_find(f->db, &others[i], &entity), FAULT_CONFLICT);
                assert_true(ulid_is_zero(entity));
        }
        done = done_of(2, "user:A", "user.add", "x");
        assert_int_equal(done_find(f->db, &done, &entity), FAULT_NOT_FOUND);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                FIXTURE_TEST(the_same_request_again_finds_what_it_was_about_for_ever),
                FIXTURE_TEST(another_actor_method_or_parameter_is_a_conflict_that_tells_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

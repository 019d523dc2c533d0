/* identity.db as a whole: a copy of it, for a backup. */
#include "fixture.h"
#include "session.h"

static void a_copy_has_everybody_and_opens_no_session_that_was(void **state)
{
        struct fixture *f = *state, copy = { 0 };
        struct str token = session_token(f->key, f->now + 1000, STR("loopback:127.0.0.2"), &(struct session){ .expires_at = f->now + 1000 }, &f->arena);
        struct session session;
        bool sound = false;
        char *bytes = malloc(1 << 20);
        size_t n;
        FILE *file;

        snprintf(copy.path, sizeof(copy.path), "%s/copy.db", f->directory);
        assert_int_equal(session_find(f->db, f->key, f->now, STR("loopback:127.0.0.2"), token, &f->arena, &session), 0);
        assert_int_equal(database_back_up(f->db, copy.path, &sound), 0);
        assert_true(sound);
        file = fopen(copy.path, "r");
        n = fread(bytes, 1, 1 << 20, file);
        fclose(file);
        assert_true(n > 4096);
        assert_null(memmem(bytes, n, f->key, sizeof(f->key)));
        assert_non_null(memmem(bytes, n, "linus@example.org", 17));
        free(bytes);

        fixture_open(&copy);
        assert_memory_not_equal(copy.key, f->key, sizeof(f->key));
        assert_int_equal(fixture_count(&copy, "SELECT count(*) FROM user"), 3);
        assert_int_equal(session_find(copy.db, copy.key, f->now, STR("loopback:127.0.0.2"), token, &f->arena, &session), FAULT_UNAUTHENTICATED);
        db_close(copy.db);
        unlink(copy.path);
        snprintf(copy.path, sizeof(copy.path), "%s/none/copy.db", f->directory);
        assert_int_not_equal(database_back_up(f->db, copy.path, &sound), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_copy_has_everybody_and_opens_no_session_that_was, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

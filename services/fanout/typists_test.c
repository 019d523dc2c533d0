#include "typists.h"

#include "fault.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SECOND = 1000 * 1000 };
static const struct ulid ada = { { 1 } }, linus = { { 2 } };

/* How often one may at once. */
static int drain(struct typists *t, struct ulid user, int64_t now, int64_t *ret_ms)
{
        int n = 0;

        while (typists_take(t, user, now, ret_ms) == 0)
                n++;
        return n;
}

static void a_user_has_sixty_and_then_one_each_second(void **state)
{
        struct typists t = { 0 };
        int64_t ms = 0, now = 5 * SECOND;

        (void)state;
        assert_int_equal(drain(&t, ada, now, &ms), 60);
        assert_int_equal(ms, 1000);
        assert_int_equal(typists_take(&t, ada, now + SECOND - 1, &ms), FAULT_RATE_LIMITED);
        assert_int_equal(ms, 1);
        assert_int_equal(drain(&t, ada, now + SECOND, &ms), 1);
        assert_int_equal(drain(&t, ada, now + 11 * SECOND, &ms), 10);
        assert_int_equal(drain(&t, linus, now + 11 * SECOND, &ms), 60);
        assert_int_equal(drain(&t, ada, now + 100 * (int64_t)SECOND, &ms), 60);
        typists_deinit(&t);
}

static void who_types_no_more_is_forgotten_once_their_bucket_is_full(void **state)
{
        struct typists t = { 0 };
        struct ulid user = { { 0 } };
        int64_t ms = 0, now = 0;

        (void)state;
        for (int i = 0; i < 100000; i++, now += 100 * 1000) {        /* ten new ones each second */
                user.b[1] = (uint8_t)(i >> 16);
                user.b[2] = (uint8_t)(i >> 8);
                user.b[3] = (uint8_t)i;
                assert_int_equal(typists_take(&t, user, now, &ms), 0);
                assert_true(HASH_COUNT(t.by_user) <= 11);
        }
        assert_int_equal(drain(&t, ada, now, &ms), 60);
        now += 59 * SECOND;
        assert_int_equal(typists_take(&t, linus, now, &ms), 0);
        assert_int_equal(HASH_COUNT(t.by_user), 2);                  /* ada's is not full yet */
        assert_int_equal(drain(&t, ada, now, &ms), 59);
        typists_deinit(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_user_has_sixty_and_then_one_each_second),
                cmocka_unit_test(who_types_no_more_is_forgotten_once_their_bucket_is_full),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct ulid alice = { { 1 } }, bob = { { 2 } }, printer = { { 50 } }, phone = { { 51 } };

static bool is_void(const struct losses *l, struct ulid user, struct ulid ticket, int64_t given_at)
{
        return losses_void(l, &(struct grant){ .user = user, .ticket = ticket, .expires_at = given_at + GRANT_MS });
}

static void a_grant_from_before_a_loss_is_void_and_one_from_after_it_good(void **state)
{
        struct losses l = { 0 };

        (void)state;
        losses_note(&l, alice, printer, 1000);
        assert_true(is_void(&l, alice, printer, 999));
        assert_true(is_void(&l, alice, printer, 1000));          /* in doubt */
        assert_false(is_void(&l, alice, printer, 1001));
        assert_false(is_void(&l, alice, phone, 999));
        assert_false(is_void(&l, bob, printer, 999));
        assert_false(losses_void(&l, &(struct grant){ .user = alice, .ticket = printer, .expires_at = 999 + GRANT_MS, .agent = true }));
        losses_note(&l, alice, printer, 2000);                   /* once more */
        assert_true(is_void(&l, alice, printer, 1001));
        losses_deinit(&l);
}

static void a_loss_is_forgotten_when_every_grant_from_before_it_is_over(void **state)
{
        struct losses l = { 0 };

        (void)state;
        losses_note(&l, alice, printer, 1000);
        losses_note(&l, alice, phone, 1001);
        losses_note(&l, bob, phone, 1000 + GRANT_MS);
        assert_int_equal(HASH_COUNT(l.all), 3);
        losses_note(&l, bob, printer, 1001 + GRANT_MS);
        assert_int_equal(HASH_COUNT(l.all), 3);
        assert_true(is_void(&l, alice, phone, 1000));
        losses_deinit(&l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_grant_from_before_a_loss_is_void_and_one_from_after_it_good),
                cmocka_unit_test(a_loss_is_forgotten_when_every_grant_from_before_it_is_over),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

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
        assert_true(is_void(&l, alice, printer, 1000 + LOSS_DOUBT_MS));  /* store may have given it before it had committed */
        assert_false(is_void(&l, alice, printer, 1001 + LOSS_DOUBT_MS));
        assert_false(is_void(&l, alice, phone, 999));
        assert_false(is_void(&l, bob, printer, 999));
        assert_false(losses_void(&l, &(struct grant){ .user = alice, .ticket = printer, .expires_at = 999 + GRANT_MS, .agent = true }));
        losses_note(&l, alice, printer, 2000);                   /* once more */
        assert_true(is_void(&l, alice, printer, 2000 + LOSS_DOUBT_MS));
        losses_deinit(&l);
}

static void who_has_access_again_needs_no_grant_but_theirs(void **state)
{
        struct losses l = { 0 };

        (void)state;
        losses_note(&l, alice, printer, 1000);
        losses_note(&l, bob, printer, 1000);
        losses_regain(&l, alice, printer);
        losses_regain(&l, alice, phone);                         /* which was not lost */
        assert_false(is_void(&l, alice, printer, 1001));
        assert_true(is_void(&l, bob, printer, 1001));
        losses_deinit(&l);
}

static void a_grant_from_before_what_is_known_of_losses_is_void(void **state)
{
        const struct losses l = { .since = 5000 };

        (void)state;
        assert_true(is_void(&l, alice, printer, 4999));
        assert_false(is_void(&l, alice, printer, 5000));
        assert_false(losses_void(&l, &(struct grant){ .user = alice, .ticket = printer, .expires_at = 4999 + GRANT_MS, .agent = true }));
}

static void a_loss_is_forgotten_when_every_grant_from_before_it_is_over(void **state)
{
        struct losses l = { 0 };

        (void)state;
        losses_note(&l, alice, printer, 1000);
        losses_note(&l, alice, phone, 1001);
        losses_note(&l, bob, phone, 1000 + LOSS_DOUBT_MS + GRANT_MS);
        assert_int_equal(HASH_COUNT(l.all), 3);
        losses_note(&l, bob, printer, 1001 + LOSS_DOUBT_MS + GRANT_MS);
        assert_int_equal(HASH_COUNT(l.all), 3);
        assert_true(is_void(&l, alice, phone, 1000));
        losses_deinit(&l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_grant_from_before_a_loss_is_void_and_one_from_after_it_good),
                cmocka_unit_test(who_has_access_again_needs_no_grant_but_theirs),
                cmocka_unit_test(a_grant_from_before_what_is_known_of_losses_is_void),
                cmocka_unit_test(a_loss_is_forgotten_when_every_grant_from_before_it_is_over),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

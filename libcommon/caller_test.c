#include "caller.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

static const uint8_t key[CALLER_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t other_key[CALLER_KEY_BYTES] = { 1, 2, 4 };

static struct caller someone(void)
{
        struct caller c = { .device = STR("mycelium:5a6:f0c6:f365:177d::/64"), .role = SCHEMA_ROLE_AGENT, .expires_at = 5000 };

        memset(c.user.b, 9, sizeof(c.user.b));
        return c;
}

static void a_sealed_caller_opens_to_the_same(void **state)
{
        struct caller in = someone(), out;
        struct buf sealed = { 0 };

        (void)state;
        caller_seal(key, &in, &sealed);
        assert_true(sealed.n <= CALLER_SEALED_MAX);
        assert_int_equal(caller_open(key, buf_view(&sealed), 4999, &out), 0);
        assert_true(ulid_eq(in.user, out.user));
        assert_true(str_eq(in.device, out.device));
        assert_int_equal(out.role, SCHEMA_ROLE_AGENT);
        assert_int_equal(out.expires_at, 5000);
        buf_deinit(&sealed);
}

static void it_is_over_at_its_time(void **state)
{
        struct caller in = someone(), out;
        struct buf sealed = { 0 };

        (void)state;
        caller_seal(key, &in, &sealed);
        assert_int_equal(caller_open(key, buf_view(&sealed), 5000, &out), -ETIME);
        buf_deinit(&sealed);
}

static void no_bit_can_be_changed_and_nothing_cut(void **state)
{
        struct caller in = someone(), out;
        struct buf sealed = { 0 };

        (void)state;
        caller_seal(key, &in, &sealed);
        for (size_t bit = 0; bit < sealed.n * 8; bit++) {
                sealed.p[bit / 8] ^= (char)(1 << bit % 8);
                assert_int_equal(caller_open(key, buf_view(&sealed), 1, &out), -EBADMSG);
                sealed.p[bit / 8] ^= (char)(1 << bit % 8);
        }
        for (size_t n = 0; n < sealed.n; n++)
                assert_int_equal(caller_open(key, (struct str){ sealed.p, n }, 1, &out), -EBADMSG);
        assert_int_equal(caller_open(key, buf_view(&sealed), 1, &out), 0);
        assert_int_equal(caller_open(other_key, buf_view(&sealed), 1, &out), -EBADMSG);
        buf_deinit(&sealed);
}

static void even_with_the_key_a_role_outside_the_range_is_refused(void **state)
{
        struct caller in = someone(), out;
        struct buf sealed = { 0 };

        (void)state;
        in.role = SCHEMA_ROLE_NOBODY;
        caller_seal(key, &in, &sealed);
        assert_int_equal(caller_open(key, buf_view(&sealed), 1, &out), -EBADMSG);
        buf_clear(&sealed);
        in.role = SCHEMA_ROLE_ANYONE;
        caller_seal(key, &in, &sealed);
        assert_int_equal(caller_open(key, buf_view(&sealed), 1, &out), -EBADMSG);
        buf_deinit(&sealed);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_sealed_caller_opens_to_the_same),
                cmocka_unit_test(it_is_over_at_its_time),
                cmocka_unit_test(no_bit_can_be_changed_and_nothing_cut),
                cmocka_unit_test(even_with_the_key_a_role_outside_the_range_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

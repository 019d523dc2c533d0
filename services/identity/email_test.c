#include "email.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>

static void emails_are_trimmed_and_compare_without_case(void **state)
{
        struct arena arena = { 0 };
        struct str email, key;

        (void)state;
        assert_int_equal(email_normalize(STR("  Ada.Lovelace+desk@Example.ORG\n"), &arena, &email, &key), 0);
        assert_true(str_is(email, "Ada.Lovelace+desk@example.org"));
        assert_true(str_is(key, "ada.lovelace+desk@example.org"));
        assert_int_equal(email_normalize(STR("a@localhost"), &arena, &email, &key), 0);
        arena_deinit(&arena);
}

static void what_a_header_could_mistake_for_more_than_one_plain_address_is_refused(void **state)
{
        static const char *const bad[] = {
                "", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b c", "a@b\r\nBcc: x@y", "a,b@c", "<a@b>", "\"a\"@b", "a@[127.0.0.1]", "a@b;c",
                "a..b@c", ".a@c", "a.@c", "a@.c", "a@c.", "a@c..d", "\xc3\xa4@c", "a@\xc3\xa4", "a@b_c", "(x)a@b", "a:b@c", "a\\b@c",
        };
        struct arena arena = { 0 };
        struct str email, key;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(email_normalize(str_of(bad[i]), &arena, &email, &key), -EINVAL);
        assert_int_equal(email_normalize(STR("a\0b@c"), &arena, &email, &key), -EINVAL);
        arena_deinit(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(emails_are_trimmed_and_compare_without_case),
                cmocka_unit_test(what_a_header_could_mistake_for_more_than_one_plain_address_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

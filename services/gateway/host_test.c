#include "host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static union host_address address(const char *text, uint16_t port)
{
        union host_address a;

        assert_int_equal(host_address_parse(str_of(text), port, &a), 0);
        return a;
}

static bool ours(const char *host, const union host_address *own, const char *names)
{
        return host_is_ours(str_of(host), own, str_of(names));
}

static void our_address_with_our_port_is_ours(void **state)
{
        union host_address v4 = address("127.0.0.1", 7272), v6 = address("400:1::2", 7272), web = address("127.0.0.1", 80);

        (void)state;
        assert_true(ours("127.0.0.1:7272", &v4, ""));
        assert_true(ours("[400:1::2]:7272", &v6, ""));
        assert_true(ours("[400:1:0:0:0:0:0:2]:7272", &v6, ""));
        assert_true(ours("127.0.0.1", &web, ""));
}

static void everything_else_is_foreign(void **state)
{
        static const char *const foreign[] = {
                "", ":7272", "127.0.0.1", "127.0.0.1:80", "127.0.0.2:7272", "127.0.0.1:07272x", "127.0.0.1:", "127.0.0.1:72720",
                "127.0.0.1:0", "[127.0.0.1]:7272", "[::ffff:127.0.0.1]:7272", "evil.example:7272", "127.0.0.1.evil.example:7272",
                "127.0.0.1:7272:7272", "127.1:7272", "[", "[]", "[]:7272", "user@127.0.0.1:7272", "127.0.0.1:7272,x",
        };
        union host_address own = address("127.0.0.1", 7272), v6 = address("400:1::2", 7272);

        (void)state;
        for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
                assert_false(ours(foreign[i], &own, "desk.example"));
        assert_false(ours("400:1::2:7272", &v6, ""));
        assert_false(host_is_ours((struct str){ "127.0.0.1\0:7272", 15 }, &own, STR("")));
}

static void configured_names_are_ours_in_any_case_with_our_port_or_their_own(void **state)
{
        union host_address own = address("127.0.0.1", 7272);

        (void)state;
        assert_true(ours("desk.example:7272", &own, "desk.example"));
        assert_true(ours("DESK.example:7272", &own, "other  Desk.Example"));
        assert_true(ours("desk.example", &own, "desk.example:80"));
        assert_true(ours("desk.example:8080", &own, "desk.example:8080"));
        assert_false(ours("desk.example", &own, "desk.example"));
        assert_false(ours("desk.example:7272", &own, "desk.example:8080"));
        assert_false(ours("desk.exampl:7272", &own, "desk.example"));
}

static void an_origin_is_ours_where_it_is_the_host_itself(void **state)
{
        struct str host = STR("127.0.0.1:7272");

        (void)state;
        assert_true(origin_is_ours(STR(""), host));
        assert_true(origin_is_ours(STR("http://127.0.0.1:7272"), host));
        assert_true(origin_is_ours(STR("HTTP://Desk:1"), STR("desk:1")));
        assert_false(origin_is_ours(STR("null"), host));
        assert_false(origin_is_ours(STR("http://"), host));
        assert_false(origin_is_ours(STR("https://127.0.0.1:7272"), host));
        assert_false(origin_is_ours(STR("http://127.0.0.1"), host));
        assert_false(origin_is_ours(STR("http://127.0.0.1:7272.evil.example"), host));
        assert_false(origin_is_ours(STR("http://127.0.0.1:7272/"), host));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(our_address_with_our_port_is_ours),
                cmocka_unit_test(everything_else_is_foreign),
                cmocka_unit_test(configured_names_are_ours_in_any_case_with_our_port_or_their_own),
                cmocka_unit_test(an_origin_is_ours_where_it_is_the_host_itself),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

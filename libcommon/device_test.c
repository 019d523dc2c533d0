#include "device.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static const char *device(enum overlay_driver driver, const char *address)
{
        static char text[DEVICE_MAX + 1];
        struct sockaddr_in in = { .sin_family = AF_INET };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
        const struct sockaddr *a = (const struct sockaddr *)&in;
        int r;

        if (inet_pton(AF_INET, address, &in.sin_addr) != 1) {
                assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
                a = (const struct sockaddr *)&in6;
        }
        r = device_of(driver, a, text);
        if (r == 0)
                return text;
        assert_int_equal(r, -EADDRNOTAVAIL);
        return "none";
}

static void on_mycelium_a_device_is_its_64(void **state)
{
        (void)state;
        assert_string_equal(device(OVERLAY_MYCELIUM, "5a6:f0c6:f365:177d:1:2:3:4"), "mycelium:5a6:f0c6:f365:177d::/64");
        assert_string_equal(device(OVERLAY_MYCELIUM, "5a6:f0c6:f365:177d:ff0f::1"), "mycelium:5a6:f0c6:f365:177d::/64");
        assert_string_equal(device(OVERLAY_MYCELIUM, "400::1"), "mycelium:400::/64");
        assert_string_equal(device(OVERLAY_MYCELIUM, "5ff:ffff:ffff:ffff::1"), "mycelium:5ff:ffff:ffff:ffff::/64");
        assert_string_equal(device(OVERLAY_MYCELIUM, "600::1"), "none");
        assert_string_equal(device(OVERLAY_MYCELIUM, "3ff::1"), "none");
        assert_string_equal(device(OVERLAY_MYCELIUM, "127.0.0.1"), "none");
        assert_string_equal(device(OVERLAY_MYCELIUM, "::1"), "none");
}

static void on_yggdrasil_a_device_is_its_whole_address(void **state)
{
        (void)state;
        assert_string_equal(device(OVERLAY_YGGDRASIL, "201:e79b:1:2:3:4:5:6"), "yggdrasil:201:e79b:1:2:3:4:5:6");
        assert_string_equal(device(OVERLAY_YGGDRASIL, "2ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                            "yggdrasil:2ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assert_string_equal(device(OVERLAY_YGGDRASIL, "301::1"), "none");
        assert_string_equal(device(OVERLAY_YGGDRASIL, "400::1"), "none");
}

static void on_loopback_a_device_is_one_127_address(void **state)
{
        (void)state;
        assert_string_equal(device(OVERLAY_LOOPBACK, "127.0.0.2"), "loopback:127.0.0.2");
        assert_string_equal(device(OVERLAY_LOOPBACK, "127.255.255.254"), "loopback:127.255.255.254");
        assert_string_equal(device(OVERLAY_LOOPBACK, "128.0.0.1"), "none");
        assert_string_equal(device(OVERLAY_LOOPBACK, "10.0.0.1"), "none");
        assert_string_equal(device(OVERLAY_LOOPBACK, "::1"), "none");
        assert_string_equal(device(OVERLAY_LOOPBACK, "::ffff:127.0.0.1"), "none");
}

static void drivers_are_known_by_name(void **state)
{
        enum overlay_driver driver = OVERLAY_YGGDRASIL;

        (void)state;
        assert_int_equal(overlay_driver_parse(STR("loopback"), &driver), 0);
        assert_int_equal(driver, OVERLAY_LOOPBACK);
        assert_int_equal(overlay_driver_parse(STR("mycelium"), &driver), 0);
        assert_string_equal(overlay_driver_name(driver), "mycelium");
        assert_int_equal(overlay_driver_parse(STR("myceliu"), &driver), -EINVAL);
        assert_int_equal(overlay_driver_parse(STR(""), &driver), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(on_mycelium_a_device_is_its_64),
                cmocka_unit_test(on_yggdrasil_a_device_is_its_whole_address),
                cmocka_unit_test(on_loopback_a_device_is_one_127_address),
                cmocka_unit_test(drivers_are_known_by_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

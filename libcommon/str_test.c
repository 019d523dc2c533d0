#include "str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sodium.h>

static void base64url_is_what_another_implementation_writes(void **state)
{
        uint8_t bytes[60], back[60];
        char expected[100];
        struct buf text = { 0 };
        size_t n_back;

        (void)state;
        for (size_t n = 0; n <= sizeof(bytes); n++)
                for (int turn = 0; turn < 50; turn++) {
                        for (size_t i = 0; i < n; i++)
                                bytes[i] = (uint8_t)(turn ? (n * 131 + (size_t)turn * 29 + i * 101) : 0xff);
                        buf_clear(&text);
                        buf_base64url(&text, bytes, n);
                        sodium_bin2base64(expected, sizeof(expected), bytes, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
                        assert_string_equal(buf_z(&text), expected);
                        assert_int_equal(str_from_base64url(buf_view(&text), back, sizeof(back), &n_back), 0);
                        assert_int_equal(n_back, n);
                        assert_memory_equal(back, bytes, n);
                }
        buf_deinit(&text);
}

static void of_all_bytes_64_are_characters_of_base64url(void **state)
{
        static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

        (void)state;
        for (int i = 0; i < 256; i++) {
                const char text[] = { 'A', (char)i };

                assert_int_equal(str_is_base64url((struct str){ text, sizeof(text) }), memchr(all, i, sizeof(all) - 1) != NULL);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(base64url_is_what_another_implementation_writes),
                cmocka_unit_test(of_all_bytes_64_are_characters_of_base64url),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

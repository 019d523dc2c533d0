#include "blake3.h"
#include "mycelium.h"
#include "str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>

/* The official vectors' input: 0, 1, 2, ... */
static void check(size_t n, const char *hex)
{
        uint8_t in[BLAKE3_BLOCK_BYTES], hash[BLAKE3_BYTES], expected[BLAKE3_BYTES];

        for (size_t i = 0; i < n; i++)
                in[i] = (uint8_t)i;
        assert_int_equal(str_from_hex(str_of(hex), expected, sizeof(expected)), 0);
        blake3_block(in, n, hash);
        assert_memory_equal(hash, expected, sizeof(hash));
}

static void the_official_vectors_of_one_block_hold(void **state)
{
        (void)state;
        check(0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
        check(1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213");
        check(2, "7b7015bb92cf0b318037702a6cdd81dee41224f734684c2c122cd6359cb1ee63");
        check(63, "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b");
        check(64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98");
}

static void check_address(const char *key_hex, const char *expected)
{
        uint8_t key[MYCELIUM_KEY_BYTES];
        struct in6_addr address;
        char text[INET6_ADDRSTRLEN];

        assert_int_equal(str_from_hex(str_of(key_hex), key, sizeof(key)), 0);
        mycelium_address(key, &address);
        assert_string_equal(inet_ntop(AF_INET6, &address, text, sizeof(text)), expected);
        assert_true(mycelium_owns(key, &address));
        address.s6_addr[15] ^= 1;       /* another address of the same node */
        assert_true(mycelium_owns(key, &address));
        address.s6_addr[7] ^= 1;        /* another node */
        assert_false(mycelium_owns(key, &address));
}

static void a_key_has_the_address_that_mycelium_gives_it(void **state)
{
        (void)state;
        check_address("07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c", "5a6:f0c6:f365:177d:66be:4a2b:d9fd:b59e");
        check_address("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", "520:c662:fd00:9e92:5d99:34ed:ab8:82ab");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_official_vectors_of_one_block_hold),
                cmocka_unit_test(a_key_has_the_address_that_mycelium_gives_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

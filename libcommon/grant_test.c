#include "grant.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>

static const struct grant given = { .user = { { 1, 2 } }, .ticket = { { 3, 4 } }, .agent = true, .expires_at = INT64_C(1790000600000) };

static int setup(void **state)
{
        static struct grant_key key;

        grant_key_init(&key, (const uint8_t[CALLER_KEY_BYTES]){ 5 });
        *state = &key;
        return 0;
}

static void it_says_who_may_see_what_and_is_over_at_its_time(void **state)
{
        char text[GRANT_TEXT];
        struct str grant = { text, sizeof(text) };
        struct grant read = { 0 };

        grant_write(*state, &given, text);
        assert_int_equal(grant_parse(*state, grant, given.expires_at, &read), -ESTALE);
        assert_true(ulid_is_zero(read.user)); /* untouched */
        assert_int_equal(grant_parse(*state, grant, given.expires_at - 1, &read), 0);
        assert_true(ulid_eq(read.user, given.user) && ulid_eq(read.ticket, given.ticket));
        assert_true(read.agent);
        assert_int_equal(read.expires_at, given.expires_at);
}

static void nobody_makes_one_up_or_takes_anothers_key(void **state)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        char text[GRANT_TEXT + 1] = "";
        struct grant_key other;
        struct grant read;

        grant_write(*state, &given, text);
        for (int i = 0; i < GRANT_TEXT; i++) {
                char good = text[i];

                for (const char *c = alphabet; *c; c++) {
                        text[i] = *c;
                        if (*c != good)
                                assert_int_equal(grant_parse(*state, (struct str){ text, GRANT_TEXT }, 1, &read), -EBADMSG);
                }
                text[i] = good;
        }
        for (size_t n = 0; n < GRANT_TEXT; n++)
                assert_int_equal(grant_parse(*state, (struct str){ text, n }, 1, &read), -EBADMSG);
        assert_int_equal(grant_parse(*state, (struct str){ text, GRANT_TEXT + 1 }, 1, &read), -EBADMSG);
        grant_key_init(&other, (const uint8_t[CALLER_KEY_BYTES]){ 6 });
        assert_int_equal(grant_parse(&other, (struct str){ text, GRANT_TEXT }, 1, &read), -EBADMSG);
        assert_int_equal(grant_parse(*state, (struct str){ text, GRANT_TEXT }, 1, &read), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(it_says_who_may_see_what_and_is_over_at_its_time, setup),
                cmocka_unit_test_setup(nobody_makes_one_up_or_takes_anothers_key, setup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "cursor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>

static const uint8_t secret[CURSOR_SECRET_BYTES] = { 1, 2, 3 }, other_secret[CURSOR_SECRET_BYTES] = { 1, 2, 4 };
static const struct cursor place = { .instance = { 9, 8, 7 }, .seq = INT64_C(0x1234567890abc), .hash = { 4, 5, 6 } };

static int setup(void **state)
{
        static struct cursor_key key;

        cursor_key_init(&key, secret);
        *state = &key;
        return 0;
}

static void a_cursor_says_where_it_was_made(void **state)
{
        char text[CURSOR_TEXT];
        struct cursor read;

        cursor_write(*state, &place, text);
        assert_int_equal(cursor_parse(*state, (struct str){ text, sizeof(text) }, &read), 0);
        assert_memory_equal(read.instance, place.instance, 8);
        assert_int_equal(read.seq, place.seq);
        assert_memory_equal(read.hash, place.hash, 8);
}

static void the_same_position_has_the_same_cursor_and_the_next_one_shows_nothing_of_it(void **state)
{
        char one[CURSOR_TEXT], again[CURSOR_TEXT], next[CURSOR_TEXT];
        struct cursor behind = place;
        int same = 0;

        cursor_write(*state, &place, one);
        cursor_write(*state, &place, again);
        assert_memory_equal(one, again, CURSOR_TEXT);
        behind.seq++;
        cursor_write(*state, &behind, next);
        for (int i = 0; i < CURSOR_TEXT; i++)
                same += one[i] == next[i];
        assert_true(same < CURSOR_TEXT / 4); /* one in 64 by chance */
}

static void nobody_makes_one_up(void **state)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        struct cursor_key other;
        struct cursor read = { .seq = 77 };
        char text[CURSOR_TEXT + 1] = "";

        cursor_write(*state, &place, text);
        for (int i = 0; i < CURSOR_TEXT; i++) {
                char good = text[i];

                for (const char *c = alphabet; *c; c++) {
                        text[i] = *c;
                        if (*c != good)
                                assert_int_equal(cursor_parse(*state, (struct str){ text, CURSOR_TEXT }, &read), -EBADMSG);
                }
                text[i] = good;
        }
        for (size_t n = 0; n < CURSOR_TEXT; n++)
                assert_int_equal(cursor_parse(*state, (struct str){ text, n }, &read), -EBADMSG);
        assert_int_equal(cursor_parse(*state, (struct str){ text, CURSOR_TEXT + 1 }, &read), -EBADMSG);
        cursor_key_init(&other, other_secret);
        assert_int_equal(cursor_parse(&other, (struct str){ text, CURSOR_TEXT }, &read), -EBADMSG);
        assert_int_equal(read.seq, 77); /* untouched */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(a_cursor_says_where_it_was_made, setup),
                cmocka_unit_test_setup(the_same_position_has_the_same_cursor_and_the_next_one_shows_nothing_of_it, setup),
                cmocka_unit_test_setup(nobody_makes_one_up, setup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

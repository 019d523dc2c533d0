#include "ulid.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>

static void a_known_id_has_its_known_text(void **state)
{
        /* the example of github.com/ulid/spec: its time is 1469922850259 */
        struct ulid id;
        char text[ULID_TEXT + 1];

        (void)state;
        assert_int_equal(ulid_parse(STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"), &id), 0);
        assert_int_equal(ulid_time_ms(id), INT64_C(1469922850259));
        ulid_text(id, text);
        assert_string_equal(text, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        assert_int_equal(ulid_parse(STR("01arz3ndektsv4rrffq69g5fav"), &id), 0);
        assert_int_equal(ulid_parse(STR("81ARZ3NDEKTSV4RRFFQ69G5FAV"), &id), -EINVAL);
}

static void each_bit_has_its_place_in_the_text(void **state)
{
        (void)state;
        for (int bit = 0; bit < 128; bit++) {
                struct ulid id = { 0 }, back;
                char text[ULID_TEXT + 1];
                int digits = 0;

                id.b[bit / 8] = (uint8_t)(0x80 >> bit % 8);
                ulid_text(id, text);
                for (int i = 0; i < ULID_TEXT; i++)
                        digits += text[i] != '0';
                assert_int_equal(digits, 1);
                assert_int_not_equal(text[(bit + 2) / 5], '0');
                assert_int_equal(ulid_parse((struct str){ text, ULID_TEXT }, &back), 0);
                assert_true(ulid_eq(id, back));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_known_id_has_its_known_text),
                cmocka_unit_test(each_bit_has_its_place_in_the_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

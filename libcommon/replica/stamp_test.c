#include "replica/stamp.h"
#include "replica/dice.h"
#include "replica/hlc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

static struct stamp any_stamp(struct dice *d)
{
        /* Few values, so that the parts are often equal. */
        struct stamp s = { .hlc = (dice_below(d, 3) << 47) + dice_below(d, 3), .n = (uint32_t)dice_below(d, 3) << (8 * dice_below(d, 4)) };

        s.op_id.b[dice_below(d, 16)] = (uint8_t)dice_below(d, 3);
        return s;
}

static int sign(int c)
{
        return (c > 0) - (c < 0);
}

static void packed_stamps_compare_as_stamps_do_and_come_back(void **state)
{
        struct dice d = dice_new("stamp");

        (void)state;
        for (int i = 0; i < 20000; i++) {
                struct stamp a = any_stamp(&d), b = any_stamp(&d), again;
                uint8_t pa[STAMP_BYTES], pb[STAMP_BYTES];
                int c;

                stamp_pack(a, pa);
                stamp_pack(b, pb);
                c = memcmp(pa, pb, STAMP_BYTES);
                assert_int_equal(sign(c), sign(stamp_cmp(a, b)));
                assert_int_equal(sign(c), -sign(stamp_cmp(b, a)));
                assert_int_equal(stamp_unpack((struct str){ (const char *)pa, STAMP_BYTES }, &again), 0);
                assert_true(stamp_eq(a, again));
        }
}

static void bytes_of_another_length_or_an_hlc_past_its_end_are_refused(void **state)
{
        uint8_t bytes[STAMP_BYTES + 1] = { 0 };
        struct stamp s;

        (void)state;
        assert_int_equal(stamp_unpack((struct str){ (const char *)bytes, STAMP_BYTES - 1 }, &s), -EBADMSG);
        assert_int_equal(stamp_unpack((struct str){ (const char *)bytes, STAMP_BYTES + 1 }, &s), -EBADMSG);
        assert_int_equal(stamp_unpack((struct str){ NULL, 0 }, &s), -EBADMSG);
        bytes[0] = 0x80;
        assert_int_equal(stamp_unpack((struct str){ (const char *)bytes, STAMP_BYTES }, &s), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packed_stamps_compare_as_stamps_do_and_come_back),
                cmocka_unit_test(bytes_of_another_length_or_an_hlc_past_its_end_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

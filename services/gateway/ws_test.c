#include "ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void the_protocol_header_offers_assist_1_and_carries_the_token(void **state)
{
        struct str token;

        (void)state;
        assert_true(ws_protocols(STR("assist.1, assist.token.AbC-_9"), &token));
        assert_true(str_is(token, "AbC-_9"));
        assert_true(ws_protocols(STR("assist.token.x,assist.1"), &token));
        assert_true(str_is(token, "x"));
        assert_true(ws_protocols(STR(" assist.1 "), &token));
        assert_int_equal(token.n, 0);
}

static void without_assist_1_there_is_no_agreement(void **state)
{
        struct str token;

        (void)state;
        assert_false(ws_protocols(STR(""), &token));
        assert_false(ws_protocols(STR("assist.token.x"), &token));
        assert_false(ws_protocols(STR("assist.2, assist.token.x"), &token));
        assert_false(ws_protocols(STR("assist.10"), &token));
        assert_false(ws_protocols(STR("ASSIST.1"), &token));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_protocol_header_offers_assist_1_and_carries_the_token),
                cmocka_unit_test(without_assist_1_there_is_no_agreement),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

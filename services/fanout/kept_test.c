#include "kept.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const uint8_t caller_key[CALLER_KEY_BYTES] = { 1, 2, 3 };
static const struct ulid ada = { { 1 } }, linus = { { 2 } }, session = { { 3 } }, other = { { 4 } };

static void what_is_kept_is_opened_for_its_own_session_only(void **state)
{
        struct kept_lease leases[16];
        struct kept kept = { .fanout = { { 9 } }, .cursor = STR("here"), .agent = true, .status_at = INT64_C(1) << 50 };
        struct arena arena = { 0 };
        struct buf sealed = { 0 }, status = { 0 };
        struct kept_key key;
        struct kept got;

        (void)state;
        for (size_t i = 0; i < 16; i++)
                leases[i] = (struct kept_lease){ .ticket = { { (uint8_t)i } }, .since_at = INT64_C(1) << 50, .activity = LOOK_DRAFTING, .note = true };
        for (int i = 0; i < 80; i++)
                buf_text(&status, "🔥");
        kept.leases.items = leases;
        kept.leases.n = 16;
        kept.status = buf_view(&status);
        kept_key_init(&key, caller_key);
        kept_seal(&key, ada, session, &kept, &sealed);
        assert_true(sealed.n <= 2048);                           /* what a gateway keeps for a session */

        assert_int_equal(kept_open(&key, ada, session, buf_view(&sealed), &arena, &got), 0);
        assert_int_equal(got.leases.n, 16);
        assert_true(ulid_eq(got.leases.items[7].ticket, leases[7].ticket) && got.leases.items[7].note);
        assert_true(str_eq(got.status, kept.status) && str_is(got.cursor, "here") && got.agent);

        assert_int_equal(kept_open(&key, linus, session, buf_view(&sealed), &arena, &got), -EBADMSG);
        assert_int_equal(kept_open(&key, ada, other, buf_view(&sealed), &arena, &got), -EBADMSG);
        for (size_t i = 0; i < sealed.n; i++) {
                sealed.p[i] ^= 1;
                assert_int_equal(kept_open(&key, ada, session, buf_view(&sealed), &arena, &got), -EBADMSG);
                sealed.p[i] ^= 1;
                assert_int_equal(kept_open(&key, ada, session, (struct str){ sealed.p, i }, &arena, &got), -EBADMSG);
        }
        arena_deinit(&arena);
        buf_deinit(&sealed);
        buf_deinit(&status);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_kept_is_opened_for_its_own_session_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

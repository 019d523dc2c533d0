#include "upgrade.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

/* The text comes in pieces of so many bytes; how much of it was taken, or -EPROTO. */
static int take(struct upgrade *u, const char *text, size_t piece)
{
        size_t n = strlen(text), at = 0;
        int r = 0;

        *u = (struct upgrade){ 0 };
        while (!r && at < n) {
                size_t now = n - at < piece ? n - at : piece;

                memcpy(buf_reserve(&u->in, now), text + at, now);
                at += now;
                r = upgrade_take(u, now);
        }
        return r == 1 ? (int)at : r;
}

static void what_stands_behind_a_101_is_the_websockets(void **state)
{
        static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nContent-Length: 7\r\n\r\n\x81\x02{}";
        struct upgrade u;

        (void)state;
        for (size_t piece = 1; piece <= sizeof(answer); piece++) {
                int n = take(&u, answer, piece);

                assert_true(n >= (int)u.whole && u.status == 101);
                assert_memory_equal(u.in.p + u.whole, "\x81\x02{}", u.in.n - u.whole);
                upgrade_deinit(&u);
        }
}

static void a_refusal_is_read_whole_and_says_when_to_come_back(void **state)
{
        static const struct { const char *answer; int status; int64_t retry_after_ms; } cases[] = {
                { "HTTP/1.1 503 Service Unavailable\r\nretry-after:  2\r\nContent-Length: 0\r\n\r\n", 503, 2000 },
                { "HTTP/1.1 503 x\r\nRetry-After: 2\r\nContent-Length: 71\r\n\r\n"
                  "{\"error\":{\"code\":-32006,\"message\":\"\",\"data\":{\"retry_after_ms\":1234}}}  ", 503, 1234 },
                { "HTTP/1.1 429 x\r\nRetry-After: soon\r\nContent-Length: 4\r\n\r\nbusy", 429, 0 },
                { "HTTP/1.1 401\r\n\r\n", 401, 0 },
                { "HTTP/1.1 503 x\r\nRetry-After: 18446744073709551615\r\n\r\n", 503, INT64_C(86400000) },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                for (size_t piece = 1; piece <= strlen(cases[i].answer); piece++) {
                        struct upgrade u;

                        assert_int_equal(take(&u, cases[i].answer, piece), strlen(cases[i].answer));
                        assert_int_equal(u.status, cases[i].status);
                        assert_int_equal(u.retry_after_ms, cases[i].retry_after_ms);
                        upgrade_deinit(&u);
                }
        }
}

static void what_is_no_http_is_not_waited_for(void **state)
{
        static const char *const wrong[] = { "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 1\r\n\r\n", "HTTP/1.1 ok\r\n\r\n", "\r\n\r\n",
                                             "HTTP/1.1 503 x\r\nContent-Length: 16385\r\n\r\n", "HTTP/1.1 503 x\r\nContent-Length: -1\r\n\r\n" };
        struct upgrade u;
        char endless[UPGRADE_ANSWER_MAX + 2];

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
                assert_int_equal(take(&u, wrong[i], 64), -EPROTO);
                upgrade_deinit(&u);
        }
        memset(endless, 'x', sizeof(endless) - 1);
        endless[sizeof(endless) - 1] = '\0';
        assert_int_equal(take(&u, endless, 1000), -EPROTO);
        upgrade_deinit(&u);
}

static void the_request_names_the_desk_the_cursor_and_the_token(void **state)
{
        struct assist a = { .host = "[400::1]", .port = 7272, .token = "AbC" };
        struct buf b = { 0 };

        (void)state;
        upgrade_request(&a, STR("c-1_"), &b);
        assert_true(str_starts(buf_view(&b), "GET /ws?cursor=c-1_ HTTP/1.1\r\nHost: [400::1]:7272\r\n"));
        assert_non_null(strstr(buf_z(&b), "\r\nSec-WebSocket-Protocol: assist.1, assist.token.AbC\r\n"));
        buf_clear(&b);
        upgrade_request(&a, (struct str){ 0 }, &b);
        assert_true(str_starts(buf_view(&b), "GET /ws HTTP/1.1\r\n"));
        buf_deinit(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_stands_behind_a_101_is_the_websockets),
                cmocka_unit_test(a_refusal_is_read_whole_and_says_when_to_come_back),
                cmocka_unit_test(what_is_no_http_is_not_waited_for),
                cmocka_unit_test(the_request_names_the_desk_the_cursor_and_the_token),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

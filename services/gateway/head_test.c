#include "head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static int status_of(const char *text)
{
        const char *reason = NULL;
        struct head h;
        int status = head_read(str_of(text), &h, &reason);

        assert_int_equal(reason != NULL, status > 0);
        return status;
}

static void a_head_says_how_much_follows_it(void **state)
{
        static const char text[] = "POST /rpc?x=1 HTTP/1.1\r\nhOST: a\r\nContent-Length:  17 \r\nAUTHORIZATION: Bearer t\r\n\r\n";
        const char *reason;
        struct head h;

        (void)state;
        assert_int_equal(head_read((struct str){ text, sizeof(text) - 1 }, &h, &reason), 0);
        assert_int_equal(h.n, sizeof(text) - 1);
        assert_int_equal(h.body, 17);
        assert_true(str_is(h.target, "/rpc?x=1"));
        assert_true(str_is(h.authorization, "Bearer t"));
        assert_int_equal(head_read(STR("\r\nGET / HTTP/1.0\r\nHost: a\r\n\r\nrest"), &h, &reason), 0);
        assert_int_equal(h.n, 29);
        assert_int_equal(h.body, 0);
        assert_int_equal(h.authorization.n, 0);
}

/* Each beginning is on its own piece of memory, so that a sanitizer sees a read behind its end. */
static void every_beginning_of_a_head_wants_more(void **state)
{
        static const char text[] = "\r\nPUT /attachments/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\nX:\r\n\r\n";

        (void)state;
        for (size_t n = 0; n < sizeof(text) - 1; n++) {
                char *beginning = malloc(n + 1);
                const char *reason;
                struct head h;

                memcpy(beginning, text, n);
                assert_int_equal(head_read((struct str){ beginning, n }, &h, &reason), HEAD_MORE);
                free(beginning);
        }
        assert_int_equal(status_of(text), 0);
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
        static const struct {
                const char *field;
                int status;
        } fields[] = {
                { "X: y", 0 }, { "Content-Length: 0", 0 }, { "X: \t\x80\xff", 0 }, { "Expect: 100-CONTINUE", 0 }, { "X-Origin: a", 0 },
                { "Content-Length: 1\r\nContent-Length: 1", 400 }, { "Content-Length: 1\r\nTransfer-Encoding: chunked", 400 },
                { "Transfer-Encoding: chunked", 411 }, { "Content-Length: 1,1", 400 }, { "Content-Length: ", 400 },
                { "Content-Length: 1e1", 400 }, { "Content-Length: 1000000000000000", 400 }, { "Content-Length : 1", 400 },
                { ": y", 400 }, { " X: y", 400 }, { "X", 400 }, { "X\x01: y", 400 }, { "X: \x7f", 400 }, { "X: \x01", 400 }, { "X: a\rb", 400 },
                { "Host: b", 400 }, { "Authorization: a\r\nauthorization: b", 400 }, { "Origin: a\r\nOrigin: a", 400 }, { "Expect: 200", 417 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
                char text[200] = "GET / HTTP/1.1\r\nHost: a\r\n";

                strcat(strcat(text, fields[i].field), "\r\n\r\n");
                if (status_of(text) != fields[i].status)
                        fail_msg("%s: %d", fields[i].field, status_of(text));
        }
        assert_int_equal(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
}

static void broken_request_lines_are_refused(void **state)
{
        static const char *const wrong[] = {
                "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET / HTTP/1.2", "GET / http/1.1", "G@T / HTTP/1.1", " GET / HTTP/1.1",
                "GET /\x01 HTTP/1.1", "GET /\xc3\xa4 HTTP/1.1", "GET / x HTTP/1.1", "\r\nGET / HTTP/1.1", "\x16\x03",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                char text[100] = "\r\n";

                strcat(strcat(text, wrong[i]), "\r\nHost: a\r\n\r\n");
                assert_int_equal(status_of(text), 400);
        }
        assert_int_equal(status_of("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
        assert_int_equal(status_of("\x16"), 400);
}

static void a_head_is_not_longer_than_its_limits(void **state)
{
        static char text[2 * HEAD_MAX] = "GET / HTTP/1.1\r\nHost: a\r\n";
        size_t n = strlen(text);

        (void)state;
        for (int i = 1; i < HEAD_FIELDS_MAX; i++)
                strcat(text, "X:\r\n");
        strcat(text, "\r\n");
        assert_int_equal(status_of(text), 0);
        strcpy(text + strlen(text) - 2, "X:\r\n\r\n");
        assert_int_equal(status_of(text), 431);
        strcpy(text + n, "X: ");
        memset(text + n + 3, 'y', HEAD_MAX - n - 3);
        text[HEAD_MAX - 1] = '\0';
        assert_int_equal(status_of(text), HEAD_MORE);
        strcpy(text + HEAD_MAX - 1, "y");
        assert_int_equal(status_of(text), 431);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_head_says_how_much_follows_it),
                cmocka_unit_test(every_beginning_of_a_head_wants_more),
                cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
                cmocka_unit_test(broken_request_lines_are_refused),
                cmocka_unit_test(a_head_is_not_longer_than_its_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

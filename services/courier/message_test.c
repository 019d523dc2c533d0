#include "message.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static char *write_message(const char *from, const char *subject, const char *body)
{
        struct message message = {
                .from = str_of(from), .to = STR("ada@example.org"), .subject = str_of(subject), .body = str_of(body), .at = 1780000000123,
        };
        struct buf out = { 0 };

        assert_int_equal(ulid_parse(STR("01KQ8X3V00AAAAAAAAAAAAAAAA"), &message.id), 0);
        message_write(&message, &out);
        buf_z(&out);
        return out.p;
}

static void assert_holds(char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

static void a_plain_mail_has_its_headers_and_its_text_as_it_is(void **state)
{
        char *text = write_message("Support <support@example.org>", "Your code", "Hello\n\n.dot\nlast");

        (void)state;
        assert_string_equal(text, "Date: Thu, 28 May 2026 20:26:40 +0000\r\n"
                                  "From: Support <support@example.org>\r\n"
                                  "To: <ada@example.org>\r\n"
                                  "Subject: Your code\r\n"
                                  "Message-ID: <01KQ8X3V00AAAAAAAAAAAAAAAA@example.org>\r\n"
                                  "MIME-Version: 1.0\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Transfer-Encoding: 7bit\r\n"
                                  "Auto-Submitted: auto-generated\r\n"
                                  "\r\n"
                                  "Hello\r\n\r\n.dot\r\nlast\r\n");
        free(text);
}

static void text_beyond_ascii_is_encoded_in_headers_and_body(void **state)
{
        char *text = write_message("Bj\xc3\xb6rn <b@example.org>", "Gr\xc3\xbc\xc3\x9f"
                                                                    "e", "\xc3\xa4\n");

        (void)state;
        assert_holds(text, "\r\nFrom: =?UTF-8?B?QmrDtnJu?= <b@example.org>\r\n");
        assert_holds(text, "\r\nSubject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n");
        assert_holds(text, "\r\nContent-Transfer-Encoding: base64\r\n");
        assert_holds(text, "\r\n\r\nw6QK\r\n");
        free(text);
}

static void a_line_break_in_a_subject_stays_in_its_header(void **state)
{
        char *text = write_message("a@example.org", "x\r\nBcc: eve@example.org", "body");

        (void)state;
        assert_null(strstr(text, "\nBcc:"));
        assert_holds(text, "\r\nSubject: =?UTF-8?B?");
        assert_holds(text, "\r\nFrom: <a@example.org>\r\n");
        free(text);
}

static void no_line_is_longer_than_mail_allows_and_no_character_is_cut(void **state)
{
        char subject[401], body[2001], *text, *line, *rest;

        (void)state;
        for (size_t i = 0; i < 200; i++)
                memcpy(subject + 2 * i, "\xc3\xa4", 2);
        subject[400] = '\0';
        memset(body, 'x', 2000);
        body[2000] = '\0';
        text = write_message("a@example.org", subject, body);
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                assert_true(strlen(line) <= 79);
                if (strstr(line, "=?UTF-8?B?"))
                        assert_null(strstr(line, "w6TD?=")); /* half a character before the end */
        }
        free(text);
}

static void the_address_of_a_mailbox_is_what_stands_in_brackets(void **state)
{
        (void)state;
        assert_true(str_is(message_address(STR("Support <s@example.org>")), "s@example.org"));
        assert_true(str_is(message_address(STR("s@example.org")), "s@example.org"));
        assert_true(str_is(message_address(STR("<s@example.org>")), "s@example.org"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_plain_mail_has_its_headers_and_its_text_as_it_is),
                cmocka_unit_test(text_beyond_ascii_is_encoded_in_headers_and_body),
                cmocka_unit_test(a_line_break_in_a_subject_stays_in_its_header),
                cmocka_unit_test(no_line_is_longer_than_mail_allows_and_no_character_is_cut),
                cmocka_unit_test(the_address_of_a_mailbox_is_what_stands_in_brackets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

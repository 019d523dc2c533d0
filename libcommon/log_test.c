#include "log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* stderr is a pipe while a test runs. */
static int saved, ends[2];

static int redirect(void **state)
{
        (void)state;
        saved = dup(STDERR_FILENO);
        if (pipe2(ends, O_NONBLOCK) < 0)
                return -1;
        dup2(ends[1], STDERR_FILENO);
        unsetenv("JOURNAL_STREAM");
        log_open("store", LOG_LEVEL_INFO);
        log_context(NULL);
        return 0;
}

static int restore(void **state)
{
        (void)state;
        dup2(saved, STDERR_FILENO);
        close(saved);
        close(ends[0]);
        close(ends[1]);
        return 0;
}

/* Stands before libsystemd's. */
static char sent[8192];

int sd_journal_sendv(const struct iovec *parts, int n);

int sd_journal_sendv(const struct iovec *parts, int n)
{
        sent[0] = 0;
        for (int i = 0; i < n; i++)
                snprintf(sent + strlen(sent), sizeof(sent) - strlen(sent), "%.*s\n", (int)parts[i].iov_len, (const char *)parts[i].iov_base);
        return 0;
}

static const char *written(void)
{
        static char text[8192];
        ssize_t n = read(ends[0], text, sizeof(text) - 1);

        text[n > 0 ? n : 0] = 0;
        return text;
}

static void a_line_has_time_service_level_message_and_context(void **state)
{
        struct log_context c = { .request = STR("req-1"), .client_request = STR("mine"), .method = STR("ticket.create"),
                                 .duration_us = 1234 };
        const char *line;

        (void)state;
        memset(c.user.b, 0x11, sizeof(c.user.b));
        log_context(&c);
        log_info("ticket.create: %s", "NotFound");
        log_context(NULL);
        line = written();
        assert_int_equal(line[4], '-');
        assert_int_equal(line[10], 'T');
        assert_string_equal(line + 23, "Z store info: ticket.create: NotFound request=req-1 client_request=mine "
                                       "user=0H248H248H248H248H248H248H us=1234\n");
}

static void what_is_below_the_level_is_not_written(void **state)
{
        (void)state;
        log_debug("quiet");
        assert_string_equal(written(), "");
        log_level(LOG_LEVEL_DEBUG);
        log_debug("heard");
        assert_non_null(strstr(written(), " store debug: heard\n"));
        log_level(LOG_LEVEL_ERROR);
        log_warning("quiet");
        assert_string_equal(written(), "");
        log_error("heard");
        assert_non_null(strstr(written(), " store error: heard\n"));
}

static void a_message_with_line_breaks_stays_one_line(void **state)
{
        const char *line;

        (void)state;
        log_info("a\nb\033[31m%s", "\r\n2026-01-01 forged");
        line = written();
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        assert_null(strchr(line, '\033'));
}

static void a_very_long_message_is_cut(void **state)
{
        char big[6000];
        const char *line;

        (void)state;
        memset(big, 'x', sizeof(big) - 1);
        big[sizeof(big) - 1] = 0;
        log_context(&(struct log_context){ .request = { big, sizeof(big) - 1 } });
        log_info("%s", big);
        log_context(NULL);
        line = written();
        assert_int_equal(strlen(line), 2048);
        assert_int_equal(line[2047], '\n');
}

static void errno_survives(void **state)
{
        (void)state;
        errno = ENOENT;
        log_info("hello");
        assert_int_equal(errno, ENOENT);
}

static void where_stderr_is_the_journal_it_gets_fields_and_no_line_is_written(void **state)
{
        char stream[64], big[1000];
        struct log_context c = { .request = STR("req-1"), .client_request = { big, sizeof(big) }, .method = STR("ticket.create"),
                                 .duration_us = 1234 };
        struct stat st;

        (void)state;
        memset(big, 'x', sizeof(big));
        memset(c.user.b, 0x11, sizeof(c.user.b));
        fstat(STDERR_FILENO, &st);
        snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
        setenv("JOURNAL_STREAM", stream, 1);
        log_open("logtest", LOG_LEVEL_INFO);
        log_context(&c);
        log_write(LOG_LEVEL_WARNING, "0123456789abcdef0123456789abcdef", "to the %s", "journal");
        log_context(NULL);
        assert_string_equal(written(), "");
        assert_ptr_equal(strstr(sent, "MESSAGE=to the journal\nASSIST_REQUEST=req-1\nASSIST_CLIENT_REQUEST=xxx"), sent);
        assert_non_null(strstr(sent, "xxx\nASSIST_METHOD=ticket.create\nASSIST_USER=0H248H248H248H248H248H248H\nASSIST_DURATION_US=1234\n"
                                     "PRIORITY=4\nSYSLOG_IDENTIFIER=assist-logtest\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n"));
        assert_true(strlen(sent) < 700); /* the long one was cut */
        setenv("JOURNAL_STREAM", "1:1", 1);
        log_open("logtest", LOG_LEVEL_INFO);
        log_info("to the terminal");
        assert_non_null(strstr(written(), "logtest info: to the terminal\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_line_has_time_service_level_message_and_context, redirect, restore),
                cmocka_unit_test_setup_teardown(what_is_below_the_level_is_not_written, redirect, restore),
                cmocka_unit_test_setup_teardown(a_message_with_line_breaks_stays_one_line, redirect, restore),
                cmocka_unit_test_setup_teardown(a_very_long_message_is_cut, redirect, restore),
                cmocka_unit_test_setup_teardown(errno_survives, redirect, restore),
                cmocka_unit_test_setup_teardown(where_stderr_is_the_journal_it_gets_fields_and_no_line_is_written, redirect, restore),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

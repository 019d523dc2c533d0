#include "settings.h"
#include "log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct room {
        char dir[64];
        struct arena arena;
        struct settings s;
        struct settings_error error;
};

static int enter(void **state)
{
        struct room *r = calloc(1, sizeof(*r));
        char path[96];

        strcpy(r->dir, "/tmp/settings_test.XXXXXX");
        if (!mkdtemp(r->dir))
                return -1;
        snprintf(path, sizeof(path), "%s/assist.conf.d", r->dir);
        *state = r;
        return mkdir(path, 0700);
}

static int leave(void **state)
{
        struct room *r = *state;
        char command[96];

        snprintf(command, sizeof(command), "rm -r %s", r->dir);
        arena_deinit(&r->arena);
        free(r);
        return system(command);
}

static void put(struct room *r, const char *name, const char *text)
{
        char path[128];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", r->dir, name);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static int load(struct room *r)
{
        return settings_load(r->dir, &r->arena, &r->s, &r->error);
}

static void without_files_there_are_safe_defaults(void **state)
{
        struct room *r = *state;

        assert_int_equal(settings_load("/nonexistent", &r->arena, &r->s, &r->error), 0);
        assert_false(r->s.development);
        assert_int_equal(r->s.log_level, LOG_LEVEL_INFO);
        assert_int_equal(r->s.driver, OVERLAY_MYCELIUM);
        assert_int_equal(r->s.blob_bytes_max, 25 * 1024 * 1024);
        assert_true(r->s.smtp_starttls);
        assert_int_equal(r->s.smtp_url.n, 0);
}

static void every_kind_of_value_is_read(void **state)
{
        struct room *r = *state;

        put(r, "assist.conf", "; a remark\n# another\n\n[project]\ndevelopment = yes\n[log]\nlevel=debug\n"
                              "[overlay]\ndriver = loopback\n  loopback_address = 127.0.0.9\n[gateway]\nport = 8080\n"
                              "hosts = help.example  desk ; where we are\n[mail]\nmail_from = Hilfe \xc3\xbc <a@b.example>\n");
        assert_int_equal(load(r), 0);
        assert_true(r->s.development);
        assert_int_equal(r->s.log_level, LOG_LEVEL_DEBUG);
        assert_int_equal(r->s.driver, OVERLAY_LOOPBACK);
        assert_true(str_is(r->s.loopback_address, "127.0.0.9"));
        assert_int_equal(r->s.port, 8080);
        assert_true(str_is(r->s.hosts, "help.example  desk"));
        assert_true(str_is(r->s.mail_from, "Hilfe \xc3\xbc <a@b.example>"));
}

static void later_files_and_lines_win(void **state)
{
        struct room *r = *state;

        put(r, "assist.conf", "[gateway]\nport = 1\nport = 2\ndevice_rate = 7\n");
        put(r, "assist.conf.d/20-b.conf", "[gateway]\nport = 4\n");
        put(r, "assist.conf.d/10-a.conf", "[gateway]\nport = 3\nuser_rate = 9\n");
        put(r, "assist.conf.d/ignored.bak", "nonsense");
        put(r, "assist.conf.d/.hidden.conf", "nonsense");
        assert_int_equal(load(r), 0);
        assert_int_equal(r->s.port, 4);
        assert_int_equal(r->s.device_rate, 7);
        assert_int_equal(r->s.user_rate, 9);
}

static void errors_name_file_line_key_and_what_would_be_right(void **state)
{
        static const struct {
                const char *text;
                int line;
                const char *key, *reason;
        } all[] = {
                { "[gateway]\n\nport = 0\n", 3, "gateway.port", "it is a number from 1 to 65535" },
                { "[gateway]\nport = 65536\n", 2, "gateway.port", "it is a number from 1 to 65535" },
                { "[gateway]\nport = 80x\n", 2, "gateway.port", "it is a number from 1 to 65535" },
                { "[gateway]\nport =\n", 2, "gateway.port", "it is a number from 1 to 65535" },
                { "[project]\ndevelopment = maybe\n", 2, "project.development", "it is yes or no" },
                { "[log]\nlevel = loud\n", 2, "log.level", "it is one of error, warning, notice, info, debug" },
                { "[mail]\nmail_from = \xff\n", 2, "mail.mail_from", "it is one line of UTF-8 text" },
                { "[mail]\nsmpt_url = x\n", 2, "mail.smpt_url", "there is no such key; the nearest is smtp_url in [mail]" },
                { "[email]\nsmtp_url = x\n", 2, "email.smtp_url", "there is no such key; the nearest is smtp_url in [mail]" },
                { "[gateway]\nsmtp_user = x\n", 2, "gateway.smtp_user", "there is no such key; the nearest is smtp_user in [mail]" },
                { "port = 80\n", 1, "port", "it stands before any section; the nearest is port in [gateway]" },
                { "[gateway\n", 1, "", "a line is [section], key = value, or begins with # or ;" },
                { "[gateway]\nport = 80\nwhat is this\nport = x\n", 3, "", "a line is [section], key = value, or begins with # or ;" },
        };
        struct room *r = *state;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                r->s.port = 4711;
                put(r, "assist.conf", all[i].text);
                assert_int_equal(load(r), -EINVAL);
                assert_int_equal(strncmp(r->error.file, r->dir, strlen(r->dir)), 0);
                assert_string_equal(r->error.file + strlen(r->dir), "/assist.conf");
                assert_int_equal(r->error.line, all[i].line);
                assert_string_equal(r->error.key, all[i].key);
                assert_string_equal(r->error.reason, all[i].reason);
                assert_int_equal(r->s.port, 4711);      /* what was given is untouched */
        }
}

static void only_what_the_overlay_can_use_is_taken(void **state)
{
        static const struct {
                const char *key, *good[4], *bad[12];
        } all[] = {
                { "jsonrpc", { "127.0.0.1:1", "127.1.2.3:65535", "[::1]:8990" },
                  { "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "192.0.2.1:8990", "localhost:8990", "::1:8990", "[127.0.0.1]:1",
                    "[::2]:1", "tcp://127.0.0.1:8990" } },
                { "admin", { "unix:///run/yggdrasil.sock", "tcp://127.0.0.1:9001", "tcp://[::1]:9001" },
                  { "", "unix://", "unix:///", "unix://run/x", "tcp://", "tcp://:1", "tcp://192.0.2.1:9001", "udp://127.0.0.1:1" } },
                { "program", { "/usr/bin/mycelium" }, { "", "mycelium", "/" } },
                { "tun_name", { "mycelium", "m" }, { "", "a/b", "a b", "sixteen-letters!", "-x" } },
                { "peers", { "", "tcp://192.0.2.1:9651", "tcp://192.0.2.1:9651  quic://[2001:db8::1]:9651" },
                  { "192.0.2.1:9651", "--no-tun", "tcp://192.0.2.1:9651 --no-tun=://" } },
        };
        struct room *r = *state;
        char text[128];

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                for (size_t k = 0; all[i].good[k]; k++) {
                        snprintf(text, sizeof(text), "[overlay]\n%s = %s\n", all[i].key, all[i].good[k]);
                        put(r, "assist.conf", text);
                        if (load(r))
                                fail_msg("%s: %s", text, r->error.reason);
                }
                for (size_t k = 0; all[i].bad[k]; k++) {
                        snprintf(text, sizeof(text), "[overlay]\n%s = %s\n", all[i].key, all[i].bad[k]);
                        put(r, "assist.conf", text);
                        if (!load(r))
                                fail_msg("taken: %s", text);
                        assert_int_equal(r->error.line, 2);
                        assert_string_equal(r->error.key + strlen("overlay."), all[i].key);
                        assert_int_equal(strncmp(r->error.reason, "it is a", strlen("it is a")), 0);
                }
        }
}

static void an_error_in_the_folder_names_its_file(void **state)
{
        struct room *r = *state;

        put(r, "assist.conf.d/50-x.conf", "[log]\nlevel = nothing\n");
        assert_int_equal(load(r), -EINVAL);
        assert_string_equal(r->error.file + strlen(r->dir), "/assist.conf.d/50-x.conf");
        assert_int_equal(r->error.line, 2);
}

static void a_line_too_long_is_an_error_not_two_lines(void **state)
{
        struct room *r = *state;
        char text[2000];

        strcpy(text, "[gateway]\nhosts = ");
        memset(text + strlen(text), 'x', 1500);
        strcpy(text + 1500, "\nport = 1\n");
        put(r, "assist.conf", text);
        assert_int_equal(load(r), -EINVAL);
        assert_int_equal(r->error.line, 2);
        assert_string_equal(r->error.reason, "the line is too long");
}

static void what_is_printed_reads_back_the_same(void **state)
{
        struct room *r = *state;
        struct buf first = { 0 }, again = { 0 }, standard = { 0 };

        put(r, "assist.conf", "[project]\ndevelopment = on\n[gateway]\nport = 99\n[mail]\nsmtp_url = smtp://x:25\n"
                              "[overlay]\ndriver = yggdrasil\n");
        assert_int_equal(load(r), 0);
        settings_print(&r->s, &first);
        put(r, "assist.conf", buf_z(&first));
        assert_int_equal(load(r), 0);
        settings_print(&r->s, &again);
        assert_string_equal(buf_z(&first), buf_z(&again));
        assert_non_null(strstr(buf_z(&first), "\nport = 99\n"));
        assert_non_null(strstr(buf_z(&first), "\ndriver = yggdrasil\n"));
        settings_print(NULL, &standard);
        put(r, "assist.conf", buf_z(&standard));
        assert_int_equal(load(r), 0);
        assert_int_equal(r->s.driver, OVERLAY_MYCELIUM);
        buf_deinit(&first);
        buf_deinit(&again);
        buf_deinit(&standard);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(without_files_there_are_safe_defaults, enter, leave),
                cmocka_unit_test_setup_teardown(every_kind_of_value_is_read, enter, leave),
                cmocka_unit_test_setup_teardown(later_files_and_lines_win, enter, leave),
                cmocka_unit_test_setup_teardown(errors_name_file_line_key_and_what_would_be_right, enter, leave),
                cmocka_unit_test_setup_teardown(only_what_the_overlay_can_use_is_taken, enter, leave),
                cmocka_unit_test_setup_teardown(an_error_in_the_folder_names_its_file, enter, leave),
                cmocka_unit_test_setup_teardown(a_line_too_long_is_an_error_not_two_lines, enter, leave),
                cmocka_unit_test_setup_teardown(what_is_printed_reads_back_the_same, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

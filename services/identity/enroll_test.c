#include "enroll.h"
#include "binding.h"
#include "fixture.h"
#include "outbox.h"
#include <errno.h>

#define PHONE STR("loopback:127.0.0.2")
#define OTHER STR("loopback:127.0.0.3")

struct mail_seen {
        struct str to, body;
        char code[ENROLL_CODE];
};

/* The newest mail; a code stands behind the link in it. */
static struct mail_seen newest_mail(struct fixture *f)
{
        sqlite3_stmt *q = db_query(f->db, "SELECT recipient, body FROM outbox ORDER BY id DESC LIMIT 1", "");
        struct mail_seen mail = { 0 };
        const char *link;

        assert_int_equal(db_step(f->db, q), 1);
        mail.to = arena_str(&f->arena, db_column_str(q, 0));
        mail.body = arena_str(&f->arena, db_column_str(q, 1));
        db_done(q);
        link = strstr(mail.body.p, "/bind#");
        if (link)
                memcpy(mail.code, link + 6, ENROLL_CODE);
        return mail;
}

/* Asks for a code; a ms later than whatever was before, so that mails are in order. */
static int ask(struct fixture *f, const char *email, struct str device, int64_t *ret_retry_after_ms)
{
        struct enroll_request request = { .device = device, .device_key = NO_KEY, .label = STR("My phone"), .link = STR("http://127.0.0.1:8080/bind#") };
        int64_t retry_after_ms = -1;
        struct ulid id;
        int r;

        f->now++;
        assert_int_equal(email_normalize(str_of(email), &f->arena, &request.email, &request.email_key), 0);
        assert_int_equal(db_begin(f->db), 0);
        r = enroll_start(f->db, f->key, f->now, &request, &f->arena, &id, &retry_after_ms);
        assert_int_equal(db_commit(f->db), 0);
        if (ret_retry_after_ms)
                *ret_retry_after_ms = retry_after_ms;
        return r;
}

static int redeem(struct fixture *f, struct str device, const char code[ENROLL_CODE], struct ulid *ret_binding)
{
        struct ulid binding = { { 0 } };
        int r;

        f->now++;
        assert_int_equal(db_begin(f->db), 0);
        r = enroll_redeem(f->db, f->key, f->now, device, NO_KEY, code, &f->arena, &binding);
        assert_int_equal(db_commit(f->db), 0);
        if (ret_binding)
                *ret_binding = binding;
        return r;
}

static void the_device_that_asked_is_bound_by_the_mailed_code(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;
        struct device device;
        struct ulid binding;

        assert_int_equal(ask(f, "Linus@Example.org", PHONE, NULL), 0);
        mail = newest_mail(f);
        assert_true(str_is(mail.to, "linus@example.org"));
        assert_non_null(strstr(mail.body.p, "My phone"));
        assert_int_equal(redeem(f, PHONE, mail.code, &binding), 0);
        assert_int_equal(binding_find(f->db, binding, &f->arena, &device), 0);
        assert_true(ulid_eq(device.user, f->customer));
        assert_true(str_is(device.label, "My phone") && str_is(device.address, "loopback:127.0.0.2"));
}

static void the_user_is_told_of_the_new_device_without_any_code(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        assert_int_equal(redeem(f, PHONE, newest_mail(f).code, NULL), 0);
        mail = newest_mail(f);
        assert_true(str_is(mail.to, "linus@example.org"));
        assert_non_null(strstr(mail.body.p, "My phone"));
        assert_null(strstr(mail.body.p, "/bind#"));
}

static void another_device_cannot_redeem_and_costs_the_first_one_nothing(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        mail = newest_mail(f);
        for (int i = 0; i < 10; i++)
                assert_int_equal(redeem(f, OTHER, mail.code, NULL), FAULT_EXPIRED);
        assert_int_equal(redeem(f, PHONE, mail.code, NULL), 0);
}

static void a_code_is_good_once(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        mail = newest_mail(f);
        assert_int_equal(redeem(f, PHONE, mail.code, NULL), 0);
        assert_int_equal(redeem(f, PHONE, mail.code, NULL), FAULT_EXPIRED);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM binding"), 1);
}

static void a_code_is_good_for_fifteen_minutes(void **state)
{
        struct fixture *f = *state;
        int64_t asked_at;

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        asked_at = f->now;
        f->now = asked_at + ENROLL_LIFE_MS - 1; /* redeem moves on by a ms */
        assert_int_equal(redeem(f, PHONE, newest_mail(f).code, NULL), FAULT_EXPIRED);
        f->now = asked_at + ENROLL_LIFE_MS - 2;
        assert_int_equal(redeem(f, PHONE, newest_mail(f).code, NULL), 0);
}

static void the_sixth_try_fails_even_with_the_right_code(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;
        char wrong[ENROLL_CODE];

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        mail = newest_mail(f);
        memcpy(wrong, mail.code, sizeof(wrong));
        wrong[7] = wrong[7] == '0' ? '1' : '0';
        for (int i = 0; i < ENROLL_TRIES; i++)
                assert_int_equal(redeem(f, PHONE, wrong, NULL), FAULT_NOT_FOUND);
        assert_int_equal(redeem(f, PHONE, mail.code, NULL), FAULT_EXPIRED);
}

static void the_fifth_try_may_still_be_right(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;
        char wrong[ENROLL_CODE];

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        mail = newest_mail(f);
        memcpy(wrong, mail.code, sizeof(wrong));
        wrong[0] = wrong[0] == '0' ? '1' : '0';
        for (int i = 0; i < ENROLL_TRIES - 1; i++)
                assert_int_equal(redeem(f, PHONE, wrong, NULL), FAULT_NOT_FOUND);
        fixture_restart(f);
        assert_int_equal(redeem(f, PHONE, mail.code, NULL), 0);
}

static void a_new_code_voids_the_same_devices_only(void **state)
{
        struct fixture *f = *state;
        struct mail_seen first, other, second;

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        first = newest_mail(f);
        assert_int_equal(ask(f, "linus@example.org", OTHER, NULL), 0);
        other = newest_mail(f);
        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        second = newest_mail(f);
        assert_int_equal(redeem(f, PHONE, first.code, NULL), FAULT_NOT_FOUND);
        assert_int_equal(redeem(f, PHONE, second.code, NULL), 0);
        assert_int_equal(redeem(f, OTHER, other.code, NULL), 0);
}

static void an_unknown_email_does_the_same_work_and_can_never_be_redeemed(void **state)
{
        static const char count[] = "SELECT (SELECT count(*) FROM enrolment) * 1000 + (SELECT count(*) FROM outbox)";
        struct fixture *f = *state;
        struct mail_seen known, unknown;
        int changes[3];

        changes[0] = sqlite3_total_changes(db_handle(f->db));
        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        known = newest_mail(f);
        changes[1] = sqlite3_total_changes(db_handle(f->db));
        assert_int_equal(fixture_count(f, count), 1001);
        assert_int_equal(ask(f, "elvis@example.org", OTHER, NULL), 0);
        unknown = newest_mail(f);
        changes[2] = sqlite3_total_changes(db_handle(f->db));
        assert_int_equal(fixture_count(f, count), 2002);
        assert_int_equal(changes[2] - changes[1], changes[1] - changes[0]);
        assert_int_equal(unknown.to.n, 0);
        assert_int_equal(unknown.body.n, known.body.n);
        assert_int_equal(redeem(f, OTHER, unknown.code, NULL), FAULT_NOT_FOUND);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM binding"), 0);
}

static void a_disabled_user_gets_a_decoy_and_one_disabled_meanwhile_is_not_bound(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;
        struct user user;

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        mail = newest_mail(f);
        assert_int_equal(user_find(f->db, f->customer, &f->arena, &user), 0);
        user.active = false;
        assert_int_equal(user_set_person(f->db, f->now, &user), 0);
        assert_int_equal(redeem(f, PHONE, mail.code, NULL), FAULT_EXPIRED);
        assert_int_equal(ask(f, "linus@example.org", OTHER, NULL), 0);
        assert_int_equal(newest_mail(f).to.n, 0);
}

static void an_email_is_asked_for_five_times_an_hour_and_what_was_issued_stays_good(void **state)
{
        struct fixture *f = *state;
        struct mail_seen last;
        int64_t retry_after_ms, first_at = f->now + 1;
        char device[32];

        for (int i = 0; i < ENROLL_PER_EMAIL; i++) {
                snprintf(device, sizeof(device), "loopback:127.0.1.%d", i + 1);
                assert_int_equal(ask(f, "linus@example.org", str_of(device), NULL), 0);
        }
        last = newest_mail(f);
        assert_int_equal(ask(f, "LINUS@example.org", PHONE, &retry_after_ms), FAULT_RATE_LIMITED);
        assert_int_equal(retry_after_ms, first_at + ENROLL_WINDOW_MS - f->now);
        /* Even the very device that holds a code keeps it. */
        assert_int_equal(ask(f, "linus@example.org", str_of(device), NULL), FAULT_RATE_LIMITED);
        fixture_restart(f);
        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), FAULT_RATE_LIMITED);
        assert_int_equal(ask(f, "ada@example.org", PHONE, NULL), 0);
        assert_int_equal(redeem(f, str_of(device), last.code, NULL), 0);
        f->now = first_at + ENROLL_WINDOW_MS;
        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
}

static void what_was_asked_by_a_clock_that_was_ahead_counts_no_more(void **state)
{
        struct fixture *f = *state;
        int64_t now = f->now;
        char device[32];

        f->now += INT64_C(365) * 24 * 60 * 60 * 1000;
        for (int i = 0; i < ENROLL_PER_EMAIL; i++) {
                snprintf(device, sizeof(device), "loopback:127.0.1.%d", i + 1);
                assert_int_equal(ask(f, "linus@example.org", str_of(device), NULL), 0);
        }
        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), FAULT_RATE_LIMITED);
        f->now = now;
        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
}

static void the_limit_of_an_unknown_email_is_the_same(void **state)
{
        struct fixture *f = *state;
        char device[32];

        for (int i = 0; i < ENROLL_PER_EMAIL; i++) {
                snprintf(device, sizeof(device), "loopback:127.0.1.%d", i + 1);
                assert_int_equal(ask(f, "elvis@example.org", str_of(device), NULL), 0);
        }
        assert_int_equal(ask(f, "elvis@example.org", PHONE, NULL), FAULT_RATE_LIMITED);
}

static void a_device_asks_ten_times_an_hour(void **state)
{
        struct fixture *f = *state;
        struct mail_seen last;
        char email[32];

        for (int i = 0; i < ENROLL_PER_DEVICE; i++) {
                snprintf(email, sizeof(email), "%s%d@example.org", i == ENROLL_PER_DEVICE - 1 ? "linus" : "nobody", i);
                assert_int_equal(ask(f, i == ENROLL_PER_DEVICE - 1 ? "linus@example.org" : email, PHONE, NULL), 0);
        }
        last = newest_mail(f);
        assert_int_equal(ask(f, "ada@example.org", PHONE, NULL), FAULT_RATE_LIMITED);
        assert_int_equal(ask(f, "ada@example.org", OTHER, NULL), 0);
        assert_int_equal(redeem(f, PHONE, last.code, NULL), 0);
}

static void a_code_is_kept_as_a_keyed_hash_only(void **state)
{
        struct fixture *f = *state;
        struct mail_seen mail;
        sqlite3_stmt *q;

        assert_int_equal(ask(f, "linus@example.org", PHONE, NULL), 0);
        mail = newest_mail(f);
        q = db_query(f->db, "SELECT code_hash FROM enrolment", "");
        assert_int_equal(db_step(f->db, q), 1);
        assert_int_equal(db_column_str(q, 0).n, 32);
        assert_null(memmem(db_column_str(q, 0).p, 32, mail.code, ENROLL_CODE));
        db_done(q);
        f->key[0] ^= 1;
        assert_int_equal(redeem(f, PHONE, mail.code, NULL), FAULT_NOT_FOUND);
}

static void codes_are_read_as_people_type_them(void **state)
{
        static const char *const bad[] = { "", "0123456", "012345678", "0123456U", "0123_567", "0123\xc3\xa4" "567" };
        char code[ENROLL_CODE];

        (void)state;
        assert_int_equal(enroll_code_parse(STR(" oil0-zy x9 "), code), 0);
        assert_memory_equal(code, "0110ZYX9", ENROLL_CODE);
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(enroll_code_parse(str_of(bad[i]), code), -EINVAL);
        assert_int_equal(enroll_code_parse(STR("0123\0" "567"), code), -EINVAL);
}

static void labels_hold_nothing_that_a_mail_could_be_forged_with(void **state)
{
        (void)state;
        assert_true(enroll_label_is_valid(STR("Ada 2.phone_-x")));
        assert_true(enroll_label_is_valid(STR("0123456789012345678901234567890123456789")));
        assert_false(enroll_label_is_valid(STR("01234567890123456789012345678901234567890")));
        assert_false(enroll_label_is_valid(STR("")));
        assert_false(enroll_label_is_valid(STR("a\nb")));
        assert_false(enroll_label_is_valid(STR("a/b")));
        assert_false(enroll_label_is_valid(STR("a\0b")));
        assert_false(enroll_label_is_valid(STR("http:")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                FIXTURE_TEST(the_device_that_asked_is_bound_by_the_mailed_code),
                FIXTURE_TEST(the_user_is_told_of_the_new_device_without_any_code),
                FIXTURE_TEST(another_device_cannot_redeem_and_costs_the_first_one_nothing),
                FIXTURE_TEST(a_code_is_good_once),
                FIXTURE_TEST(a_code_is_good_for_fifteen_minutes),
                FIXTURE_TEST(the_sixth_try_fails_even_with_the_right_code),
                FIXTURE_TEST(the_fifth_try_may_still_be_right),
                FIXTURE_TEST(a_new_code_voids_the_same_devices_only),
                FIXTURE_TEST(an_unknown_email_does_the_same_work_and_can_never_be_redeemed),
                FIXTURE_TEST(a_disabled_user_gets_a_decoy_and_one_disabled_meanwhile_is_not_bound),
                FIXTURE_TEST(an_email_is_asked_for_five_times_an_hour_and_what_was_issued_stays_good),
                FIXTURE_TEST(what_was_asked_by_a_clock_that_was_ahead_counts_no_more),
                FIXTURE_TEST(the_limit_of_an_unknown_email_is_the_same),
                FIXTURE_TEST(a_device_asks_ten_times_an_hour),
                FIXTURE_TEST(a_code_is_kept_as_a_keyed_hash_only),
                cmocka_unit_test(codes_are_read_as_people_type_them),
                cmocka_unit_test(labels_hold_nothing_that_a_mail_could_be_forged_with),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

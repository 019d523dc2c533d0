#include "outbox.h"
#include "fixture.h"

static void queue(struct fixture *f, const char *to, int64_t expires_at)
{
        f->now++;
        assert_int_equal(outbox_add(f->db, f->now, &(struct outbox_mail){
                .to = str_of(to), .subject = STR("subject"), .body = STR("body"), .expires_at = expires_at }), 0);
}

static size_t take(struct fixture *f, bool afresh, struct mail **ret_mails)
{
        size_t n;

        assert_int_equal(outbox_take(f->db, f->now, afresh, &f->arena, ret_mails, &n), 0);
        return n;
}

static void decide(struct fixture *f, struct ulid mail, enum mail_outcome outcome, int64_t status)
{
        assert_int_equal(outbox_decide(f->db, f->now, mail, outcome, status), 0);
}

static struct outbox_entry newest(struct fixture *f)
{
        struct outbox_entry *entries;
        size_t n;

        assert_int_equal(outbox_list(f->db, (struct ulid){ { 0 } }, 1, &f->arena, &entries, &n), 0);
        assert_int_equal(n, 1);
        return entries[0];
}

static void a_mail_is_given_out_once_while_its_lease_lasts_and_again_after(void **state)
{
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        queue(f, "b@example.org", 0);
        assert_int_equal(take(f, false, &mails), 2);
        assert_true(str_is(mails[0].to, "a@example.org"));
        assert_int_equal(take(f, false, &mails), 0);
        f->now += OUTBOX_LEASE_MS;
        assert_int_equal(take(f, false, &mails), 2);
}

static void a_courier_that_begins_anew_gets_at_once_what_was_given_out(void **state)
{
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        assert_int_equal(take(f, false, &mails), 1);
        fixture_restart(f);
        assert_int_equal(take(f, false, &mails), 0);
        assert_int_equal(take(f, true, &mails), 1);
}

static void a_sent_mail_loses_its_text_and_is_never_given_out_again(void **state)
{
        struct fixture *f = *state;
        struct outbox_entry e;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        assert_int_equal(take(f, false, &mails), 1);
        decide(f, mails[0].id, MAIL_OUTCOME_SENT, 250);
        f->now += OUTBOX_GIVE_UP_MS;
        assert_int_equal(take(f, true, &mails), 0);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM outbox WHERE body <> ''"), 0);
        e = newest(f);
        assert_true(e.has_outcome);
        assert_int_equal(e.outcome, MAIL_OUTCOME_SENT);
        assert_int_equal(e.status, 250);
        assert_false(e.has_next_at);
}

static void a_deferred_mail_is_tried_again_with_growing_pauses_through_restarts(void **state)
{
        static const int64_t pauses_s[] = { 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600 };
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        for (size_t i = 0; i < sizeof(pauses_s) / sizeof(*pauses_s); i++) {
                assert_int_equal(take(f, false, &mails), 1);
                assert_int_equal(mails[0].attempt, i);
                decide(f, mails[0].id, MAIL_OUTCOME_DEFERRED, 451);
                assert_true(newest(f).has_next_at);
                assert_int_equal(newest(f).status, 451);
                fixture_restart(f);
                f->now += pauses_s[i] * 1000 - 1;
                assert_int_equal(take(f, true, &mails), 0);
                f->now++;
        }
}

static void a_mail_that_is_refused_or_deferred_for_three_days_has_failed(void **state)
{
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        assert_int_equal(take(f, false, &mails), 1);
        decide(f, mails[0].id, MAIL_OUTCOME_FAILED, 550);
        assert_int_equal(newest(f).outcome, MAIL_OUTCOME_FAILED);
        assert_int_equal(newest(f).status, 550);

        queue(f, "b@example.org", 0);
        assert_int_equal(take(f, false, &mails), 1);
        f->now += OUTBOX_GIVE_UP_MS;
        decide(f, mails[0].id, MAIL_OUTCOME_DEFERRED, -7);
        assert_true(newest(f).has_outcome);
        assert_int_equal(newest(f).outcome, MAIL_OUTCOME_FAILED);
        assert_int_equal(newest(f).status, -7);
}

static void a_mail_whose_code_is_over_is_not_sent(void **state)
{
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", f->now + 1000);
        f->now += 999;
        assert_int_equal(take(f, false, &mails), 0);
        assert_int_equal(newest(f).outcome, MAIL_OUTCOME_FAILED);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM outbox WHERE body <> ''"), 0);
}

static void what_was_decided_stays_and_unknown_mails_are_not_found(void **state)
{
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        assert_int_equal(take(f, false, &mails), 1);
        decide(f, mails[0].id, MAIL_OUTCOME_SENT, 250);
        decide(f, mails[0].id, MAIL_OUTCOME_FAILED, 550);
        assert_int_equal(newest(f).outcome, MAIL_OUTCOME_SENT);
        assert_int_equal(outbox_decide(f->db, f->now, ulid_new(f->now), MAIL_OUTCOME_SENT, 250), FAULT_NOT_FOUND);
}

static void decided_mails_are_forgotten_after_a_month_and_undecided_ones_are_not(void **state)
{
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        assert_int_equal(take(f, false, &mails), 1);
        decide(f, mails[0].id, MAIL_OUTCOME_SENT, 250);
        queue(f, "b@example.org", 0);
        f->now += OUTBOX_KEEP_MS + 1;
        queue(f, "c@example.org", 0);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM outbox"), 2);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM outbox WHERE recipient = 'a@example.org'"), 0);
}

enum { DAY_MS = 24 * 60 * 60 * 1000, STEP_MS = 5000 };

/* Simulated, a look every five seconds. An hourly code comes on top, and is worthless once it is over. */
static void a_mail_server_that_is_away_for_a_day_costs_no_mail_and_no_mail_twice(void **state)
{
        struct fixture *f = *state;
        int64_t back_at = f->now + DAY_MS, n_sent = 0;
        struct mail *mails;
        size_t n;

        for (int i = 0; i < 20; i++)
                queue(f, "a@example.org", 0);
        for (int i = 0; f->now < back_at + OUTBOX_RETRY_MAX_MS + STEP_MS; i++, f->now += STEP_MS) {
                if (i % (60 * 60 * 1000 / STEP_MS) == 0 && f->now < back_at - OUTBOX_RETRY_MAX_MS)
                        queue(f, "code@example.org", f->now + 15 * 60 * 1000);
                n = take(f, false, &mails);
                for (size_t k = 0; k < n; k++) {
                        assert_true(mails[k].attempt < 40);
                        n_sent += f->now >= back_at;
                        decide(f, mails[k].id, f->now < back_at ? MAIL_OUTCOME_DEFERRED : MAIL_OUTCOME_SENT, f->now < back_at ? -7 : 250);
                }
                arena_reset(&f->arena);
        }
        assert_int_equal(n_sent, 20);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM outbox WHERE recipient LIKE 'a@%' AND outcome = 'sent'"), 20);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM outbox WHERE recipient LIKE 'code@%' AND outcome = 'failed'"), 23);
        assert_int_equal(fixture_count(f, "SELECT count(*) FROM outbox WHERE outcome IS NULL OR body <> ''"), 0);
}

static void a_clock_that_went_back_holds_no_mail(void **state)
{
        struct fixture *f = *state;
        struct mail *mails;

        queue(f, "a@example.org", 0);
        queue(f, "b@example.org", 0);
        f->now += DAY_MS;                               /* ahead: one is leased, the other put off */
        assert_int_equal(take(f, false, &mails), 2);
        decide(f, mails[1].id, MAIL_OUTCOME_DEFERRED, 451);
        assert_int_equal(take(f, false, &mails), 0);
        f->now -= DAY_MS;
        assert_int_equal(take(f, false, &mails), 2);
        decide(f, mails[0].id, MAIL_OUTCOME_SENT, 250);
        assert_int_equal(take(f, false, &mails), 0);    /* leased by the right clock now */
        f->now += OUTBOX_LEASE_MS;
        assert_int_equal(take(f, false, &mails), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                FIXTURE_TEST(a_mail_is_given_out_once_while_its_lease_lasts_and_again_after),
                FIXTURE_TEST(a_courier_that_begins_anew_gets_at_once_what_was_given_out),
                FIXTURE_TEST(a_sent_mail_loses_its_text_and_is_never_given_out_again),
                FIXTURE_TEST(a_deferred_mail_is_tried_again_with_growing_pauses_through_restarts),
                FIXTURE_TEST(a_mail_that_is_refused_or_deferred_for_three_days_has_failed),
                FIXTURE_TEST(a_mail_whose_code_is_over_is_not_sent),
                FIXTURE_TEST(what_was_decided_stays_and_unknown_mails_are_not_found),
                FIXTURE_TEST(a_mail_server_that_is_away_for_a_day_costs_no_mail_and_no_mail_twice),
                FIXTURE_TEST(a_clock_that_went_back_holds_no_mail),
                FIXTURE_TEST(decided_mails_are_forgotten_after_a_month_and_undecided_ones_are_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

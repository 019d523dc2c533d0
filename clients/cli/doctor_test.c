/* What is said of figures, on both sides of each bound. */
#include "doctor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURES = 16 };
static const int64_t now_ms = 1790000000000;

/* A desk that is well; each test changes what it is about. */
struct room {
        struct vitals vitals;
        struct figure figures[6][FIGURES];
        struct figure_sample samples[6][FIGURES];
        struct figure_label label;
        struct arena arena;
        struct doctor doctor;
};

enum { SUPERVISOR, IDENTITY, STORE, FANOUT, GATEWAY, COURIER };

static int64_t *figure(struct room *r, int process, const char *name, int64_t value)
{
        struct process_stats *p = &r->vitals.of[process];
        size_t i = 0;

        while (i < p->figures.n && !str_is(p->figures.items[i].name, name))
                i++;
        if (i == p->figures.n) {
                r->figures[process][i] = (struct figure){ .name = str_of(name), .samples = { &r->samples[process][i], 1 } };
                p->figures.n++;
        }
        r->samples[process][i].value = value;
        return &r->samples[process][i].value;
}

static int setup(void **state)
{
        static const char *const names[] = { "mycelium-supervisor", "identity", "store", "fanout", "gateway", "courier" };
        struct room *r = calloc(1, sizeof(*r));

        r->vitals.n = 6;
        for (size_t i = 0; i < 6; i++)
                r->vitals.of[i] = (struct process_stats){ .service = str_of(names[i]), .up = true, .version = STR(ASSIST_VERSION), .status = STR("well"),
                                                          .figures = { r->figures[i], 0 } };
        r->label = (struct figure_label){ STR("state"), STR("up") };
        figure(r, SUPERVISOR, "overlay_state", 1);
        r->samples[SUPERVISOR][0].labels.items = &r->label;
        r->samples[SUPERVISOR][0].labels.n = 1;
        figure(r, STORE, "disk_free_bytes", 1000LL * 1000 * 1000 * 1000);
        figure(r, STORE, "database_bytes", 500 * 1000 * 1000);
        figure(r, STORE, "backup_timestamp_seconds", now_ms / 1000 - 3600);
        figure(r, STORE, "log_head", 1000000);
        figure(r, FANOUT, "log_position", 1000000);
        r->doctor.arena = &r->arena;
        *state = r;
        return 0;
}

static int teardown(void **state)
{
        struct room *r = *state;

        arena_deinit(&r->arena);
        free(r);
        return 0;
}

/* The one that is not good, or NULL. */
static const struct finding *found(struct room *r)
{
        const struct finding *wrong = NULL;

        r->doctor.n = 0;
        doctor_hear(&r->doctor, &r->vitals, now_ms);
        for (size_t i = 0; i < r->doctor.n; i++)
                if (r->doctor.items[i].level != FINDING_LEVEL_GOOD) {
                        assert_null(wrong);
                        wrong = &r->doctor.items[i];
                }
        return wrong;
}

static void finds(struct room *r, const char *about, int level, const char *words)
{
        const struct finding *f = found(r);

        assert_non_null(f);
        assert_true(str_is(f->about, about));
        assert_int_equal(f->level, level);
        assert_non_null(memmem(f->text.p, f->text.n, words, strlen(words)));
}

static void a_desk_that_is_well_has_only_good_news(void **state)
{
        struct room *r = *state;

        assert_null(found(r));
        assert_true(r->doctor.n >= 5);
}

static void room_is_measured_by_what_a_backup_wants(void **state)
{
        struct room *r = *state;
        int64_t *left = figure(r, STORE, "disk_free_bytes", 1064 * 1000 * 1000LL);

        assert_null(found(r));
        *left -= 1000 * 1000;
        finds(r, "disk", FINDING_LEVEL_WARNING, "1063 MB are left for store, and a backup wants 1064");
        *left = 255 * 1000 * 1000;
        finds(r, "disk", FINDING_LEVEL_FAILURE, "255 MB are left");
}

static void a_night_that_was_missed_is_said(void **state)
{
        struct room *r = *state;
        int64_t *at = figure(r, STORE, "backup_timestamp_seconds", now_ms / 1000 - 2 * 86400);

        assert_null(found(r));
        --*at;
        finds(r, "backups", FINDING_LEVEL_WARNING, "48 hours ago");
        *at = 0;
        finds(r, "backups", FINDING_LEVEL_WARNING, "none was made yet");
}

static void mails_that_wait_are_late_when_their_codes_are_over(void **state)
{
        struct room *r = *state;
        int64_t *oldest = figure(r, IDENTITY, "outbox_oldest_seconds", 15 * 60 * 1000000LL);

        figure(r, IDENTITY, "outbox_waiting", 3);
        assert_null(found(r));
        ++*oldest;
        finds(r, "mails", FINDING_LEVEL_WARNING, "3 wait, the oldest for 15 minutes");
}

static void who_lags_or_is_full_or_fails_or_is_of_yesterday_is_named(void **state)
{
        struct room *r = *state;
        int64_t *position = figure(r, FANOUT, "log_position", 1000000 - DOCTOR_BEHIND_OPS), *behind, *fds;

        assert_null(found(r));
        --*position;
        finds(r, "live", FINDING_LEVEL_WARNING, "lag by 10001 ops");
        *position = 1000000;
        behind = figure(r, STORE, "search_behind", DOCTOR_BEHIND_OPS + 1);
        finds(r, "search", FINDING_LEVEL_WARNING, "10001 ops are not in the index");
        *behind = 0;
        figure(r, STORE, "process_max_fds", 1000);
        fds = figure(r, STORE, "process_open_fds", 899);
        assert_null(found(r));
        *fds = 900;
        finds(r, "store", FINDING_LEVEL_WARNING, "900 of 1000 descriptors");
        *fds = 0;
        figure(r, GATEWAY, "connections", 950);
        figure(r, GATEWAY, "connections_max", 1000);
        finds(r, "gateway", FINDING_LEVEL_WARNING, "950 of 1000 connections");
        figure(r, GATEWAY, "connections", 0);
        r->vitals.of[COURIER].version = STR("0.0.9");
        finds(r, "courier", FINDING_LEVEL_WARNING, "runs version 0.0.9");
        r->vitals.of[COURIER].version = STR(ASSIST_VERSION);
        r->label.value = STR("down");
        r->vitals.of[SUPERVISOR].status = STR("no daemon answers");
        finds(r, "overlay", FINDING_LEVEL_FAILURE, "can't be reached: no daemon answers");
}

static void faults_of_our_own_are_counted_and_refusals_are_not(void **state)
{
        struct room *r = *state;
        struct figure_label refused = { STR("result"), STR("NotFound") }, fault = { STR("result"), STR("Internal") };

        figure(r, STORE, "rpc_calls_total", 7);
        r->samples[STORE][r->vitals.of[STORE].figures.n - 1].labels.items = &refused;
        r->samples[STORE][r->vitals.of[STORE].figures.n - 1].labels.n = 1;
        assert_null(found(r));
        r->samples[STORE][r->vitals.of[STORE].figures.n - 1].labels.items = &fault;
        finds(r, "store", FINDING_LEVEL_WARNING, "has failed 7 times");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(a_desk_that_is_well_has_only_good_news),
                STORY(room_is_measured_by_what_a_backup_wants),
                STORY(a_night_that_was_missed_is_said),
                STORY(mails_that_wait_are_late_when_their_codes_are_over),
                STORY(who_lags_or_is_full_or_fails_or_is_of_yesterday_is_named),
                STORY(faults_of_our_own_are_counted_and_refusals_are_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

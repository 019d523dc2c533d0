/* Who hears what of whom, by way of a gateway's queue, and what a gateway keeps over a restart. */
#include "fanout.h"
#include "held_clock.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MS = 1000, SECOND = 1000 * MS, MANY = 10000 };

static const struct ulid alice = { { 1 } }, bob = { { 2 } }, agnes = { { 3 } }, printer = { { 50 } }, phone = { { 51 } }, gateway = { { 9 } };
static const uint8_t instance[8] = { 9 };

struct room {
        int64_t now_us;
        struct clock clock;
        struct service service;
        struct fanout fanout;
        struct outlet *outlet;
        struct arena arena;
        struct str kept[256];        /* by the first byte of a session's number */
        char heard[4096];            /* "1 presence.changed …" line by line */
};

static void fanout_begin(struct room *room)
{
        struct fanout *f = &room->fanout;

        *f = (struct fanout){ .service = &room->service };
        tail_init(&f->tail, (const uint8_t[CURSOR_SECRET_BYTES]){ 7 }, 1024 * 1024);
        tail_begin(&f->tail, instance, 100, (const uint8_t *)"hash 100");
        attendance_init(&f->attendance, f);
        room->outlet = outlet_of(&f->outlets, room->service.loop, gateway);
}

static void fanout_end(struct room *room)
{
        struct fanout *f = &room->fanout;

        while (room->outlet->sessions)
                sessions_detach(&f->sessions, room->outlet->sessions);
        outlet_free(&f->outlets, room->outlet);
        attendance_deinit(&f->attendance);
        tail_deinit(&f->tail);
}

static int setup(void **state)
{
        struct room *room = *state = calloc(1, sizeof(*room));

        room->now_us = 1000 * (int64_t)SECOND;
        room->clock = held_clock(&room->now_us);
        room->service = (struct service){ .loop = loop_new(&room->clock), .clock = &room->clock };
        fanout_begin(room);
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        fanout_end(room);
        loop_free(room->service.loop);
        arena_deinit(&room->arena);
        free(room);
        return 0;
}

/* What the gateway takes, now. */
static void take(struct room *room)
{
        struct live_follow_result got = { 0 };
        size_t n = strlen(room->heard);

        loop_dispatch(room->service.loop, 0);
        outlet_read(room->outlet, 0, INT64_MAX, &room->arena, &got);
        for (size_t i = 0; i < got.items.n; i++) {
                const struct delivery *d = &got.items.items[i];

                for (size_t k = 0; k < d->sessions.n; k++) {
                        if (d->has_keep)
                                room->kept[d->sessions.items[k]] = arena_bytes(&room->arena, d->keep.p, d->keep.n);
                        else
                                n += (size_t)snprintf(room->heard + n, sizeof(room->heard) - n, "%lld %.*s %.*s\n", (long long)d->sessions.items[k],
                                                      STR_ARG(d->event->type), STR_ARG(d->event->data));
                }
        }
        outlet_acknowledge(room->outlet, got.head);
}

static int heard(struct room *room, int session, const char *type, const char *text)
{
        char head[64];
        int n = 0;

        take(room);
        snprintf(head, sizeof(head), "%d %s ", session, type);
        for (char *line = room->heard, *end; *line; line = end + 1) {
                end = strchr(line, '\n');
                *end = '\0';
                n += str_starts(str_of(line), head) && strstr(line, text);
                *end = '\n';
        }
        return n;
}

/* A session's id is its number, once it began. */
static struct session *attach(struct room *room, uint8_t number, struct ulid user, enum schema_role role, bool again)
{
        struct live_attach in = { .id = { { 0, 0, 0, 0, 0, number } }, .session = number, .again = again, .kept = room->kept[number],
                                  .has_kept = room->kept[number].n > 0 };
        bool known = sessions_find(&room->fanout.sessions, in.id);
        struct session *s = sessions_attach(&room->fanout.sessions, room->outlet, in.id, number,
                                            &(struct caller){ .user = user, .role = role }, role >= SCHEMA_ROLE_AGENT);

        s->pushed = true;
        attendance_attached(&room->fanout.attendance, s, &in, known);
        return s;
}

static void log_user_op(struct room *room, const char *type, struct ulid target, const char *data)
{
        struct tail *tail = &room->fanout.tail;
        struct event event = { .type = str_of(type), .data = str_of(data), .at = held_ms(&room->now_us) };
        struct log_item item = { .seq = tail_end(tail) + 1, .hash = STR("hash 101"), .audience = AUDIENCE_USER, .target = target, .event = &event };

        attendance_op(&room->fanout.attendance, tail_add(tail, &item));
}

static void log_access(struct room *room, const char *type, struct ulid user, struct ulid ticket)
{
        char text[ULID_TEXT + 1], data[64];

        ulid_text(ticket, text);
        snprintf(data, sizeof(data), "{\"ticket\":\"%s\"}", text);
        log_user_op(room, type, user, data);
}

static void lose(struct room *room, struct ulid user, struct ulid ticket)
{
        log_access(room, "access.lost", user, ticket);
}

static bool looks(struct room *room, struct ulid user, struct ulid ticket)
{
        return presence_holds(&room->fanout.attendance.presence, user, ticket);
}

static void view(struct room *room, struct session *s, struct ulid ticket)
{
        assert_int_equal(presence_view(&room->fanout.attendance.presence, s, ticket, LOOK_VIEWING, false), 0);
}

static void customers_hear_of_agents_and_agents_of_everybody(void **state)
{
        struct room *room = *state;

        attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false);
        attach(room, 2, bob, SCHEMA_ROLE_CUSTOMER, false);
        attach(room, 3, agnes, SCHEMA_ROLE_AGENT, false);
        room->now_us += ROSTER_QUIET_US;
        assert_int_equal(heard(room, 3, "presence.online", "00000000000000000000000000"), 0);
        assert_int_equal(heard(room, 3, "presence.online", "\"online\":true"), 1);
        assert_int_equal(heard(room, 1, "presence.online", "\"online\":true"), 1);
        roster_status(&room->fanout.attendance.roster, bob, STR("Away"), 1);
        room->now_us += ROSTER_QUIET_US;
        assert_int_equal(heard(room, 3, "presence.online", "Away"), 1);
        assert_int_equal(heard(room, 2, "presence.online", "Away"), 1);
        assert_int_equal(heard(room, 1, "presence.online", "Away"), 0);
}

static void who_looked_before_a_restart_looks_after_it(void **state)
{
        struct room *room = *state;
        struct session *s = attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false);

        view(room, s, printer);
        view(room, s, phone);
        view(room, attach(room, 3, agnes, SCHEMA_ROLE_AGENT, false), printer);
        roster_status(&room->fanout.attendance.roster, alice, STR("Away"), 1);
        attendance_keep_status(&room->fanout.attendance, s->party);
        presence_leave(&room->fanout.attendance.presence, s, phone);
        take(room);
        room->now_us += 100 * SECOND;
        fanout_end(room);
        fanout_begin(room);
        room->heard[0] = '\0';

        attach(room, 3, agnes, SCHEMA_ROLE_AGENT, true);
        attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, true);
        room->now_us += PRESENCE_QUIET_US;
        assert_true(looks(room, alice, printer) && looks(room, agnes, printer));
        assert_false(looks(room, alice, phone));
        assert_int_equal(heard(room, 1, "presence.changed", "\"people\":[{"), 1);
        assert_int_equal(heard(room, 3, "presence.changed", "\"people\":[{"), 2);
        assert_int_equal(heard(room, 3, "presence.online", "Away"), 1);
        assert_true(room->kept[1].n > 0);                        /* for the next one */
        room->now_us += ROSTER_GRACE_US;
        assert_int_equal(heard(room, 1, "presence.online", "\"complete\":true"), 1);
        assert_int_equal(heard(room, 3, "presence.online", "\"complete\":true"), 1);
}

static void who_lost_a_ticket_meanwhile_does_not_look_at_it_again(void **state)
{
        struct room *room = *state;

        view(room, attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false), printer);
        view(room, attach(room, 2, bob, SCHEMA_ROLE_CUSTOMER, false), printer);
        view(room, attach(room, 4, bob, SCHEMA_ROLE_CUSTOMER, false), phone);
        view(room, attach(room, 3, agnes, SCHEMA_ROLE_AGENT, false), printer);
        take(room);
        room->kept[5] = room->kept[2];
        fanout_end(room);
        fanout_begin(room);
        lose(room, alice, phone);
        lose(room, bob, printer);

        attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, true);
        attach(room, 2, bob, SCHEMA_ROLE_CUSTOMER, true);
        attach(room, 4, bob, SCHEMA_ROLE_AGENT, true);           /* who is somebody else now */
        attach(room, 3, agnes, SCHEMA_ROLE_AGENT, true);
        attach(room, 5, bob, SCHEMA_ROLE_CUSTOMER, true);        /* with what is another session's */
        assert_true(looks(room, alice, printer) && looks(room, agnes, printer));
        assert_false(looks(room, bob, printer) || looks(room, bob, phone));
}

static void where_the_log_since_is_not_known_only_agents_look_again(void **state)
{
        struct room *room = *state;

        view(room, attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false), printer);
        view(room, attach(room, 3, agnes, SCHEMA_ROLE_AGENT, false), printer);
        take(room);
        fanout_end(room);
        fanout_begin(room);
        tail_begin(&room->fanout.tail, instance, 5000, (const uint8_t *)"hash 500");
        attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, true);
        attach(room, 3, agnes, SCHEMA_ROLE_AGENT, true);
        assert_false(looks(room, alice, printer));
        assert_true(looks(room, agnes, printer));
}

static void what_is_kept_is_never_far_behind_the_log(void **state)
{
        struct room *room = *state;
        struct str before;

        view(room, attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false), printer);
        take(room);
        before = room->kept[1];
        for (int i = 0; i < FANOUT_PRELOAD; i++)
                log_user_op(room, "draft.saved", bob, "{}");
        take(room);
        assert_false(str_eq(room->kept[1], before));
}

static void a_fanout_believes_itself_rather_than_what_it_gave_to_keep(void **state)
{
        struct room *room = *state;
        struct session *s = attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false);

        view(room, s, printer);
        take(room);
        presence_leave(&room->fanout.attendance.presence, s, printer);
        outlet_acknowledge(room->outlet, room->outlet->head);    /* but the gateway did not get it */
        attendance_lost(&room->fanout.attendance, s, room->now_us);
        sessions_detach(&room->fanout.sessions, s);
        attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, true);
        assert_false(looks(room, alice, printer));
        take(room);
        assert_int_equal(room->kept[1].n, 0);
}

static void what_a_gateway_was_not_given_to_keep_it_is_given_again(void **state)
{
        struct room *room = *state;
        struct session *s = attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false);

        view(room, s, printer);
        outlet_acknowledge(room->outlet, room->outlet->head);
        attendance_lost(&room->fanout.attendance, s, room->now_us);
        sessions_detach(&room->fanout.sessions, s);
        attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, true);
        take(room);
        assert_true(room->kept[1].n > 0);
}

static void a_loss_of_access_ends_a_lease_before_it_is_told(void **state)
{
        struct room *room = *state;

        view(room, attach(room, 1, alice, SCHEMA_ROLE_CUSTOMER, false), printer);
        view(room, attach(room, 2, bob, SCHEMA_ROLE_CUSTOMER, false), printer);
        lose(room, bob, printer);
        assert_true(looks(room, alice, printer));
        assert_false(looks(room, bob, printer));
        take(room);
        assert_true(room->kept[1].n > 0);
        assert_int_equal(room->kept[2].n, 0);
}

static void a_grant_is_good_by_what_the_log_says_of_access(void **state)
{
        struct room *room = *state;
        const struct losses *losses = &room->fanout.attendance.losses;
        const int64_t now_ms = room->now_us / MS;
        struct grant before = { .user = alice, .ticket = printer, .expires_at = now_ms - 1 + GRANT_MS }, after = before;

        after.expires_at += SECOND / MS;
        assert_false(losses_void(losses, &before));
        lose(room, bob, phone);                     /* the first that this fanout reads: what was before it does not know */
        assert_true(losses_void(losses, &before));
        assert_false(losses_void(losses, &after));
        lose(room, alice, printer);
        assert_true(losses_void(losses, &after));
        log_access(room, "access.gained", alice, printer);
        assert_false(losses_void(losses, &after));
}

static void a_changed_role_ends_what_was_shown_by_it(void **state)
{
        struct room *room = *state;

        view(room, attach(room, 3, agnes, SCHEMA_ROLE_AGENT, false), printer);
        log_user_op(room, "role.changed", agnes, "{\"role\":\"customer\",\"active\":true}");
        assert_false(looks(room, agnes, printer));
        take(room);
        assert_int_equal(room->kept[3].n, 0);
}

static void an_idle_session_takes_half_a_kibibyte_at_most(void **state)
{
        struct room *room = *state;
        struct fanout *f = &room->fanout;
        size_t before = mallinfo2().uordblks, each;

        for (int i = 0; i < MANY; i++) {                         /* each of a user of their own: the most it can be */
                struct ulid id = { { 1, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };
                struct live_attach in = { .id = id, .session = i + 1 };
                struct session *s = sessions_attach(&f->sessions, room->outlet, id, i + 1,
                                                    &(struct caller){ .user = id, .role = SCHEMA_ROLE_CUSTOMER }, false);

                attendance_attached(&f->attendance, s, &in, false);
        }
        room->now_us += ROSTER_QUIET_US;
        loop_dispatch(room->service.loop, 0);
        outlet_acknowledge(room->outlet, room->outlet->head);
        each = (mallinfo2().uordblks - before) / MANY;
        printf("%zu bytes a session\n", each);
#ifndef __SANITIZE_ADDRESS__
        assert_in_range(each, 1, 512);
#endif
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(customers_hear_of_agents_and_agents_of_everybody, setup, teardown),
                cmocka_unit_test_setup_teardown(who_looked_before_a_restart_looks_after_it, setup, teardown),
                cmocka_unit_test_setup_teardown(who_lost_a_ticket_meanwhile_does_not_look_at_it_again, setup, teardown),
                cmocka_unit_test_setup_teardown(where_the_log_since_is_not_known_only_agents_look_again, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_kept_is_never_far_behind_the_log, setup, teardown),
                cmocka_unit_test_setup_teardown(a_fanout_believes_itself_rather_than_what_it_gave_to_keep, setup, teardown),
                cmocka_unit_test_setup_teardown(what_a_gateway_was_not_given_to_keep_it_is_given_again, setup, teardown),
                cmocka_unit_test_setup_teardown(a_loss_of_access_ends_a_lease_before_it_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(a_grant_is_good_by_what_the_log_says_of_access, setup, teardown),
                cmocka_unit_test_setup_teardown(a_changed_role_ends_what_was_shown_by_it, setup, teardown),
                cmocka_unit_test_setup_teardown(an_idle_session_takes_half_a_kibibyte_at_most, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

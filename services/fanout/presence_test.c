/* Leases on tickets, against a clock that the test holds. */
#include "presence.h"

#include "fault.h"
#include "replica/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MS = 1000, SECOND = 1000 * MS, SESSIONS = 12, USERS = 5, TICKETS = 4 };

/* What a session was told of a ticket, the newest; and when. */
struct told {
        int times;
        int64_t at;
        size_t n;
        struct viewer people[SESSIONS];
};

struct room {
        int64_t now_us;
        struct clock clock;
        struct loop *loop;
        struct presence presence;
        struct party users[USERS];
        struct session sessions[SESSIONS];
        struct told told[SESSIONS][TICKETS];
        int leases_changed;
};

static int64_t held_us(void *data)
{
        return *(int64_t *)data;
}

static int64_t held_ms(void *data)
{
        return *(int64_t *)data / MS;
}

static struct ulid ticket(size_t t)
{
        return (struct ulid){ { 100, (uint8_t)t } };
}

static void hear(void *data, const struct event_presence_changed *event, const struct recipients *to)
{
        struct room *room = data;
        size_t t = event->ticket.b[1];

        for (size_t i = 0; i < to->n && !event->ticket.b[2]; i++) {
                struct told *told = &room->told[to->items[i] - room->sessions][t];

                assert_true(told->times == 0 || room->now_us >= told->at + PRESENCE_QUIET_US);
                assert_true(event->people.n <= SESSIONS);
                told->times++;
                told->at = room->now_us;
                told->n = event->people.n;
                memcpy(told->people, event->people.items, event->people.n * sizeof(struct viewer));
        }
}

static void hear_leases(void *data, struct session *s)
{
        struct room *room = data;

        (void)s;
        room->leases_changed++;
}

/* Users 0 and 1 are agents. Sessions 0 to 4 are one of each, 5 to 9 their second devices. */
static int setup(void **state)
{
        struct room *room = *state = calloc(1, sizeof(*room));

        room->now_us = 1000 * (int64_t)SECOND;
        room->clock = (struct clock){ held_ms, held_us, &room->now_us };
        room->loop = loop_new(&room->clock);
        presence_init(&room->presence, room->loop, &(struct presence_events){ .tell = hear, .leases = hear_leases, .data = room });
        for (size_t u = 0; u < USERS; u++)
                room->users[u].user = (struct ulid){ { (uint8_t)(u + 1) } };
        for (size_t s = 0; s < SESSIONS; s++)
                room->sessions[s] = (struct session){ .id = { { 50, (uint8_t)s } }, .party = &room->users[s % USERS],
                                                      .agent = s % USERS < 2, .pushed = true };
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        presence_deinit(&room->presence);
        loop_free(room->loop);
        free(room);
        return 0;
}

/* Time passes, and every timer runs at its own. */
static void pass(struct room *room, int64_t us)
{
        for (; us > 0; us -= 10 * MS) {
                room->now_us += us < 10 * MS ? us : 10 * MS;
                assert_int_equal(loop_dispatch(room->loop, 0), 0);
        }
}

static void view(struct room *room, size_t s, size_t t, enum look look, bool note)
{
        assert_int_equal(presence_view(&room->presence, &room->sessions[s], ticket(t), look, note), 0);
}

/* "1v 3t": who are said to be there, by the first letter of what they do. */
static const char *text(const struct viewer *people, size_t n)
{
        static char texts[4][256];
        static int next;
        char *at = texts[next = (next + 1) % 4];
        size_t length = 0;

        at[0] = '\0';
        for (size_t i = 0; i < n; i++)
                length += (size_t)snprintf(at + length, 256 - length, "%s%d%c", i ? " " : "", people[i].user.b[0], "vdt"[people[i].activity]);
        return at;
}

static const char *told(struct room *room, size_t s, size_t t)
{
        return text(room->told[s][t].people, room->told[s][t].n);
}

static const char *there(struct room *room, size_t t, bool to_agent)
{
        const struct viewer *people;
        size_t n = presence_people(&room->presence, ticket(t), to_agent, &people);

        return text(people, n);
}

static void both_sides_see_each_other_look_and_leave_and_nobody_else_hears(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        assert_string_equal(told(room, 0, 0), "1v");
        pass(room, SECOND);
        view(room, 2, 0, LOOK_DRAFTING, false);
        assert_string_equal(told(room, 0, 0), "1v 3d");          /* at once */
        assert_string_equal(told(room, 2, 0), "1v 3d");
        pass(room, SECOND);
        presence_leave(&room->presence, &room->sessions[0], ticket(0));
        assert_string_equal(told(room, 2, 0), "3d");
        assert_int_equal(room->told[0][0].times, 2);             /* who left is told no more */
        assert_int_equal(room->told[1][0].times, 0);             /* nor an agent who does not look */
        presence_ended(&room->presence, &room->sessions[2]);
        pass(room, SECOND);
        assert_null(room->presence.tickets);
        assert_null(room->presence.holders);
        assert_int_equal(room->presence.leases, 0);
}

static void typing_lasts_six_seconds_and_falls_back(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_DRAFTING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        assert_int_equal(presence_type(&room->presence, &room->sessions[2], ticket(0), false), 0);
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), false), 0);
        pass(room, 5 * SECOND);
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), false), 0);
        pass(room, 990 * MS);
        assert_string_equal(told(room, 2, 0), "1t 3t");
        pass(room, 10 * MS);
        assert_string_equal(told(room, 2, 0), "1t 3v");
        pass(room, 4990 * MS);
        assert_string_equal(told(room, 2, 0), "1t 3v");
        pass(room, 10 * MS);
        assert_string_equal(told(room, 2, 0), "1d 3v");
        assert_int_equal(presence_type(&room->presence, &room->sessions[2], ticket(0), false), 0);
        view(room, 2, 0, LOOK_VIEWING, false);                   /* it was sent */
        pass(room, PRESENCE_QUIET_US);
        assert_string_equal(told(room, 0, 0), "1d 3v");
        assert_int_equal(presence_type(&room->presence, &room->sessions[3], ticket(0), false), FAULT_NOT_FOUND);
}

static void two_devices_are_one_viewer_with_the_strongest_of_what_they_do(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        view(room, 2, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        view(room, 7, 0, LOOK_VIEWING, false);                   /* the customer's phone */
        assert_string_equal(told(room, 7, 0), "1v 3v");          /* which is told who is there */
        assert_int_equal(room->told[0][0].times, 2);             /* the others know */
        pass(room, SECOND);
        view(room, 7, 0, LOOK_DRAFTING, false);
        assert_string_equal(told(room, 0, 0), "1v 3d");
        pass(room, SECOND);
        assert_int_equal(presence_type(&room->presence, &room->sessions[2], ticket(0), false), 0);
        assert_string_equal(told(room, 0, 0), "1v 3t");
        presence_ended(&room->presence, &room->sessions[2]);
        pass(room, SECOND);
        assert_string_equal(told(room, 0, 0), "1v 3d");
        assert_int_equal(room->told[0][0].people[1].since_at, 1002 * MS);  /* as long as the device that is left */
}

static void a_ticket_is_told_at_once_and_then_at_the_end_of_each_quarter_of_a_second(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        for (int i = 0; i < 60; i++) {                           /* every 10 ms something else */
                if (i % 2)
                        view(room, 2, 0, LOOK_VIEWING, false);
                else
                        view(room, 2, 0, LOOK_DRAFTING, false);
                pass(room, 10 * MS);
        }
        assert_int_equal(room->told[0][0].times, 1 + 3);         /* at 0, 250 and 500 ms */
        view(room, 2, 1, LOOK_VIEWING, false);
        assert_int_equal(room->told[2][1].times, 1);             /* another ticket has its own */
        assert_string_equal(told(room, 0, 0), "1v 3d");
        pass(room, 149 * MS);
        assert_int_equal(room->told[0][0].times, 4);
        pass(room, MS);
        assert_int_equal(room->told[0][0].times, 5);
        assert_string_equal(told(room, 0, 0), "1v 3v");
}

static void customers_see_nothing_of_notes_not_even_by_when_they_are_told(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 1, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        for (size_t s = 0; s < 3; s++)
                room->told[s][0].times = 0;
        view(room, 0, 0, LOOK_DRAFTING, true);
        assert_string_equal(told(room, 1, 0), "1d 2v 3v");
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), true), 0);
        pass(room, SECOND);
        assert_string_equal(told(room, 1, 0), "1t 2v 3v");
        assert_int_equal(room->told[2][0].times, 0);
        assert_string_equal(there(room, 0, false), "1v 2v 3v");
        /* what the customer is told is not late because agents were told just now */
        assert_int_equal(presence_type(&room->presence, &room->sessions[0], ticket(0), true), 0);
        view(room, 0, 0, LOOK_VIEWING, true);
        view(room, 1, 0, LOOK_DRAFTING, false);
        assert_string_equal(told(room, 2, 0), "1v 2d 3v");
        pass(room, 10 * SECOND);
        assert_int_equal(room->told[2][0].times, 1);
}

static void a_session_shows_its_user_at_sixteen_tickets_at_most(void **state)
{
        struct room *room = *state;
        struct kept_lease kept[PRESENCE_TICKETS];

        for (uint8_t i = 0; i < PRESENCE_TICKETS; i++)
                assert_int_equal(presence_view(&room->presence, &room->sessions[11], (struct ulid){ { 100, 3, i } }, LOOK_VIEWING, false), 0);
        assert_int_equal(presence_view(&room->presence, &room->sessions[11], ticket(0), LOOK_VIEWING, false), FAULT_TOO_LARGE);
        assert_int_equal(presence_view(&room->presence, &room->sessions[11], (struct ulid){ { 100, 3, 7 } }, LOOK_DRAFTING, false), 0);
        assert_int_equal(presence_kept(&room->presence, &room->sessions[11], kept), PRESENCE_TICKETS);
        presence_leave(&room->presence, &room->sessions[11], (struct ulid){ { 100, 3, 7 } });
        view(room, 11, 0, LOOK_VIEWING, false);
        assert_int_equal(room->presence.leases, PRESENCE_TICKETS);
}

static void where_a_gateway_is_lost_a_lease_is_held_for_sixty_seconds_from_when_it_was_last_heard(void **state)
{
        struct room *room = *state;
        int64_t heard_us;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        view(room, 3, 0, LOOK_VIEWING, false);
        pass(room, 300 * (int64_t)SECOND);                       /* who is attached has it for as long as they like */
        assert_string_equal(told(room, 0, 0), "1v 3v 4v");
        heard_us = room->now_us;
        pass(room, 30 * SECOND);
        presence_lost(&room->presence, &room->sessions[3], heard_us + 20 * SECOND);
        presence_lost(&room->presence, &room->sessions[2], heard_us);
        pass(room, 29990 * MS);
        assert_string_equal(told(room, 0, 0), "1v 3v 4v");
        pass(room, 10 * MS);
        assert_string_equal(told(room, 0, 0), "1v 4v");
        pass(room, 20 * SECOND);
        assert_string_equal(told(room, 0, 0), "1v");
        assert_int_equal(room->presence.leases, 1);
}

static void a_session_that_is_attached_anew_goes_on_and_is_told_again(void **state)
{
        struct room *room = *state;
        int times;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_DRAFTING, false);
        pass(room, SECOND);
        times = room->told[0][0].times;
        presence_lost(&room->presence, &room->sessions[2], room->now_us);
        pass(room, 50 * SECOND);
        room->told[2][0] = (struct told){ 0 };
        presence_attached(&room->presence, &room->sessions[2]);
        assert_string_equal(told(room, 2, 0), "1v 3d");
        pass(room, 100 * SECOND);
        assert_string_equal(told(room, 2, 0), "1v 3d");
        assert_int_equal(room->told[0][0].times, times);         /* for the other one, nothing has happened */

        room->sessions[2].pushed = false;                        /* reads on by itself for a while */
        view(room, 0, 0, LOOK_DRAFTING, false);
        pass(room, SECOND);
        assert_string_equal(told(room, 2, 0), "1v 3d");
        room->sessions[2].pushed = true;
        presence_attached(&room->presence, &room->sessions[2]);
        assert_string_equal(told(room, 2, 0), "1d 3d");

        presence_lost(&room->presence, &room->sessions[2], room->now_us);
        room->sessions[2].agent = true;                          /* what they saw, they saw as a customer */
        presence_attached(&room->presence, &room->sessions[2]);
        pass(room, SECOND);
        assert_string_equal(told(room, 0, 0), "1d");
}

static void who_loses_a_ticket_or_their_role_loses_the_leases(void **state)
{
        struct room *room = *state;

        view(room, 0, 0, LOOK_VIEWING, false);
        view(room, 2, 0, LOOK_VIEWING, false);
        view(room, 2, 1, LOOK_VIEWING, false);
        view(room, 7, 0, LOOK_VIEWING, false);
        view(room, 3, 0, LOOK_VIEWING, false);
        pass(room, SECOND);
        room->leases_changed = 0;
        presence_lose(&room->presence, room->users[2].user, ticket(0));
        assert_int_equal(room->leases_changed, 2);               /* to be kept anew */
        pass(room, SECOND);
        assert_string_equal(told(room, 0, 0), "1v 4v");
        assert_string_equal(there(room, 1, true), "3v");
        assert_false(presence_holds(&room->presence, room->users[2].user, ticket(0)));
        assert_true(presence_holds(&room->presence, room->users[2].user, ticket(1)));
        presence_lose(&room->presence, room->users[0].user, ticket(0));  /* who was a watcher, too, and still is an agent */
        assert_string_equal(there(room, 0, true), "1v 4v");
        presence_forget(&room->presence, room->users[0].user);
        pass(room, SECOND);
        assert_string_equal(told(room, 3, 0), "4v");
}

static void leases_come_back_as_they_were_kept(void **state)
{
        struct room *room = *state;
        struct kept_lease kept[PRESENCE_TICKETS];
        size_t n;

        view(room, 0, 0, LOOK_DRAFTING, true);
        pass(room, SECOND);
        view(room, 0, 1, LOOK_VIEWING, false);
        n = presence_kept(&room->presence, &room->sessions[0], kept);
        assert_int_equal(n, 2);
        presence_deinit(&room->presence);
        presence_init(&room->presence, room->loop, &(struct presence_events){ .tell = hear, .leases = hear_leases, .data = room });
        memset(room->told, 0, sizeof(room->told));
        for (size_t i = 0; i < n; i++)
                presence_restore(&room->presence, &room->sessions[0], &kept[i]);
        assert_string_equal(told(room, 0, 0), "1d");
        assert_string_equal(told(room, 0, 1), "1v");
        assert_string_equal(there(room, 0, false), "1v");
        assert_int_equal(room->told[0][0].people[0].since_at, 1000 * MS);
}

/* ---- anything in any order, against the plainest model ---- */

struct model_lease {
        bool held;
        bool drafting, note;
        int64_t typing, typing_note;     /* until */
        int64_t since_at;
};
struct model {
        struct model_lease leases[SESSIONS][TICKETS];
        int64_t lost_until[SESSIONS];    /* 0: attached */
        bool public_changed[SESSIONS];
};

static void model_end(struct model *m, size_t s)
{
        memset(m->leases[s], 0, sizeof(m->leases[s]));
}

static const char *model_people(const struct room *room, const struct model *m, size_t t, bool to_agent)
{
        struct viewer people[USERS];
        size_t n = 0;

        for (size_t u = 0; u < USERS; u++) {
                struct viewer v = { .user = room->users[u].user, .activity = -1, .since_at = INT64_MAX };

                for (size_t s = u; s < SESSIONS; s += USERS) {
                        const struct model_lease *l = &m->leases[s][t];
                        int does = l->typing > room->now_us || (to_agent && l->typing_note > room->now_us) ? ACTIVITY_TYPING :
                                   l->drafting && (to_agent || !l->note) ? ACTIVITY_DRAFTING : ACTIVITY_VIEWING;

                        if (!l->held)
                                continue;
                        v.activity = does > v.activity ? does : v.activity;
                        v.since_at = l->since_at < v.since_at ? l->since_at : v.since_at;
                }
                if (v.activity < 0)
                        continue;
                people[n++] = v;
                for (size_t i = n - 1; i > 0 && people[i - 1].since_at > people[i].since_at; i--) {
                        struct viewer swapped = people[i];

                        people[i] = people[i - 1];
                        people[i - 1] = swapped;
                }
        }
        return text(people, n);
}

static void model_time(const struct room *room, struct model *m)
{
        for (size_t s = 0; s < SESSIONS; s++)
                if (m->lost_until[s] && m->lost_until[s] <= room->now_us)
                        model_end(m, s);
}

static void act(struct room *room, struct model *m, struct dice *dice)
{
        size_t s = dice_below(dice, SESSIONS), t = dice_below(dice, TICKETS), what = dice_below(dice, 14);
        struct session *session = &room->sessions[s];
        struct presence *p = &room->presence;
        struct model_lease *l = &m->leases[s][t];
        bool note = session->agent && dice_below(dice, 2), drafting = dice_below(dice, 2);

        if (what == 0) {
                presence_lose(p, session->party->user, ticket(t));
                for (size_t i = s % USERS; i < SESSIONS; i += USERS)
                        if (!room->sessions[i].agent)
                                m->leases[i][t] = (struct model_lease){ 0 };
        } else if (what == 1) {
                presence_attached(p, session);
                m->lost_until[s] = 0;
        } else if (m->lost_until[s]) {
                return;
        } else if (what == 2) {
                m->lost_until[s] = room->now_us - (int64_t)dice_below(dice, 30 * SECOND) + PRESENCE_LEASE_US;
                presence_lost(p, session, m->lost_until[s] - PRESENCE_LEASE_US);
        } else if (what == 3) {
                presence_ended(p, session);
                model_end(m, s);
        } else if (what == 4) {
                presence_leave(p, session, ticket(t));
                *l = (struct model_lease){ 0 };
        } else if (what < 9) {
                assert_int_equal(presence_type(p, session, ticket(t), note), l->held ? 0 : FAULT_NOT_FOUND);
                if (l->held)
                        *(note ? &l->typing_note : &l->typing) = room->now_us + PRESENCE_TYPING_US;
        } else {
                view(room, s, t, drafting ? LOOK_DRAFTING : LOOK_VIEWING, note);
                *l = (struct model_lease){ .held = true, .drafting = drafting, .note = note,
                                           .since_at = l->held ? l->since_at : room->now_us / MS };
        }
}

static bool hears(const struct model *m, size_t s, size_t t)
{
        return m->leases[s][t].held && !m->lost_until[s];
}

/* One thing, after which nobody has heard of a ticket who does not look at it. */
static void step(struct room *room, struct model *m, struct dice *dice)
{
        int times[SESSIONS][TICKETS];
        bool heard[SESSIONS][TICKETS];

        for (size_t s = 0; s < SESSIONS; s++) {
                for (size_t t = 0; t < TICKETS; t++) {
                        times[s][t] = room->told[s][t].times;
                        heard[s][t] = hears(m, s, t);
                }
        }
        act(room, m, dice);
        for (size_t s = 0; s < SESSIONS; s++)
                for (size_t t = 0; t < TICKETS; t++)
                        if (!heard[s][t] && !hears(m, s, t))
                                assert_int_equal(room->told[s][t].times, times[s][t]);
        pass(room, (int64_t)dice_below(dice, 400 * MS));
        model_time(room, m);
}

/* When nothing has changed for a quarter of a second, whoever looks was told what is so. */
static void settle(struct room *room, struct model *m)
{
        char before[TICKETS][2][128];
        size_t held = 0;

        for (size_t t = 0; t < TICKETS; t++)
                for (int agent = 0; agent < 2; agent++)
                        snprintf(before[t][agent], sizeof(before[t][agent]), "%s", model_people(room, m, t, agent));
        pass(room, PRESENCE_QUIET_US);
        model_time(room, m);
        for (size_t t = 0; t < TICKETS; t++) {
                for (int agent = 0; agent < 2; agent++) {
                        const char *now = model_people(room, m, t, agent);

                        assert_string_equal(there(room, t, agent), now);
                        for (size_t s = 0; s < SESSIONS && strcmp(before[t][agent], now) == 0; s++)
                                if (hears(m, s, t) && room->sessions[s].agent == agent)
                                        assert_string_equal(told(room, s, t), now);
                }
                for (size_t s = 0; s < SESSIONS; s++)
                        held += m->leases[s][t].held;
        }
        assert_int_equal(room->presence.leases, held);
}

static void whatever_happens_what_was_told_is_what_is_so(void **state)
{
        struct dice dice = dice_new("presence");
        struct room *room = *state;
        struct model m = { 0 };

        for (int round = 0; round < 2000; round++) {
                for (size_t n = dice_below(&dice, 8); n > 0; n--)
                        step(room, &m, &dice);
                pass(room, dice_below(&dice, 10) ? 0 : 10 * SECOND);
                model_time(room, &m);
                settle(room, &m);
        }
        for (size_t s = 0; s < SESSIONS; s++)
                if (!m.lost_until[s])
                        presence_ended(&room->presence, &room->sessions[s]);
        pass(room, PRESENCE_LEASE_US + SECOND);
        assert_null(room->presence.tickets);
        assert_null(room->presence.holders);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(both_sides_see_each_other_look_and_leave_and_nobody_else_hears, setup, teardown),
                cmocka_unit_test_setup_teardown(typing_lasts_six_seconds_and_falls_back, setup, teardown),
                cmocka_unit_test_setup_teardown(two_devices_are_one_viewer_with_the_strongest_of_what_they_do, setup, teardown),
                cmocka_unit_test_setup_teardown(a_ticket_is_told_at_once_and_then_at_the_end_of_each_quarter_of_a_second, setup, teardown),
                cmocka_unit_test_setup_teardown(customers_see_nothing_of_notes_not_even_by_when_they_are_told, setup, teardown),
                cmocka_unit_test_setup_teardown(a_session_shows_its_user_at_sixteen_tickets_at_most, setup, teardown),
                cmocka_unit_test_setup_teardown(where_a_gateway_is_lost_a_lease_is_held_for_sixty_seconds_from_when_it_was_last_heard, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_session_that_is_attached_anew_goes_on_and_is_told_again, setup, teardown),
                cmocka_unit_test_setup_teardown(who_loses_a_ticket_or_their_role_loses_the_leases, setup, teardown),
                cmocka_unit_test_setup_teardown(leases_come_back_as_they_were_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(whatever_happens_what_was_told_is_what_is_so, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Leases on tickets: anything in any order, against the plainest model. */
#include "presence_room.h"

#include "replica/dice.h"

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
                cmocka_unit_test_setup_teardown(whatever_happens_what_was_told_is_what_is_so, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

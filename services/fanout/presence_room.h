/* Sessions that look at tickets, and hear what they are told, against a clock that the test holds. */
#pragma once
#include "fault.h"
#include "held_clock.h"
#include "presence.h"

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
        room->clock = held_clock(&room->now_us);
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

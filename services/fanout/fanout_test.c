/* Sessions in what the log says of their users, while their gateways know less. */
#include "fanout_room.h"

#include <stdio.h>

static const struct ulid alice = { { 1 } }, agnes = { { 3 } }, printer = { { 50 } }, here = { { 9 } }, there = { { 10 } };
static const uint8_t instance[8] = { 4 };

struct room {
        struct fanout_room all;      /* first */
        struct arena arena;
        int64_t seq, after;
        struct live_attach_result attached;
        char heard[1024];            /* the types of what was delivered to sessions, each with its session's number before it */
};

static void take(struct room *room, const struct log_item *item)
{
        struct ops_follow_result in = { .instance = { (const char *)instance, sizeof(instance) }, .head = room->seq, .head_hash = STR("hash   0") };
        struct ops_follow params;

        fanout_log.ask(&room->all.fanout, &params);
        in.items.items = (struct log_item *)(uintptr_t)item;
        in.items.n = item != NULL;
        fanout_log.take(&room->all.fanout, &in);
}

static void log_op(struct room *room, enum audience audience, struct ulid target, const char *type, const char *data)
{
        struct event event = { .type = str_of(type), .data = str_of(data), .at = room->all.now_us / 1000 };
        struct log_item item = { .seq = ++room->seq, .hash = STR("hash   1"), .audience = audience, .target = target, .event = &event };

        take(room, &item);
}

static int attach(struct room *room, uint8_t number, struct ulid user, const char *device, enum schema_role role)
{
        const struct caller caller = { .user = user, .device = str_of(device), .role = role };
        const struct live_attach in = { .gateway = here, .session = number, .id = { { 77, number } } };

        return ask_attach(&room->all, &caller, &in, &room->arena, &room->attached);
}

/* What the gateway is given now. */
static const char *hear(struct room *room)
{
        struct live_follow_result got = { 0 };
        size_t n = 0;

        room->heard[0] = '\0';
        if (ask_follow(&room->all, here, room->after, 1048576, &room->arena, &got))
                return room->heard;
        room->after = got.head;
        for (size_t i = 0; i < got.items.n; i++) {
                const struct delivery *d = &got.items.items[i];

                for (size_t k = 0; k < d->sessions.n && d->has_cursor; k++)
                        n += (size_t)snprintf(room->heard + n, sizeof(room->heard) - n, "%lld %.*s,", (long long)d->sessions.items[k],
                                              STR_ARG(d->event->type));
        }
        return room->heard;
}

static int setup(void **state)
{
        struct room *room = *state = calloc(1, sizeof(*room));

        fanout_room_init(&room->all);
        take(room, NULL);            /* an empty log: all of it is read */
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        fanout_room_deinit(&room->all);
        arena_deinit(&room->arena);
        free(room);
        return 0;
}

static void demote(struct room *room)
{
        log_op(room, AUDIENCE_USER, agnes, "role.changed", "{\"role\":\"customer\",\"active\":true}");
}

static void promote(struct room *room)
{
        log_op(room, AUDIENCE_USER, agnes, "role.changed", "{\"role\":\"agent\",\"active\":true}");
}

static void who_is_no_agent_any_more_sees_what_agents_do_no_more(void **state)
{
        struct room *room = *state;

        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_AGENT), 0);
        log_op(room, AUDIENCE_AGENTS, printer, "note.added", "{}");
        assert_string_equal(hear(room), "1 note.added,");
        log_op(room, AUDIENCE_AGENTS, printer, "note.added", "{}");
        log_op(room, AUDIENCE_ALL, (struct ulid){ { 0 } }, "project.changed", "{}");
        demote(room);                                            /* before the gateway took that note */
        log_op(room, AUDIENCE_AGENTS, printer, "note.added", "{}");
        log_op(room, AUDIENCE_TICKET, printer, "comment.added", "{}");
        log_op(room, AUDIENCE_ALL, (struct ulid){ { 0 } }, "project.changed", "{}");
        assert_string_equal(hear(room), "1 project.changed,1 role.changed,1 project.changed,");
}

static void who_was_disabled_is_no_agent_either(void **state)
{
        struct room *room = *state;

        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_ADMIN), 0);
        log_op(room, AUDIENCE_USER, agnes, "role.changed", "{\"role\":\"admin\",\"active\":false}");
        log_op(room, AUDIENCE_AGENTS, printer, "note.added", "{}");
        assert_string_equal(hear(room), "1 role.changed,");
}

static void a_gateway_that_has_not_heard_of_it_attaches_nobody_as_an_agent(void **state)
{
        struct room *room = *state;

        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_AGENT), 0);
        demote(room);
        hear(room);
        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_AGENT), FAULT_UNAVAILABLE);
        assert_int_equal(attach(room, 2, agnes, "laptop", SCHEMA_ROLE_AGENT), FAULT_UNAVAILABLE);
        assert_int_equal(attach(room, 3, agnes, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        log_op(room, AUDIENCE_AGENTS, printer, "note.added", "{}");
        assert_string_equal(hear(room), "");
}

static void who_is_an_agent_again_is_one_once_attached_anew(void **state)
{
        struct room *room = *state;
        struct ulid epoch;

        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_AGENT), 0);
        assert_int_equal(attach(room, 2, alice, "phone", SCHEMA_ROLE_CUSTOMER), 0);
        epoch = room->attached.epoch;
        demote(room);
        promote(room);
        hear(room);
        assert_int_equal(sessions_count(&room->all.fanout.sessions), 0); /* a gateway that has heard of neither attaches all again */
        room->all.now_us += 1000;
        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_AGENT), 0);
        assert_false(ulid_eq(room->attached.epoch, epoch));
        log_op(room, AUDIENCE_AGENTS, printer, "note.added", "{}");
        assert_string_equal(hear(room), "1 note.added,");
}

static void who_becomes_an_agent_breaks_nobody_off(void **state)
{
        struct room *room = *state;

        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        promote(room);
        assert_string_equal(hear(room), "1 role.changed,");
        assert_int_equal(attach(room, 2, agnes, "phone", SCHEMA_ROLE_AGENT), 0);
        log_op(room, AUDIENCE_AGENTS, printer, "note.added", "{}");
        assert_string_equal(hear(room), "2 note.added,");
}

static int status(struct room *room, struct ulid user, const char *device, enum schema_role role)
{
        struct call c = { .method = &schema_method_presence_status, .has_caller = true,
                          .caller = { .user = user, .device = str_of(device), .role = role } };
        int r = fanout_on_presence_status(&room->all.fanout, &c, &(struct presence_status){ .session = { { 77, 1 } }, .text = STR("Away") },
                                          &(struct presence_status_result){ 0 });

        arena_deinit(&c.arena);
        return r;
}

static void who_was_an_agent_is_shown_and_served_as_a_customer(void **state)
{
        struct room *room = *state;
        struct online online[4];
        int64_t next;

        assert_int_equal(attach(room, 1, agnes, "laptop", SCHEMA_ROLE_AGENT), 0);
        assert_int_equal(roster_page(&room->all.fanout.attendance.roster, alice, false, 0, 2, online, &next), 1);
        assert_int_equal(status(room, agnes, "laptop", SCHEMA_ROLE_AGENT), 0);
        demote(room);
        assert_int_equal(roster_page(&room->all.fanout.attendance.roster, alice, false, 0, 2, online, &next), 0);
        assert_int_equal(status(room, agnes, "laptop", SCHEMA_ROLE_AGENT), 0);   /* as the customer that she is */
        assert_int_equal(status(room, alice, "laptop", SCHEMA_ROLE_AGENT), FAULT_NOT_FOUND);
}

/* ---- devices ---- */

static void a_session_is_its_devices_alone(void **state)
{
        struct room *room = *state;

        assert_int_equal(attach(room, 1, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        assert_int_equal(attach(room, 1, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);     /* again */
        assert_int_equal(attach(room, 1, alice, "phone", SCHEMA_ROLE_CUSTOMER), FAULT_INVALID_PARAMS);
        assert_int_equal(status(room, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        assert_int_equal(status(room, alice, "phone", SCHEMA_ROLE_CUSTOMER), FAULT_NOT_FOUND);
}

static void detach(struct room *room, uint8_t number)
{
        ask_detach(&room->all, here, &(struct ulid){ { 77, number } }, 1);
}

static void a_user_is_there_as_long_as_any_client_on_any_device(void **state)
{
        struct room *room = *state;
        const struct fanout *f = &room->all.fanout;
        struct online online[4];
        int64_t next;

        assert_int_equal(attach(room, 1, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        assert_int_equal(attach(room, 2, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        assert_int_equal(attach(room, 3, alice, "phone", SCHEMA_ROLE_CUSTOMER), 0);
        assert_int_equal(attach(room, 4, agnes, "phone", SCHEMA_ROLE_AGENT), 0);         /* one device, two users: two */
        assert_int_equal(f->sessions.devices, 3);
        detach(room, 1);
        assert_int_equal(f->sessions.devices, 3);
        detach(room, 2);
        assert_int_equal(f->sessions.devices, 2);
        fanout_room_pass(&room->all, ROSTER_GRACE_US);
        assert_int_equal(roster_page(&f->attendance.roster, agnes, true, 0, 3, online, &next), 2);
        detach(room, 3);
        assert_int_equal(f->sessions.devices, 1);
        fanout_room_pass(&room->all, ROSTER_GRACE_US);
        assert_int_equal(roster_page(&f->attendance.roster, agnes, true, 0, 3, online, &next), 1);
        fanout_drop_all(&room->all.fanout);
        assert_int_equal(f->sessions.devices, 0);
}

/* ---- gateways ---- */

static void a_gateway_that_takes_nothing_begins_again(void **state)
{
        enum { BYTES = 1000 * 1000 };
        struct room *room = *state;
        char *data = malloc(BYTES + 1);
        struct ulid epoch;

        memset(data, ' ', BYTES);
        memcpy(data, "{}", 2);
        data[BYTES] = '\0';
        assert_int_equal(attach(room, 1, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        epoch = room->attached.epoch;
        for (int i = 0; i <= OUTLET_QUEUE_BYTES / BYTES; i++)
                log_op(room, AUDIENCE_ALL, (struct ulid){ { 0 } }, "project.changed", data);
        free(data);
        assert_null(room->all.fanout.outlets);
        room->all.now_us += 1000;
        assert_int_equal(attach(room, 1, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        assert_false(ulid_eq(room->attached.epoch, epoch));
}

static void a_gateway_that_asks_no_more_is_forgotten_and_another_stays(void **state)
{
        struct room *room = *state;
        struct live_follow_result got;

        assert_int_equal(attach(room, 1, alice, "laptop", SCHEMA_ROLE_CUSTOMER), 0);
        for (int i = 0; i < 5; i++) {
                ask_follow(&room->all, there, 0, 1048576, &room->arena, &got);
                fanout_room_pass(&room->all, OUTLET_SILENT_US / 3);
        }
        assert_int_equal(sessions_count(&room->all.fanout.sessions), 0);
        assert_non_null(outlet_find(room->all.fanout.outlets, there));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(who_is_no_agent_any_more_sees_what_agents_do_no_more),
                TEST(who_was_disabled_is_no_agent_either),
                TEST(a_gateway_that_has_not_heard_of_it_attaches_nobody_as_an_agent),
                TEST(who_is_an_agent_again_is_one_once_attached_anew),
                TEST(who_becomes_an_agent_breaks_nobody_off),
                TEST(who_was_an_agent_is_shown_and_served_as_a_customer),
                TEST(a_session_is_its_devices_alone),
                TEST(a_user_is_there_as_long_as_any_client_on_any_device),
                TEST(a_gateway_that_takes_nothing_begins_again),
                TEST(a_gateway_that_asks_no_more_is_forgotten_and_another_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

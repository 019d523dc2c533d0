/* A whole fanout in a world of chance: ops come, access and roles change, texts are redacted, gateways and clients come and go, messages take
 * their time, store is away or is restored, fanout itself begins anew. Whatever happens, each
 * client is told what it may see, once, in order, without a gap, and nothing else. */
#include "fanout_gateway.h"

enum { STEPS = 2500, HISTORIES = 200 };

/* ---- the log ---- */

static void append(struct world *w, struct script_op op)
{
        struct script *log = now(w);

        if (log->head < OPS_MAX)
                log->ops[++log->head] = op;
}

static void happen(struct world *w)
{
        struct script *log = now(w);
        struct script_op op = { .user = (int)dice_below(&w->dice, USERS), .ticket = (int)dice_below(&w->dice, TICKETS) };
        static const enum script_kind kinds[] = { SCRIPT_COMMENT, SCRIPT_COMMENT, SCRIPT_COMMENT, SCRIPT_NOTE, SCRIPT_NEWS, SCRIPT_SILENT,
                                                  SCRIPT_GAINED, SCRIPT_GAINED, SCRIPT_LOST, SCRIPT_LOST };

        op.big = w->big && chance(w, 4);
        op.kind = kinds[dice_below(&w->dice, sizeof(kinds) / sizeof(kinds[0]))];
        if (op.kind == SCRIPT_GAINED || op.kind == SCRIPT_LOST) {
                if (script_access(log, op.user, op.ticket, log->head) == (op.kind == SCRIPT_GAINED))
                        return;
                append(w, (struct script_op){ .kind = SCRIPT_COMMENT, .ticket = op.ticket });   /* the ticket changed, too */
        }
        append(w, op);
        if (chance(w, 40)) {
                int64_t seq = 1 + (int64_t)dice_below(&w->dice, (size_t)log->head);

                log->ops[seq].redacted = true;
                append(w, (struct script_op){ .kind = SCRIPT_REDACT });
        }
}

/* Store hears of a role from identity. */
static void log_role(struct world *w, int user)
{
        struct script *log = now(w);

        if (script_agent(log, user, log->head) != log->agents[user])
                append(w, (struct script_op){ .kind = SCRIPT_ROLE, .user = user, .agent = log->agents[user] });
}

static void change_role(struct world *w)
{
        struct script *log = now(w);
        int user = (int)dice_below(&w->dice, USERS);

        if (script_agent(log, user, log->head) == log->agents[user])
                log->agents[user] = !log->agents[user];
}

static void store_answers(struct world *w)
{
        struct ops_follow_result result;
        struct arena arena = { 0 };
        struct ops_follow params;

        fanout_log.ask(&w->room.fanout, &params);
        script_follow(now(w), params.after, 1 + (int64_t)dice_below(&w->dice, 6), &arena, &result);
        if (params.after > now(w)->head)
                result.items.n = 0;
        fanout_log.take(&w->room.fanout, &result);
        arena_deinit(&arena);
}

/* What is a user's own. */
static void own_answers(struct world *w)
{
        struct personal_item item = { .user = script_user((int)dice_below(&w->dice, USERS)) };
        struct personal_follow_result result = { .head = ++w->own, .items = { &item, 1 } };
        struct personal_follow params;

        item.event = (struct event){ .type = STR("draft.saved"), .data = STR("{}"), .has_actor = true, .actor = item.user };
        fanout_own.ask(&w->room.fanout, &params);
        fanout_own.take(&w->room.fanout, &result);
}

static void log_begin(struct world *w, int64_t head)
{
        struct script *log = calloc(1, sizeof(*log));

        if (w->n_logs) {
                memcpy(log, now(w), sizeof(*log));
                now(w)->over = true;
                memset(log->ops + head + 1, 0, (size_t)(OPS_MAX - head) * sizeof(log->ops[0]));
        }
        for (int user = FIRST_AGENT; !w->n_logs && user < USERS; user++)
                log->agents[user] = true;
        log->head = head;
        log->instance[0] = (uint8_t)(w->n_logs + 1);
        w->logs[w->n_logs++] = log;
}

/* From a backup: sessions are void then, so no gateway takes anybody for what they were in the future that is lost. */
static void restore(struct world *w)
{
        if (w->n_logs == RESTORES)
                return;
        log_begin(w, (int64_t)dice_below(&w->dice, (size_t)now(w)->head + 1));
        for (int g = 0; g < GATEWAYS; g++)
                for (int user = 0; user < USERS; user++)
                        hear(w, &w->gateways[g], user);
}

/* ---- what happens ---- */

static void client_step(struct world *w)
{
        struct client *c = &w->clients[dice_below(&w->dice, CLIENTS)];

        if (c->state == AWAY)
                client_come(w, c);
        else if (chance(w, 40))
                client_leave(w, c);
        else if (c->asking && !c->answered)
                ask(w, c);
        else if (c->asking && c->state == READING)
                read_log(w, c);
        else if (c->asking)
                attached(w, c);
        else if (c->state == WAITING || c->state == ATTACHING)
                attach(w, c);
        else
                move_idle(w, c);
}

static void gateway_step(struct world *w)
{
        struct gateway *g = &w->gateways[dice_below(&w->dice, GATEWAYS)];

        if (g->answered)
                take(w, g);
        else if (g->n_gone && chance(w, 2)) {
                ask_detach(&w->room, g->id, g->gone, g->n_gone);
                g->n_gone = 0;
        } else {
                follow(w, g);
        }
}

static void misfortune(struct world *w)
{
        switch (dice_below(&w->dice, 12)) {
        case 0:
                gateway_begin(w, &w->gateways[dice_below(&w->dice, GATEWAYS)]);
                return;
        case 1:
                fanout_room_restart(&w->room);
                return;
        case 2:
                restore(w);
                return;
        case 3:
                fanout_room_pass(&w->room, OUTLET_SILENT_US + 10 * INT64_C(1000000));   /* a gateway that does not ask now is forgotten */
                return;
        case 4:
                w->room.fanout.tail.max_bytes = 1000 + dice_below(&w->dice, 20000);     /* who is further behind reads the log */
                return;
        default:
                w->store_is_away = !w->store_is_away;
        }
}

static void step(struct world *w)
{
        fanout_room_pass(&w->room, 1000 + (int64_t)dice_below(&w->dice, 20000));
        if (chance(w, 60))
                misfortune(w);
        switch (dice_below(&w->dice, 10)) {
        case 0:
                happen(w);
                return;
        case 1:
                if (chance(w, 10))
                        change_role(w);
                log_role(w, (int)dice_below(&w->dice, USERS));
                return;
        case 2:
                hear(w, &w->gateways[dice_below(&w->dice, GATEWAYS)], (int)dice_below(&w->dice, USERS));
                return;
        case 3:
                if (!w->store_is_away)
                        chance(w, 4) ? own_answers(w) : store_answers(w);
                return;
        case 4:
        case 5:
                gateway_step(w);
                return;
        default:
                client_step(w);
        }
}

/* Everybody hears of everything. */
static bool is_quiet(struct world *w)
{
        int64_t seq;

        for (struct client *c = w->clients; c < w->clients + CLIENTS; c++)
                if (c->state != PUSHED || c->asking || place(w, c->cursor, &seq) != now(w) || seq != now(w)->head)
                        return false;
        return true;
}

static void settle(struct world *w)
{
        w->store_is_away = false;
        for (int user = 0; user < USERS; user++) {
                log_role(w, user);
                for (int g = 0; g < GATEWAYS; g++)
                        hear(w, &w->gateways[g], user);
        }
        for (int i = 0; i < 20000 && !is_quiet(w); i++) {
                fanout_room_pass(&w->room, 1000);
                store_answers(w);
                gateway_step(w);
                client_step(w);
        }
        assert_true(is_quiet(w));
}

static void everybody_is_told_what_they_may_see_once_and_in_order(void **state)
{
        struct dice dice = dice_new("fanout_random_test");
        int told = 0, pages = 0;

        (void)state;
        for (int history = 0; history < HISTORIES; history++) {
                struct world *w = calloc(1, sizeof(*w));

                w->dice.state = dice_u64(&dice);
                w->big = history % 5 == 0;
                cursor_key_init(&w->key, room_secret);
                fanout_room_init(&w->room);
                log_begin(w, 0);
                for (int i = 0; i < CLIENTS; i++)
                        w->clients[i] = (struct client){ .user = i % USERS };
                for (int i = 0; i < GATEWAYS; i++)
                        gateway_begin(w, &w->gateways[i]);
                for (int i = 0; i < STEPS; i++)
                        step(w);
                settle(w);
                for (int i = 0; i < CLIENTS; i++)
                        told += w->clients[i].told;
                pages += w->pages;
                fanout_room_deinit(&w->room);
                for (int i = 0; i < w->n_logs; i++)
                        free(w->logs[i]);
                arena_deinit(&w->arena);
                free(w);
        }
        printf("%d events, %d pages in %d histories\n", told, pages, HISTORIES);
        assert_true(told > HISTORIES * 50);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everybody_is_told_what_they_may_see_once_and_in_order),
        };

        log_open("test", LOG_LEVEL_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* For the random test: gateways and their clients' sessions, which do what services/gateway/live.c does, and check all that they are told. */
#pragma once
#include "fanout_script.h"

#include "replica/dice.h"

enum { GATEWAYS = 2, CLIENTS = 10, PAGE = 4, RESTORES = 8 };

enum client_state { AWAY, ATTACHING, READING, WAITING, PUSHED };

struct held {
        struct held *next;
        struct str to;
        struct event event;
        struct ulid epoch;
        int64_t known;
};

struct client {
        int user, gateway;
        struct ulid id;
        enum client_state state;
        bool as_agent;               /* what its gateway takes its user for */
        bool had_hello, has_cursor, asking, stale, answered;
        struct str cursor;           /* in the world's arena */
        int64_t number, order;
        struct ulid epoch;
        struct str kept;
        struct held *held, **last;
        /* of the question under way */
        struct live_attach in;
        bool in_as_agent;
        int r;
        struct live_attach_result out;
        int64_t known;               /* the log, by who answered */
        int told;                    /* events, in all */
};

struct gateway {
        struct ulid id, epoch;
        bool has_epoch, answered;
        int64_t attachments, after, order, known;
        struct str position;
        struct live_follow_result out;
        bool agents[USERS];          /* as far as it has heard */
        struct ulid gone[CLIENTS * 4];
        size_t n_gone;
};

struct world {
        struct fanout_room room;
        struct dice dice;
        struct arena arena;
        struct cursor_key key;
        struct script *logs[RESTORES];
        int n_logs;
        bool store_is_away, big;     /* some ops are big */
        int64_t own;
        int pages;
        struct gateway gateways[GATEWAYS];
        struct client clients[CLIENTS];
};

static inline struct script *now(struct world *w)
{
        return w->logs[w->n_logs - 1];
}

static inline bool chance(struct world *w, size_t one_in)
{
        return dice_below(&w->dice, one_in) == 0;
}

static inline struct ulid fresh_id(struct world *w)
{
        return dice_ulid(&w->dice, w->room.now_us / 1000);
}

/* ---- what a client is told ---- */

/* Of which log, and where. */
static inline const struct script *place(struct world *w, struct str text, int64_t *ret_seq)
{
        struct cursor c;

        assert_int_equal(cursor_parse(&w->key, text, &c), 0);
        *ret_seq = c.seq;
        for (int i = w->n_logs; i-- > 0;)
                if (memcmp(w->logs[i]->instance, c.instance, 8) == 0)
                        return w->logs[i];
        fail_msg("a cursor of no log");
        return NULL;
}

static inline int64_t number_of(const struct event *e)
{
        const char *n = memmem(e->data.p, e->data.n, "\"n\":", 4);

        assert_non_null(n);
        return strtoll(n + 4, NULL, 10);
}

/* A frame: these events, and no others that it should have had. known: how much of the log its maker knew. */
static inline void frame(struct world *w, struct client *c, const struct event *events, size_t n, struct str to, int64_t known)
{
        int64_t seq, last;
        const struct script *log = place(w, c->cursor, &seq);
        size_t next = 0;

        assert_ptr_equal(place(w, to, &last), log);
        assert_true(last >= seq);
        while (seq++ < last) {
                if (next < n && number_of(&events[next]) == seq) {
                        assert_true(script_may(log, c->user, c->as_agent, seq, known));
                        assert_true(!log->ops[seq].redacted || !memmem(events[next].data.p, events[next].data.n, "secret", 6) ||
                                    script_loses(log, SCRIPT_REDACT, 0, 0, known, log->head));
                        next++;
                        c->told++;
                } else {
                        assert_false(script_must(log, c->user, c->as_agent, seq));
                }
        }
        assert_int_equal(next, n);
        c->cursor = arena_str(&w->arena, to);
}

static inline void move_to(struct world *w, struct client *c, struct str to)
{
        c->cursor = arena_str(&w->arena, to);
        c->has_cursor = true;
}

static inline void drop_held(struct client *c)
{
        c->held = NULL;
        c->last = &c->held;
}

/* ---- a gateway's sessions ---- */

static inline struct gateway *gateway_of(struct world *w, const struct client *c)
{
        return &w->gateways[c->gateway];
}

static inline void attach(struct world *w, struct client *c)
{
        if (c->asking) {
                c->stale = true;
                return;
        }
        drop_held(c);
        c->state = ATTACHING;
        c->number = ++gateway_of(w, c)->attachments;
        c->asking = true;
        c->answered = false;
        c->in_as_agent = c->as_agent;
        c->in = (struct live_attach){ .gateway = gateway_of(w, c)->id, .session = c->number, .id = c->id, .has_cursor = c->has_cursor,
                                      .cursor = c->cursor, .has_kept = c->kept.n > 0, .kept = c->kept, .again = c->had_hello };
}

static inline void go_live(struct world *w, struct client *c)
{
        c->state = PUSHED;
        for (struct held *h = c->held; h; h = h->next)
                if (ulid_eq(h->epoch, c->epoch))
                        frame(w, c, &h->event, 1, h->to, h->known);
        drop_held(c);
}

static inline void page(struct world *w, struct client *c, const struct event *events, size_t n, struct str to, int64_t known, bool more)
{
        if (c->has_cursor)
                frame(w, c, events, n, to, known);
        else
                move_to(w, c, to);
        c->had_hello = true;
        if (more)
                c->state = WAITING;
}

static inline bool begin_anew(struct world *w, struct client *c)
{
        c->asking = false;
        if (!c->stale)
                return false;
        c->stale = false;
        attach(w, c);
        return true;
}

/* What it asked comes to fanout, or to store. */
static inline void ask(struct world *w, struct client *c)
{
        const struct caller caller = { .user = script_user(c->user), .device = STR("laptop"),
                                       .role = c->in_as_agent ? SCHEMA_ROLE_AGENT : SCHEMA_ROLE_CUSTOMER };

        c->answered = true;
        if (c->state == READING)
                return;              /* store answers when the answer is taken: it knows all */
        c->r = ask_attach(&w->room, &caller, &c->in, &w->arena, &c->out);
        c->known = tail_end(&w->room.fanout.tail);
}

static inline void read_log(struct world *w, struct client *c)
{
        struct script *log = now(w);
        struct cursor to = { 0 };
        struct event *events;
        char text[CURSOR_TEXT];
        bool more = false, reset;
        int64_t seq;
        size_t n;

        if (begin_anew(w, c))
                return;
        reset = place(w, c->cursor, &seq) != log ||
                !script_since(log, c->user, c->as_agent, seq, PAGE, &w->arena, &events, &n, &to.seq, &more);
        if (reset)
                to.seq = log->head;
        memcpy(to.instance, log->instance, 8);
        script_hash(log, to.seq, (char *)to.hash);
        cursor_write(&w->key, &to, text);
        if (reset)
                move_to(w, c, (struct str){ text, CURSOR_TEXT });
        else
                page(w, c, events, n, (struct str){ text, CURSOR_TEXT }, log->head, more);
        if (!more)
                attach(w, c);
}

static inline void attached(struct world *w, struct client *c)
{
        struct gateway *g = gateway_of(w, c);

        if (begin_anew(w, c))
                return;
        if (c->r) {
                assert_int_equal(c->r, FAULT_UNAVAILABLE);
                return;              /* and tries again */
        }
        if (g->has_epoch && ulid_cmp(c->out.epoch, g->epoch) < 0) {
                attach(w, c);
                return;
        }
        c->epoch = c->out.epoch;
        c->order = c->out.order;
        switch (c->out.outcome) {
        case ATTACH_OUTCOME_LOG:
                c->state = READING;
                c->asking = true;
                c->answered = false;
                return;
        case ATTACH_OUTCOME_RESET:
                move_to(w, c, c->out.cursor);
                c->had_hello = true;
                go_live(w, c);
                return;
        case ATTACH_OUTCOME_PAGE:
                w->pages++;
                page(w, c, c->out.events.items, c->out.events.n, c->out.cursor, c->known, true);
                return;
        case ATTACH_OUTCOME_LIVE:
                page(w, c, c->out.events.items, c->out.events.n, c->out.cursor, c->known, false);
                go_live(w, c);
                return;
        }
}

static inline void client_leave(struct world *w, struct client *c)
{
        struct gateway *g = gateway_of(w, c);

        if (c->number && g->n_gone < sizeof(g->gone) / sizeof(g->gone[0]))
                g->gone[g->n_gone++] = c->id;
        drop_held(c);
        c->state = AWAY;
        c->asking = c->stale = false;
        c->kept = (struct str){ 0 };
}

static inline void client_come(struct world *w, struct client *c)
{
        c->gateway = (int)dice_below(&w->dice, GATEWAYS);
        c->id = fresh_id(w);
        c->as_agent = gateway_of(w, c)->agents[c->user];
        c->had_hello = false;
        c->state = ATTACHING;
        attach(w, c);
}

/* ---- a gateway follows ---- */

static inline void deliver(struct world *w, struct gateway *g, const struct delivery *d)
{
        for (size_t i = 0; i < d->sessions.n; i++) {
                struct client *c = w->clients;

                while (c < w->clients + CLIENTS && (c->state == AWAY || gateway_of(w, c) != g || c->number != d->sessions.items[i]))
                        c++;
                if (c == w->clients + CLIENTS)
                        continue;
                if (d->has_keep)
                        c->kept = d->keep;
                else if (!d->has_cursor)
                        assert_true(!str_is(d->event->type, "draft.saved") || ulid_eq(d->event->actor, script_user(c->user)));
                else if (c->state == PUSHED)
                        frame(w, c, d->event, 1, d->cursor, g->known);
                else if (c->state == ATTACHING) {
                        struct held *h = ARENA_NEW(&w->arena, struct held);

                        *h = (struct held){ .to = d->cursor, .event = *d->event, .epoch = g->epoch, .known = g->known };
                        *c->last = h;
                        c->last = &h->next;
                }
        }
}

static inline void take(struct world *w, struct gateway *g)
{
        const struct live_follow_result *in = &g->out;

        g->answered = false;
        g->position = (struct str){ 0 };
        if ((g->has_epoch && !ulid_eq(g->epoch, in->epoch)) || in->head < g->after) {
                g->epoch = in->epoch;
                g->after = in->head;
                for (struct client *c = w->clients; c < w->clients + CLIENTS; c++)
                        if (gateway_of(w, c) == g && c->state != AWAY && c->state != WAITING)
                                attach(w, c);
                return;
        }
        g->has_epoch = true;
        g->epoch = in->epoch;
        g->after = in->head;
        for (size_t i = 0; i < in->items.n; i++)
                deliver(w, g, &in->items.items[i]);
        g->position = in->position;
        g->order = in->order;
}

static inline void follow(struct world *w, struct gateway *g)
{
        if (ask_follow(&w->room, g->id, g->after, 1 + (int64_t)dice_below(&w->dice, 2000), &w->arena, &g->out))
                return;
        g->answered = true;
        g->known = tail_end(&w->room.fanout.tail);
}

/* As a heartbeat does. */
static inline void move_idle(struct world *w, struct client *c)
{
        const struct gateway *g = gateway_of(w, c);

        if (c->state == PUSHED && ulid_eq(c->epoch, g->epoch) && c->order <= g->order && g->position.n)
                frame(w, c, NULL, 0, g->position, g->known);
}

/* What identity says of a user: whose role is another one than before begins anew. */
static inline void hear(struct world *w, struct gateway *g, int user)
{
        bool agent = now(w)->agents[user];

        for (struct client *c = w->clients; c < w->clients + CLIENTS; c++)
                if (c->user == user && c->state != AWAY && gateway_of(w, c) == g && c->as_agent != agent) {
                        client_leave(w, c);
                        c->has_cursor = false;
                }
        g->agents[user] = agent;
}

static inline void gateway_begin(struct world *w, struct gateway *g)
{
        for (struct client *c = w->clients; c < w->clients + CLIENTS; c++)
                if (c->state != AWAY && gateway_of(w, c) == g)
                        client_leave(w, c);
        *g = (struct gateway){ .id = fresh_id(w) };
        memcpy(g->agents, now(w)->agents, sizeof(g->agents));
}

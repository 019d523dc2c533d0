/* For the random test: the world around a fanout, as far as it matters: a log, whose truth the test knows, who may see what by it, and what
 * store would answer. */
#pragma once
#include "fanout_room.h"
#include "schema/log.h"

#include <stdio.h>

enum { USERS = 5, FIRST_AGENT = 3, TICKETS = 3, OPS_MAX = 1000 };

enum script_kind {
        SCRIPT_COMMENT,              /* on a ticket */
        SCRIPT_NOTE,                 /* for agents */
        SCRIPT_NEWS,                 /* for all */
        SCRIPT_SILENT,               /* has no event */
        SCRIPT_GAINED, SCRIPT_LOST,  /* a ticket, by a customer */
        SCRIPT_ROLE,
        SCRIPT_REDACT,               /* an op before it */
};

struct script_op {
        enum script_kind kind;
        int user, ticket;
        bool agent;                  /* of a role: from now on */
        bool redacted;
        bool big;                    /* three make more than a page */
};

/* One future of the log: a restore from a backup begins another. Ops count from 1. */
struct script {
        uint8_t instance[8];
        struct script_op ops[OPS_MAX + 1];
        int64_t head;
        bool agents[USERS];          /* as identity has them, of which the log hears later */
        bool over;                   /* another one goes on, and identity with it: who is an agent is not to be read here any more */
};

static inline struct ulid script_user(int user)
{
        return (struct ulid){ { 1, (uint8_t)user } };
}

static inline struct ulid script_ticket(int ticket)
{
        return (struct ulid){ { 2, (uint8_t)ticket } };
}

/* At a position. Who has the number of a ticket wrote it. */
static inline bool script_access(const struct script *s, int user, int ticket, int64_t at)
{
        for (; at > 0; at--)
                if ((s->ops[at].kind == SCRIPT_GAINED || s->ops[at].kind == SCRIPT_LOST) && s->ops[at].user == user && s->ops[at].ticket == ticket)
                        return s->ops[at].kind == SCRIPT_GAINED;
        return user == ticket;
}

static inline bool script_agent(const struct script *s, int user, int64_t at)
{
        for (; at > 0; at--)
                if (s->ops[at].kind == SCRIPT_ROLE && s->ops[at].user == user)
                        return s->ops[at].agent;
        return user >= FIRST_AGENT;
}

/* Whether a user gained something between two positions. */
static inline bool script_gains(const struct script *s, enum script_kind kind, int user, int ticket, int64_t after, int64_t until)
{
        for (int64_t at = after + 1; at <= until; at++)
                if (s->ops[at].kind == kind && s->ops[at].user == user && (kind == SCRIPT_ROLE ? s->ops[at].agent : s->ops[at].ticket == ticket))
                        return true;
        return false;
}

static inline bool script_loses(const struct script *s, enum script_kind kind, int user, int ticket, int64_t after, int64_t until)
{
        for (int64_t at = after + 1; at <= until; at++)
                if (s->ops[at].kind == kind && s->ops[at].user == user && (kind == SCRIPT_ROLE || s->ops[at].ticket == ticket))
                        return true;
        return false;
}

/* Whether somebody may be told of an op by who knows the log up to `known`, where it ends at s->head. Of a gain that is in the log one may know
 * already: store says who may see a ticket as it is when it is asked. */
static inline bool script_may(const struct script *s, int user, bool as_agent, int64_t seq, int64_t known)
{
        const struct script_op *op = &s->ops[seq];
        bool agent = as_agent && (s->over || s->agents[user] || script_agent(s, user, known) || script_gains(s, SCRIPT_ROLE, user, 0, known, s->head));

        switch (op->kind) {
        case SCRIPT_COMMENT:
                return agent || script_access(s, user, op->ticket, known) || script_gains(s, SCRIPT_GAINED, user, op->ticket, known, s->head);
        case SCRIPT_NOTE:
                return agent;
        case SCRIPT_GAINED:
        case SCRIPT_LOST:
        case SCRIPT_ROLE:
                return op->user == user;
        case SCRIPT_NEWS:
                return true;
        case SCRIPT_SILENT:
        case SCRIPT_REDACT:
                return false;
        }
        return false;
}

/* Whether somebody must have been told of it, whose right to it never changed. */
static inline bool script_must(const struct script *s, int user, bool as_agent, int64_t seq)
{
        const struct script_op *op = &s->ops[seq];
        bool agent = as_agent && script_agent(s, user, seq) && !script_loses(s, SCRIPT_ROLE, user, 0, seq, s->head);
        bool reads = op->kind == SCRIPT_COMMENT && script_access(s, user, op->ticket, seq) && !script_loses(s, SCRIPT_LOST, user, op->ticket, seq, s->head);

        switch (op->kind) {
        case SCRIPT_COMMENT:
                return agent || reads;
        case SCRIPT_NOTE:
                return agent;
        default:
                return script_may(s, user, as_agent, seq, s->head);
        }
}

/* ---- what store answers ---- */

static inline struct str script_text(const struct script_op *op, struct arena *arena)
{
        enum { BIG = 100 * 1024 };
        char *text;

        if (!op->big)
                return op->redacted ? STR("") : STR("secret");
        text = arena_alloc(arena, BIG);
        memset(text, ' ', BIG);
        if (!op->redacted)
                memcpy(text, "secret", 6);
        return (struct str){ text, BIG };
}

static inline void script_event(const struct script *s, int64_t seq, struct arena *arena, struct event *ret)
{
        static const char *const types[] = { "comment.added", "note.added", "project.changed", NULL, "access.gained", "access.lost", "role.changed" };
        const struct script_op *op = &s->ops[seq];
        char ticket[ULID_TEXT + 1];
        struct str text = script_text(op, arena);

        ulid_text(script_ticket(op->ticket), ticket);
        *ret = (struct event){ .type = str_of(types[op->kind]), .at = 1000 + seq };
        if (op->kind == SCRIPT_ROLE)
                ret->data = arena_format(arena, "{\"role\":\"%s\",\"active\":true,\"n\":%lld}", op->agent ? "agent" : "customer", (long long)seq);
        else
                ret->data = arena_format(arena, "{\"ticket\":\"%s\",\"text\":\"%.*s\",\"n\":%lld}", ticket, STR_ARG(text), (long long)seq);
}

static inline void script_hash(const struct script *s, int64_t seq, char ret[8])
{
        snprintf(ret, 8, "%02x%05llx", s->instance[0], (unsigned long long)seq & 0xfffff);
}

static inline void script_item(const struct script *s, int64_t seq, struct arena *arena, struct log_item *ret)
{
        const struct script_op *op = &s->ops[seq];
        char *hash = arena_alloc(arena, 8);
        bool of_ticket = op->kind == SCRIPT_COMMENT, of_user = op->kind == SCRIPT_GAINED || op->kind == SCRIPT_LOST || op->kind == SCRIPT_ROLE;

        script_hash(s, seq, hash);
        *ret = (struct log_item){ .seq = seq, .hash = { hash, 8 }, .redacts = op->kind == SCRIPT_REDACT };
        ret->audience = of_ticket ? AUDIENCE_TICKET : of_user ? AUDIENCE_USER : op->kind == SCRIPT_NEWS ? AUDIENCE_ALL : AUDIENCE_AGENTS;
        ret->target = of_user ? script_user(op->user) : script_ticket(op->ticket);
        if (op->kind != SCRIPT_SILENT && op->kind != SCRIPT_REDACT) {
                ret->event = ARENA_NEW(arena, struct event);
                script_event(s, seq, arena, ret->event);
        }
        if (!of_ticket)
                return;
        ret->users.items = arena_array(arena, USERS, sizeof(struct ulid));
        for (int user = 0; user < USERS; user++)
                if (script_access(s, user, op->ticket, s->head))
                        ret->users.items[ret->users.n++] = script_user(user);
}

/* ops.follow: at most max items. */
static inline void script_follow(const struct script *s, int64_t after, int64_t max, struct arena *arena, struct ops_follow_result *ret)
{
        char *hash = arena_alloc(arena, 8);

        *ret = (struct ops_follow_result){ .instance = { (const char *)s->instance, 8 }, .head = after < s->head ? after : s->head };
        ret->items.items = arena_array(arena, (size_t)max, sizeof(struct log_item));
        while (ret->head < s->head && (int64_t)ret->items.n < max)
                script_item(s, ++ret->head, arena, &ret->items.items[ret->items.n++]);
        script_hash(s, ret->head, hash);
        ret->head_hash = (struct str){ hash, 8 };
}

/* op.since: at most max events, of a position that is in the log; false: a reset. */
static inline bool script_since(const struct script *s, int user, bool as_agent, int64_t after, size_t max, struct arena *arena,
                                struct event **ret_events, size_t *ret_n, int64_t *ret_to, bool *ret_more)
{
        *ret_events = arena_array(arena, max, sizeof(struct event));
        *ret_n = 0;
        *ret_more = false;
        *ret_to = s->head;
        if (script_loses(s, SCRIPT_ROLE, user, 0, after, s->head))
                return false;
        for (int64_t seq = after + 1; seq <= s->head; seq++) {
                if (!script_may(s, user, as_agent, seq, s->head))
                        continue;
                if (*ret_n == max) {
                        *ret_more = true;
                        *ret_to = seq - 1;
                        return true;
                }
                script_event(s, seq, arena, &(*ret_events)[(*ret_n)++]);
        }
        return true;
}

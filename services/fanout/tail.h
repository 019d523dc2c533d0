/* The newest ops, in memory, bounded by bytes: what is pushed, and from what a client that was away for a while goes on without a
 * look at the log. Who may see an op is kept once per ticket, and is always what store said last: so an op is never read again by
 * somebody who has lost access since. */
#pragma once
#include "arena.h"
#include "cursor.h"
#include "schema/log.h"
#include <uthash.h>

/* Who may see an op. */
struct readers {
        unsigned refs;
        enum audience kind;
        struct ulid target;         /* the ticket, which is the key, or the user */
        struct ulid *users;         /* the ticket's, agents aside */
        size_t n;
        bool as_agent;              /* of a user: those sessions alone that are an agent's */
        UT_hash_handle hh;
};

/* An event in memory: of an op, or, without a seq, ephemeral. The tail and the outlets' queues share it. */
struct shared_event {
        unsigned refs;
        struct tail *tail;          /* of an op: where it is from */
        int64_t seq;
        uint8_t hash[8];
        struct readers *readers;    /* of an op that has an event */
        bool has_event;             /* some ops have none of their own */
        struct event event;
        size_t bytes;               /* that it takes */
        char texts[];
};
struct shared_event *shared_event_new(const struct event *event);
/* Of an op: the position behind it. */
struct str shared_event_cursor(const struct shared_event *e, struct arena *arena);
void shared_event_unref(struct shared_event *e);
/* Whether it says that a user, its target, may see a ticket no more, or now. */
bool event_loses(const struct shared_event *e, struct ulid *ret_ticket);
bool event_gains(const struct shared_event *e, struct ulid *ret_ticket);
/* Whether it says that a user, its target, has another role, and whether that is an agent's. */
bool event_changes_role(const struct shared_event *e, bool *ret_agent);

struct tail {
        struct cursor_key key;
        size_t max_bytes, bytes;
        uint8_t instance[8];
        int64_t start;              /* the position before the first op that is here */
        uint8_t start_hash[8];
        bool start_known;           /* whether start_hash is that op's */
        struct shared_event **ring; /* of ops, by their seq */
        size_t capacity, first, n;
        struct readers *by_ticket;
};

void tail_init(struct tail *t, const uint8_t cursor_secret[32], size_t max_bytes);
void tail_deinit(struct tail *t);
/* Forgets everything: the next op to be added is start + 1. hash: of the op at start; NULL where it is not known. */
void tail_begin(struct tail *t, const uint8_t instance[8], int64_t start, const uint8_t *hash);
int64_t tail_end(const struct tail *t);
/* The next op. Old ones make room for it. Borrowed. */
struct shared_event *tail_add(struct tail *t, const struct log_item *item);

enum tail_place {
        TAIL_HERE,
        TAIL_FORGED,
        TAIL_LOST,                  /* of a future that a restore undid */
        TAIL_UNKNOWN,               /* older than the tail, newer than what fanout has read, or of another instance: store knows what it stands for */
};
enum tail_place tail_find(const struct tail *t, struct str cursor, int64_t *ret_seq);

/* What a user may see after a position that is here: up to max_bytes, or max events. */
struct tail_reader {
        struct ulid user;
        bool agent;
        size_t max, max_bytes;
};
struct tail_page {
        struct event *events;       /* in the arena, their texts in the tail */
        size_t n;
        int64_t to;
        bool more;
        bool role_changed;          /* what the reader may see is another thing since: no page */
};
void tail_read(const struct tail *t, int64_t after, const struct tail_reader *reader, struct arena *arena, struct tail_page *ret);
/* Whether an op after a position that is here says that a user may see a ticket no more. */
bool tail_loses(const struct tail *t, int64_t after, struct ulid user, struct ulid ticket);
/* The cursor of a position that is here. */
struct str tail_cursor(const struct tail *t, int64_t seq, struct arena *arena);

bool readers_have(const struct readers *r, struct ulid user, bool agent);

#include "tail.h"

#include "codec.h"
#include "schema/person.h"
#include "schema/ticket.h"

#include <stdlib.h>
#include <string.h>

enum { RING_MIN = 256 };

/* ---- readers ---- */

bool readers_have(const struct readers *r, struct ulid user, bool agent)
{
        if (r->kind == AUDIENCE_ALL || (agent && r->kind != AUDIENCE_USER))
                return true;
        if (r->kind == AUDIENCE_USER)
                return ulid_eq(r->target, user) && (agent || !r->as_agent);
        for (size_t i = 0; i < r->n; i++)
                if (ulid_eq(r->users[i], user))
                        return true;
        return false;
}

static struct readers *readers_new(enum audience kind, struct ulid target)
{
        struct readers *r = calloc(1, sizeof(*r));

        if (!r)
                abort();
        *r = (struct readers){ .refs = 1, .kind = kind, .target = target };
        return r;
}

static void readers_unref(struct tail *t, struct readers *r)
{
        if (!r || --r->refs)
                return;
        if (r->kind == AUDIENCE_TICKET)
                HASH_DEL(t->by_ticket, r);
        free(r->users);
        free(r);
}

/* A reference. A ticket's are one for all its ops, and become what the newest says. */
static struct readers *readers_of(struct tail *t, const struct log_item *item)
{
        struct readers *r = NULL;
        size_t bytes = item->users.n * sizeof(struct ulid);

        if (item->audience != AUDIENCE_TICKET) {
                r = readers_new(item->audience, item->target);
                r->as_agent = item->as_agent;
                return r;
        }
        HASH_FIND(hh, t->by_ticket, &item->target, sizeof(item->target), r);
        if (r) {
                r->refs++;
        } else {
                r = readers_new(AUDIENCE_TICKET, item->target);
                HASH_ADD(hh, t->by_ticket, target, sizeof(r->target), r);
        }
        if (r->n == item->users.n && (!bytes || memcmp(r->users, item->users.items, bytes) == 0))
                return r;
        r->users = realloc(r->users, bytes ? bytes : 1);
        if (!r->users)
                abort();
        r->n = item->users.n;
        if (bytes)
                memcpy(r->users, item->users.items, bytes);
        return r;
}

/* ---- events ---- */

static struct str keep(char **at, struct str s)
{
        struct str kept = { *at, s.n };

        memcpy(*at, s.p, s.n);
        *at += s.n;
        return kept;
}

struct shared_event *shared_event_new(const struct event *event)
{
        size_t bytes = sizeof(struct shared_event) + (event ? event->type.n + event->data.n : 0);
        struct shared_event *e = malloc(bytes);
        char *at;

        if (!e)
                abort();
        *e = (struct shared_event){ .refs = 1, .bytes = bytes };
        if (!event)
                return e;
        at = e->texts;
        e->has_event = true;
        e->event = *event;
        e->event.type = keep(&at, event->type);
        e->event.data = keep(&at, event->data);
        return e;
}

void shared_event_unref(struct shared_event *e)
{
        if (e && --e->refs == 0) {
                readers_unref(e->tail, e->readers);
                free(e);
        }
}

/* ---- the ring ---- */

static struct shared_event *at(const struct tail *t, int64_t seq)
{
        return t->ring[(t->first + (size_t)(seq - t->start - 1)) % t->capacity];
}

static const uint8_t *hash_at(const struct tail *t, int64_t seq)
{
        if (seq > t->start)
                return at(t, seq)->hash;
        return t->start_known ? t->start_hash : NULL;
}

static void drop_first(struct tail *t)
{
        struct shared_event *e = t->ring[t->first];

        t->first = (t->first + 1) % t->capacity;
        t->n--;
        t->bytes -= e->bytes;
        t->start = e->seq;
        memcpy(t->start_hash, e->hash, sizeof(t->start_hash));
        t->start_known = true;
        shared_event_unref(e);
}

static void grow(struct tail *t)
{
        size_t capacity = t->capacity ? 2 * t->capacity : RING_MIN;
        struct shared_event **ring = calloc(capacity, sizeof(*ring));

        if (!ring)
                abort();
        for (size_t i = 0; i < t->n; i++)
                ring[i] = t->ring[(t->first + i) % t->capacity];
        free(t->ring);
        t->ring = ring;
        t->capacity = capacity;
        t->first = 0;
}

void tail_init(struct tail *t, const uint8_t cursor_secret[32], size_t max_bytes)
{
        *t = (struct tail){ .max_bytes = max_bytes };
        cursor_key_init(&t->key, cursor_secret);
}

void tail_begin(struct tail *t, const uint8_t instance[8], int64_t start, const uint8_t *hash)
{
        while (t->n)
                drop_first(t);
        memmove(t->instance, instance, sizeof(t->instance));
        t->start = start;
        t->start_known = hash != NULL;
        if (hash)
                memcpy(t->start_hash, hash, sizeof(t->start_hash));
}

void tail_deinit(struct tail *t)
{
        while (t->n)
                drop_first(t);
        free(t->ring);
        t->ring = NULL;
        t->capacity = 0;
}

int64_t tail_end(const struct tail *t)
{
        return t->start + (int64_t)t->n;
}

struct shared_event *tail_add(struct tail *t, const struct log_item *item)
{
        struct shared_event *e = shared_event_new(item->event);

        e->tail = t;
        e->seq = item->seq;
        memcpy(e->hash, item->hash.p, sizeof(e->hash));
        if (e->has_event)
                e->readers = readers_of(t, item);
        if (t->n == t->capacity)
                grow(t);
        t->ring[(t->first + t->n++) % t->capacity] = e;
        t->bytes += e->bytes;
        while (t->n > 1 && t->bytes > t->max_bytes)
                drop_first(t);
        return e;
}

/* ---- reading ---- */

enum tail_place tail_find(const struct tail *t, struct str text, int64_t *ret_seq)
{
        struct cursor c;
        const uint8_t *hash;

        if (cursor_parse(&t->key, text, &c))
                return TAIL_FORGED;
        if (memcmp(c.instance, t->instance, sizeof(c.instance)) || c.seq < t->start || c.seq > tail_end(t))
                return TAIL_UNKNOWN;
        hash = hash_at(t, c.seq);
        if (!hash)
                return TAIL_UNKNOWN;
        if (memcmp(c.hash, hash, sizeof(c.hash)))
                return TAIL_LOST;
        *ret_seq = c.seq;
        return TAIL_HERE;
}

static bool changes_role(const struct shared_event *e, struct ulid user)
{
        return e->has_event && e->readers->kind == AUDIENCE_USER && ulid_eq(e->readers->target, user) &&
               str_is(e->event.type, schema_event_role_changed.name);
}

void tail_read(const struct tail *t, int64_t after, const struct tail_reader *reader, struct arena *arena, struct tail_page *ret)
{
        size_t bytes = 0, there = (size_t)(tail_end(t) - after);

        *ret = (struct tail_page){ .to = after };
        ret->events = arena_alloc(arena, (there < reader->max ? there : reader->max) * sizeof(*ret->events));
        for (int64_t seq = after + 1; seq <= tail_end(t); seq++) {
                const struct shared_event *e = at(t, seq);

                if (changes_role(e, reader->user)) {
                        ret->role_changed = true;
                        return;
                }
                if (e->has_event && readers_have(e->readers, reader->user, reader->agent)) {
                        if (ret->n == reader->max || (ret->n && bytes + e->bytes > reader->max_bytes)) {
                                ret->more = true;
                                return;
                        }
                        bytes += e->bytes;
                        ret->events[ret->n++] = e->event;
                }
                ret->to = seq;
        }
}

/* An event of this type for a user; its data point nowhere else. */
static bool is_for_user(const struct shared_event *e, const struct schema_event *type, void *ret_data)
{
        struct arena arena = { 0 };
        bool is = e->has_event && e->readers->kind == AUDIENCE_USER && str_is(e->event.type, type->name) &&
                  !json_read(type->data, e->event.data, &arena, ret_data, NULL);

        arena_deinit(&arena);
        return is;
}

static bool changes_access(const struct shared_event *e, const struct schema_event *type, struct ulid *ret_ticket)
{
        struct event_access_lost data; /* both kinds have this shape */

        if (!is_for_user(e, type, &data))
                return false;
        *ret_ticket = data.ticket;
        return true;
}

bool event_loses(const struct shared_event *e, struct ulid *ret_ticket)
{
        return changes_access(e, &schema_event_access_lost, ret_ticket);
}

bool event_gains(const struct shared_event *e, struct ulid *ret_ticket)
{
        return changes_access(e, &schema_event_access_gained, ret_ticket);
}

bool event_changes_role(const struct shared_event *e, bool *ret_agent)
{
        struct event_role_changed data;

        if (!is_for_user(e, &schema_event_role_changed, &data))
                return false;
        *ret_agent = data.active && data.role != ROLE_CUSTOMER;
        return true;
}

bool tail_loses(const struct tail *t, int64_t after, struct ulid user, struct ulid ticket)
{
        struct ulid lost;

        for (int64_t seq = after + 1; seq <= tail_end(t); seq++)
                if (event_loses(at(t, seq), &lost) && ulid_eq(at(t, seq)->readers->target, user) && ulid_eq(lost, ticket))
                        return true;
        return false;
}

static struct str cursor_at(const struct tail *t, int64_t seq, const uint8_t hash[8], struct arena *arena)
{
        char *text = arena_alloc(arena, CURSOR_TEXT);
        struct cursor c = { .seq = seq };

        memcpy(c.instance, t->instance, sizeof(c.instance));
        memcpy(c.hash, hash, sizeof(c.hash));
        cursor_write(&t->key, &c, text);
        return (struct str){ text, CURSOR_TEXT };
}

struct str tail_cursor(const struct tail *t, int64_t seq, struct arena *arena)
{
        return cursor_at(t, seq, hash_at(t, seq), arena);
}

struct str shared_event_cursor(const struct shared_event *e, struct arena *arena)
{
        return cursor_at(e->tail, e->seq, e->hash, arena);
}

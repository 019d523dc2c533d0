#include "live_machine.h"

#include "codec.h"
#include "fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A message of the desk that waits for its turn. */
struct live_message_in {
        struct live_message_in *next;
        struct str text;
};

/* As the schema says; they go into a URL, too. */
static bool is_cursor(struct str s)
{
        return s.n > 0 && s.n <= LIVE_CURSOR_MAX && str_is_base64url(s);
}

static int64_t now_us(const struct live_machine *m)
{
        return clock_steady_us(m->clock);
}

static void move_to(struct live_machine *m, struct str cursor)
{
        buf_clear(&m->cursor);
        buf_str(&m->cursor, cursor);
}

static void messages_drop(struct live_machine *m)
{
        struct live_message_in *in;

        while ((in = m->first)) {
                m->first = in->next;
                free(in);
        }
        m->last = &m->first;
        m->now = (struct live_message){ 0 };
        m->event = 0;
}

int live_machine_init(struct live_machine *m, const struct clock *clock, uint32_t (*random)(uint32_t below), struct str cursor)
{
        if (cursor.n && !is_cursor(cursor))
                return -EINVAL;
        *m = (struct live_machine){ .clock = clock, .random = random, .state = LIVE_WAITING, .due_us = clock_steady_us(clock) };
        m->last = &m->first;
        buf_str(&m->cursor, cursor);
        return 0;
}

void live_machine_deinit(struct live_machine *m)
{
        messages_drop(m);
        buf_deinit(&m->cursor);
        buf_deinit(&m->text);
        arena_deinit(&m->arena);
}

/* ---- breaking, and coming back ---- */

/* Lets go of the connection, and comes back at a random moment within so long. */
static void leave_for(struct live_machine *m, int64_t within_ms)
{
        if (within_ms > LIVE_AFTER_MAX_MS)
                within_ms = LIVE_AFTER_MAX_MS;
        m->state = LIVE_WAITING;
        m->due_us = now_us(m) + (int64_t)m->random((uint32_t)within_ms + 1) * 1000;
        m->drop = true;
        m->connect = m->ack = m->ping = m->connected = m->reset = m->closed = m->asked = m->pinged = false;
        m->again_us = 0;
        m->session = (struct ulid){ 0 };
        messages_drop(m);
}

/* Exponential, with full jitter (M. Brooker, "Exponential Backoff And Jitter"): those whom one cause broke off do not come back together. */
static void leave(struct live_machine *m, int64_t at_least_ms)
{
        unsigned n = m->failures > m->setbacks ? m->failures : m->setbacks;
        int64_t pause_ms = (int64_t)LIVE_PAUSE_MIN_MS << (n < 16 ? n : 16);

        if (pause_ms > LIVE_PAUSE_MAX_MS)
                pause_ms = LIVE_PAUSE_MAX_MS;
        m->failures++;
        leave_for(m, pause_ms > at_least_ms ? pause_ms : at_least_ms);
}

/* For what the desk said, or for what it thought of what we said: were it to happen at each hello, hellos alone must not make us hurry. */
static void set_back(struct live_machine *m)
{
        leave(m, 0);
        m->setbacks++;
}

static void close_taken(struct live_machine *m)
{
        switch (m->close_code) {
        case 4002: /* what was seen was seen in another role */
                m->anew = true;
                buf_clear(&m->cursor);
                m->renew = true;
                set_back(m);
                break;
        case 4001:
                m->renew = true;
                set_back(m);
                break;
        case 1002:
        case 1003:
        case 1007:
        case 1009:
                set_back(m);
                break;
        default:
                leave(m, 0);
        }
}

/* ---- what happens ---- */

void live_machine_accepted(struct live_machine *m)
{
        m->renew = false;
        live_machine_heard(m);
}

void live_machine_unreachable(struct live_machine *m, int64_t retry_after_ms)
{
        if (m->state != LIVE_ENDED)
                leave(m, retry_after_ms);
}

void live_machine_end(struct live_machine *m, int code)
{
        leave_for(m, 0);
        m->state = LIVE_ENDED;
        m->drop = false;
        m->over = true;
        m->code = code;
}

void live_machine_refused(struct live_machine *m, int status, int64_t retry_after_ms)
{
        if (status == 401 && !m->renew) { /* the session is stale: at once, with another one */
                m->renew = true;
                leave_for(m, 0);
                m->drop = false;
        } else if (status == 401) {
                live_machine_end(m, FAULT_UNAUTHENTICATED);
        } else if (status == 403) {
                live_machine_end(m, FAULT_FORBIDDEN);
        } else if (status == 400 && m->cursor.n) {
                live_machine_end(m, FAULT_INVALID_PARAMS);
        } else if (status / 100 == 5 || status == 429 || m->greeted) {
                leave(m, retry_after_ms);
        } else {
                live_machine_end(m, -EPROTO);
        }
}

void live_machine_heard(struct live_machine *m)
{
        m->heard_us = now_us(m);
        m->pinged = false;
}

void live_machine_message(struct live_machine *m, struct str text)
{
        struct live_message_in *in;

        if (m->state == LIVE_WAITING || m->state == LIVE_ENDED)
                return;
        in = malloc(sizeof(*in) + text.n);
        if (!in)
                abort();
        *in = (struct live_message_in){ .text = { (const char *)(in + 1), text.n } };
        memcpy(in + 1, text.p, text.n);
        *m->last = in;
        m->last = &in->next;
}

void live_machine_closed(struct live_machine *m, int close_code)
{
        m->closed = m->state != LIVE_WAITING && m->state != LIVE_ENDED; /* after the messages that came before */
        m->close_code = close_code;
}

void live_machine_tick(struct live_machine *m)
{
        int64_t now = now_us(m), silence_us = now - m->heard_us;

        if (m->state == LIVE_WAITING && now >= m->due_us) {
                m->state = LIVE_CONNECTING;
                m->due_us = now + LIVE_CONNECT_MS * INT64_C(1000);
                m->connect = true;
        } else if (m->state == LIVE_CONNECTING && now >= m->due_us) {
                leave(m, 0);
        } else if (m->state == LIVE_OPEN) {
                if (silence_us >= LIVE_SILENCE_MS * INT64_C(1000)) {
                        leave(m, 0);
                } else if (silence_us >= LIVE_PING_MS * INT64_C(1000) && !m->pinged) {
                        m->pinged = true;
                        m->ping = true;
                }
                if (m->again_us && now >= m->again_us) {
                        m->again_us = 0;
                        m->ack = true;
                }
        }
}

int64_t live_machine_due_us(const struct live_machine *m)
{
        int64_t due;

        if (m->state == LIVE_ENDED)
                return INT64_MAX;
        if (m->state != LIVE_OPEN)
                return m->due_us;
        due = m->heard_us + (m->pinged ? LIVE_SILENCE_MS : LIVE_PING_MS) * INT64_C(1000);
        return m->again_us && m->again_us < due ? m->again_us : due;
}

bool live_machine_busy(const struct live_machine *m)
{
        return m->first || m->event < m->now.events.n;
}

/* ---- messages ---- */

static void hello_taken(struct live_machine *m)
{
        const struct live_message *in = &m->now;
        bool replay = in->has_mode && in->mode == LIVE_MODE_REPLAY;
        bool other_role = in->has_role && m->has_role && in->role != m->role;

        if (m->state != LIVE_CONNECTING || !in->has_cursor || !is_cursor(in->cursor) || !in->has_session ||
            ulid_parse(in->session, &m->session) || (replay && m->cursor.n && !str_eq(in->cursor, buf_view(&m->cursor)))) {
                set_back(m);
                return;
        }
        /* the close that told of it may have been lost with its connection, and what was fetched then was the old role's */
        m->anew = m->anew || other_role;
        m->reset = m->anew || (in->has_mode && in->mode == LIVE_MODE_RESET);
        m->reason = in->has_reason ? in->reason : m->anew ? STR("the role changed") : (struct str){ 0 };
        m->has_role = in->has_role;
        m->role = in->has_role ? (int)in->role : 0;
        move_to(m, in->cursor);
        m->state = LIVE_OPEN;
        m->failures = 0;
        m->connected = m->greeted = true;
        m->anew = m->told = false;
}

static void reset_taken(struct live_machine *m)
{
        if (!m->now.has_cursor || !is_cursor(m->now.cursor)) {
                set_back(m);
                return;
        }
        m->reset = true;
        m->reason = m->now.has_reason ? m->now.reason : (struct str){ 0 };
        m->asked = false;
        m->again_us = 0;
        m->setbacks = 0;
        move_to(m, m->now.cursor);
}

/* All of the frame was given out. */
static void frame_done(struct live_machine *m)
{
        if (!m->now.has_to)
                return;
        move_to(m, m->now.to);
        if (m->now.has_more && m->now.more)
                m->ack = true;
}

static void frame_taken(struct live_machine *m)
{
        struct live_message *in = &m->now;
        struct str cursor = buf_view(&m->cursor);

        if (!in->has_from && !in->has_to)
                return; /* ephemeral: the cursor does not know of it */
        if (!in->has_from || !in->has_to || !is_cursor(in->to)) {
                set_back(m);
        } else if (str_eq(in->from, cursor)) {
                m->setbacks = 0;
                if (!str_eq(in->to, cursor)) { /* a heartbeat answers no acknowledgement */
                        m->asked = false;
                        m->again_us = 0;
                }
                if (!in->events.n)
                        frame_done(m);
        } else if (str_eq(in->to, cursor)) {
                *in = (struct live_message){ 0 }; /* seen already */
        } else {
                set_back(m); /* a gap: the desk goes on from our cursor when asked again */
        }
}

/* The next message begins to be the current one. */
static void message_take(struct live_machine *m)
{
        struct live_message_in *taken = m->first;
        struct live_message *in = &m->now;
        struct str text;

        m->first = taken->next;
        if (!m->first)
                m->last = &m->first;
        arena_reset(&m->arena);
        text = arena_str(&m->arena, taken->text);
        free(taken);
        m->event = 0;
        if (json_read(&schema_type_live_message, text, &m->arena, in, NULL)) {
                set_back(m);
        } else if (in->has_type && str_is(in->type, "hello")) {
                hello_taken(m);
        } else if (m->state != LIVE_OPEN) {
                set_back(m);
        } else if (!in->has_type) {
                frame_taken(m);
        } else if (str_is(in->type, "reset")) {
                reset_taken(m);
        } else if (str_is(in->type, "pull")) {
                m->ack = true;
        } else if (str_is(in->type, "bye")) {
                leave_for(m, in->has_retry_after_ms ? in->retry_after_ms : 0);
        } else if (str_is(in->type, "error") && m->asked) {
                m->again_us = now_us(m) + LIVE_ACK_AGAIN_MS * INT64_C(1000);
        }
        if (in->has_type)
                in->events.n = 0;
}

/* ---- what to do ---- */

static bool taken(bool *flag)
{
        bool was = *flag;

        *flag = false;
        return was;
}

static struct live_action event_action(struct live_machine *m)
{
        const struct event *event = &m->now.events.items[m->event++];

        if (m->event == m->now.events.n)
                frame_done(m);
        return (struct live_action){ .what = LIVE_EVENT, .event = event };
}

static struct live_action ack_action(struct live_machine *m)
{
        m->asked = true;
        buf_clear(&m->text);
        buf_format(&m->text, "{\"type\":\"ack\",\"cursor\":\"%.*s\"}", STR_ARG(buf_view(&m->cursor)));
        return (struct live_action){ .what = LIVE_SEND, .text = buf_view(&m->text) };
}

struct live_action live_machine_next(struct live_machine *m)
{
        for (;;) {
                if (taken(&m->drop)) {
                        struct live_action a = { .what = LIVE_DROP, .first = !m->told };

                        m->told = true;
                        return a;
                }
                if (taken(&m->over))
                        return (struct live_action){ .what = LIVE_OVER, .code = m->code };
                if (taken(&m->connect))
                        return (struct live_action){ .what = LIVE_CONNECT, .renew = m->renew };
                if (taken(&m->connected))
                        return (struct live_action){ .what = LIVE_CONNECTED };
                if (taken(&m->reset))
                        return (struct live_action){ .what = LIVE_RESET, .text = m->reason };
                if (m->event < m->now.events.n)
                        return event_action(m);
                if (taken(&m->ack))
                        return ack_action(m);
                if (taken(&m->ping))
                        return (struct live_action){ .what = LIVE_SEND, .text = STR("{\"type\":\"ping\"}") };
                if (m->first)
                        message_take(m);
                else if (taken(&m->closed))
                        close_taken(m);
                else
                        return (struct live_action){ 0 };
        }
}

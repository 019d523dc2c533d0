#include "live_session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct gateway *gateway_of(const struct live_session *s)
{
        return s->live->gateway;
}

static int64_t now_us(const struct live_session *s)
{
        return clock_steady_us(gateway_of(s)->service->clock);
}

/* ---- frames ---- */

struct str live_session_cursor(const struct live_session *s)
{
        return (struct str){ s->cursor, CURSOR_TEXT };
}

static void move_to(struct live_session *s, const char to[CURSOR_TEXT])
{
        memcpy(s->cursor, to, CURSOR_TEXT);
}

static void pull(struct live_session *s);

static void send_frame(struct live_session *s, struct frame *frame)
{
        if (ws_queued(s->ws) > LIVE_QUEUE_BYTES) {
                pull(s);
                return;
        }
        memcpy(frame->from, s->cursor, CURSOR_TEXT);
        if (ws_send_frame(s->ws, (struct str){ frame->bytes, frame->n }))
                move_to(s, frame->to);
}

/* Moves an idle client's cursor on, and shows it that we are there. */
static void send_empty(struct live_session *s)
{
        struct str to = live_position(s);
        struct buf b = { 0 };

        if (!to.n)
                to = live_session_cursor(s);
        buf_format(&b, "{\"from\":\"%.*s\",\"to\":\"%.*s\",\"events\":[]}", STR_ARG(live_session_cursor(s)), STR_ARG(to));
        if (ws_send(s->ws, buf_view(&b)) && to.p != s->cursor)
                move_to(s, to.p);
        buf_deinit(&b);
}

static void hello(struct live_session *s, enum live_mode mode, struct str reason, struct str cursor);

void live_session_page(struct live_session *s, const struct event *events, size_t n, struct str to, bool more)
{
        bool moved = !str_eq(to, live_session_cursor(s));
        struct buf b = { 0 };

        if (s->request)
                hello(s, n || more ? LIVE_MODE_REPLAY : LIVE_MODE_LIVE, (struct str){ 0 }, s->has_cursor ? live_session_cursor(s) : to);
        if (!s->has_cursor) {
                s->has_cursor = true;
                move_to(s, to.p);
                return;
        }
        if (!moved && !more)
                return;
        if (more)
                s->state = LIVE_WAITING;
        buf_format(&b, "{\"from\":\"%.*s\",\"to\":\"%.*s\",\"events\":[", STR_ARG(live_session_cursor(s)), STR_ARG(to));
        for (size_t i = 0; i < n; i++) {
                if (i)
                        buf_char(&b, ',');
                json_write(&schema_type_event, &events[i], &b);
        }
        buf_text(&b, more ? "],\"more\":true}" : "]}");
        if (ws_send(s->ws, buf_view(&b)))
                move_to(s, to.p);
        buf_deinit(&b);
}

void live_session_reset(struct live_session *s, struct str reason, struct str to)
{
        struct buf b = { 0 };

        s->has_cursor = true;
        if (s->request) {
                move_to(s, to.p);
                hello(s, LIVE_MODE_RESET, reason, to);
                return;
        }
        buf_text(&b, "{\"type\":\"reset\",\"reason\":");
        json_string(&b, reason);
        buf_format(&b, ",\"cursor\":\"%.*s\"}", STR_ARG(to));
        if (ws_send(s->ws, buf_view(&b)))
                move_to(s, to.p);
        buf_deinit(&b);
}

/* Too much waits for a client: the rest it gets in pages, each when it has acknowledged the one before. */
static void pull(struct live_session *s)
{
        s->state = LIVE_WAITING;
        ws_send(s->ws, STR("{\"type\":\"pull\"}"));
}

static void held_free(struct live_session *s)
{
        struct held *d = s->first;

        s->first = d->next;
        if (!s->first)
                s->last = &s->first;
        s->waiting_bytes -= d->frame->n;
        frame_unref(d->frame);
        free(d);
}

void live_session_deliver(struct live_session *s, struct frame *frame)
{
        struct held *d;

        if (s->state == LIVE_PUSHED) {
                send_frame(s, frame);
                return;
        }
        if (s->state != LIVE_ATTACHING) /* its attachment is over: it reads on by itself */
                return;
        d = malloc(sizeof(*d));
        if (!d)
                abort();
        *d = (struct held){ .frame = frame, .epoch = s->live->epoch };
        frame->refs++;
        *s->last = d;
        s->last = &d->next;
        s->waiting_bytes += frame->n;
        if (s->waiting_bytes > LIVE_QUEUE_BYTES)
                live_attach(s); /* once more: what was held is then in the answer */
}

void live_session_mention(struct live_session *s, const struct frame *frame)
{
        if (!s->ws || s->state == LIVE_READING || s->state == LIVE_WAITING) /* it is told anew when it is attached again */
                return;
        if (ws_queued(s->ws) <= LIVE_QUEUE_BYTES)
                ws_send_frame(s->ws, (struct str){ frame->bytes, frame->n });
        else if (s->state == LIVE_PUSHED)
                pull(s);
}

void live_session_keep(struct live_session *s, struct str bytes)
{
        buf_clear(&s->kept);
        buf_str(&s->kept, bytes);
}

void live_session_drop_held(struct live_session *s)
{
        while (s->first)
                held_free(s);
}

void live_session_flush(struct live_session *s)
{
        while (s->first) {
                if (s->state == LIVE_PUSHED && ulid_eq(s->first->epoch, s->epoch))
                        send_frame(s, s->first->frame);
                held_free(s);
        }
}

/* ---- heartbeat ---- */

static void rest(struct live_session *s)
{
        int64_t ms = LIVE_SILENCE_MIN_MS + randombytes_uniform(LIVE_SILENCE_MAX_MS - LIVE_SILENCE_MIN_MS);

        s->pinged = false;
        loop_timer_set(s->timer, ms * 1000 - (now_us(s) - s->heard_us));
}

/* The caller as identity knows them now. */
static void on_refreshed(void *data, int code, const struct fault *fault, struct visitor *v)
{
        struct live_session *s = data;

        (void)fault;
        if (code == FAULT_UNAUTHENTICATED) {
                live_session_end(s, WS_CLOSE_UNAUTHENTICATED, "the session is over: open another one");
        } else if (!code && v != s->visitor) {
                bool same = v->role == s->visitor->role && v->has_user == s->visitor->has_user && ulid_eq(v->user, s->visitor->user);

                visitor_unref(s->visitor);
                s->visitor = visitor_ref(v);
                if (!same)
                        live_session_end(s, WS_CLOSE_ANEW, "the role changed: fetch anew");
        }
}

void live_session_refresh(struct live_session *s)
{
        struct visitors *vs = gateway_of(s)->visitors;
        const struct visit visit = { .address = str_of(s->visitor->address) };

        visitors_cancel(vs, s);
        visitors_find(vs, buf_view(&s->visitor->token), &visit, on_refreshed, s);
}

static void on_timer(void *data)
{
        struct live_session *s = data;

        if (s->leaving) {
                char bye[64];
                int n = snprintf(bye, sizeof(bye), "{\"type\":\"bye\",\"retry_after_ms\":%lld}", (long long)s->live->bye_ms);

                ws_send(s->ws, (struct str){ bye, (size_t)n });
                ws_close(s->ws, WS_CLOSE_GOING, "bye");
        } else if (s->pinged) {
                live_session_end(s, WS_CLOSE_GOING, "nothing was heard");
        } else if (now_us(s) - s->heard_us < LIVE_SILENCE_MIN_MS * INT64_C(1000)) {
                rest(s);
        } else {
                s->pinged = true;
                loop_timer_set(s->timer, LIVE_ANSWER_MS * INT64_C(1000));
                send_empty(s);
                ws_ping(s->ws);
        }
        if (!s->leaving)
                live_session_refresh(s);
}

void live_session_bye(struct live_session *s)
{
        uint32_t spread = s->live->n * 10 < LIVE_BYE_SPREAD_MS ? (uint32_t)s->live->n * 10 : LIVE_BYE_SPREAD_MS;

        if (s->leaving || !s->ws)
                return;
        s->leaving = true;
        loop_timer_set(s->timer, (int64_t)randombytes_uniform(spread + 1) * 1000);
}

/* ---- what the client says ---- */

static void send_error(struct live_session *s, int code, const struct fault *fault)
{
        struct buf b = { 0 };

        buf_format(&b, "{\"type\":\"error\",\"code\":-%d,\"message\":\"%s\",\"data\":", code, fault_name(code));
        json_write(&fault_type, fault, &b);
        buf_char(&b, '}');
        ws_send(s->ws, buf_view(&b));
        buf_deinit(&b);
}

/* The client has all that it was sent: the next page, if it waits for one. */
static void acknowledge(struct live_session *s, const struct live_request *in)
{
        if (s->state != LIVE_WAITING)
                return;
        if (in->has_cursor && str_eq(in->cursor, live_session_cursor(s)))
                live_attach(s);
        else
                send_error(s, FAULT_INVALID_PARAMS, &(struct fault){ .has_field = true, .field = STR("cursor"), .has_reason = true,
                                                                     .reason = STR("must be the `to` of the newest frame") });
}

static void on_text(void *data, struct str message)
{
        struct live_session *s = data;
        struct fault fault = { .has_reason = true };
        struct arena arena = { 0 };
        struct live_request in;
        int r = limits_take(gateway_of(s)->limits, LIMITS_READ, str_of(s->visitor->device), &s->visitor->user, now_us(s),
                            &fault.retry_after_ms);

        if (r) {
                fault.has_retry_after_ms = true;
                fault.reason = STR("too many messages");
                send_error(s, r, &fault);
        } else if (json_read(&schema_type_live_request, message, &arena, &in, NULL)) {
                fault.reason = STR("a message is a JSON object with a type");
                send_error(s, FAULT_INVALID_REQUEST, &fault);
        } else if (str_is(in.type, "ping")) {
                ws_send(s->ws, STR("{\"type\":\"pong\"}"));
                send_empty(s);
        } else if (str_is(in.type, "ack")) {
                acknowledge(s, &in);
        } else {
                fault.reason = STR("unknown type");
                send_error(s, FAULT_METHOD_NOT_FOUND, &fault);
        }
        arena_deinit(&arena);
}

static void on_heard(void *data)
{
        struct live_session *s = data;

        s->heard_us = now_us(s);
        if (s->pinged && !s->leaving) /* else the timer is the bye's */
                rest(s);
}

static void on_closed(void *data)
{
        live_session_free(data);
}

static const struct ws_events events = { .text = on_text, .heard = on_heard, .closed = on_closed };

/* ---- life ---- */

static void hello(struct live_session *s, enum live_mode mode, struct str reason, struct str cursor)
{
        struct request *q = s->request;
        char id[ULID_TEXT + 1];
        struct buf b = { 0 };

        ulid_text(s->id, id);
        s->request = NULL;
        s->ws = ws_new(q, &events, s);
        buf_format(&b, "{\"type\":\"hello\",\"session\":\"%s\",\"mode\":\"%s\"", id, schema_enum_live_mode.values[mode]);
        if (reason.n) {
                buf_text(&b, ",\"reason\":");
                json_string(&b, reason);
        }
        buf_format(&b, ",\"role\":\"%s\"", schema_enum_role.values[s->visitor->role - SCHEMA_ROLE_CUSTOMER]);
        buf_format(&b, ",\"cursor\":\"%.*s\",\"heartbeat_ms\":%d,\"now\":%lld}", STR_ARG(cursor), LIVE_SILENCE_MAX_MS,
                   (long long)clock_now_ms(gateway_of(s)->service->clock));
        ws_send(s->ws, buf_view(&b));
        buf_deinit(&b);
        s->heard_us = now_us(s);
        rest(s);
        if (s->live->draining)
                live_session_bye(s);
}

static void on_retry(void *data)
{
        struct live_session *s = data;

        if (s->state == LIVE_READING)
                live_read(s);
        else
                live_attach(s);
}

struct live_session *live_session_new(struct live *live, struct request *q)
{
        struct live_session *s = calloc(1, sizeof(*s));

        if (!s)
                abort();
        s->live = live;
        s->request = q;
        s->visitor = visitor_ref(q->visitor);
        s->last = &s->first;
        s->id = ulid_new(clock_now_ms(live->gateway->service->clock));
        s->timer = loop_timer_new(live->gateway->service->loop, on_timer, s);
        s->retry = loop_timer_new(live->gateway->service->loop, on_retry, s);
        live_slot_take(live, s);
        DL_APPEND(live->sessions, s);
        live->n++;
        return s;
}

void live_session_free(struct live_session *s)
{
        struct live *live = s->live;

        rpc_cancel(live->gateway->fanout, s);
        rpc_cancel(live->gateway->store, s);
        visitors_cancel(live->gateway->visitors, s);
        if (s->number)
                live_detach(live, s->id);
        live_slot_leave(live, s);
        DL_DELETE(live->sessions, s);
        live->n--;
        live_session_drop_held(s);
        ws_free(s->ws);
        visitor_unref(s->visitor);
        loop_timer_free(s->timer);
        loop_timer_free(s->retry);
        buf_deinit(&s->kept);
        free(s);
}

void live_session_end(struct live_session *s, enum ws_close code, const char *reason)
{
        if (s->ws) {
                ws_close(s->ws, code, reason);
                return;
        }
        /* not upgraded yet: the HTTP answer says it */
        request_fail(s->request, FAULT_UNAUTHENTICATED,
                     &(struct fault){ .has_reason = true, .reason = str_of(reason) });
        live_session_free(s);
}

bool live_session_belongs(const struct live_session *s, const struct caller_change *change)
{
        const struct visitor *v = s->visitor;

        return (change->has_user && v->has_user && ulid_eq(change->user, v->user)) ||
               (change->device.n > 0 && str_is(change->device, v->device));
}

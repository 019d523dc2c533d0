#include "live_session.h"

#include "router.h"
#include <stdlib.h>
#include <string.h>

/* ---- attaching ---- */

static void on_attached(void *data, const struct rpc_reply *reply);

/* A call that can't be made or failed for now. Before the hello the client hears of it, afterwards we try until it works. */
static void failed(struct live_session *s, int code, const struct fault *fault)
{
        struct gateway *g = s->live->gateway;

        if (s->request && code == FAULT_UNAVAILABLE &&
            clock_steady_us(g->service->clock) - s->request->began_us < RPC_TIMEOUT_MS * INT64_C(1000)) {
                loop_timer_set(s->retry, LIVE_RETRY_US);        /* a service that has just started says so at once */
        } else if (s->request) {
                struct request *q = s->request;

                s->request = NULL;
                live_session_free(s);
                request_fail(q, code, fault);
        } else if (code == FAULT_UNAUTHENTICATED || code == FAULT_FORBIDDEN) {
                live_session_end(s, WS_CLOSE_UNAUTHENTICATED, "the session is over: open another one");
        } else {
                loop_timer_set(s->retry, LIVE_RETRY_US);
        }
}

void live_attach(struct live_session *s)
{
        struct live *live = s->live;
        struct live_attach in = { .gateway = live->gateway->id, .id = s->id, .has_cursor = s->has_cursor, .cursor = live_session_cursor(s),
                                  .has_kept = s->kept.n > 0, .kept = buf_view(&s->kept), .again = !s->request };
        struct rpc_request request = { .method = &schema_method_live_attach, .params = &in, .caller = buf_view(&s->visitor->sealed) };

        if (s->asking) {        /* its answer is about what is over */
                s->stale = true;
                return;
        }
        loop_timer_stop(s->retry);
        live_session_drop_held(s);
        s->state = LIVE_ATTACHING;
        s->number = in.session = ++live->attachments << LIVE_SLOT_BITS | (int64_t)s->slot;
        if (s->request) {
                request.request = s->request->id;
                request.client_request = s->request->client_id;
        }
        s->asking = true;
        if (rpc_call(live->gateway->fanout, &request, on_attached, s))
                abort();        /* only a message beyond its limit fails, and these are small */
}

static bool begin_anew(struct live_session *s)
{
        s->asking = false;
        if (!s->stale)
                return false;
        s->stale = false;
        live_attach(s);
        return true;
}

static void go_live(struct live_session *s)
{
        s->state = LIVE_PUSHED;
        live_session_flush(s);
}

static void on_attached(void *data, const struct rpc_reply *reply)
{
        const struct live_attach_result *in = reply->result;
        struct live_session *s = data;
        struct live *live = s->live;

        if (begin_anew(s))
                return;
        if (!reply->code && live->has_epoch && ulid_cmp(in->epoch, live->epoch) < 0) {  /* a fanout that is gone by now */
                live_attach(s);
                return;
        }
        if (reply->code) {
                failed(s, reply->code, reply->fault);
                return;
        }
        s->epoch = in->epoch;
        s->order = in->order;
        switch (in->outcome) {
        case ATTACH_OUTCOME_LOG:
                live_read(s);
                return;
        case ATTACH_OUTCOME_RESET:
                live_session_reset(s, in->reason, in->cursor);
                go_live(s);
                return;
        case ATTACH_OUTCOME_PAGE:
                live_session_page(s, in->events.items, in->events.n, in->cursor, true);
                return;
        case ATTACH_OUTCOME_LIVE:
                live_session_page(s, in->events.items, in->events.n, in->cursor, false);
                go_live(s);
                return;
        }
}

/* ---- reading from the log ---- */

static void on_page(void *data, const struct rpc_reply *reply)
{
        const struct op_since_result *in = reply->result;
        struct live_session *s = data;

        if (begin_anew(s))
                return;
        if (reply->code) {
                failed(s, reply->code, reply->fault);
        } else if (in->mode == SINCE_MODE_RESET) {
                live_session_reset(s, in->reason, in->to);
                live_attach(s);
        } else if (!in->more && str_eq(in->to, live_session_cursor(s))) {
                /* the client knows more than fanout yet: soon it has read on */
                s->state = LIVE_ATTACHING;
                loop_timer_set(s->retry, LIVE_AHEAD_US);
        } else {
                live_session_page(s, in->events.items, in->events.n, in->to, in->more);
                if (!in->more)
                        live_attach(s);
        }
}

void live_read(struct live_session *s)
{
        const struct op_since in = { .cursor = live_session_cursor(s), .max_bytes = LIVE_PAGE_BYTES };
        struct rpc_request request = { .method = &schema_method_op_since, .params = &in, .caller = buf_view(&s->visitor->sealed) };

        s->state = LIVE_READING;
        if (s->request) {
                request.request = s->request->id;
                request.client_request = s->request->client_id;
        }
        s->asking = true;
        if (rpc_call(s->live->gateway->store, &request, on_page, s))
                abort();        /* likewise */
}

/* ---- slots ---- */

void live_slot_take(struct live *live, struct live_session *s)
{
        if (!live->n_free) {
                size_t n = live->n_slots ? 2 * live->n_slots : 64;

                live->slots = realloc(live->slots, n * sizeof(struct live_session *));
                live->free_slots = realloc(live->free_slots, n * sizeof(uint32_t));
                if (!live->slots || !live->free_slots)
                        abort();
                for (size_t i = n; i-- > live->n_slots;) {
                        live->slots[i] = NULL;
                        live->free_slots[live->n_free++] = (uint32_t)i;
                }
                live->n_slots = n;
        }
        s->slot = live->free_slots[--live->n_free];
        live->slots[s->slot] = s;
}

void live_slot_leave(struct live *live, const struct live_session *s)
{
        live->slots[s->slot] = NULL;
        live->free_slots[live->n_free++] = s->slot;
}

/* Whose attachment it is; NULL where it is over. */
static struct live_session *attached(const struct live *live, int64_t number)
{
        uint64_t slot = (uint64_t)number & ((UINT64_C(1) << LIVE_SLOT_BITS) - 1);
        struct live_session *s = slot < live->n_slots ? live->slots[slot] : NULL;

        return s && s->number == number ? s : NULL;
}

/* ---- following fanout ---- */

static void deliver(struct live *live, const struct delivery *item)
{
        struct live_session *next = item->sessions.n ? attached(live, item->sessions.items[0]) : NULL;
        struct frame *frame = NULL;

        if (item->event)
                frame = item->has_cursor ? frame_of_op(item->event, item->cursor.p) : frame_ephemeral(item->event);
        for (size_t i = 0; i < item->sessions.n; i++) {
                struct live_session *s = next;

                /* while one is written to, the memory of the next one comes */
                next = i + 1 < item->sessions.n ? attached(live, item->sessions.items[i + 1]) : NULL;
                if (next)
                        __builtin_prefetch(next->ws);
                if (!s)
                        continue;       /* of an attachment that is over */
                if (item->has_keep)
                        live_session_keep(s, item->keep);
                if (frame && frame->to)
                        live_session_deliver(s, frame);
                else if (frame)
                        live_session_mention(s, frame);
        }
        frame_unref(frame);
}

static void follow_ask(void *data, void *params)
{
        struct live *live = data;

        *(struct live_follow *)params = (struct live_follow){ .gateway = live->gateway->id, .after = live->after, .max_bytes = 1048576 };
}

static void follow_take(void *data, const void *result)
{
        const struct live_follow_result *in = result;
        struct live *live = data;
        struct live_session *s, *next;

        buf_clear(&live->position);
        /* Another fanout, or one that has dropped our queue: what it has queued for us since may be lost to us, so every session
         * begins again from its own cursor. */
        if ((live->has_epoch && !ulid_eq(live->epoch, in->epoch)) || in->head < live->after) {
                live->epoch = in->epoch;
                live->after = in->head;
                DL_FOREACH_SAFE(live->sessions, s, next)
                        if (s->state != LIVE_WAITING)   /* else once its client has acknowledged what it was sent */
                                live_attach(s);
                return;
        }
        live->has_epoch = true;
        live->epoch = in->epoch;
        live->after = in->head;
        for (size_t i = 0; i < in->items.n; i++)
                deliver(live, &in->items.items[i]);
        buf_str(&live->position, in->position);
        live->position_order = in->order;
}

struct str live_position(const struct live_session *s)
{
        const struct live *live = s->live;

        if (s->state != LIVE_PUSHED || !ulid_eq(s->epoch, live->epoch) || s->order > live->position_order)
                return (struct str){ 0 };
        return buf_view(&live->position);
}

/* ---- detaching: many at once where many end ---- */

static void detach(struct live *live);

static void on_detached(void *data, const struct rpc_reply *reply)
{
        struct live *live = data;

        if (reply->code != FAULT_UNAVAILABLE) { /* else it is said again: fanout would push to them for ever */
                live->n_gone -= live->detaching;
                memmove(live->gone, live->gone + live->detaching, live->n_gone * sizeof(*live->gone));
        }
        live->detaching = 0;
        detach(live);
}

static void detach(struct live *live)
{
        struct live_detach in = { .gateway = live->gateway->id };

        if (live->detaching || !live->n_gone)
                return;
        live->detaching = live->n_gone < LIVE_DETACH_MAX ? live->n_gone : LIVE_DETACH_MAX;
        in.sessions.items = live->gone;
        in.sessions.n = live->detaching;
        if (rpc_call(live->gateway->fanout, &(struct rpc_request){ .method = &schema_method_live_detach, .params = &in }, on_detached, live))
                abort();        /* likewise */
}

void live_detach(struct live *live, struct ulid id)
{
        if (live->n_gone == live->gone_capacity) {
                live->gone_capacity = live->gone_capacity ? 2 * live->gone_capacity : 64;
                live->gone = realloc(live->gone, live->gone_capacity * sizeof(*live->gone));
                if (!live->gone)
                        abort();
        }
        live->gone[live->n_gone++] = id;
        detach(live);
}

/* ---- GET /ws ---- */

/* In a storm nobody is asked about who can't get in; and only who is known takes a place, else a stranger could take them all. */
static int admit(struct request *q, bool (*admission)(struct admission *, int64_t, int64_t *), struct fault *ret)
{
        *ret = (struct fault){ .has_retry_after_ms = true, .has_reason = true, .reason = STR("many connect at once; wait a while") };
        return admission(&q->gateway->admission, clock_steady_us(q->gateway->service->clock), &ret->retry_after_ms) ? 0 : FAULT_UNAVAILABLE;
}

static void on_known(struct request *q, int code, const struct fault *fault)
{
        struct live *live = q->gateway->live;
        struct str cursor = request_query(q, "cursor");
        struct live_session *s;
        struct fault own = { 0 };

        if (!code) {
                code = request_may(q, &schema_method_live_attach);
                fault = NULL;
        }
        if (!code) {
                code = request_charge(q, "read", &own);
                fault = &own;
        }
        if (!code && cursor.n && (cursor.n != CURSOR_TEXT || !str_is_base64url(cursor))) {
                own = (struct fault){ .has_field = true, .field = STR("cursor"), .has_reason = true,
                                      .reason = STR("must be a cursor that this server gave") };
                code = FAULT_INVALID_PARAMS;
        }
        if (!code)
                code = admit(q, admission_take, &own);
        if (code) {
                request_fail(q, code, fault);
                return;
        }
        s = live_session_new(live, q);
        s->has_cursor = cursor.n > 0;
        if (s->has_cursor)
                memcpy(s->cursor, cursor.p, CURSOR_TEXT);
        live_attach(s);
}

void live_route(struct request *q)
{
        struct fault fault;
        const char *reason;
        struct str token;
        int status = ws_handshake(q, &token, &reason);

        if (status == 426) {
                request_add_header(q, "upgrade", STR("websocket"));
                request_add_header(q, "sec-websocket-version", STR("13"));
        }
        if (status)
                request_refuse(q, status, FAULT_INVALID_REQUEST, reason);
        else if (q->gateway->draining)
                request_refuse(q, 503, FAULT_UNAVAILABLE, "this gateway is stopping; connect again");
        else if (admit(q, admission_open, &fault))
                request_fail(q, FAULT_UNAVAILABLE, &fault);
        else
                request_identify(q, token, on_known);
}

/* ---- callers that changed ---- */

/* To the sessions of whose device it is. */
static void device_changed(struct live *live, const struct caller_change *change)
{
        const struct event_device_changed data = { .device = change->about, .bound = change->bound };
        struct buf json = { 0 };
        struct live_session *s;
        struct frame *frame;

        json_write(schema_event_device_changed.data, &data, &json);
        frame = frame_ephemeral(&(struct event){ .type = str_of(schema_event_device_changed.name), .data = buf_view(&json),
                                                 .at = clock_now_ms(live->gateway->service->clock) });
        buf_deinit(&json);
        DL_FOREACH(live->sessions, s)
                if (s->visitor->has_user && ulid_eq(s->visitor->user, change->owner) && !live_session_belongs(s, change))
                        live_session_mention(s, frame);
        frame_unref(frame);
}

void live_caller_changed(struct live *live, const struct caller_change *change)
{
        struct live_session *s, *next;

        if (change->has_owner)
                device_changed(live, change);

        DL_FOREACH_SAFE(live->sessions, s, next)
                if (live_session_belongs(s, change))
                        live_session_end(s, change->role ? WS_CLOSE_ANEW : WS_CLOSE_UNAUTHENTICATED,
                                         change->role ? "the role changed: fetch anew" : "the session is over: open another one");
}

void live_callers_reset(struct live *live)
{
        struct live_session *s, *next;

        DL_FOREACH_SAFE(live->sessions, s, next)
                live_session_refresh(s);
}

/* ---- life ---- */

struct live *live_new(struct gateway *g)
{
        struct live *live = calloc(1, sizeof(*live));

        if (!live)
                abort();
        live->gateway = g;
        return live;
}

int live_follow(struct live *live)
{
        return follower_new(live->gateway->service->loop,
                            &(struct follower_options){ .client = live->gateway->fanout, .method = &schema_method_live_follow,
                                                        .ask = follow_ask, .take = follow_take, .data = live },
                            &live->follower);
}

void live_drain(struct live *live)
{
        struct live_session *s;

        live->draining = true;
        live->bye_ms = admission_spread_ms(&live->gateway->admission, (int64_t)live->n);
        DL_FOREACH(live->sessions, s)
                live_session_bye(s);
}

size_t live_count(const struct live *live)
{
        return live->n;
}

void live_free(struct live *live)
{
        struct live_session *s, *next;

        if (!live)
                return;
        follower_free(live->follower);
        live->detaching = 1;            /* fanout is told no more: it forgets a gateway that does not ask */
        DL_FOREACH_SAFE(live->sessions, s, next) {
                if (s->request)
                        request_end(s->request);
                live_session_free(s);
        }
        if (live->gateway->fanout)
                rpc_cancel(live->gateway->fanout, live);
        buf_deinit(&live->position);
        free(live->gone);
        free(live->slots);
        free(live->free_slots);
        free(live);
}

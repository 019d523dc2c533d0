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
        struct live_attach in = { .gateway = live->gateway->id };
        struct rpc_request request = { .method = &schema_method_live_attach, .params = &in, .caller = buf_view(&s->visitor->sealed) };

        if (s->asking) {        /* its answer is about what is over */
                s->stale = true;
                return;
        }
        loop_timer_stop(s->retry);
        if (s->number) {
                HASH_DEL(live->by_number, s);
                live_detach(live, s->number);
        }
        live_session_drop_held(s);      /* the replay will have them */
        s->state = LIVE_ATTACHING;
        s->number = in.session = ++live->numbers;
        HASH_ADD(hh, live->by_number, number, sizeof(s->number), s);
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
        buf_clear(&s->until);
        buf_str(&s->until, in->position);
        if (s->has_cursor && !str_eq(buf_view(&s->cursor), in->position)) {
                s->state = LIVE_REPLAYING;
                live_replay(s);
                return;
        }
        if (!s->has_cursor)
                buf_str(&s->cursor, in->position);
        if (s->request)
                live_session_hello(s, s->has_cursor ? "replay" : "live", (struct str){ 0 });
        s->has_cursor = true;
        go_live(s);
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
                return;
        }
        if (in->mode == SINCE_MODE_RESET) {
                /* not to where store is: what is delivered from the attachment's position on comes anyway */
                if (s->request) {
                        buf_clear(&s->cursor);
                        buf_str(&s->cursor, buf_view(&s->until));
                        live_session_hello(s, "reset", in->reason);
                } else {
                        live_session_reset(s, in->reason, buf_view(&s->until));
                }
                go_live(s);
                return;
        }
        if (s->request)
                live_session_hello(s, "replay", (struct str){ 0 });
        live_session_page(s, in);
        if (!in->more && !str_eq(in->to, buf_view(&s->until))) {
                s->state = LIVE_ATTACHING; /* the client knows more than fanout yet: what it would be sent it has seen */
                loop_timer_set(s->retry, LIVE_AHEAD_US);
        } else if (!in->more) {
                go_live(s);
        } else if (ws_queued(s->ws) == 0) {
                live_replay(s);
        }
}

void live_replay(struct live_session *s)
{
        const struct op_since in = { .cursor = buf_view(&s->cursor), .has_until = true, .until = buf_view(&s->until),
                                     .max_bytes = LIVE_PAGE_BYTES };
        struct rpc_request request = { .method = &schema_method_op_since, .params = &in, .caller = buf_view(&s->visitor->sealed) };

        if (s->request) {
                request.request = s->request->id;
                request.client_request = s->request->client_id;
        }
        s->asking = true;
        if (rpc_call(s->live->gateway->store, &request, on_page, s))
                abort();        /* likewise */
}

/* ---- following fanout ---- */

static void deliver(struct live *live, const struct delivery *item)
{
        struct str to;
        struct ws_shared *tail = live_tail(&item->event, item->cursor, &to);
        struct live_session *s;

        for (size_t i = 0; i < item->sessions.n; i++) {
                HASH_FIND(hh, live->by_number, &item->sessions.items[i], sizeof(int64_t), s);
                if (s)
                        live_session_deliver(s, tail, to);
                else
                        live_detach(live, item->sessions.items[i]);
        }
        ws_shared_unref(tail);
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

static void on_detached(void *data, const struct rpc_reply *reply)
{
        struct live *live = data;

        (void)reply;            /* where fanout is away, it has forgotten them anyway */
        live->detaching = false;
        if (live->gone.n > 0)
                live_detach(live, 0);
}

void live_detach(struct live *live, int64_t number)
{
        struct live_detach in = { .gateway = live->gateway->id };
        int64_t *numbers = live->gone.items;

        if (number && live->gone.n < LIVE_DETACH_MAX)
                numbers[live->gone.n++] = number;
        if (live->detaching || live->gone.n == 0)
                return;
        in.sessions.items = numbers;
        in.sessions.n = live->gone.n;
        live->detaching = true;
        if (rpc_call(live->gateway->fanout, &(struct rpc_request){ .method = &schema_method_live_detach, .params = &in }, on_detached, live))
                abort();        /* likewise */
        live->gone.n = 0;
}

/* ---- GET /ws ---- */

static bool is_cursor(struct str s)
{
        if (s.n == 0 || s.n > LIVE_CURSOR_MAX)
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", s.p[i], 64))
                        return false;
        return true;
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
        if (!code && cursor.n && !is_cursor(cursor)) {
                own = (struct fault){ .has_field = true, .field = STR("cursor"), .has_reason = true,
                                      .reason = STR("must be a cursor that this server gave") };
                code = FAULT_INVALID_PARAMS;
        }
        if (code) {
                request_fail(q, code, fault);
                return;
        }
        s = live_session_new(live, q);
        s->has_cursor = cursor.n > 0;
        buf_str(&s->cursor, cursor);
        live_attach(s);
}

void live_route(struct request *q)
{
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
        else
                request_identify(q, token, on_known);
}

/* ---- callers that changed ---- */

void live_caller_changed(struct live *live, const struct caller_change *change)
{
        struct live_session *s, *next;

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
        live->gone.items = calloc(LIVE_DETACH_MAX, sizeof(int64_t));
        if (!live->gone.items)
                abort();
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
        live->detaching = true;         /* fanout is told no more: it forgets a gateway that does not ask */
        DL_FOREACH_SAFE(live->sessions, s, next) {
                if (s->request)
                        request_end(s->request);
                live_session_free(s);
        }
        if (live->gateway->fanout)
                rpc_cancel(live->gateway->fanout, live);
        buf_deinit(&live->position);
        free(live->gone.items);
        free(live);
}

/* The live side: its machine's rules (live_machine.h), carried out by a socket and by libcurl on a loop of its own. */
#include "live_socket.h"
#include "private.h"

#include "curl_loop.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct assist_live {
        struct assist *a;
        struct loop *loop;
        struct loop_timer *timer;        /* when the machine is due */
        struct live_machine machine;
        struct live_socket socket;
        struct assist_error error;       /* why it broke, or why it is over */
        bool told;                       /* the machine was told something */

        struct curl_loop *curl_loop;     /* the session's opening */
        CURL *curl;
        struct opening opening;
        struct http_transfer transfer;
        bool transferring;
        struct arena arena;
};

/* ---- opening the session ---- */

static void opening_send(struct assist_live *l)
{
        const struct http_request request = opening_request(&l->opening);

        http_begin(l->a, &request, l->curl, &l->transfer);
        l->transferring = true;
        if (curl_loop_add(l->curl_loop, l->curl))
                abort();
}

static void opening_drop(struct assist_live *l)
{
        struct http_answer ignored;

        if (!l->transferring)
                return;
        l->transferring = false;
        curl_loop_remove(l->curl_loop, l->curl);
        http_end(&l->transfer, CURLE_OK, &l->arena, &ignored);
        opening_deinit(&l->opening);
}

static void on_answered(void *data, CURL *easy, CURLcode code)
{
        struct assist_live *l = data;
        struct http_answer answer;
        bool passes;
        int r;

        (void)easy;
        arena_reset(&l->arena);
        r = http_end(&l->transfer, code, &l->arena, &answer);
        l->transferring = false;
        passes = http_passes(r, &answer);
        r = opening_answered(&l->opening, r, &answer, &l->arena, &l->error);
        if (r == OPENING_NEXT) {
                opening_send(l);
                return;
        }
        opening_deinit(&l->opening);
        l->told = true;
        if (!r && !l->a->identity.bound)
                live_machine_end(&l->machine, FAULT_UNAUTHENTICATED);
        else if (!r)
                live_socket_dial(&l->socket, buf_view(&l->machine.cursor));
        else if (passes || r == FAULT_EXPIRED) /* a nonce that grew old on its way */
                live_machine_unreachable(&l->machine, answer.retry_after_ms);
        else
                live_machine_end(&l->machine, r);
}

static void connect_begin(struct assist_live *l, bool renew)
{
        assist_fail(&l->error, -ETIMEDOUT, "the desk at %s:%d does not answer", l->a->address, l->a->port);
        if (renew)
                l->a->token[0] = '\0';
        if (l->a->token[0]) {
                live_socket_dial(&l->socket, buf_view(&l->machine.cursor));
                return;
        }
        opening_begin(&l->opening, l->a);
        opening_send(l);
}

/* ---- what the machine wants done ---- */

static int over(struct assist_live *l, int code, struct assist_error *error)
{
        switch (code) {
        case FAULT_UNAUTHENTICATED:
                return assist_fail(error, code, "this device is nobody's yet at %s:%d; bind it first", l->a->address, l->a->port);
        case FAULT_INVALID_PARAMS:
                return assist_fail(error, code, "the desk does not know this cursor");
        default:
                *error = l->error;
                error->code = code;
                return code;
        }
}

/* ASSIST_LIVE_NOTHING where there is nothing to be told. */
static int act(struct assist_live *l, const struct live_action *action, const struct event **ret, struct assist_error *error)
{
        switch (action->what) {
        case LIVE_NOTHING:
                break;
        case LIVE_CONNECT:
                connect_begin(l, action->renew);
                break;
        case LIVE_SEND:
                live_socket_send(&l->socket, action->text);
                break;
        case LIVE_DROP:
                opening_drop(l);
                live_socket_close(&l->socket);
                if (!action->first)
                        break;
                *error = l->error;
                return ASSIST_LIVE_BROKEN;
        case LIVE_CONNECTED:
                return ASSIST_LIVE_CONNECTED;
        case LIVE_RESET:
                assist_fail(error, 0, "%.*s", STR_ARG(action->text));
                return ASSIST_LIVE_RESET;
        case LIVE_EVENT:
                *ret = action->event;
                return ASSIST_LIVE_EVENT;
        case LIVE_OVER:
                opening_drop(l);
                live_socket_close(&l->socket);
                return over(l, action->code, error);
        }
        return ASSIST_LIVE_NOTHING;
}

/* The loop's descriptor is readable when the machine is due. */
static void on_timer(void *data)
{
        (void)data;
}

static void timer_arm(struct assist_live *l)
{
        int64_t due = live_machine_due_us(&l->machine);

        if (due == INT64_MAX)
                loop_timer_stop(l->timer);
        else
                loop_timer_set(l->timer, due - clock_steady_us(&clock_system));
}

int assist_live_process(struct assist_live *l, const struct event **ret, struct assist_error *error)
{
        bool ticked = false;

        for (;;) {
                struct live_action action = live_machine_next(&l->machine);
                int said = act(l, &action, ret, error);

                if (said)
                        return said;
                if (action.what != LIVE_NOTHING) {
                        ticked = false;
                        continue;
                }
                if (ticked) {
                        timer_arm(l);
                        return ASSIST_LIVE_NOTHING;
                }
                l->told = false;
                loop_dispatch(l->loop, 0);
                if (!l->told) { /* else the time of a machine that has news would pass too soon */
                        live_machine_tick(&l->machine);
                        ticked = true;
                }
        }
}

int assist_live_next(struct assist_live *l, int timeout_ms, const struct event **ret, struct assist_error *error)
{
        int64_t end_us = timeout_ms < 0 ? INT64_MAX : clock_steady_us(&clock_system) + timeout_ms * INT64_C(1000);

        for (;;) {
                struct pollfd p = { .fd = loop_fd(l->loop), .events = POLLIN };
                int said = assist_live_process(l, ret, error);
                int64_t left_us = end_us - clock_steady_us(&clock_system);

                if (said || left_us <= 0)
                        return said;
                if (poll(&p, 1, timeout_ms < 0 ? -1 : (int)(left_us / 1000 + 1)) < 0 && errno == EINTR)
                        return ASSIST_LIVE_NOTHING;
        }
}

int assist_live_fd(const struct assist_live *l)
{
        return loop_fd(l->loop);
}

/* ---- life ---- */

int assist_live_open(struct assist *a, struct str cursor, struct assist_live **ret, struct assist_error *error)
{
        struct assist_live *l = calloc(1, sizeof(*l));

        if (!l)
                abort();
        l->a = a;
        l->socket = (struct live_socket){ .a = a, .machine = &l->machine, .error = &l->error, .told = &l->told, .fd = -1 };
        if (live_machine_init(&l->machine, &clock_system, randombytes_uniform, cursor)) {
                free(l);
                return assist_fail(error, FAULT_INVALID_PARAMS, "this is no cursor");
        }
        l->loop = loop_new(&clock_system);
        l->curl = curl_easy_init();
        if (!l->loop || !l->curl || curl_loop_new(l->loop, on_answered, l, &l->curl_loop)) {
                assist_live_close(l);
                return assist_fail(error, -EMFILE, "too many open files");
        }
        l->socket.loop = l->loop;
        l->timer = loop_timer_new(l->loop, on_timer, l);
        loop_timer_set(l->timer, 0);
        *ret = l;
        return 0;
}

void assist_live_close(struct assist_live *l)
{
        if (!l)
                return;
        opening_drop(l);
        live_socket_close(&l->socket);
        curl_loop_free(l->curl_loop);
        if (l->curl)
                curl_easy_cleanup(l->curl);
        loop_timer_free(l->timer);
        loop_free(l->loop);
        live_machine_deinit(&l->machine);
        arena_deinit(&l->arena);
        free(l);
}

struct str assist_live_cursor(const struct assist_live *l)
{
        return buf_view(&l->machine.cursor);
}

struct ulid assist_live_session(const struct assist_live *l)
{
        return l->machine.session;
}

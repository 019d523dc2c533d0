#include "connection.h"

#include "listener.h"
#include "request.h"
#include "router.h"
#include "stats.h"
#include "visitors.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uthash.h>

enum { TICK_US = 1000 * 1000 };

/* How many ticks each state may last; 0: for ever. */
static const uint32_t ticks[CONNECTION_STATES] = {
        [CONNECTION_HEAD] = 10, [CONNECTION_IDLE] = 75, [CONNECTION_BODY] = 60, [CONNECTION_REFUSED] = 2,
};

struct guest {
        unsigned n;
        UT_hash_handle hh;
        char device[];
};

struct connections {
        struct gateway *gateway;
        h2o_linklist_t lists[CONNECTION_STATES];
        struct guest *guests;
        size_t n, max;
        int64_t accepted, foreign, crowded, crowded_out;    /* since start */
        uint32_t tick;
        struct loop_timer *timer;
        bool ticking, wanted;
        h2o_socket_cb h2o_read;     /* how h2o hears that a connection has something for it */
};

/* ---- who waits for what ---- */

/* NULL where there is none. */
static struct connection *first(const struct connections *cs, enum connection_state state)
{
        const h2o_linklist_t *list = &cs->lists[state];

        return list->next == list ? NULL : H2O_STRUCT_FROM_MEMBER(struct connection, link, list->next);
}

static void tick_on(struct connections *cs)
{
        if (cs->ticking)
                return;
        cs->ticking = true;
        loop_timer_set(cs->timer, TICK_US);
}

static void enter(struct connection *c, enum connection_state state)
{
        struct connections *cs = c->all;

        if (h2o_linklist_is_linked(&c->link))
                h2o_linklist_unlink(&c->link);
        h2o_linklist_insert(&cs->lists[state], &c->link);       /* at its end */
        c->state = state;
        c->since = cs->tick;
        if (ticks[state])
                tick_on(cs);
}

static void end(struct connection *c)
{
        c->all->h2o_read(c->socket, h2o_socket_error_closed);
}

static void on_tick(void *data)
{
        struct connections *cs = data;

        cs->ticking = false;
        cs->tick++;
        for (enum connection_state state = 0; state < CONNECTION_STATES; state++) {
                struct connection *c;

                if (!ticks[state])
                        continue;
                while ((c = first(cs, state)) && cs->tick - c->since > ticks[state])
                        end(c);
                if (c)
                        tick_on(cs);
        }
        if (cs->wanted) {
                cs->wanted = false;
                listener_resume(cs->gateway->listener);
        }
}

/* ---- the gate ---- */

static void on_readable(h2o_socket_t *socket, const char *err);

static void refuse(struct connection *c, int status, int code, const struct fault *fault)
{
        struct buf answer = { 0 };

        request_write_refusal(c->all->gateway, status, code, fault, &answer);
        /* it fits into what the kernel takes at once, or the peer has not read what it asked for before: then there is no need */
        if (send(h2o_socket_get_fd(c->socket), answer.p, answer.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ||
            shutdown(h2o_socket_get_fd(c->socket), SHUT_WR))
                log_debug("a refusal was not heard");
        buf_deinit(&answer);
        h2o_buffer_consume(&c->socket->input, c->socket->input->size);
        h2o_socket_read_start(c->socket, on_readable);
        enter(c, CONNECTION_REFUSED);
}

/* What came before goes in front again. */
static void put_back(struct connection *c)
{
        size_t came = c->socket->input->size;

        if (!c->begun.n)
                return;
        h2o_buffer_reserve(&c->socket->input, c->begun.n);
        memmove(c->socket->input->bytes + c->begun.n, c->socket->input->bytes, came);
        memcpy(c->socket->input->bytes, c->begun.p, c->begun.n);
        c->socket->input->size += c->begun.n;
        buf_deinit(&c->begun);
}

static void put_aside(struct connection *c)
{
        buf_add(&c->begun, c->socket->input->bytes, c->socket->input->size);
        h2o_buffer_consume(&c->socket->input, c->socket->input->size);
        if (c->state == CONNECTION_IDLE)
                enter(c, CONNECTION_HEAD);
}

static void pass(struct connection *c)
{
        if (c->socket->input->size < c->head.n + (size_t)c->head.body && c->state != CONNECTION_BODY)
                enter(c, CONNECTION_BODY);
        h2o_socket_read_start(c->socket, c->all->h2o_read);
        c->all->h2o_read(c->socket, NULL);
}

static void on_known(void *data, int code, const struct fault *fault, struct visitor *visitor)
{
        struct connection *c = data;

        c->asking = false;
        if (code)
                refuse(c, 0, code, fault);
        else if (visitor->role == SCHEMA_ROLE_STRANGER)
                refuse(c, 0, FAULT_TOO_LARGE, &(struct fault){ .has_limit = true, .limit = GATEWAY_SMALL_BODY_MAX });
        else
                pass(c);
}

/* Only who has a role may have much memory here. */
static void ask_who(struct connection *c)
{
        const struct visit visit = { .address = str_of(c->address), .device = str_of(c->guest->device) };

        enter(c, CONNECTION_BODY);
        h2o_socket_read_stop(c->socket);
        c->asking = true;
        visitors_find(c->all->gateway->visitors, bearer_token(c->head.authorization), &visit, on_known, c);
}

static void on_readable(h2o_socket_t *socket, const char *err)
{
        struct connection *c = socket->on_close.data;
        const char *reason;
        int64_t body_max;
        int status;

        if (err) {
                end(c);
                return;
        }
        if (c->state == CONNECTION_REFUSED) {
                h2o_buffer_consume(&socket->input, socket->input->size);
                return;
        }
        put_back(c);
        status = head_read((struct str){ socket->input->bytes, socket->input->size }, &c->head, &reason);
        if (status == HEAD_MORE) {
                put_aside(c);
                return;
        }
        if (status) {
                refuse(c, status, FAULT_INVALID_REQUEST, &(struct fault){ .has_reason = true, .reason = str_of(reason) });
                return;
        }
        if (c->head.body <= GATEWAY_SMALL_BODY_MAX) {
                pass(c);
                return;
        }
        body_max = router_body_max(c->head.target);
        if (c->head.body > body_max)
                refuse(c, 0, FAULT_TOO_LARGE, &(struct fault){ .has_limit = true, .limit = body_max });
        else
                ask_who(c);
}

void connection_begin(struct connection *c, h2o_req_t *request)
{
        /* h2o would take what follows without asking us: it is not pipelined, and the client asks again on another connection */
        if (c->socket->input->size > c->head.n + (size_t)c->head.body)
                request->http1_is_persistent = 0;
        enter(c, CONNECTION_BUSY);
}

void connection_known(struct connection *c, struct visitor *visitor)
{
        if (c->visitor == visitor)
                return;
        visitor_unref(c->visitor);
        c->visitor = visitor_ref(visitor);
}

void connection_answered(struct connection *c)
{
        enter(c, CONNECTION_ANSWERED);
}

void connections_turn(struct connections *cs)
{
        struct connection *c;

        while ((c = first(cs, CONNECTION_ANSWERED))) {
                bool is_http = c->socket->_cb.read == cs->h2o_read;

                enter(c, is_http ? CONNECTION_IDLE : CONNECTION_BUSY);
                if (is_http)
                        h2o_socket_read_start(c->socket, on_readable);
        }
}

/* ---- life ---- */

static void guest_leave(struct connections *cs, struct guest *guest)
{
        if (--guest->n > 0)
                return;
        HASH_DEL(cs->guests, guest);
        free(guest);
}

static struct guest *guest_enter(struct connections *cs, const char *device)
{
        size_t n = strlen(device);
        struct guest *guest;

        HASH_FIND(hh, cs->guests, device, n, guest);
        if (!guest) {
                guest = calloc(1, sizeof(*guest) + n + 1);
                if (!guest)
                        abort();
                memcpy(guest->device, device, n);
                HASH_ADD(hh, cs->guests, device, n, guest);
        }
        guest->n++;
        return guest;
}

static void on_closed(void *data)
{
        struct connection *c = data;
        struct connections *cs = c->all;

        h2o_linklist_unlink(&c->link);
        guest_leave(cs, c->guest);
        if (c->asking)
                visitors_cancel(cs->gateway->visitors, c);
        visitor_unref(c->visitor);
        buf_deinit(&c->begun);
        free(c);
        cs->n--;
        listener_resume(cs->gateway->listener);
}

/* A peer that the overlay can't have sent, or that says it is ourselves, gets nothing. On loopback every address is this machine's. */
static bool admitted(const struct gateway *g, const struct sockaddr *peer, char ret_device[DEVICE_MAX + 1])
{
        if (device_of(g->driver, peer, ret_device))
                return false;
        return g->driver == OVERLAY_LOOPBACK || strcmp(ret_device, g->device) != 0;
}

static struct connection *longest_waiting(const struct connections *cs)
{
        struct connection *c = first(cs, CONNECTION_HEAD);

        return c ? c : first(cs, CONNECTION_IDLE);
}

void connections_add(struct connections *cs, h2o_socket_t *socket)
{
        struct gateway *g = cs->gateway;
        char device[DEVICE_MAX + 1];
        struct sockaddr_storage peer;
        struct connection *c;
        struct guest *guest;

        if (!h2o_socket_getpeername(socket, (struct sockaddr *)&peer) || !admitted(g, (const struct sockaddr *)&peer, device)) {
                cs->foreign++;
                h2o_socket_close(socket);
                return;
        }
        guest = guest_enter(cs, device);
        if (guest->n > CONNECTIONS_OF_DEVICE_MAX) {
                cs->crowded++;
                guest_leave(cs, guest);
                h2o_socket_close(socket);
                return;
        }
        if (cs->n >= cs->max) {
                cs->crowded_out++;
                end(longest_waiting(cs));
        }
        cs->accepted++;
        c = calloc(1, sizeof(*c));
        if (!c)
                abort();
        *c = (struct connection){ .all = cs, .socket = socket, .guest = guest };
        host_address_text((const struct sockaddr *)&peer, c->address);
        enter(c, CONNECTION_HEAD);
        cs->n++;
        socket->on_close.cb = on_closed;
        socket->on_close.data = c;
        h2o_accept(&g->accept, socket);
        cs->h2o_read = socket->_cb.read;
        h2o_socket_read_start(socket, on_readable);
}

bool connections_room(const struct connections *cs)
{
        return cs->n < cs->max || longest_waiting(cs);
}

void connections_want_room(struct connections *cs)
{
        cs->wanted = true;
        tick_on(cs);
}

struct connection *connection_of(const h2o_req_t *request)
{
        return request->conn->callbacks->get_socket(request->conn)->on_close.data;
}

const char *connection_device(const struct connection *c)
{
        return c->guest->device;
}

size_t connections_count(const struct connections *cs)
{
        return cs->n;
}

bool connections_expect(const struct connections *cs)
{
        const h2o_linklist_t *heads = &cs->lists[CONNECTION_HEAD];

        return heads->prev != heads && cs->tick - H2O_STRUCT_FROM_MEMBER(struct connection, link, heads->prev)->since <= 1;
}

void connections_tell(const struct connections *cs, struct stats *stats)
{
        struct figure *ended;

        stats_gauge(stats, "connections", "Clients' connections.", (int64_t)cs->n);
        stats_gauge(stats, "connections_max", "How many there may be.", (int64_t)cs->max);
        stats_counter(stats, "connections_total", "Connections that were taken.", cs->accepted);
        ended = stats_figure(stats, FIGURE_KIND_COUNTER, "connections_refused_total", "Connections that were closed unheard.", 3);
        stats_sample(stats, ended, cs->foreign, "reason", "not of the overlay", NULL);
        stats_sample(stats, ended, cs->crowded, "reason", "too many of one device", NULL);
        stats_sample(stats, ended, cs->crowded_out, "reason", "no room for a new one", NULL);
}

void connections_close(struct connections *cs)
{
        for (int state = 0; state < CONNECTION_STATES; state++)
                for (h2o_linklist_t *at = cs->lists[state].next; at != &cs->lists[state]; at = at->next)
                        shutdown(h2o_socket_get_fd(H2O_STRUCT_FROM_MEMBER(struct connection, link, at)->socket), SHUT_RDWR);
        h2o_evloop_run(cs->gateway->h2o, 0);
        connections_turn(cs);
}

struct connections *connections_new(struct gateway *g)
{
        struct connections *cs = calloc(1, sizeof(*cs));
        struct rlimit files;

        if (!cs)
                abort();
        cs->gateway = g;
        for (int state = 0; state < CONNECTION_STATES; state++)
                h2o_linklist_init_anchor(&cs->lists[state]);
        cs->max = CONNECTIONS_MAX;
        if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < CONNECTIONS_MAX + CONNECTIONS_SPARE_DESCRIPTORS)
                cs->max = files.rlim_cur > 2 * CONNECTIONS_SPARE_DESCRIPTORS ? files.rlim_cur - CONNECTIONS_SPARE_DESCRIPTORS
                                                                               : files.rlim_cur / 2;
        cs->timer = loop_timer_new(g->service->loop, on_tick, cs);
        return cs;
}

void connections_free(struct connections *cs)
{
        if (!cs)
                return;
        loop_timer_free(cs->timer);
        free(cs);
}

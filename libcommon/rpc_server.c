/* The owner's side of the transport.
 *
 * Calls are read, checked and refused on the loop's thread; what passes is run there, or handed over by `route`. An answer may come
 * from any thread. A connection whose peer has RPC_IN_FLIGHT calls under way is not read until one of them is answered. In steady
 * state a call takes nothing from the heap. */
#include "call.h"
#include "log_messages.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        SOCKET_MODE = 0660,             /* the group is that of the service's callers */
        ACCEPT_AGAIN_US = 100 * 1000,
};

/* ---- calls ---- */

static struct rpc_slot *slot_take(struct rpc_server *s, struct rpc_connection *c, uint32_t id, struct str message)
{
        struct rpc_slot *slot = s->spare;

        if (slot) {
                s->spare = slot->spare;
        } else {
                slot = calloc(1, sizeof(*slot));
                if (!slot)
                        abort();
                slot->server = s;
                slot->next = s->slots;
                s->slots = slot;
        }
        arena_reset(&slot->call.arena);
        slot->call = (struct call){ .arena = slot->call.arena, .slot = slot };
        slot->connection = c;
        slot->id = id;
        buf_clear(&slot->message);
        buf_str(&slot->message, message);
        c->busy++;
        atomic_fetch_add(&s->busy, 1);
        return slot;
}

static void slot_give_back(struct rpc_slot *slot)
{
        if (slot->message.capacity > RPC_BUFFER_KEEP)
                buf_deinit(&slot->message);
        if (slot->reply.capacity > RPC_BUFFER_KEEP)
                buf_deinit(&slot->reply);
        slot->spare = slot->server->spare;
        slot->server->spare = slot;
}

static void count(const struct rpc_slot *slot)
{
        const struct rpc_handler *handler = slot->call.handler;
        struct rpc_server *s = slot->server;
        struct rpc_count *of = &s->counts[handler ? (size_t)(handler - s->handlers) : s->n_handlers];

        tally_note(&of->calls, slot->code, handler && handler->method->follow ? -1 : slot->took_us);
}

static void on_answered(struct loop_work *work)
{
        struct rpc_slot *slot = (struct rpc_slot *)(void *)((char *)work - offsetof(struct rpc_slot, answered));
        struct rpc_connection *c = slot->connection;

        count(slot);
        if (c) {
                rpc_stream_put(&c->stream, slot->id, buf_view(&slot->reply));
                c->busy--;
                c->unsent++;
                rpc_stream_resume(&c->stream);
        } else {
                atomic_fetch_sub(&slot->server->busy, 1);
        }
        slot_give_back(slot);
}

void call_answer(struct call *c, int r)
{
        struct rpc_slot *slot = c->slot;

        call_write_reply(c, r);
        slot->answered.run = on_answered;
        if (loop_inside(slot->server->loop))
                on_answered(&slot->answered);
        else
                loop_post(slot->server->loop, &slot->answered);
}

static bool on_message(struct rpc_stream *stream, uint32_t id, struct str body)
{
        struct rpc_connection *connection = (struct rpc_connection *)stream;
        struct rpc_server *s = connection->server;
        struct rpc_slot *slot;
        struct call *c;
        int r;

        if (connection->busy == RPC_IN_FLIGHT)
                return false;
        if (s->on_came)
                s->on_came(s->came_data);
        slot = slot_take(s, connection, id, body);
        c = &slot->call;
        r = call_admit(c, connection->from, buf_view(&slot->message));
        if (!r) {
                if (s->route && s->route(s->data, c))
                        return true;
                r = call_execute(c);
        } else if (s->on_refused) {
                s->on_refused(s->data, c, r);
        }
        if (r != CALL_PARKED)
                call_answer(c, r);
        return true;
}

/* ---- connections ---- */

static void answers_sent(struct rpc_connection *c)
{
        atomic_fetch_sub(&c->server->busy, c->unsent);
        c->unsent = 0;
}

static void on_written(struct rpc_stream *stream)
{
        answers_sent((struct rpc_connection *)stream);
}

static void connection_free(struct rpc_connection *c)
{
        struct rpc_connection **at = &c->server->connections;

        while (*at != c)
                at = &(*at)->next;
        *at = c->next;
        answers_sent(c);        /* or never: the caller asks again */
        for (struct rpc_slot *slot = c->server->slots; slot; slot = slot->next)
                if (slot->connection == c)
                        slot->connection = NULL;
        rpc_stream_close(&c->stream);
        free(c);
}

static void on_lost(struct rpc_stream *stream)
{
        connection_free((struct rpc_connection *)stream);
}

static const struct rpc_stream_type stream_type = {
        .protocol = RPC_REP, .message = on_message, .written = on_written, .lost = on_lost,
};

/* Who connects, as bits of enum schema_peer; 0: it is refused. */
static unsigned admit_peer(const struct rpc_server *s, uid_t uid)
{
        unsigned from = rpc_peers_of(&s->peers, uid);
        int n = 0;

        for (const struct rpc_connection *c = s->connections; c; c = c->next)
                n += c->uid == uid;
        if (from && n < RPC_CONNECTIONS)
                return from;
        log_write(LOG_LEVEL_WARNING, LOG_CALLER_REFUSED, from ? "uid %u has too many connections: one more was refused"
                                                              : "a process of uid %u was refused", (unsigned)uid);
        return 0;
}

static void connection_new(struct rpc_server *s, int fd)
{
        uid_t uid = rpc_peer_uid(fd);
        unsigned from = admit_peer(s, uid);
        struct rpc_connection *c;

        if (!from) {
                s->refused++;
                close(fd);
                return;
        }
        c = calloc(1, sizeof(*c));
        if (!c)
                abort();
        if (rpc_stream_open(&c->stream, s->loop, fd, &stream_type)) {
                close(fd);
                free(c);
                return;
        }
        c->server = s;
        c->uid = uid;
        c->from = from;
        c->next = s->connections;
        s->connections = c;
}

static void on_listener(void *data, uint32_t events)
{
        struct rpc_server *s = data;
        int fd;

        (void)events;
        fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
                connection_new(s, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                loop_io_events(s->io, 0);
                loop_timer_set(s->again, ACCEPT_AGAIN_US);
        }
}

static void accept_again(void *data)
{
        struct rpc_server *s = data;

        if (s->io)
                loop_io_events(s->io, EPOLLIN);
}

/* ---- the server's life ---- */

static int by_name(const void *a, const void *b)
{
        const struct rpc_handler *const *x = a, *const *y = b;

        return strcmp((*x)->method->name, (*y)->method->name);
}

static void make_index(struct rpc_server *s, const struct rpc_handler *handlers)
{
        while (handlers[s->n_handlers].method)
                s->n_handlers++;
        s->handlers = handlers;
        s->index = calloc(s->n_handlers + 1, sizeof(s->index[0]));
        s->counts = calloc(s->n_handlers + 1, sizeof(s->counts[0]));
        if (!s->index || !s->counts)
                abort();
        for (size_t i = 0; i < s->n_handlers; i++) {
                s->index[i] = &handlers[i];
                s->counts[i].method = handlers[i].method;
        }
        qsort(s->index, s->n_handlers, sizeof(s->index[0]), by_name);
}

static bool somebody_listens(const struct sockaddr_un *address)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 && errno == ECONNREFUSED;

        if (fd >= 0)
                close(fd);
        return !refused;
}

/* A socket that was left behind by one who died is taken away. */
static int listen_at(int fd, const struct sockaddr_un *address)
{
        const struct sockaddr *a = (const struct sockaddr *)address;

        if (bind(fd, a, sizeof(*address)) < 0 &&
            (errno != EADDRINUSE || somebody_listens(address) || unlink(address->sun_path) < 0 || bind(fd, a, sizeof(*address)) < 0))
                return -errno;
        return chmod(address->sun_path, SOCKET_MODE) < 0 || listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

int rpc_server_new(struct loop *loop, const struct rpc_server_options *options, struct rpc_server **ret)
{
        struct sockaddr_un address;
        struct rpc_server *s;
        int r;

        r = rpc_address(options->path, &address);
        if (r)
                return r;
        s = calloc(1, sizeof(*s));
        if (!s)
                abort();
        s->loop = loop;
        s->data = options->data;
        s->route = options->route;
        s->peers = *options->peers;
        s->caller_key = options->caller_key;
        s->clock = options->clock;
        s->again = loop_timer_new(loop, accept_again, s);
        make_index(s, options->handlers);
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        r = s->fd < 0 ? -errno : listen_at(s->fd, &address);
        if (!r) {
                strcpy(s->path, options->path); /* ours now, to be taken away */
                s->io = loop_io_new(loop, s->fd, EPOLLIN, on_listener, s);
                r = s->io ? 0 : -errno;
        }
        if (r) {
                rpc_server_free(s);
                return r;
        }
        *ret = s;
        return 0;
}

static void stop_listening(struct rpc_server *s)
{
        loop_io_free(s->io);
        s->io = NULL;
        if (*s->path)
                unlink(s->path);
        if (s->fd >= 0)
                close(s->fd);
        s->fd = -1;
}

void rpc_server_on_refused(struct rpc_server *server, void (*refused)(void *data, const struct call *c, int r))
{
        server->on_refused = refused;
}

void rpc_server_on_message(struct rpc_server *server, void (*came)(void *data), void *data)
{
        server->on_came = came;
        server->came_data = data;
}

void rpc_server_stop(struct rpc_server *server)
{
        if (server->stopping)
                return;
        server->stopping = true;
        stop_listening(server);
        for (struct rpc_connection *c = server->connections; c; c = c->next)
                rpc_stream_stop(&c->stream);
}

uint32_t rpc_server_busy(struct rpc_server *server)
{
        return atomic_load(&server->busy);
}

void rpc_server_figures(const struct rpc_server *server, struct rpc_figures *ret)
{
        *ret = (struct rpc_figures){ .counts = server->counts, .n_counts = server->n_handlers + 1, .busy = atomic_load(&server->busy),
                                     .refused = server->refused };
        for (const struct rpc_connection *c = server->connections; c; c = c->next)
                ret->connections++;
}

void rpc_server_free(struct rpc_server *server)
{
        struct rpc_slot *slot, *next;

        if (!server)
                return;
        if (server->fd >= 0)
                stop_listening(server);
        while (server->connections)
                connection_free(server->connections);
        for (slot = server->slots; slot; slot = next) {
                next = slot->next;
                loop_unpost(server->loop, &slot->answered);
                buf_deinit(&slot->message);
                buf_deinit(&slot->reply);
                arena_deinit(&slot->call.arena);
                free(slot);
        }
        loop_timer_free(server->again);
        free(server->index);
        free(server->counts);
        free(server);
}

#include "listener.h"

#include "connection.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACCEPT_AT_ONCE = 64 };

struct listener {
        struct gateway *gateway;
        h2o_socket_t *socket;
        bool paused;
};

static void on_accept(h2o_socket_t *listening, const char *err);

static void pause_accepting(struct listener *l)
{
        l->paused = true;
        h2o_socket_read_stop(l->socket);
        connections_want_room(l->gateway->connections);
}

void listener_resume(struct listener *l)
{
        if (!l || !l->paused)
                return;
        l->paused = false;
        h2o_socket_read_start(l->socket, on_accept);
}

static void on_accept(h2o_socket_t *listening, const char *err)
{
        struct listener *l = listening->data;
        struct connections *connections = l->gateway->connections;

        for (int i = 0; !err && i < ACCEPT_AT_ONCE; i++) {
                h2o_socket_t *socket;

                if (!connections_room(connections)) {
                        pause_accepting(l);
                        return;
                }
                socket = h2o_evloop_socket_accept(listening);
                if (!socket) {
                        if (errno != EAGAIN && errno != ECONNABORTED)
                                pause_accepting(l);     /* no descriptor or no memory: to try on would only burn time */
                        return;
                }
                connections_add(connections, socket);
        }
}

static int bound(const union host_address *address)
{
        int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

        if (fd < 0)
                return -errno;
        /* REUSEPORT: several gateways share the port */
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
            (address->any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
            bind(fd, &address->any, host_address_size(address)) || listen(fd, SOMAXCONN)) {
                int r = -errno;

                close(fd);
                return r;
        }
        return fd;
}

int listener_new(struct gateway *g, const union host_address *address, struct listener **ret)
{
        struct listener *l;
        int fd = bound(address);

        if (fd < 0)
                return fd;
        l = calloc(1, sizeof(*l));
        if (!l)
                abort();
        l->gateway = g;
        l->socket = h2o_evloop_socket_create(g->h2o, fd, H2O_SOCKET_FLAG_DONT_READ);
        l->socket->data = l;
        h2o_socket_read_start(l->socket, on_accept);
        *ret = l;
        return 0;
}

void listener_free(struct listener *l)
{
        if (!l)
                return;
        h2o_socket_close(l->socket);
        free(l);
}

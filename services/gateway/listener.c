#include "listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

enum { ACCEPT_AT_ONCE = 64 };

struct listener {
        struct gateway *gateway;
        h2o_socket_t *socket;
};

/* A peer that the overlay can't have sent, or that says it is ourselves, gets nothing. On loopback every address is this machine's. */
static bool admitted(struct gateway *g, h2o_socket_t *sock)
{
        struct sockaddr_storage peer;
        char device[DEVICE_MAX + 1];

        if (h2o_socket_getpeername(sock, (struct sockaddr *)&peer) == 0)
                return false;
        if (device_of(g->driver, (const struct sockaddr *)&peer, device))
                return false;
        return g->driver == OVERLAY_LOOPBACK || strcmp(device, g->device) != 0;
}

struct connection {
        struct gateway *gateway;
        h2o_socket_t *socket;
        struct connection *prev, *next;
};

static void on_connection_closed(void *data)
{
        struct connection *c = data;

        DL_DELETE(c->gateway->connections, c);
        free(c);
}

static void connection_add(struct gateway *g, h2o_socket_t *sock)
{
        struct connection *c = calloc(1, sizeof(*c));

        if (!c)
                abort();
        *c = (struct connection){ .gateway = g, .socket = sock };
        DL_APPEND(g->connections, c);
        sock->on_close.cb = on_connection_closed;
        sock->on_close.data = c;
}

void connections_close(struct gateway *g)
{
        struct connection *c;

        DL_FOREACH(g->connections, c)
                shutdown(h2o_socket_get_fd(c->socket), SHUT_RDWR);
        h2o_evloop_run(g->h2o, 0);
}

static void on_accept(h2o_socket_t *listening, const char *err)
{
        struct listener *l = listening->data;
        h2o_socket_t *sock;

        if (err)
                return;
        for (int i = 0; i < ACCEPT_AT_ONCE && (sock = h2o_evloop_socket_accept(listening)); i++) {
                if (admitted(l->gateway, sock)) {
                        connection_add(l->gateway, sock);
                        h2o_accept(&l->gateway->accept, sock);
                } else {
                        h2o_socket_close(sock);
                }
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

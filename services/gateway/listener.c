#include "listener.h"

#include "connection.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { ACCEPT_AT_ONCE = 64 };

struct listener {
        struct gateway *gateway;
        struct listener_place place;
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

/* ---- the copy that systemd keeps ---- */

static void name_of(uint32_t ifindex, char ret_name[32])
{
        snprintf(ret_name, 32, "interface-%u", ifindex);
}

static void keep(const struct listener_place *place, int fd)
{
        char name[32], text[64];

        name_of(place->ifindex, name);
        snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
        sd_pid_notify_with_fds(0, 0, text, &fd, 1);
}

static void forget(const char *name)
{
        sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

/* Listens exactly there, as its name says. */
static bool is_for(int fd, const char *name, const struct listener_place *place)
{
        union host_address address = { 0 };
        socklen_t n = sizeof(address);
        char wanted[32];
        int bound_to = 0;
        socklen_t size = sizeof(bound_to);

        name_of(place->ifindex, wanted);
        return strcmp(name, wanted) == 0 && sd_is_socket(fd, place->address.any.sa_family, SOCK_STREAM, 1) > 0 &&
               getsockname(fd, &address.any, &n) == 0 && host_address_eq(&address, &place->address) &&
               getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &bound_to, &size) == 0 && (uint32_t)bound_to == place->ifindex;
}

/* What the process before this one left for the place; -1 where there is nothing. Asked once: what was left elsewhere is closed. */
static int inherited(const struct listener_place *place)
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(1, &names), found = -1;

        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;

                if (found < 0 && is_for(fd, names[i], place)) {
                        found = fd;
                } else {
                        forget(names[i]);
                        close(fd);
                }
                free(names[i]);
        }
        free(names);
        if (found >= 0)
                fcntl(found, F_SETFL, fcntl(found, F_GETFL) | O_NONBLOCK);
        return found;
}

/* ---- the listener's life ---- */

static int bound(const struct listener_place *place)
{
        const union host_address *address = &place->address;
        int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, ifindex = (int)place->ifindex;

        if (fd < 0)
                return -errno;
        /* REUSEPORT: several gateways share the port */
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
            setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)) ||
            (address->any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
            bind(fd, &address->any, host_address_size(address)) || listen(fd, SOMAXCONN)) {
                int r = -errno;

                close(fd);
                return r;
        }
        return fd;
}

int listener_new(struct gateway *g, const struct listener_place *place, struct listener **ret)
{
        struct listener *l;
        int fd = inherited(place);

        if (fd < 0) {
                fd = bound(place);
                if (fd < 0)
                        return fd;
                keep(place, fd);
        }
        l = calloc(1, sizeof(*l));
        if (!l)
                abort();
        l->gateway = g;
        l->place = *place;
        l->socket = h2o_evloop_socket_create(g->h2o, fd, H2O_SOCKET_FLAG_DONT_READ);
        l->socket->data = l;
        h2o_socket_read_start(l->socket, on_accept);
        *ret = l;
        return 0;
}

bool listener_is_at(const struct listener *l, const struct listener_place *place)
{
        return l && l->place.ifindex == place->ifindex && host_address_eq(&l->place.address, &place->address);
}

void listener_leave(struct listener *l)
{
        if (!l)
                return;
        h2o_socket_close(l->socket);
        free(l);
}

void listener_free(struct listener *l)
{
        char name[32];

        if (!l)
                return;
        name_of(l->place.ifindex, name);
        forget(name);
        listener_leave(l);
}

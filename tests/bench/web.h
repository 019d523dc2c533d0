/* HTTP by hand: connections that send one request again and again. Costs as little as a client can. */
#pragma once
#include "arena.h"
#include <netinet/in.h>
#include <stdint.h>

enum { WEB_CONNECTIONS_MAX = 64 };
#define WEB_DEVICE 0x7f000002       /* 127.0.0.2, in the host's order */

struct web {
        int epoll;
        int n;
        struct web_connection {
                int fd;
                size_t have;
                char in[16384];
        } *connections;
        struct str request;     /* whole, with its head */
        int chunk;              /* requests in a chunk */
};

/* As the device 127.0.0.2. */
void web_open(struct web *w, uint16_t port, int connections, struct str request, int chunk);
void web_close(struct web *w);
void web_chunk(void *web);      /* until w->chunk answers are there; ends the benchmark where one is no 2xx */

/* "POST path": in the arena. */
struct str web_post(struct arena *arena, uint16_t port, const char *path, const char *token, struct str body);
struct str web_get(struct arena *arena, uint16_t port, const char *path);
/* One request, one answer: its body. As the device `from`. */
struct str web_ask(struct arena *arena, in_addr_t from, uint16_t port, struct str request);
/* A connection; a server that was only just started is waited for. */
int web_dial(in_addr_t from, uint16_t port);
/* A WebSocket's handshake; with a token, as the desk wants it. */
struct str web_upgrade(struct arena *arena, uint16_t port, const char *path, const char *token);

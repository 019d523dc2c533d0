/* Many subscribers of one thing, each a socket: WebSockets of the desk, of nginx's nchan, of a bare writer, or those of MQTT and NATS. */
#pragma once
#include "desk.h"
#include <netinet/in.h>
#include <stdint.h>

enum framing {
        FRAMING_WEBSOCKET,      /* messages of more than SOCKET_SET_SMALL bytes count; pings are answered */
        FRAMING_BYTES,          /* so many bytes are one message */
};

enum { SOCKET_SET_SMALL = 250 };

struct socket_set {
        int epoll, n;
        enum framing framing;
        size_t message;         /* of FRAMING_BYTES */
        int64_t messages;       /* received by all */
        size_t payload;         /* of the WebSocket message that counted last */
        struct subscriber {
                int fd;
                uint8_t head[14];       /* of a frame that has not come whole */
                size_t have, skip;      /* bytes of the head; bytes of the payload to come */
        } *items;
};

void socket_set_open(struct socket_set *s, int room, enum framing framing, size_t message);
void socket_set_close(struct socket_set *s);
/* Opens one with n clients that follow the desk, spread over its members. cursor: where they go on from; NULL: from now on. */
void socket_set_follow(struct socket_set *s, const struct desk *desk, int n, const char *cursor);
/* Connects, says `hello`, and waits for `answer` bytes and, behind them, what ends with `until`. */
void socket_set_add(struct socket_set *s, in_addr_t from, uint16_t port, struct str hello, size_t answer, const char *until);
/* Reads until so many messages more have come, by all together; ends the benchmark where they don't. */
void socket_set_await(struct socket_set *s, int64_t messages);

#include "socket_set.h"

#include "bench.h"
#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, PING = 9, TEXT = 1, PER_DEVICE = 250 };

static uint8_t in[262144];

void socket_set_open(struct socket_set *s, int room, enum framing framing, size_t message)
{
        *s = (struct socket_set){ .epoll = epoll_create1(EPOLL_CLOEXEC), .framing = framing, .message = message,
                                  .items = calloc((size_t)room, sizeof(*s->items)) };
        if (!s->items)
                abort();
}

void socket_set_close(struct socket_set *s)
{
        for (int i = 0; i < s->n; i++)
                close(s->items[i].fd);
        close(s->epoll);
        free(s->items);
}

/* A frame's head, as far as it is there; 0: not whole yet. RFC 6455, section 5.2; what servers send is not masked. */
static size_t frame_head(const uint8_t *head, size_t have, size_t *ret_payload)
{
        size_t n = have < 2 ? 0 : head[1] == 126 ? 4 : head[1] == 127 ? 10 : 2;

        if (!n || have < n)
                return 0;
        *ret_payload = n == 2 ? head[1] : 0;
        for (size_t i = 2; i < n; i++)
                *ret_payload = *ret_payload << 8 | head[i];
        return n;
}

static void websocket_take(struct socket_set *set, struct subscriber *s, const uint8_t *p, size_t n)
{
        static const uint8_t pong[] = { 0x8a, 0x80, 0, 0, 0, 0 };

        while (n) {
                size_t part = s->skip < n ? s->skip : n, payload;

                s->skip -= part;
                p += part;
                n -= part;
                if (!n)
                        return;
                s->head[s->have++] = *p++;
                n--;
                if (!frame_head(s->head, s->have, &payload))
                        continue;
                if ((s->head[0] & 15) == PING && write(s->fd, pong, sizeof(pong)) < 0)
                        bench_fail("a ping can't be answered");
                if ((s->head[0] & 15) == TEXT && payload > SOCKET_SET_SMALL) {
                        set->messages++;
                        set->payload = payload;
                }
                s->skip = payload;
                s->have = 0;
        }
}

static void bytes_take(struct socket_set *set, struct subscriber *s, size_t n)
{
        s->have += n;
        set->messages += (int64_t)(s->have / set->message);
        s->have %= set->message;
}

static void take(struct socket_set *set, struct subscriber *s, const uint8_t *p, size_t n)
{
        if (set->framing == FRAMING_WEBSOCKET)
                websocket_take(set, s, p, n);
        else
                bytes_take(set, s, n);
}

/* Where the answer ends; 0: it is not whole. */
static size_t answer_end(size_t have, size_t answer, const char *until)
{
        const uint8_t *end;

        if (have < answer)
                return 0;
        end = memmem(in + answer, have - answer, until, strlen(until));
        return end ? (size_t)(end - in) + strlen(until) : 0;
}

void socket_set_add(struct socket_set *set, in_addr_t from, uint16_t port, struct str hello, size_t answer, const char *until)
{
        struct subscriber *s = &set->items[set->n++];
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };
        size_t have = 0, end = 0;

        *s = (struct subscriber){ .fd = web_dial(from, port) };
        if (hello.n && write(s->fd, hello.p, hello.n) != (ssize_t)hello.n)
                bench_fail("a subscriber was not taken");
        while ((answer || *until) && !end) {
                ssize_t n = read(s->fd, in + have, sizeof(in) - have);

                if (n <= 0)
                        bench_fail("a subscriber was refused: %.*s", (int)have, (const char *)in);
                have += (size_t)n;
                end = answer_end(have, answer, until);
        }
        take(set, s, in + end, have - end);
        epoll_ctl(set->epoll, EPOLL_CTL_ADD, s->fd, &e);
}

void socket_set_follow(struct socket_set *set, const struct desk *desk, int n, const char *cursor)
{
        struct arena arena = { 0 };
        char path[160];

        snprintf(path, sizeof(path), "/ws%s%s", cursor ? "?cursor=" : "", cursor ? cursor : "");
        socket_set_open(set, n, FRAMING_WEBSOCKET, 0);
        for (int i = 0; i < n; i++) {
                const struct member *m = &desk->members[i / PER_DEVICE];

                arena_reset(&arena);
                socket_set_add(set, m->address, desk->port, web_upgrade(&arena, desk->port, path, m->token), 0, "\r\n\r\n");
        }
        arena_deinit(&arena);
}

void socket_set_await(struct socket_set *set, int64_t messages)
{
        struct epoll_event events[EVENTS];
        int64_t end = set->messages + messages;

        while (set->messages < end) {
                int n = epoll_wait(set->epoll, events, EVENTS, 20000);

                if (n <= 0)
                        bench_fail("%lld messages did not come within 20 s", (long long)(end - set->messages));
                for (int i = 0; i < n; i++) {
                        struct subscriber *s = events[i].data.ptr;
                        ssize_t have = read(s->fd, in, sizeof(in));

                        if (have <= 0)
                                bench_fail("a subscriber was cut off");
                        take(set, s, in, (size_t)have);
                }
        }
}

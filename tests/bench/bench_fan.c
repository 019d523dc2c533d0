/* One message to many: the desk's WebSockets, a bare loop of writes, and what others use for it. The desk's is the event of a ticket whose
 * priority changed, about 200 bytes, in its frame; the others' have as many bytes as that frame. Each publishes over one connection, and a
 * chunk ends when the last subscriber has it all. The processor time of the servers counts (of the desk: of fanout and gateway), for the subscribers'
 * is the same for all. What it costs to publish at all is measured with one subscriber and taken away. */
#include "bench.h"
#include "socket_set.h"
#include "web.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZES = 4, MAX = 1000, ROUNDS = 60 };
static const int sizes[SIZES] = { 1, 50, 200, MAX };

struct fan {
        const struct desk *desk;
        const struct raw *raw;
        const struct raw_rival *rival;  /* NULL: the desk */
        struct socket_set set;
        size_t payload;                 /* bytes of a message */
        struct web web;                 /* of HTTP publishers */
        struct str changes[2];          /* the desk's publishers take turns with these requests */
        int turn;
        int publisher;                  /* of the others; a connection */
        struct arena arena;
        struct buf message;             /* to publish by it */
};

/* ---- the desk ---- */

static struct str set_priority(struct fan *f, const char *priority)
{
        char ticket[ULID_TEXT + 1];

        ulid_text(f->desk->ticket, ticket);
        return desk_call(f->desk, NULL, &f->arena, "ticket.set",
                         arena_format(&f->arena, "{\"ticket\":\"%s\",\"priority\":\"%s\"}", ticket, priority).p);
}

static void desk_subscribe(struct fan *f, int n)
{
        f->changes[0] = set_priority(f, "urgent");
        f->changes[1] = set_priority(f, "normal");
        web_open(&f->web, f->desk->port, 1, f->changes[0], 1);
        web_chunk(&f->web);     /* whatever it was, it is urgent from here on */
        socket_set_follow(&f->set, f->desk, n, NULL);
}

static void desk_publish(void *data)
{
        struct fan *f = data;

        f->turn = !f->turn;
        f->web.request = f->changes[f->turn];
        web_chunk(&f->web);
        socket_set_await(&f->set, f->set.n);
}

/* ---- nchan ---- */

static void nchan_subscribe(struct fan *f, int n)
{
        struct str payload = { memset(arena_alloc(&f->arena, f->payload), 'x', f->payload), f->payload };

        socket_set_open(&f->set, n, FRAMING_WEBSOCKET, 0);
        for (int i = 0; i < n; i++)
                socket_set_add(&f->set, WEB_DEVICE, f->raw->nchan.port, web_upgrade(&f->arena, f->raw->nchan.port, "/sub", NULL), 0, "\r\n\r\n");
        web_open(&f->web, f->raw->nchan.port, 1, web_post(&f->arena, f->raw->nchan.port, "/pub", NULL, payload), 1);
}

static void web_publish(void *data)
{
        struct fan *f = data;

        web_chunk(&f->web);
        socket_set_await(&f->set, f->set.n);
}

/* ---- sockets ---- */

static void publish(void *data)
{
        struct fan *f = data;

        if (send(f->publisher, f->message.p, f->message.n, 0) != (ssize_t)f->message.n)
                bench_fail("a message was not taken");
        socket_set_await(&f->set, f->set.n);
}

static void fill(struct fan *f)
{
        memset(buf_reserve(&f->message, f->payload), 'x', f->payload);
        f->message.n += f->payload;
}

static void raw_subscribe(struct fan *f, int n)
{
        socket_set_open(&f->set, n, FRAMING_BYTES, f->payload);
        for (int i = 0; i < n; i++)
                socket_set_add(&f->set, WEB_DEVICE, f->raw->fan_out.port, (struct str){ 0 }, 0, "");
        f->publisher = dup(f->raw->fan);
        fill(f);
}

/* MQTT 3.1.1: CONNECT, SUBSCRIBE to "t", PUBLISH at QoS 0. */
static const char mqtt_hello[] = "\x10\x0c\0\4MQTT\4\2\0\0\0\0"
                                 "\x82\6\0\1\0\1t\0";
enum { MQTT_CONNECT = 14, MQTT_ANSWERS = 9 };

static void mqtt_subscribe(struct fan *f, int n)
{
        const int rest = (int)f->payload + 3;
        struct socket_set publisher;

        socket_set_open(&f->set, n, FRAMING_BYTES, (size_t)rest + 3);
        for (int i = 0; i < n; i++)
                socket_set_add(&f->set, WEB_DEVICE, f->raw->mqtt.port, (struct str){ mqtt_hello, sizeof(mqtt_hello) - 1 }, MQTT_ANSWERS, "");
        socket_set_open(&publisher, 1, FRAMING_BYTES, 1);
        socket_set_add(&publisher, WEB_DEVICE, f->raw->mqtt.port, (struct str){ mqtt_hello, MQTT_CONNECT }, 4, "");
        f->publisher = dup(publisher.items[0].fd);
        socket_set_close(&publisher);
        buf_add(&f->message, (const char[]){ 0x30, (char)((rest & 127) | 128), (char)(rest >> 7), 0, 1, 't' }, 6);
        fill(f);
}

static void nats_subscribe(struct fan *f, int n)
{
        char head[64];
        struct socket_set publisher;

        socket_set_open(&f->set, n, FRAMING_BYTES, (size_t)snprintf(head, sizeof(head), "MSG t 1 %zu\r\n", f->payload) + f->payload + 2);
        for (int i = 0; i < n; i++)
                socket_set_add(&f->set, WEB_DEVICE, f->raw->nats.port, STR("CONNECT {\"verbose\":false}\r\nSUB t 1\r\nPING\r\n"), 0, "PONG\r\n");
        socket_set_open(&publisher, 1, FRAMING_BYTES, 1);
        socket_set_add(&publisher, WEB_DEVICE, f->raw->nats.port, STR("CONNECT {\"verbose\":false}\r\nPING\r\n"), 0, "PONG\r\n");
        f->publisher = dup(publisher.items[0].fd);
        socket_set_close(&publisher);
        buf_format(&f->message, "PUB t %zu\r\n", f->payload);
        fill(f);
        buf_text(&f->message, "\r\n");
}

/* ---- all of them ---- */

static double desk_clock(void *data)
{
        const struct fan *f = data;
        double us = 0;

        for (int i = 0; i < DESK_SERVICES; i++)
                if (strcmp(f->desk->processes[i].service, "fanout") == 0 || strcmp(f->desk->processes[i].service, "gateway") == 0)
                        us += process_us(f->desk->processes[i].pid);
        return us;
}

static double rival_clock(void *data)
{
        const struct fan *f = data;

        return process_us(f->rival->pid);
}

static const struct contender {
        const char *name;
        void (*subscribe)(struct fan *f, int n);
        void (*chunk)(void *data);
        double at_most;         /* how many times its cost the desk's may be */
} contenders[] = {
        { "a WebSocket of the desk", desk_subscribe, desk_publish, 0 },
        { "a bare write", raw_subscribe, publish, 1.25 },
        { "nginx's nchan", nchan_subscribe, web_publish, 0.85 },
        { "mosquitto", mqtt_subscribe, publish, 0.65 },
        { "nats-server", nats_subscribe, publish, 0.65 },
};
enum { CONTENDERS = sizeof(contenders) / sizeof(contenders[0]) };

/* NULL: the desk itself. */
static const struct raw_rival *rival_of(const struct raw *raw, size_t i)
{
        const struct raw_rival *all[CONTENDERS] = { NULL, &raw->fan_out, &raw->nchan, &raw->mqtt, &raw->nats };

        return all[i];
}

static bool is_there(const struct raw *raw, size_t i)
{
        return i == 0 || rival_of(raw, i)->port;
}

static void unsubscribe(struct fan *f)
{
        socket_set_close(&f->set);
        if (f->web.connections)
                web_close(&f->web);
        if (f->publisher)
                close(f->publisher);
        buf_deinit(&f->message);
        arena_deinit(&f->arena);
}

/* Who came in the round before has gone from the bare writer. */
static void raw_forget(const struct raw *raw)
{
        char gone;

        if (send(raw->fan, "", 1, 0) != 1 || recv(raw->fan, &gone, 1, 0) != 1)
                bench_fail("the bare writer is gone");
}

/* How many bytes the desk's message has. */
static size_t desk_payload(const struct desk *desk)
{
        struct fan f = { .desk = desk };
        size_t payload;

        desk_subscribe(&f, 1);
        desk_publish(&f);
        payload = f.set.payload;
        unsubscribe(&f);
        return payload;
}

/* The whole time of one message to n. */
static void measure(const struct desk *desk, const struct raw *raw, size_t payload, int n, struct subject result[CONTENDERS])
{
        struct fan fans[CONTENDERS];
        struct subject s[CONTENDERS];
        size_t there = 0;

        raw_forget(raw);
        for (size_t i = 0; i < CONTENDERS; i++) {
                fans[i] = (struct fan){ .desk = desk, .raw = raw, .rival = rival_of(raw, i), .payload = payload };
                if (!is_there(raw, i))
                        continue;
                contenders[i].subscribe(&fans[i], n);
                s[there++] = (struct subject){ .name = contenders[i].name, .chunk = contenders[i].chunk, .data = &fans[i], .operations = 1,
                                                .clock = i ? rival_clock : desk_clock };
        }
        subjects_measure(s, there, ROUNDS);
        for (size_t i = CONTENDERS; i-- > 0;) {
                if (!is_there(raw, i))
                        continue;
                result[i] = s[--there];
                subject_deinit(&s[there]);
                unsubscribe(&fans[i]);
        }
}

void bench_fan(const struct desk *desk, const struct raw *raw)
{
        struct subject whole[SIZES][CONTENDERS] = { 0 };
        const size_t payload = desk_payload(desk);

        for (int i = 0; i < SIZES; i++)
                measure(desk, raw, payload, sizes[i], whole[i]);
        for (int i = 1; i < SIZES; i++) {
                char title[64];

                for (size_t j = 0; j < CONTENDERS; j++) {
                        whole[i][j].fast = (whole[i][j].fast - whole[0][j].fast) / (sizes[i] - 1);
                        whole[i][j].median = (whole[i][j].median - whole[0][j].median) / (sizes[i] - 1);
                }
                snprintf(title, sizeof(title), "one message of %zu bytes to %d, per delivery", payload, sizes[i]);
                report_title(title);
                report_subject(&whole[i][0]);
                for (size_t j = 1; j < CONTENDERS; j++) {
                        if (!is_there(raw, j))
                                continue;
                        report_subject(&whole[i][j]);
                        report_cost(&whole[i][0], &whole[i][j], contenders[j].at_most);
                }
        }
}

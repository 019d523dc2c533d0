/* In steady state a request takes nothing from the heap, and h2o one piece for it: counted, not timed. The whole gateway, with an
 * identity that knows everybody. */
#include "connection.h"
#include "heap_count.h"
#include "listener.h"
#include "schema/identity.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WARM = 300, COUNTED = 1000 };

struct room {
        struct service service;
        struct gateway *gateway;
        struct rpc_server *identity;
        struct feed feed;
        char folder[32], path[96], date[64];
        int seconds;                /* that began, by the answers' Date: h2o makes the text of each anew */
        uint16_t port;
        int client;
};

static int on_resolve(void *data, struct call *c, const void *params, void *ret)
{
        (void)data;
        (void)c;
        (void)params;
        *(struct session_resolve_result *)ret = (struct session_resolve_result){
                .caller = STR("sealed"), .has_role = true, .role = ROLE_CUSTOMER, .has_user = true, .user = { { 1 } },
                .device = STR("loopback:127.0.0.2"), .expires_at = INT64_C(1) << 52,
        };
        return 0;
}

static int on_follow(void *data, struct call *c, const void *params, void *ret)
{
        int code = feed_park(&((struct room *)data)->feed, c);

        (void)params;
        *(struct callers_follow_result *)ret = (struct callers_follow_result){ 0 };
        return code;
}

static const struct rpc_handler handlers[] = {
        { &schema_method_session_resolve, on_resolve },
        { &schema_method_callers_follow, on_follow },
        { NULL, NULL },
};

static uint16_t free_port(void)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        socklen_t n = sizeof(a);

        assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
        close(fd);
        return ntohs(a.sin_port);
}

static int setup(void **state)
{
        struct room *r = calloc(1, sizeof(*r));
        struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002) };
        void *data = NULL;

        *state = r;
        log_level(LOG_LEVEL_ERROR);
        strcpy(r->folder, "/tmp/gateway-XXXXXX");
        assert_non_null(mkdtemp(r->folder));
        snprintf(r->path, sizeof(r->path), "mkdir -p %s/run/assist-identity", r->folder);
        assert_int_equal(system(r->path), 0);
        snprintf(r->path, sizeof(r->path), "%s/run/assist-identity/rpc.sock", r->folder);
        r->port = free_port();
        r->service = (struct service){ .name = "gateway", .clock = &clock_system, .loop = loop_new(&clock_system), .root = r->folder,
                                       .settings = { .device_rate = 1000000, .user_rate = 1000000, .admissions = 1000 } };
        assert_int_equal(rpc_peers_load(true, &r->service.peers), 0);
        assert_int_equal(feed_init(&r->feed, r->service.loop), 0);
        assert_int_equal(rpc_server_new(r->service.loop, &(struct rpc_server_options){
                .path = r->path, .handlers = handlers, .data = r, .peers = &r->service.peers, .clock = &clock_system }, &r->identity), 0);
        assert_int_equal(gateway_service.start(&r->service, &data), 0);
        r->gateway = data;
        assert_int_equal(host_address_parse(STR("127.0.0.1"), r->port, &r->gateway->place.address), 0);
        r->gateway->place.ifindex = if_nametoindex("lo");
        assert_int_equal(listener_new(r->gateway, &r->gateway->place, &r->gateway->listener), 0);
        r->client = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(r->client, (struct sockaddr *)&from, sizeof(from)), 0);
        assert_int_equal(connect(r->client, &r->gateway->place.address.any, host_address_size(&r->gateway->place.address)), 0);
        return 0;
}

static int teardown(void **state)
{
        struct room *r = *state;
        char command[64];

        close(r->client);
        gateway_service.stop(r->gateway);
        feed_deinit(&r->feed);
        rpc_server_free(r->identity);
        loop_free(r->service.loop);
        arena_deinit(&r->service.arena);
        snprintf(command, sizeof(command), "rm -rf %s", r->folder);
        assert_int_equal(system(command), 0);
        free(r);
        return 0;
}

/* Sends it, and turns the gateway's loop until the answer is there. */
static void ask(struct room *r, const char *request, const char *answer)
{
        char in[2000], *date;
        ssize_t n = -1;

        assert_int_equal(send(r->client, request, strlen(request), 0), strlen(request));
        while (n < 0) {
                assert_int_equal(h2o_evloop_run(r->gateway->h2o, 10000), 0);
                connections_turn(r->gateway->connections);
                n = recv(r->client, in, sizeof(in) - 1, MSG_DONTWAIT);
        }
        in[n] = '\0';
        assert_non_null(strstr(in, answer));
        date = strcasestr(in, "\r\ndate: ");
        assert_non_null(date);
        date[2 + strcspn(date + 2, "\r")] = '\0';
        r->seconds += strcmp(r->date, date) != 0;
        snprintf(r->date, sizeof(r->date), "%s", date);
}

static void a_request_takes_nothing_from_the_heap_but_h2os_one_piece(void **state)
{
        struct room *r = *state;
        static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ticket.list\",\"params\":{\"limit\":0}}";
        char get[200], post[500];
        long before, before_libraries;

        if (!heap_counts) {
                print_message("skipped: a_request_takes_nothing_from_the_heap_but_h2os_one_piece: the sanitizer has the heap\n");
                skip();
        }
        snprintf(get, sizeof(get), "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", r->port);
        snprintf(post, sizeof(post), "POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer good\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", r->port, sizeof(call) - 1, call);
        before = atomic_load(&heap_taken);
        for (int i = 0; i < WARM; i++) {
                ask(r, get, "{\"ok\":true}");
                ask(r, post, "must be 1 to 200");
        }
        assert_true(atomic_load(&heap_taken) > before);         /* it does count */
        before = atomic_load(&heap_taken);
        before_libraries = heap_taken_by_libraries;
        r->seconds = 0;
        for (int i = 0; i < COUNTED; i++)
                ask(r, get, "{\"ok\":true}");
        assert_int_equal(atomic_load(&heap_taken) - before, 0);
        assert_int_equal(heap_taken_by_libraries - before_libraries, COUNTED + r->seconds);
        for (int i = 0; i < COUNTED; i++)
                ask(r, post, "must be 1 to 200");
        assert_int_equal(atomic_load(&heap_taken) - before, 0);
        assert_int_equal(heap_taken_by_libraries - before_libraries, 2 * COUNTED + r->seconds);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_request_takes_nothing_from_the_heap_but_h2os_one_piece, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

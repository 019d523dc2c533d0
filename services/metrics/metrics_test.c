/* The whole of assist-metrics, with its socket passed as systemd does, the time in the test's hand, and no service at all. */
#include "metrics.h"

#include "http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PASSED = 3 };

struct room {
        struct clock clock;
        int64_t us;
        struct service service;
        void *data;
        struct sockaddr_in address;
        int kept;                       /* what was at the descriptor that systemd uses; -1: nothing */
        char answer[8192];
};

static int64_t room_now_ms(void *data)
{
        return 1700000000000 + ((struct room *)data)->us / 1000;
}

static int64_t room_steady_us(void *data)
{
        return ((struct room *)data)->us;
}

static void listen_as_systemd(struct room *r)
{
        socklen_t n = sizeof(r->address);
        char pid[16];
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        r->address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        assert_int_equal(bind(fd, (const struct sockaddr *)&r->address, n), 0);
        assert_int_equal(listen(fd, 64), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&r->address, &n), 0);
        if (fd != PASSED) {
                r->kept = fcntl(PASSED, F_DUPFD_CLOEXEC, 10);
                assert_int_equal(dup2(fd, PASSED), PASSED);
                close(fd);
        }
        snprintf(pid, sizeof(pid), "%d", getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", "1", 1);
}

static int setup(void **state)
{
        struct room *r = calloc(1, sizeof(*r));

        *state = r;
        r->kept = -1;
        r->us = 1000000;
        r->clock = (struct clock){ .now_ms = room_now_ms, .steady_us = room_steady_us, .data = r };
        log_level(LOG_LEVEL_ERROR);
        listen_as_systemd(r);
        r->service = (struct service){ .name = "metrics", .clock = &r->clock, .root = "/nonexistent", .loop = loop_new(&r->clock) };
        assert_int_equal(rpc_peers_load(true, &r->service.peers), 0);
        assert_int_equal(metrics_service.start(&r->service, &r->data), 0);
        return 0;
}

static int teardown(void **state)
{
        struct room *r = *state;

        metrics_service.stop(r->data);
        loop_free(r->service.loop);
        arena_deinit(&r->service.arena);
        if (r->kept >= 0) {
                dup2(r->kept, PASSED);
                close(r->kept);
        }
        free(r);
        return 0;
}

static void pass(struct room *r, int64_t us)
{
        r->us += us;
        for (int i = 0; i < 20; i++)
                assert_int_equal(loop_dispatch(r->service.loop, 0), 0);
}

static int client_of(struct room *r)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (const struct sockaddr *)&r->address, sizeof(r->address)), 0);
        return fd;
}

/* Turns the loop until the client's end is there: what it was answered. The time goes on, so that deadlines come. */
static const char *answer_at(struct room *r, int fd)
{
        size_t n = 0;

        for (int turns = 0; turns < 100000; turns++) {
                ssize_t got = recv(fd, r->answer + n, sizeof(r->answer) - 1 - n, MSG_DONTWAIT);

                if (got == 0)
                        break;
                if (got > 0)
                        n += (size_t)got;
                assert_int_equal(loop_dispatch(r->service.loop, 1), 0);
                r->us += 20000;
        }
        r->answer[n] = '\0';
        close(fd);
        return r->answer;
}

static const char *answer_to(struct room *r, const char *request)
{
        int fd = client_of(r);

        assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
        return answer_at(r, fd);
}

static void begins(const char *answer, const char *line)
{
        if (strncmp(answer, line, strlen(line)) != 0)
                fail_msg("not \"%s\" but \"%.60s\"", line, answer);
}

static void services_that_are_away_are_said_to_be(void **state)
{
        struct room *r = *state;
        const char *answer = answer_to(r, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9472\r\n\r\n");

        begins(answer, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
        for (const char *const *service = (const char *const[]){ "store", "identity", "fanout", "mycelium-supervisor", NULL }; *service; service++) {
                char line[80];

                snprintf(line, sizeof(line), "\nassist_up{service=\"%s\"} 0\n", *service);
                assert_non_null(strstr(answer, line));
        }
}

static void only_the_page_is_to_be_had_and_only_by_get(void **state)
{
        struct room *r = *state;

        begins(answer_to(r, "GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 ");
        begins(answer_to(r, "GET /metrics/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 ");
        begins(answer_to(r, "GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 ");
        begins(answer_to(r, "POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), "HTTP/1.1 405 ");
        assert_non_null(strstr(r->answer, "\r\nAllow: GET\r\n"));
        begins(answer_to(r, "HEAD /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 ");
        begins(answer_to(r, "\r\n\r\n"), "HTTP/1.1 400 ");
        begins(answer_to(r, "GET /metrics\r\n\r\n"), "HTTP/1.1 400 ");
        begins(answer_to(r, "GET /metrics SPDY/3\r\n\r\n"), "HTTP/1.1 400 ");
}

static void a_name_that_anybody_may_own_is_no_host_of_ours(void **state)
{
        static const char *const good[] = { "127.0.0.1", "127.0.0.1:9472", "localhost:9472", "LocalHost", "[::1]:9472", "[::1]", "10.1.2.3:1" };
        static const char *const bad[] = { "desk.example.org", "127.0.0.1.example.org:9472", "localhost.example.org", "[::1", "::1]", "", "1.cafe:80" };
        struct room *r = *state;
        char request[200];

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", good[i]);
                begins(answer_to(r, request), "HTTP/1.1 404 ");
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nAccept: *\r\nhost:%s\r\n\r\n", bad[i]);
                begins(answer_to(r, request), "HTTP/1.1 421 ");
        }
}

static void a_request_has_a_largest_size_and_a_deadline(void **state)
{
        struct room *r = *state;
        char request[HTTP_HEAD_MAX + 100];
        int slow = client_of(r);

        memset(request, 'x', sizeof(request));
        request[sizeof(request) - 1] = '\0';
        begins(answer_to(r, request), "HTTP/1.1 431 ");
        assert_int_equal(send(slow, "GET /met", 8, MSG_NOSIGNAL), 8);
        pass(r, 0);
        pass(r, HTTP_DEADLINE_US);
        assert_string_equal(answer_at(r, slow), "");
}

static void a_request_that_comes_in_pieces_is_whole(void **state)
{
        static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
        struct room *r = *state;
        int fd = client_of(r);

        for (const char *p = request; *p; p++) {
                assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
                pass(r, 0);
        }
        begins(answer_at(r, fd), "HTTP/1.1 200 OK\r\n");
}

static void more_clients_than_there_is_room_for_wait_their_turn(void **state)
{
        struct room *r = *state;
        int idle[HTTP_CLIENTS_MAX], late;

        for (int i = 0; i < HTTP_CLIENTS_MAX; i++)
                idle[i] = client_of(r);
        late = client_of(r);
        assert_int_equal(send(late, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
        pass(r, 0);
        assert_int_equal(recv(late, r->answer, 1, MSG_DONTWAIT), -1);
        close(idle[3]);
        begins(answer_at(r, late), "HTTP/1.1 404 ");
        for (int i = 0; i < HTTP_CLIENTS_MAX; i++)
                if (i != 3)
                        close(idle[i]);
        pass(r, 0);
}

static void who_goes_while_waiting_is_in_nobodys_way(void **state)
{
        static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
        struct room *r = *state;
        int gone = client_of(r), stays = client_of(r);
        const struct linger reset = { 1, 0 };

        assert_int_equal(send(gone, request, strlen(request), MSG_NOSIGNAL), strlen(request));
        assert_int_equal(send(stays, request, strlen(request), MSG_NOSIGNAL), strlen(request));
        pass(r, 0);
        assert_int_equal(setsockopt(gone, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        close(gone);
        begins(answer_at(r, stays), "HTTP/1.1 200 ");
}

static void it_ends_once_nobody_has_asked_for_a_while(void **state)
{
        struct room *r = *state;
        int fd;

        pass(r, METRICS_IDLE_US / 2);
        begins(answer_to(r, "GET /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 ");
        pass(r, 0);     /* it has left */
        pass(r, METRICS_IDLE_US - HTTP_DEADLINE_US / 2);
        assert_false(loop_stopped(r->service.loop));
        fd = client_of(r);
        pass(r, 0);
        pass(r, HTTP_DEADLINE_US - 1000000);
        assert_false(loop_stopped(r->service.loop));    /* somebody is there */
        close(fd);
        pass(r, 0);
        pass(r, METRICS_IDLE_US);
        assert_true(loop_stopped(r->service.loop));
}

/* What the schemas let it do, and no more: the dispatcher of every service goes by them (libcommon/admit.c). */
static void it_may_call_stats_and_nothing_else(void **state)
{
        int may = 0;

        (void)state;
        for (size_t i = 0; schema_methods[i]; i++) {
                const struct schema_method *m = schema_methods[i];
                const char *verb = strrchr(m->name, '.');

                if (!(m->from & SCHEMA_PEER_METRICS))
                        continue;
                may++;
                assert_string_equal(verb, ".stats");
                assert_false(m->mutates);
                assert_true(m->role == SCHEMA_ROLE_NOBODY || m->role == SCHEMA_ROLE_ADMIN);
        }
        assert_int_equal(may, 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(services_that_are_away_are_said_to_be, setup, teardown),
                cmocka_unit_test_setup_teardown(only_the_page_is_to_be_had_and_only_by_get, setup, teardown),
                cmocka_unit_test_setup_teardown(a_name_that_anybody_may_own_is_no_host_of_ours, setup, teardown),
                cmocka_unit_test_setup_teardown(a_request_has_a_largest_size_and_a_deadline, setup, teardown),
                cmocka_unit_test_setup_teardown(a_request_that_comes_in_pieces_is_whole, setup, teardown),
                cmocka_unit_test_setup_teardown(more_clients_than_there_is_room_for_wait_their_turn, setup, teardown),
                cmocka_unit_test_setup_teardown(who_goes_while_waiting_is_in_nobodys_way, setup, teardown),
                cmocka_unit_test_setup_teardown(it_ends_once_nobody_has_asked_for_a_while, setup, teardown),
                cmocka_unit_test(it_may_call_stats_and_nothing_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

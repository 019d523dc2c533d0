/* Bytes that no client or service of ours would send: a clear fault, or a closed connection, and the other side goes on. What a
 * protocol's peer can say is said by nng itself, so these tests also show that we speak with it. */
#include "rpc_test_room.h"
#include "rpc_stream.h"
#include "rpc_wire.h"
#include <fcntl.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <sys/socket.h>

static nng_socket dial(struct room *r)
{
        char url[128];
        nng_socket s;

        snprintf(url, sizeof(url), "ipc://%s", r->path);
        assert_int_equal(nng_req0_open(&s), 0);
        assert_int_equal(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, 5000), 0);
        assert_int_equal(nng_socket_set_ms(s, NNG_OPT_SENDTIMEO, 5000), 0);
        assert_int_equal(nng_socket_set_ms(s, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), 0);
        assert_int_equal(nng_dial(s, url, NULL, 0), 0);
        return s;
}

/* The code that these bytes are answered with, and the fault. */
static int answer_to(nng_socket s, struct str bytes, struct arena *arena, struct fault *ret)
{
        void *p;
        size_t n;
        struct str in;
        int code;

        assert_int_equal(nng_send(s, (void *)(uintptr_t)bytes.p, bytes.n, 0), 0);
        assert_int_equal(nng_recv(s, &p, &n, NNG_FLAG_ALLOC), 0);
        in = arena_bytes(arena, p, n);
        nng_free(p, n);
        assert_int_equal(rpc_reply_read_head(&in, &code), 0);
        *ret = (struct fault){ 0 };
        if (code)
                assert_int_equal(msgpack_read_next(&fault_type, &in, arena, ret, NULL), 0);
        return code;
}

static void still_serves(struct room *r)
{
        assert_int_equal(ask(r, &method_say, &(struct echo_say){ .text = STR("x") }, &(struct echo_say_result){ { 0 } }, NULL), 0);
}

static void good_head(struct buf *b, const char *method)
{
        rpc_envelope_write(&(struct rpc_envelope){ .method = str_of(method), .request = STR("r"), .deadline_ms = 1000 }, b);
}

static void envelopes_of_every_wrong_shape_are_named(void **state)
{
        const struct {
                struct str bytes;
                const char *says;
        } all[] = {
                { STR(""), "array of 7" },
                { STR("\xc0"), "array of 7" },
                { STR("\x97"), "array of 7" },
                { STR("\xdd\xff\xff\xff\xff"), "array of 7" },
                { STR("\x93\x01\x02\x03"), "array of 7" },
                { STR("\x97\x02\xa1x\xa1r\xc0\x01\xc0\xc0"), "version" },
                { STR("\x97\x01\x05\xa1r\xc0\x01\xc0\xc0"), "method" },
                { STR("\x97\x01\xdb\xff\xff\xff\xffx\xa1r\xc0\x01\xc0\xc0"), "method" },
                { STR("\x97\x01\xa1x\xa0\xc0\x01\xc0\xc0"), "request id" },
                { STR("\x97\x01\xa1x\xa2r\n\xc0\x01\xc0\xc0"), "request id" },
                { STR("\x97\x01\xa1x\xa1r\xa2r/\x01\xc0\xc0"), "client's request id" },
                { STR("\x97\x01\xa1x\xa1r\xc0\xff\xc0\xc0"), "deadline" },
                { STR("\x97\x01\xa1x\xa1r\xc0\xce\x00\x01\x00\x00\xc0\xc0"), "deadline" },
                { STR("\x97\x01\xa1x\xa1r\xc0\x01\xa1x\xc0"), "sealed" },
                { STR("\x97\x01\xa1x\xa1r\xc0\x01\xc4\x00\xc0"), "sealed" },
        };
        struct room *r = *state;
        nng_socket s = dial(r);
        struct fault f;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                assert_int_equal(answer_to(s, all[i].bytes, &r->arena, &f), FAULT_INVALID_REQUEST);
                assert_non_null(strstr(f.reason.p, all[i].says));
        }
        nng_close(s);
        still_serves(r);
}

static void parameters_of_every_wrong_shape_are_refused(void **state)
{
        const struct str all[] = {
                STR(""), STR("\x91"), STR("\x91\x05"), STR("\x91\xc0"), STR("\x92\xa1x\xa1x"), STR("\xdd\xff\xff\xff\xff"),
                STR("\xdf\xff\xff\xff\xff"), STR("\x91\xdb\xff\xff\xff\xffx"), STR("\x91\xa2\xc0\xaf"), STR("\xc1"),
                STR("\x93\xa1x\x01\xdc\xff\xff"), STR("\x91\x91\x91\x91\x91\x91"),
        };
        struct room *r = *state;
        nng_socket s = dial(r);
        struct fault f;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                struct buf b = { 0 };

                good_head(&b, "echo.say");
                buf_str(&b, all[i]);
                assert_int_equal(answer_to(s, buf_view(&b), &r->arena, &f), FAULT_INVALID_PARAMS);
                assert_true(f.has_reason);
                buf_deinit(&b);
        }
        nng_close(s);
        still_serves(r);
}

static void what_follows_the_parameters_is_refused(void **state)
{
        struct room *r = *state;
        nng_socket s = dial(r);
        struct buf b = { 0 };
        struct fault f;

        good_head(&b, "echo.say");
        buf_str(&b, STR("\x91\xa1x\xc0"));
        assert_int_equal(answer_to(s, buf_view(&b), &r->arena, &f), FAULT_INVALID_REQUEST);
        buf_deinit(&b);
        nng_close(s);
        still_serves(r);
}

static void every_cut_of_a_good_call_is_refused(void **state)
{
        struct room *r = *state;
        nng_socket s = dial(r);
        struct buf b = { 0 };
        struct fault f;

        good_head(&b, "echo.say");
        msgpack_write(&type_echo_say, &(struct echo_say){ .text = STR("hello"), .has_times = true, .times = 2 }, &b);
        for (size_t n = 0; n < b.n; n++)
                assert_int_not_equal(answer_to(s, (struct str){ b.p, n }, &r->arena, &f), 0);
        assert_int_equal(answer_to(s, buf_view(&b), &r->arena, &f), 0);
        buf_deinit(&b);
        nng_close(s);
}

static void every_changed_bit_of_a_good_call_is_survived(void **state)
{
        struct room *r = *state;
        nng_socket s = dial(r);
        struct buf b = { 0 };
        struct fault f;

        good_head(&b, "echo.say");
        msgpack_write(&type_echo_say, &(struct echo_say){ .text = STR("hello"), .has_times = true, .times = 2 }, &b);
        for (size_t bit = 0; bit < b.n * 8; bit++) {
                int code;

                b.p[bit / 8] ^= (char)(1 << bit % 8);
                code = answer_to(s, buf_view(&b), &r->arena, &f);
                assert_true(code >= 0);
                b.p[bit / 8] ^= (char)(1 << bit % 8);
        }
        buf_deinit(&b);
        nng_close(s);
        still_serves(r);
}

static struct sockaddr_un address_of(const struct room *r)
{
        struct sockaddr_un a;

        assert_int_equal(rpc_address(r->path, &a), 0);
        return a;
}

static const char req_greeting[] = { 0, 'S', 'P', 0, 0, RPC_REQ, 0, 0 };

/* Not with nng: its socket may never close after a pipe that was cut while it sent. */
static void an_oversize_message_closes_its_pipe_alone(void **state)
{
        struct room *r = *state;
        struct sockaddr_un a = address_of(r);
        struct timeval wait = { .tv_sec = 10 };
        uint64_t n = RPC_MESSAGE_MAX + 1024;
        char head[13] = { 1, [9] = (char)0x80 }, bytes[64];
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ssize_t got;

        for (int i = 0; i < 8; i++)
                head[1 + i] = (char)(n >> (56 - 8 * i));
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
        assert_int_equal(send(fd, req_greeting, sizeof(req_greeting), MSG_NOSIGNAL), sizeof(req_greeting));
        assert_int_equal(send(fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
        do      /* its greeting, then the end */
                got = recv(fd, bytes, sizeof(bytes), 0);
        while (got > 0);
        assert_true(got == 0 || errno == ECONNRESET);
        close(fd);
        still_serves(r);
}

static void what_does_not_speak_the_protocol_is_cut_off(void **state)
{
        static const char *const words[] = { "GET / HTTP/1.1\r\n\r\n", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" };
        struct room *r = *state;
        struct sockaddr_un a = address_of(r);
        struct timeval wait = { .tv_sec = 10 };

        for (int i = 0; i < 2; i++) {
                char bytes[64];
                ssize_t n;
                int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

                assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
                assert_int_equal(send(fd, words[i], strlen(words[i]), MSG_NOSIGNAL), (ssize_t)strlen(words[i]));
                do      /* its greeting, then the end */
                        n = recv(fd, bytes, sizeof(bytes), 0);
                while (n > 0);
                assert_true(n == 0 || errno == ECONNRESET);
                close(fd);
        }
        still_serves(r);
}

static void callers_that_go_before_they_are_greeted_harm_nobody(void **state)
{
        struct room *r = *state;
        struct sockaddr_un a = address_of(r);

        for (int i = 0; i < 200; i++) {
                int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

                assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
                close(fd);
        }
        rpc_client_free(r->client);     /* a new one has to be accepted */
        assert_int_equal(rpc_client_new(r->loop, &(struct rpc_client_options){ r->path, SCHEMA_PEER_GATEWAY, &r->peers },
                                        &r->client), 0);
        still_serves(r);
}

static int listen_in_room(struct room *r)
{
        struct sockaddr_un a = address_of(r);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(listen(fd, 16), 0);
        return fd;
}

static void on_code(void *data, const struct rpc_reply *reply)
{
        struct room *r = data;

        r->codes[r->done++] = reply->code;
}

static void say_later(struct room *r)
{
        assert_int_equal(rpc_call(r->client, &(struct rpc_request){ .method = &method_say, .params = &(struct echo_say){ .text = STR("x") },
                                                                    .timeout_ms = 20000 }, on_code, r), 0);
}

/* The next connection that the room's client makes to us. */
static int accept_in_room(struct room *r, int listener)
{
        int64_t deadline = deadline_in_s(20);
        int fd = -1;

        while (fd < 0 && before(deadline)) {
                loop_dispatch(r->loop, 10);
                fd = accept(listener, NULL, NULL);
        }
        assert_true(fd >= 0);
        return fd;
}

static void wait_done(struct room *r, int n)
{
        int64_t deadline = deadline_in_s(20);

        while (r->done < n && before(deadline))
                loop_dispatch(r->loop, 1000);
        assert_int_equal(r->done, n);
}

static void a_listener_that_hangs_up_is_dialled_again(void **state)
{
        struct room *r = *state;
        int listener = listen_in_room(r);

        say_later(r);
        for (int i = 0; i < 10; i++)
                close(accept_in_room(r, listener));
        close(listener);
        unlink(r->path);
        room_open(r, echo_key);
        wait_done(r, 1);
        assert_int_equal(r->codes[0], 0);
}

static const char rep_greeting[] = { 0, 'S', 'P', 0, 0, RPC_REP, 0, 0 };

/* What a service may say to a client, each in place of an answer; and then a real service answers. */
static void a_service_that_speaks_nonsense_is_left_and_asked_again(void **state)
{
        const struct str all[] = {
                STR("HTTP/1.1 400 Bad Request\r\n\r\n"),
                STR("\0SP\0\0\x30\0\0"),                        /* another client */
                STR("\0SP\0\0\x31\0\0" "GET / HTTP/1.1\r\n\r\n"),
                STR("\0SP\0\0\x31\0\0" "\x01\xff\xff\xff\xff\xff\xff\xff\xff\x80\0\0\0"),
        };
        struct room *r = *state;
        int listener = listen_in_room(r);

        say_later(r);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                int64_t deadline = deadline_in_s(20);
                int fd = accept_in_room(r, listener);
                char bytes[4096];

                assert_int_equal(send(fd, all[i].p, all[i].n, MSG_NOSIGNAL), (ssize_t)all[i].n);
                fcntl(fd, F_SETFL, O_NONBLOCK);
                while (recv(fd, bytes, sizeof(bytes), 0) != 0 && errno != ECONNRESET && before(deadline))
                        loop_dispatch(r->loop, 10);
                assert_true(before(deadline));
                close(fd);
        }
        close(listener);
        unlink(r->path);
        room_open(r, echo_key);
        wait_done(r, 1);
        assert_int_equal(r->codes[0], 0);
}

static void an_answer_to_what_nobody_asked_is_passed_over(void **state)
{
        /* An empty array of 0 for request 5 of lane 63, in two parts; the call is in another lane. */
        static const char stray[] = { 1, 0, 0, 0, 0, 0, 0, 0, 5, (char)0x80, 0, 1, 0x7f, (char)0x90 };
        struct room *r = *state;
        int listener = listen_in_room(r), fd;

        say_later(r);
        fd = accept_in_room(r, listener);
        assert_int_equal(send(fd, rep_greeting, sizeof(rep_greeting), MSG_NOSIGNAL), sizeof(rep_greeting));
        assert_int_equal(send(fd, stray, 7, MSG_NOSIGNAL), 7);
        loop_dispatch(r->loop, 1000);
        assert_int_equal(send(fd, stray + 7, sizeof(stray) - 7, MSG_NOSIGNAL), sizeof(stray) - 7);
        loop_dispatch(r->loop, 1000);
        assert_int_equal(r->done, 0);
        close(fd);
        close(listener);
        unlink(r->path);
        room_open(r, echo_key);
        wait_done(r, 1);
        assert_int_equal(r->codes[0], 0);
}

static void a_call_that_comes_byte_by_byte_is_one(void **state)
{
        struct room *r = *state;
        struct sockaddr_un a = address_of(r);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct buf b = { 0 };
        char answer[8 + 13 + 4] = { 0 };
        uint8_t head[13] = { [0] = 1, [9] = 0x80, [12] = 7 };

        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        good_head(&b, "echo.say");
        msgpack_write(&type_echo_say, &(struct echo_say){ .text = STR("hello") }, &b);
        head[8] = (uint8_t)(4 + b.n);
        for (size_t i = 0; i < sizeof(req_greeting); i++)
                assert_int_equal(send(fd, req_greeting + i, 1, MSG_NOSIGNAL), 1);
        for (size_t i = 0; i < sizeof(head); i++)
                assert_int_equal(send(fd, head + i, 1, MSG_NOSIGNAL), 1);
        for (size_t i = 0; i < b.n; i++)
                assert_int_equal(send(fd, b.p + i, 1, MSG_NOSIGNAL), 1);
        assert_int_equal(recv(fd, answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
        assert_memory_equal(answer, rep_greeting, sizeof(rep_greeting));
        assert_int_equal(answer[8], 1);
        assert_int_equal((uint8_t)answer[17], 0x80);
        assert_int_equal(answer[20], 7);
        assert_memory_equal(answer + 21, "\x93\x01\x00\x91", 4);
        buf_deinit(&b);
        close(fd);
}

/* nng's own REP is asked by our client, and its answer taken. */
static void a_service_that_is_nng_is_understood(void **state)
{
        struct room *r = *state;
        char url[128];
        nng_socket s;
        void *p;
        size_t n;
        struct buf b = { 0 };
        int64_t deadline = deadline_in_s(20);

        snprintf(url, sizeof(url), "ipc://%s", r->path);
        assert_int_equal(nng_rep0_open(&s), 0);
        assert_int_equal(nng_listen(s, url, NULL, 0), 0);
        say_later(r);
        while (nng_recv(s, &p, &n, NNG_FLAG_ALLOC | NNG_FLAG_NONBLOCK) == NNG_EAGAIN && before(deadline))
                loop_dispatch(r->loop, 10);
        nng_free(p, n);
        rpc_reply_write_head(0, &b);
        msgpack_write(&type_echo_say_result, &(struct echo_say_result){ .text = STR("from nng") }, &b);
        assert_int_equal(nng_send(s, b.p, b.n, 0), 0);
        wait_done(r, 1);
        assert_int_equal(r->codes[0], 0);
        buf_deinit(&b);
        rpc_client_free(r->client);     /* before the socket: it would dial again */
        r->client = NULL;
        nng_close(s);
}

static void answers_that_fit_no_schema_become_internal(void **state)
{
        struct room *r = *state;
        struct echo_say_result out;

        /* The client believes that echo.silent answers as echo.follow does; this one answers a text. */
        static const struct schema_method lying = {
                .name = "echo.say", .service = "echo", .role = SCHEMA_ROLE_ANYONE, .params = &type_echo_say,
                .result = &type_echo_follow_result, .params_op_id = -1, .result_op_id = -1,
        };
        assert_int_equal(ask(r, &lying, &(struct echo_say){ .text = STR("x") }, &out, NULL), FAULT_INTERNAL);
        still_serves(r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(envelopes_of_every_wrong_shape_are_named, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(parameters_of_every_wrong_shape_are_refused, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(what_follows_the_parameters_is_refused, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(every_cut_of_a_good_call_is_refused, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(every_changed_bit_of_a_good_call_is_survived, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(an_oversize_message_closes_its_pipe_alone, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(what_does_not_speak_the_protocol_is_cut_off, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(callers_that_go_before_they_are_greeted_harm_nobody, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_listener_that_hangs_up_is_dialled_again, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_service_that_speaks_nonsense_is_left_and_asked_again, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(an_answer_to_what_nobody_asked_is_passed_over, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(a_call_that_comes_byte_by_byte_is_one, room_enter_served, room_leave),
                cmocka_unit_test_setup_teardown(a_service_that_is_nng_is_understood, room_enter, room_leave),
                cmocka_unit_test_setup_teardown(answers_that_fit_no_schema_become_internal, room_enter_served, room_leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

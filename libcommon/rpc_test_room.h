/* For tests of the transport: a small service, `echo`, described by hand, and a thread or a process that runs it. */
#pragma once
#include "rpc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct echo_say {
        struct str text;
        bool has_times;
        int64_t times;
};
struct echo_say_result {
        struct str text;
};
struct echo_write {
        struct str text;
        bool has_op_id;
        struct ulid op_id;
};
struct echo_write_result {
        int64_t count;
        struct ulid op_id;
        bool has_cursor;
        struct str cursor;
};
struct echo_fail {
        int64_t r;
};
struct echo_follow {
        int64_t after;
};
struct echo_follow_result {
        int64_t head;
};

#define FIELD(of, member, type_kind, flag, low, high)                                                            \
        { .name = #member, .doc = "", .kind = type_kind, .flags = flag, .offset = offsetof(struct of, member),   \
          .size = sizeof(((struct of *)0)->member), .min = low, .max = high }
#define FIELD_OPTIONAL(of, member, type_kind, low, high)                                                         \
        { .name = #member, .doc = "", .kind = type_kind, .flags = SCHEMA_OPTIONAL,                               \
          .offset = offsetof(struct of, member), .has_offset = offsetof(struct of, has_##member),                \
          .size = sizeof(((struct of *)0)->member), .min = low, .max = high }
#define STRUCT(of) \
        static const struct schema_struct type_##of = { "", "", fields_##of, sizeof(fields_##of) / sizeof(fields_##of[0]), sizeof(struct of) }

static const struct schema_field fields_echo_say[] = {
        FIELD(echo_say, text, SCHEMA_STRING, 0, 1, 3000000),
        FIELD_OPTIONAL(echo_say, times, SCHEMA_UINT, 1, 1000),
};
static const struct schema_field fields_echo_say_result[] = { FIELD(echo_say_result, text, SCHEMA_STRING, 0, 0, 4000000000) };
static const struct schema_field fields_echo_write[] = {
        FIELD(echo_write, text, SCHEMA_STRING, 0, 1, 100),
        FIELD_OPTIONAL(echo_write, op_id, SCHEMA_ULID, 0, 0),
};
static const struct schema_field fields_echo_write_result[] = {
        FIELD(echo_write_result, count, SCHEMA_UINT, 0, 0, 1000000),
        FIELD(echo_write_result, op_id, SCHEMA_ULID, 0, 0, 0),
        FIELD_OPTIONAL(echo_write_result, cursor, SCHEMA_STRING, 0, 128),
};
static const struct schema_field fields_echo_fail[] = { FIELD(echo_fail, r, SCHEMA_INT, 0, -100000, 100000) };
static const struct schema_field fields_echo_follow[] = { FIELD(echo_follow, after, SCHEMA_UINT, 0, 0, 1000000) };
static const struct schema_field fields_echo_follow_result[] = { FIELD(echo_follow_result, head, SCHEMA_UINT, 0, 0, 1000000) };
STRUCT(echo_say);
STRUCT(echo_say_result);
STRUCT(echo_write);
STRUCT(echo_write_result);
STRUCT(echo_fail);
STRUCT(echo_follow);
STRUCT(echo_follow_result);

#define METHOD(variable, method_name, in, out, method_role, may_call, ...)                                        \
        static const struct schema_method variable = {                                                           \
                .name = method_name, .service = "echo", .doc = "", .rate = "", .via = "rpc", .role = method_role,\
                .from = may_call, .params = &type_##in, .result = &type_##out, .params_op_id = -1,               \
                .result_op_id = -1, __VA_ARGS__ }
METHOD(method_say, "echo.say", echo_say, echo_say_result, SCHEMA_ROLE_ANYONE, SCHEMA_PEER_GATEWAY, .since = "");
METHOD(method_fail, "echo.fail", echo_fail, echo_say_result, SCHEMA_ROLE_ANYONE, SCHEMA_PEER_GATEWAY, .since = "");
METHOD(method_silent, "echo.silent", echo_follow, echo_follow_result, SCHEMA_ROLE_ANYONE, SCHEMA_PEER_GATEWAY, .since = "");
METHOD(method_follow, "echo.follow", echo_follow, echo_follow_result, SCHEMA_ROLE_NOBODY, SCHEMA_PEER_GATEWAY, .follow = true);
METHOD(method_inside, "echo.inside", echo_follow, echo_follow_result, SCHEMA_ROLE_NOBODY, SCHEMA_PEER_FANOUT, .since = "");
METHOD(method_agents, "echo.agents", echo_follow, echo_follow_result, SCHEMA_ROLE_AGENT, SCHEMA_PEER_GATEWAY, .since = "");
METHOD(method_strangers, "echo.strangers", echo_follow, echo_follow_result, SCHEMA_ROLE_STRANGER, SCHEMA_PEER_GATEWAY, .since = "");
METHOD(method_either, "echo.either", echo_follow, echo_follow_result, SCHEMA_ROLE_ADMIN,
       SCHEMA_PEER_GATEWAY | SCHEMA_PEER_STORE, .since = "");
METHOD(method_nowhere, "echo.nowhere", echo_follow, echo_follow_result, SCHEMA_ROLE_ANYONE, SCHEMA_PEER_GATEWAY, .since = "");
static const struct schema_method method_write = {
        .name = "echo.write", .service = "echo", .doc = "", .rate = "", .via = "rpc", .role = SCHEMA_ROLE_CUSTOMER,
        .from = SCHEMA_PEER_GATEWAY | SCHEMA_PEER_STORE, .mutates = true, .params = &type_echo_write,
        .result = &type_echo_write_result, .params_op_id = 1, .result_op_id = 1,
};

static const uint8_t echo_key[CALLER_KEY_BYTES] = { 42 };

/* ---- the service ---- */

struct echo {
        struct loop *loop;
        struct feed feed;
        struct rpc_server *server;
        int64_t head;            /* what follow follows */
        int64_t writes;
        struct call *held[RPC_IN_FLIGHT];
        int n_held;
        _Atomic int entered;     /* calls that reached echo.silent */
        bool exit_on_write;
};

static int echo_on_say(void *data, struct call *c, const void *params, void *ret)
{
        const struct echo_say *in = params;
        struct echo_say_result *out = ret;
        struct buf b = { 0 };

        (void)data;
        for (int64_t i = 0; i < (in->has_times ? in->times : 1); i++)
                buf_str(&b, in->text);
        out->text = arena_bytes(&c->arena, b.p, b.n);
        buf_deinit(&b);
        return 0;
}

static int echo_on_write(void *data, struct call *c, const void *params, void *ret)
{
        struct echo *e = data;
        struct echo_write_result *out = ret;

        (void)params;
        if (e->exit_on_write)
                _exit(0);
        assert_false(ulid_is_zero(c->op_id));
        out->count = ++e->writes;
        return 0;
}

static int echo_on_fail(void *data, struct call *c, const void *params, void *ret)
{
        const struct echo_fail *in = params;

        (void)data;
        (void)ret;
        switch (in->r) {
        case FAULT_NOT_FOUND:
                return call_not_found(c);
        case FAULT_FORBIDDEN:
                return call_forbidden(c, "no");
        case FAULT_INVALID_PARAMS:
                return call_invalid(c, "r", "it is %d", (int)in->r);
        case FAULT_CONFLICT:
                return call_conflict_newer(c, &type_echo_follow, &(struct echo_follow){ 7 }, "newer");
        case FAULT_TOO_LARGE:
                return call_too_large(c, 12, "at most %d", 12);
        case FAULT_RATE_LIMITED:
                return call_rate_limited(c, 345);
        case FAULT_EXPIRED:
                return call_expired(c, "over");
        case FAULT_UNAVAILABLE:
                return call_unavailable(c, 99, "later");
        default:
                return (int)in->r;
        }
}

static int echo_on_silent(void *data, struct call *c, const void *params, void *ret)
{
        struct echo *e = data;

        (void)params;
        (void)ret;
        if (e->n_held < RPC_IN_FLIGHT)
                e->held[e->n_held++] = c;
        atomic_fetch_add(&e->entered, 1);
        return CALL_PARKED;
}

static int echo_on_follow(void *data, struct call *c, const void *params, void *ret)
{
        struct echo *e = data;
        const struct echo_follow *in = params;
        struct echo_follow_result *out = ret;

        out->head = e->head;
        return e->head > in->after ? 0 : feed_park(&e->feed, c);
}

static int echo_on_plain(void *data, struct call *c, const void *params, void *ret)
{
        const struct echo_follow *in = params;
        struct echo_follow_result *out = ret;

        (void)data;
        out->head = c->has_caller ? (int64_t)c->caller.role : in->after;
        return 0;
}

static const struct rpc_handler echo_handlers[] = {
        { &method_write, echo_on_write },     { &method_say, echo_on_say },       { &method_fail, echo_on_fail },
        { &method_silent, echo_on_silent },   { &method_follow, echo_on_follow }, { &method_inside, echo_on_plain },
        { &method_agents, echo_on_plain },    { &method_either, echo_on_plain },  { &method_strangers, echo_on_plain },
        { NULL, NULL },
};

static int echo_start(struct echo *e, const char *path, const struct rpc_peers *peers, const uint8_t *key)
{
        feed_init(&e->feed, e->loop);
        return rpc_server_new(e->loop, &(struct rpc_server_options){ .path = path, .handlers = echo_handlers, .data = e,
                                                                     .peers = peers, .caller_key = key, .clock = &clock_system },
                              &e->server);
}

/* ---- a process that runs it: the test's own program, called again ---- */

static inline pid_t echo_spawn(const char *path, const char *mode)
{
        pid_t pid = fork();

        if (pid == 0) {
                execl("/proc/self/exe", "echo", "--serve", path, mode, (char *)NULL);
                _exit(127);
        }
        return pid;
}

static inline int echo_serve(const char *path, const char *mode)
{
        struct rpc_peers peers;
        struct echo e = { .exit_on_write = strcmp(mode, "fragile") == 0 };

        log_open("echo", LOG_LEVEL_WARNING);
        if (strncmp(mode, "uid:", 4) == 0 && (setgid((gid_t)atoi(mode + 4)) || setuid((uid_t)atoi(mode + 4))))
                return 1;
        prctl(PR_SET_PDEATHSIG, SIGKILL);       /* a test that fails leaves nobody behind */
        rpc_peers_load(true, &peers);
        peers.uid[6] = 0;       /* root may look on */
        e.head = strncmp(mode, "head:", 5) == 0 ? atoi(mode + 5) : 1;
        e.loop = loop_new(&clock_system);
        return echo_start(&e, path, &peers, echo_key) || loop_run(e.loop);
}

/* ---- a room: the service on a thread of its own, a client on the test's ---- */

struct room {
        char dir[64], path[96];
        struct rpc_peers peers;
        struct loop *loop;
        struct rpc_client *client;
        struct echo echo;
        pthread_t thread;
        struct arena arena;
        int done, codes[16];
};

static void *room_run(void *data)
{
        struct room *r = data;

        loop_run(r->echo.loop);
        return NULL;
}

struct errand {
        struct loop_work work;
        struct echo *echo;
        void (*run)(struct echo *e);
        _Atomic bool over;
};

static void errand_run(struct loop_work *work)
{
        struct errand *e = (struct errand *)work;

        e->run(e->echo);
        atomic_store(&e->over, true);
}

static inline int64_t deadline_in_s(int seconds)
{
        return clock_steady_us(&clock_system) + seconds * INT64_C(1000000);
}

static inline bool before(int64_t deadline_us)
{
        return clock_steady_us(&clock_system) < deadline_us;
}

/* Runs it on the service's thread, and waits until it did. */
static inline void on_service(struct room *r, void (*run)(struct echo *e))
{
        struct errand e = { .work.run = errand_run, .echo = &r->echo, .run = run };

        loop_post(r->echo.loop, &e.work);
        while (!atomic_load(&e.over))
                sched_yield();
}

static void echo_stop(struct echo *e)
{
        loop_stop(e->loop);
}

/* Everybody with our uid is the gateway, and nothing else. */
static inline struct rpc_peers only_gateway(void)
{
        struct rpc_peers p;

        memset(p.uid, 0xff, sizeof(p.uid));
        p.uid[3] = geteuid();
        p.development = false;
        return p;
}

static inline void room_open(struct room *r, const uint8_t *key)
{
        r->echo.loop = loop_new(&clock_system);
        assert_int_equal(echo_start(&r->echo, r->path, &r->peers, key), 0);
        assert_int_equal(pthread_create(&r->thread, NULL, room_run, r), 0);
}

static inline void room_close(struct room *r)
{
        if (!r->echo.server)
                return;
        on_service(r, echo_stop);
        pthread_join(r->thread, NULL);
        feed_deinit(&r->echo.feed);
        rpc_server_free(r->echo.server);
        loop_free(r->echo.loop);
        r->echo = (struct echo){ 0 };
}

static inline int room_enter(void **state)
{
        struct room *r = calloc(1, sizeof(*r));

        log_open("test", 0);
        strcpy(r->dir, "/tmp/rpc_test.XXXXXX");
        if (!mkdtemp(r->dir) || chmod(r->dir, 0755))
                return -1;
        snprintf(r->path, sizeof(r->path), "%s/rpc.sock", r->dir);
        r->peers = only_gateway();
        r->loop = loop_new(&clock_system);
        if (rpc_client_new(r->loop, &(struct rpc_client_options){ r->path, SCHEMA_PEER_GATEWAY, &r->peers }, &r->client))
                return -1;
        *state = r;
        return 0;
}

static inline int room_enter_served(void **state)
{
        if (room_enter(state))
                return -1;
        room_open(*state, echo_key);
        return 0;
}

static inline int room_leave(void **state)
{
        struct room *r = *state;

        rpc_client_free(r->client);
        room_close(r);
        loop_free(r->loop);
        arena_deinit(&r->arena);
        unlink(r->path);
        rmdir(r->dir);
        free(r);
        return 0;
}

static inline int call_as(struct room *r, const struct schema_method *m, const void *params, struct str caller, void *ret,
                          struct fault *ret_fault)
{
        return rpc_call_wait(r->client, &(struct rpc_request){ .method = m, .params = params, .caller = caller,
                                                               .request = STR("req-1") }, &r->arena, ret, ret_fault);
}

static inline int ask(struct room *r, const struct schema_method *m, const void *params, void *ret, struct fault *ret_fault)
{
        return call_as(r, m, params, (struct str){ 0 }, ret, ret_fault);
}

static inline struct str sealed_as(struct room *r, enum schema_role role, int64_t expires_at)
{
        struct buf b = { 0 };
        struct str s;

        caller_seal(echo_key, &(struct caller){ .user = { { 1 } }, .device = STR("loopback:127.0.0.2"), .role = role,
                                                .expires_at = expires_at }, &b);
        s = arena_bytes(&r->arena, b.p, b.n);
        buf_deinit(&b);
        return s;
}

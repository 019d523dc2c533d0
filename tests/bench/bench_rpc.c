/* An internal call whose handler does nothing, beside bytes that go to another process and back. */
#include "bench.h"
#include "flood.h"
#include "schema/project.h"

#include <string.h>
#include <sys/socket.h>

enum { CHUNK = 1024 };

static const uint8_t caller_key[CALLER_KEY_BYTES] = { 7 };

static int answer(void *data, struct call *c, const void *params, void *ret)
{
        struct project_info_result *info = ret;

        (void)data;
        (void)c;
        (void)params;
        info->value = (struct project){ .key = { (const char *)caller_key, sizeof(caller_key) }, .name = STR("A desk"), .version = STR("1") };
        return 0;
}

void raw_serve_rpc(const char *path)
{
        static const struct rpc_handler handlers[] = { { &schema_method_project_info, answer }, { 0 } };
        struct loop *loop = loop_new(&clock_system);
        struct rpc_server *server;
        struct rpc_peers peers;

        if (!loop || rpc_peers_load(true, &peers) ||
            rpc_server_new(loop, &(struct rpc_server_options){ .path = path, .handlers = handlers, .peers = &peers, .caller_key = caller_key,
                                                               .clock = &clock_system }, &server))
                bench_fail("no server at %s", path);
        loop_run(loop);
        bench_fail("the server's loop ended");
}

static void ping(void *data)
{
        const struct raw *raw = data;
        char b[256] = { 0 };

        for (int i = 0; i < CHUNK; i++)
                if (send(raw->ping, b, sizeof(b), 0) < 0 || recv(raw->ping, b, sizeof(b), 0) < 0)
                        bench_fail("the other end is gone");
}

void flood_open_nothing(struct flood *f, const char *path, int chunk)
{
        static struct project_info params;
        static struct buf sealed;

        if (!sealed.n)
                caller_seal(caller_key, &(struct caller){ .user = { { 1 } }, .device = STR("loopback:127.0.0.2"), .role = SCHEMA_ROLE_CUSTOMER,
                                                          .expires_at = INT64_MAX / 2 }, &sealed);
        *f = (struct flood){ .method = &schema_method_project_info, .params = &params, .caller = buf_view(&sealed), .chunk = chunk };
        flood_open(f, path, SCHEMA_PEER_STORE);
}

void bench_rpc(const struct raw *raw)
{
        struct flood flood;
        struct subject s[] = { { .name = "raw SEQPACKET ping-pong of 256 bytes", .chunk = ping, .data = (void *)(uintptr_t)raw, .operations = CHUNK },
                               { .name = "internal call, 64 in flight", .chunk = flood_chunk, .data = &flood, .operations = CHUNK } };

        flood_open_nothing(&flood, raw->rpc_path, CHUNK);
        subjects_measure(s, 2, 60);
        report_title("internal calls");
        report_subject(&s[0]);
        report_subject(&s[1]);
        report_cost(&s[1], &s[0], 2.2);
        flood_close(&flood);
        subject_deinit(&s[0]);
        subject_deinit(&s[1]);
}

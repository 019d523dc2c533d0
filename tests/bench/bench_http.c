/* What the gateway costs by itself: calls that it answers without asking a service, 64 connections. */
#include "bench.h"
#include "web.h"

enum { CHUNK = 1024 };

void bench_http(const struct desk *desk, const struct raw *raw)
{
        struct arena arena = { 0 };
        /* Through everything that gateway does (rules, caller, rate, parameters against the schema), and no further: limit is 0. */
        struct str refused = desk_call(desk, NULL, &arena, "ticket.list", "{\"limit\":0}");
        struct str info = desk_call(desk, NULL, &arena, "project.info", "{}");
        struct web web[5];
        struct subject s[] = {
                { .name = "raw epoll HTTP echo of the same bytes", .chunk = web_chunk, .data = &web[0], .operations = CHUNK },
                { .name = "JSON-RPC call that gateway answers (InvalidParams)", .chunk = web_chunk, .data = &web[1], .operations = CHUNK },
                { .name = "GET /healthz", .chunk = web_chunk, .data = &web[2], .operations = CHUNK },
                { .name = "project.info, which store answers", .chunk = web_chunk, .data = &web[3], .operations = CHUNK },
                { .name = "nginx, a static file", .chunk = web_chunk, .data = &web[4], .operations = CHUNK },
        };
        size_t n = raw->nginx_port ? 5 : 4;

        web_open(&web[0], raw->echo_port, BENCH_IN_FLIGHT, refused, CHUNK);
        web_open(&web[1], desk->port, BENCH_IN_FLIGHT, refused, CHUNK);
        web_open(&web[2], desk->port, BENCH_IN_FLIGHT, web_get(&arena, desk->port, "/healthz"), CHUNK);
        web_open(&web[3], desk->port, BENCH_IN_FLIGHT, info, CHUNK);
        if (n == 5)
                web_open(&web[4], raw->nginx_port, BENCH_IN_FLIGHT, web_get(&arena, raw->nginx_port, "/file"), CHUNK);
        subjects_measure(s, n, 60);
        report_title("HTTP, 64 connections");
        report_subject(&s[0]);
        if (n == 5)
                report_subject(&s[4]);
        report_subject(&s[1]);
        report_cost(&s[1], &s[0], 1.5);
        if (n == 5)
                report_cost(&s[1], &s[4], 1.0);
        report_subject(&s[2]);
        report_cost(&s[2], &s[0], 0);
        report_subject(&s[3]);
        report_cost(&s[3], &s[0], 0);
        for (size_t i = 0; i < n; i++) {
                web_close(&web[i]);
                subject_deinit(&s[i]);
        }
        arena_deinit(&arena);
}

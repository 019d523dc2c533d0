/* One reader: what a ticket costs to fetch, alone and while 64 write. */
#include "bench.h"
#include "web.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>

struct writers {
        struct web web;
        pthread_t thread;
        atomic_bool over;
};

static void *writers_run(void *data)
{
        struct writers *w = data;

        while (!atomic_load(&w->over))
                web_chunk(&w->web);
        return NULL;
}

static void req_chunk(void *data)
{
        nng_socket *s = data;
        nng_msg *m;

        if (nng_msg_alloc(&m, 256) || nng_sendmsg(*s, m, 0) || nng_recvmsg(*s, &m, 0))
                bench_fail("the nng echo is gone");
        nng_msg_free(m);
}

void bench_reads(const struct desk *desk, const struct raw *raw)
{
        struct arena arena = { 0 };
        struct writers writers = { .over = false };
        char ticket[ULID_TEXT + 1];
        struct str get;
        struct web echo, reader;
        nng_socket req;
        struct subject s[] = {
                { .name = "raw HTTP echo, one connection", .chunk = web_chunk, .data = &echo, .operations = 1 },
                { .name = "one synchronous nng call", .chunk = req_chunk, .data = &req, .operations = 1 },
                { .name = "ticket.get, one connection", .chunk = web_chunk, .data = &reader, .operations = 1 },
        };
        struct subject both = { .name = "raw HTTP and one synchronous nng call" };
        struct subject busy = { .name = "ticket.get while 64 writers commit", .chunk = web_chunk, .data = &reader, .operations = 1 };

        ulid_text(desk->ticket, ticket);
        get = desk_call(desk, NULL, &arena, "ticket.get", arena_format(&arena, "{\"ticket\":\"%s\"}", ticket).p);
        web_open(&echo, raw->echo_port, 1, get, 1);
        web_open(&reader, desk->port, 1, get, 1);
        if (nng_req0_open(&req) || nng_dial(req, raw->req_url, NULL, 0))
                bench_fail("no nng echo");
        subjects_measure(s, 3, 3000);
        both.fast = s[0].fast + s[1].fast;
        both.median = s[0].median + s[1].median;
        web_open(&writers.web, desk->port, BENCH_IN_FLIGHT,
                 desk_call(desk, NULL, &arena, "comment.add", arena_format(&arena, "{\"ticket\":\"%s\",\"body\":\"Another word\"}", ticket).p),
                 BENCH_IN_FLIGHT);
        if (pthread_create(&writers.thread, NULL, writers_run, &writers))
                bench_fail("no thread");
        subjects_measure(&busy, 1, 1000);
        atomic_store(&writers.over, true);
        pthread_join(writers.thread, NULL);
        report_title("reads (the median is the p50)");
        for (int i = 0; i < 3; i++)
                report_subject(&s[i]);
        report_cost(&s[2], &both, 1.4);
        report_subject(&busy);
        report_cost(&busy, &s[2], 1.5);
        nng_close(req);
        web_close(&echo);
        web_close(&reader);
        web_close(&writers.web);
        for (int i = 0; i < 3; i++)
                subject_deinit(&s[i]);
        subject_deinit(&busy);
        arena_deinit(&arena);
}

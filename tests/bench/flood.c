#include "flood.h"

#include "bench.h"

void flood_open(struct flood *f, const char *path, unsigned service)
{
        f->loop = loop_new(&clock_system);
        if (!f->loop || rpc_peers_load(true, &f->peers) ||
            rpc_client_new(f->loop, &(struct rpc_client_options){ .path = path, .service = service, .peers = &f->peers }, &f->client))
                bench_fail("no client of %s", path);
}

void flood_close(struct flood *f)
{
        rpc_client_free(f->client);
        loop_free(f->loop);
}

static void ask_next(struct flood *f);

static void on_answer(void *data, const struct rpc_reply *reply)
{
        struct flood *f = data;

        if (reply->code)
                bench_fail("%s: %d", f->method->name, reply->code);
        f->answered++;
        ask_next(f);
}

static void ask_next(struct flood *f)
{
        if (f->asked == f->chunk)
                return;
        f->asked++;
        if (f->op_id)
                *f->op_id = ulid_new(clock_now_ms(&clock_system));
        if (rpc_call(f->client, &(struct rpc_request){ .method = f->method, .params = f->params, .caller = f->caller }, on_answer, f))
                bench_fail("%s was not sent", f->method->name);
}

void flood_chunk(void *flood)
{
        struct flood *f = flood;

        f->asked = f->answered = 0;
        for (int i = 0; i < BENCH_IN_FLIGHT; i++)
                ask_next(f);
        while (f->answered < f->chunk)
                loop_dispatch(f->loop, -1);
}

void flood_call(struct flood *f, const struct schema_method *method, const void *params, struct arena *arena, void *result)
{
        struct fault fault = { 0 };
        int r = rpc_call_wait(f->client, &(struct rpc_request){ .method = method, .params = params, .caller = f->caller }, arena, result, &fault);

        if (r)
                bench_fail("%s: %d", method->name, r);
}

#include "rpc.h"
#include <stdlib.h>
#include <string.h>

enum { PAUSE_MIN_MS = 10, PAUSE_MAX_MS = 1000 };

struct follower {
        struct follower_options o;
        struct loop_timer *timer;
        void *params;
        int64_t pause_ms;
        bool inside, freed;     /* freed by what it calls: then its memory goes when that returns */
};

static void ask(struct follower *f);

static void pause_then_ask(struct follower *f)
{
        f->pause_ms = f->pause_ms ? 2 * f->pause_ms : PAUSE_MIN_MS;
        if (f->pause_ms > PAUSE_MAX_MS)
                f->pause_ms = PAUSE_MAX_MS;
        loop_timer_set(f->timer, f->pause_ms * 1000);
}

static void on_reply(void *data, const struct rpc_reply *reply)
{
        struct follower *f = data;

        f->inside = true;
        if (reply->code == 0)
                f->o.take(f->o.data, reply->result);
        else if (f->o.failed)
                f->o.failed(f->o.data, reply->code);
        f->inside = false;
        if (f->freed) {
                follower_free(f);
                return;
        }
        if (reply->code) {
                pause_then_ask(f);
                return;
        }
        f->pause_ms = 0;
        ask(f);
}

static void ask(struct follower *f)
{
        struct rpc_request request = { .method = f->o.method, .params = f->params };
        int r;

        memset(f->params, 0, f->o.method->params->size);
        f->o.ask(f->o.data, f->params);
        r = rpc_call(f->o.client, &request, on_reply, f);
        if (r) {
                log_error("%s: %s", f->o.method->name, strerror(-r));
                pause_then_ask(f);
        }
}

static void on_timer(void *data)
{
        ask(data);
}

int follower_new(struct loop *loop, const struct follower_options *options, struct follower **ret)
{
        struct follower *f = calloc(1, sizeof(*f));

        if (!f)
                abort();
        f->o = *options;
        f->params = calloc(1, options->method->params->size);
        if (!f->params)
                abort();
        f->timer = loop_timer_new(loop, on_timer, f);
        loop_timer_set(f->timer, 0);    /* from the loop: what it takes may need its maker to be whole */
        *ret = f;
        return 0;
}

void follower_free(struct follower *f)
{
        if (!f)
                return;
        if (f->inside) {
                f->freed = true;
                return;
        }
        rpc_cancel(f->o.client, f);
        loop_timer_free(f->timer);
        free(f->params);
        free(f);
}

/* Made from all schemas: what fanout answers. */
#include "schema/fanout_handlers.h"

static int fanout_thunk_thread_find(void *data, struct call *c, const void *params, void *ret)
{
        return fanout_on_thread_find(data, c, params, ret);
}

const struct rpc_handler fanout_handlers[] = {
        { &schema_method_thread_find, fanout_thunk_thread_find },
        { NULL, NULL },
};

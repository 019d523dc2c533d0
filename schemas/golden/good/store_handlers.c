/* Made from all schemas: what store answers. */
#include "schema/store_handlers.h"

static int store_thunk_thread_create(void *data, struct call *c, const void *params, void *ret)
{
        return store_on_thread_create(data, c, params, ret);
}

static int store_thunk_thread_follow(void *data, struct call *c, const void *params, void *ret)
{
        return store_on_thread_follow(data, c, params, ret);
}

static int store_thunk_thread_mail(void *data, struct call *c, const void *params, void *ret)
{
        return store_on_thread_mail(data, c, params, ret);
}

static int store_thunk_thread_set(void *data, struct call *c, const void *params, void *ret)
{
        return store_on_thread_set(data, c, params, ret);
}

static int store_thunk_thread_touch(void *data, struct call *c, const void *params, void *ret)
{
        return store_on_thread_touch(data, c, params, ret);
}

const struct rpc_handler store_handlers[] = {
        { &schema_method_thread_create, store_thunk_thread_create },
        { &schema_method_thread_follow, store_thunk_thread_follow },
        { &schema_method_thread_mail, store_thunk_thread_mail },
        { &schema_method_thread_set, store_thunk_thread_set },
        { &schema_method_thread_touch, store_thunk_thread_touch },
        { NULL, NULL },
};

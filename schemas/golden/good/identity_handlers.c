/* Made from all schemas: what identity answers. */
#include "schema/identity_handlers.h"

static int identity_thunk_person_get(void *data, struct call *c, const void *params, void *ret)
{
        return identity_on_person_get(data, c, params, ret);
}

const struct rpc_handler identity_handlers[] = {
        { &schema_method_person_get, identity_thunk_person_get },
        { NULL, NULL },
};

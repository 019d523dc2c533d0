/* The public methods as an OpenRPC 1.3 document: what `rpc.discover` answers. Compact JSON, the same for every call.
 * x-role, x-rate, x-mutates and x-since say what the specification has no word for, x-errors what each error means. */
#pragma once
#include "schema.h"

void openrpc_write(struct buf *out);

/* Whether clients may call it at /rpc. */
bool openrpc_is_public(const struct schema_method *method);
const char *schema_role_name(enum schema_role role); /* "customer" */

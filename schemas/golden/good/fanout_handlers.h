/* Made from all schemas: what fanout answers. */
#pragma once
#include "libcommon/rpc.h"
#include "schema/desk.h"

struct fanout;

int fanout_on_thread_find(struct fanout *fanout, struct call *c, const struct thread_find *in, struct thread_find_result *ret);

extern const struct rpc_handler fanout_handlers[]; /* ends with a NULL method */

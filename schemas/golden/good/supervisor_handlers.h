/* Made from all schemas: what supervisor answers. */
#pragma once
#include "libcommon/rpc.h"

struct supervisor;


extern const struct rpc_handler supervisor_handlers[]; /* ends with a NULL method */

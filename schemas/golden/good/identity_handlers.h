/* Made from all schemas: what identity answers. */
#pragma once
#include "libcommon/rpc.h"
#include "schema/people.h"

struct identity;

int identity_on_person_get(struct identity *identity, struct call *c, const struct person_get *in, struct person_get_result *ret);

extern const struct rpc_handler identity_handlers[]; /* ends with a NULL method */

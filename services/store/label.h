/* A project's own names for states. */
#pragma once
#include "schema/label.h"
#include "tx.h"

/* The state that tickets get with this label: 0, or the fault of field `label`. */
int label_state(struct tx *tx, struct call *c, struct ulid label, int *ret);

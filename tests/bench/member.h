/* How the benchmark becomes agents of its desk: by mail, as everybody does. Each has one device. */
#pragma once
#include "desk.h"

/* Has a code mailed. */
void member_ask(struct desk *desk, struct member *m);
/* A session of the bound device. */
void member_bind(struct desk *desk, struct member *m, struct str code);
/* Files a ticket. */
struct ulid member_file(struct desk *desk, const struct member *m);

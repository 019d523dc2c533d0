/* One question to a daemon's admin socket (Unix or TCP on this machine), and the JSON it answers: it says so and closes. Bounded, whatever
 * answers there. */
#pragma once
#include "loop.h"
#include "str.h"

enum { ADMIN_TIMEOUT_MS = 2000, ADMIN_REPLY_MAX = 256 * 1024 };

/* error: 0; -ECONNREFUSED where nobody listens; -ETIMEDOUT; -EMSGSIZE for a reply that is too long; another -errno. reply is good until this
 * returns. */
typedef void admin_done_fn(void *data, int error, struct str reply);

struct admin;
/* question: NULL only tries whether somebody listens. `done` is called once, never before this returned, and frees nothing. 0 or -errno: -EINVAL for an endpoint that is none. */
int admin_ask(struct loop *loop, struct str endpoint, const char *question, admin_done_fn *done, void *data, struct admin **ret);
void admin_cancel(struct admin *admin);  /* its done is not called; NULL is fine */

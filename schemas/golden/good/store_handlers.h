/* Made from all schemas: what store answers. */
#pragma once
#include "libcommon/rpc.h"
#include "schema/desk.h"

struct store;

int store_on_thread_create(struct store *store, struct call *c, const struct thread_create *in, struct thread_create_result *ret);
int store_on_thread_follow(struct store *store, struct call *c, const struct thread_follow *in, struct thread_follow_result *ret);
int store_on_thread_mail(struct store *store, struct call *c, const struct thread_mail *in, struct thread_mail_result *ret);
int store_on_thread_set(struct store *store, struct call *c, const struct thread_set *in, struct thread_set_result *ret);
int store_on_thread_touch(struct store *store, struct call *c, const struct thread_touch *in, struct thread_touch_result *ret);

extern const struct rpc_handler store_handlers[]; /* ends with a NULL method */

/* `assistctl project init`: the settings, folders and keys of a new desk. Nothing that is there is ever overwritten. */
#pragma once
#include "operator.h"

/* A desk's keys. Those of one name are the same for all that have it; `project` is the public half of `instance`, as both are made. */
enum { INIT_KEYS = 8 };
extern const struct init_key {
        const char *service, *name;
} init_keys[INIT_KEYS];
const char *init_key_path(struct operator *o, const struct init_key *key);

int init_project(struct operator *o, bool development);
/* Hands a path to the service's own user, where that user exists and we may: in production and where each service has a uid of its
 * own. callers: the group of those who call it may pass. 0, or EXIT_FAILURE after having said why. */
int init_hand_over(const char *service, const char *path, bool callers);

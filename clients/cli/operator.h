/* The operator's calls: over the services' own sockets, as root (or, in development, as the one user of all). */
#pragma once
#include "exit_status.h"
#include "flags.h"
#include "rpc.h"
#include "settings.h"

struct operator {
        const char *root;          /* NULL: the system's places */
        bool json;                 /* print results as JSON */
        struct arena arena;
        struct loop *loop;
        struct rpc_peers peers;
        struct settings settings;
};

/* 0, or an exit status after having said why. */
int operator_open(struct operator *o, const char *root);
/* Whether we may operate this desk: the same. */
int operator_check(const struct operator *o);
void operator_close(struct operator *o);

const char *operator_path(struct operator *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *operator_state(struct operator *o, const char *service, const char *file);

/* Calls, and on failure says why: 0 or an exit status. result: the method's struct, in the operator's arena. */
int operator_call(struct operator *o, const struct schema_method *method, void *params, int64_t timeout_ms, void *result);
/* The same, silent: 0, a fault_code, or a negative errno. */
int operator_try(struct operator *o, const struct schema_method *method, void *params, int64_t timeout_ms, void *result,
                 struct fault *ret_fault);
/* A client of one service, to be freed before the operator is closed: 0 or a negative errno. */
int operator_client(struct operator *o, const char *service, struct rpc_client **ret);
/* A text of somebody else's, as it may go to a terminal; in the operator's arena. */
const char *operator_shown(struct operator *o, struct str text);
/* Prints the result as --json asks, or for people. */
void operator_print(struct operator *o, const struct schema_struct *type, const void *result);


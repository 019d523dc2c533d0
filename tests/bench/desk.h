/* A desk of real processes under a temporary root, with one agent whose device is bound. */
#pragma once
#include "arena.h"
#include "ulid.h"
#include <stdint.h>
#include <sys/types.h>

enum { DESK_SERVICES = 6 };

struct desk {
        char root[64];
        uint16_t port;
        char bin[512];          /* where the programs lie */
        struct desk_process {
                const char *service;
                pid_t pid;
                double ready_ms;        /* from start to ready */
        } processes[DESK_SERVICES];
        struct arena arena;
        char token[512];
        struct ulid user, ticket;
        struct str sealed;      /* the agent, as a gateway passes it on */
};

void desk_start(struct desk *desk, const char *bin);
void desk_stop(struct desk *desk);
const char *desk_socket(struct desk *desk, const char *service);
/* A request that calls this method with a token, ready to be sent. */
struct str desk_call(const struct desk *desk, struct arena *arena, const char *method, const char *params);

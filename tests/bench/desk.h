/* A desk of real processes under a temporary root, with agents whose devices are bound. */
#pragma once
#include "arena.h"
#include "ulid.h"
#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

enum { DESK_SERVICES = 6, DESK_MEMBERS = 42 };      /* so many devices can have 10,000 connections */

struct member {
        in_addr_t address;      /* of the device, in the host's order */
        char email[32];
        char token[512];
        struct ulid user;
};

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
        struct member members[DESK_MEMBERS];
        struct ulid ticket;     /* of the first member */
        struct str sealed;      /* who is passed on as gateways do */
};

/* members: how many of them there are to be; at least one. */
void desk_start(struct desk *desk, const char *bin, int members);
void desk_stop(struct desk *desk);
/* assistctl with these words, NULL at the end; what it prints is in root/assistctl.log. Ends the benchmark where it fails. */
void desk_operate(struct desk *desk, char *const *words);
const char *desk_socket(struct desk *desk, const char *service);
/* A request that calls this method with a member's token (NULL: the first one's), ready to be sent. */
struct str desk_call(const struct desk *desk, const struct member *m, struct arena *arena, const char *method, const char *params);

/* The identity service: who somebody is. Everything runs on one thread. */
#pragma once
#include "binding.h"
#include "callers.h"
#include "database.h"
#include "done.h"
#include "heard.h"
#include "keys.h"
#include "service.h"
#include <netinet/in.h>

struct identity {
        struct service *service;
        struct db *db;
        const char *backup;                     /* the folder of the copy that identity.backup made */
        const struct clock *clock;
        uint8_t key[DATABASE_KEY_BYTES];        /* of nonces, tokens and codes */
        uint8_t caller_key[CALLER_KEY_BYTES];   /* seals callers; store and fanout have it too */
        uint8_t project[PROOF_PROJECT_BYTES];   /* the project's public key */
        enum overlay_driver driver;
        char address[INET6_ADDRSTRLEN];         /* the server's own; empty until the supervisor said it once */
        int64_t port;                           /* the gateway's, for links */
        struct feed people, outbox, changes;
        struct callers callers;
        struct heard heard;
        struct keys keys;
        struct rpc_server *server;
        struct rpc_client *supervisor;
        struct follower *overlay;
        int64_t overlay_head;
};

extern const struct service_type identity_service;

/* What the driver calls the device behind an address. FAULT_UNAUTHENTICATED for none of the overlay's. */
int identity_device(const struct identity *d, struct str address, struct arena *arena, struct str *ret_device);

/* "http://[5a6:…]:8080/bind#" */
struct str identity_link(const struct identity *d, struct arena *arena);

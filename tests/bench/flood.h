/* Internal calls, 64 of them in flight. */
#pragma once
#include "rpc.h"

struct flood {
        struct loop *loop;
        struct rpc_client *client;
        struct rpc_peers peers;         /* the client refers to it */
        const struct schema_method *method;
        void *params;
        struct ulid *op_id;     /* in params, made anew for each call; NULL where the method takes none */
        struct str caller;              /* sealed; empty where the method takes none */
        int chunk, asked, answered;
};

void flood_open(struct flood *f, const char *path, unsigned service);
/* Of a call whose handler does nothing. */
void flood_open_nothing(struct flood *f, const char *path, int chunk);
void flood_close(struct flood *f);
void flood_chunk(void *flood);
/* One call beside these, by the same caller; ends the benchmark where it fails. */
void flood_call(struct flood *f, const struct schema_method *method, const void *params, struct arena *arena, void *result);

/* What client and server share of the transport: the shape of messages, and where and with whom they are exchanged. */
#pragma once
#include "rpc.h"
#include <sys/un.h>

enum {
        RPC_VERSION = 1,
        RPC_REQUEST_MAX = 64,
        RPC_PATH_MAX = 100,
        RPC_WIRE_MAX = RPC_MESSAGE_MAX + 64,    /* of a frame: a message and its request id, and room */
        RPC_BUFFER_KEEP = 64 * 1024,            /* a buffer that grew past it for one message is given back */
};

struct rpc_envelope {
        struct str method, request, client_request, caller;   /* the last two empty where nil */
        int64_t deadline_ms;
        struct str params;      /* the rest of the message: one value, not looked at yet */
};

/* 0, or -EBADMSG with *ret_reason. What could be read before it went wrong is in *ret. */
int rpc_envelope_read(struct str message, struct rpc_envelope *ret, const char **ret_reason);
void rpc_envelope_write(const struct rpc_envelope *envelope, struct buf *out);   /* without params: they follow */

void rpc_reply_write_head(int code, struct buf *out);                    /* result or fault follows */
int rpc_reply_read_head(struct str *message, int *ret_code);             /* advances to result or fault */

int rpc_address(const char *path, struct sockaddr_un *ret);  /* -ENAMETOOLONG past RPC_PATH_MAX */
uid_t rpc_peer_uid(int fd);                      /* of a connected socket; (uid_t)-1 where it can't be told */

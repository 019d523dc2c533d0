/* One connection of the transport, at either end: messages in nng's wire format for REQ and REP over ipc sockets, so that any nng
 * program can be the peer.
 *
 *   greeting   00 'S' 'P' 00, protocol (2 bytes: REQ 48, REP 49), 00 00; each end sends it first
 *   frame      01, length of what follows (8 bytes), request id (4 bytes, the highest bit set), one msgpack array
 *
 * Numbers are big-endian. Frames that are put out in one round of the loop leave in one write, and one read takes what is there. */
#pragma once
#include "loop.h"
#include "str.h"

enum { RPC_REQ = 48, RPC_REP = 49 };

struct rpc_stream;
struct rpc_stream_type {
        uint16_t protocol;       /* ours: RPC_REQ or RPC_REP; the peer's is the other */
        /* The peer has greeted: it speaks the protocol. NULL is fine. */
        void (*greeted)(struct rpc_stream *stream);
        /* A message; body is valid during the call. False: not now; it comes again after rpc_stream_resume, and nothing before. */
        bool (*message)(struct rpc_stream *stream, uint32_t id, struct str body);
        /* All that was put out has been taken by the kernel. */
        void (*written)(struct rpc_stream *stream);
        /* The peer went, or does not speak the protocol. Nothing more is heard of the stream; its owner calls rpc_stream_close, maybe now. */
        void (*lost)(struct rpc_stream *stream);
};

/* Embedded in what it is a connection of. None of its callbacks may close it but `lost`. */
struct rpc_stream {
        const struct rpc_stream_type *type;
        struct loop *loop;
        struct loop_io *io;
        struct loop_work work;   /* deferred: write, and read on */
        int fd;
        uint32_t events;         /* what io waits for */
        bool greeted, waits, stopped, deferred, reading;
        struct buf in, out;
        size_t in_at, out_at;    /* what is done of them */
};

/* Takes the descriptor of a connected socket that does not block, and greets. -errno: the descriptor is still the caller's. */
int rpc_stream_open(struct rpc_stream *stream, struct loop *loop, int fd, const struct rpc_stream_type *type);
void rpc_stream_close(struct rpc_stream *stream);   /* twice is fine, and on a zeroed one */
bool rpc_stream_is_open(const struct rpc_stream *stream);
void rpc_stream_put(struct rpc_stream *stream, uint32_t id, struct str body);
size_t rpc_stream_queued(const struct rpc_stream *stream);  /* bytes put out that the kernel did not take yet */
void rpc_stream_resume(struct rpc_stream *stream);  /* the message that was refused comes again, from the loop */
void rpc_stream_stop(struct rpc_stream *stream);    /* reads no more, for ever; what is put out is still written */

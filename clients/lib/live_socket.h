/* One WebSocket on a loop, from the dial to its end. It never waits, and tells its machine what happens; what it was closed for by its
 * owner it does not tell. */
#pragma once
#include "live_machine.h"
#include "loop.h"
#include "upgrade.h"
#include <wslay/wslay.h>

struct live_socket {
        const struct assist *a;
        struct loop *loop;
        struct live_machine *machine;
        struct assist_error *error;      /* of who told that it is over: why */
        bool *told;                      /* set where the machine was told anything */
        int fd;                          /* -1: none */
        struct loop_io *io;
        enum { SOCKET_DIALLING, SOCKET_UPGRADING, SOCKET_OPEN } state;
        bool writing;                    /* waits for room */
        struct buf out;                  /* the upgrade's request, and how far it is written */
        size_t out_at;
        struct upgrade upgrade;
        size_t early_at;                 /* how far what came behind the upgrade's answer is read */
        wslay_event_context_ptr ws;
};

/* Begins: the machine hears _accepted, _refused or _unreachable. */
void live_socket_dial(struct live_socket *s, struct str cursor);
void live_socket_send(struct live_socket *s, struct str text);
void live_socket_close(struct live_socket *s);   /* at any time, also twice */

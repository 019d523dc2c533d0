/* The live side's rules without its sockets: what each message of a desk means, and when to connect again. docs/protocol.md, "Live".
 *
 * What happens is told by the functions of the first part; what is to be done about it, live_machine_next says. It promises that each
 * event is given out once, in the desk's order, and that none is missing unless a reset was told: the cursor moves only behind the last
 * event of a frame, a frame that does not go on from it is not believed, and the next connection begins at it. Time and dice are injected. */
#pragma once
#include "arena.h"
#include "clock.h"
#include "schema/log.h"
#include "schema/websocket.h"

enum {
        LIVE_CONNECT_MS = 20000,    /* for a session, a connection and the hello */
        LIVE_PING_MS = 30000,       /* of silence, then we ask; the desk should have long before */
        LIVE_SILENCE_MS = 40000,    /* of silence, then the connection is given up */
        LIVE_PAUSE_MIN_MS = 100,    /* the first pause is up to this, each next one up to twice as much, */
        LIVE_PAUSE_MAX_MS = 10000,  /* and at most this */
        LIVE_AFTER_MAX_MS = 300000, /* what a desk may ask to wait */
        LIVE_ACK_AGAIN_MS = 1000,   /* an acknowledgement that the desk refused is sent again */
        LIVE_CURSOR_MAX = 128,
};

enum live_what {
        LIVE_NOTHING,    /* until something is told, or live_machine_due_us */
        LIVE_CONNECT,    /* then tell _accepted, _refused, _unreachable or _end */
        LIVE_DROP,       /* let go of the connection, as far as there is one */
        LIVE_SEND,       /* a text message */
        LIVE_EVENT,
        LIVE_CONNECTED,
        LIVE_RESET,
        LIVE_OVER,       /* said once; nothing happens any more */
};
struct live_action {
        enum live_what what;
        bool renew;                 /* CONNECT: with another session than the one before */
        bool first;                 /* DROP: there was a connection, or it is the first try that failed */
        struct str text;            /* SEND, and the reason of a RESET; until the next call, as what follows */
        const struct event *event;  /* EVENT */
        int code;                   /* OVER: an enum fault_code, or a negative errno */
};

struct live_message_in;
struct live_machine {
        const struct clock *clock;
        uint32_t (*random)(uint32_t below);
        enum { LIVE_WAITING, LIVE_CONNECTING, LIVE_OPEN, LIVE_ENDED } state;
        int64_t due_us;             /* WAITING: connect then; CONNECTING: give up then */
        int64_t heard_us;
        int64_t again_us;           /* the ack is sent again; 0: not */
        unsigned failures;          /* connections without a hello, */
        unsigned setbacks;          /* and those that ended for what was said, without a frame that went on: each in a row */
        bool connect, drop, over;   /* to be said by live_machine_next */
        bool ack, ping, connected, reset;
        bool told, greeted;         /* that it broke; there was a hello, ever */
        bool renew, anew;           /* the session, what the user has seen */
        bool has_role;
        int role;                   /* in the last hello: an enum role */
        bool asked, pinged;         /* an ack is out, and nothing came since; a ping is out */
        bool closed;
        int close_code, code;
        struct buf cursor, text;
        struct ulid session;        /* what the desk calls the connection; zero without one */
        struct live_message_in *first, **last;
        struct arena arena;         /* of what follows */
        struct live_message now;    /* whose events are given out */
        size_t event;               /* the next one */
        struct str reason;
};

/* cursor: to go on from, or empty. -EINVAL where it can't be one. The first action is to connect. */
int live_machine_init(struct live_machine *m, const struct clock *clock, uint32_t (*random)(uint32_t below), struct str cursor);
void live_machine_deinit(struct live_machine *m);

/* ---- what happens ---- */

void live_machine_accepted(struct live_machine *m);                            /* 101 */
void live_machine_refused(struct live_machine *m, int status, int64_t retry_after_ms); /* another status; 0: it does not say when */
void live_machine_unreachable(struct live_machine *m, int64_t retry_after_ms); /* no connection, or no session, for now */
void live_machine_end(struct live_machine *m, int code);                       /* no session, for good: an enum fault_code or a negative errno */
void live_machine_heard(struct live_machine *m);                               /* any bytes */
void live_machine_message(struct live_machine *m, struct str text);            /* a whole text message; it is copied */
void live_machine_closed(struct live_machine *m, int close_code);              /* the connection is gone; 0: without a close frame */
void live_machine_tick(struct live_machine *m);                                /* time has passed, and nothing else waits to be told */

/* ---- what to do ---- */

/* Call it until it says LIVE_NOTHING, before telling more. */
struct live_action live_machine_next(struct live_machine *m);
bool live_machine_busy(const struct live_machine *m);                          /* there are messages that were told and not looked at */
int64_t live_machine_due_us(const struct live_machine *m);                     /* tick then, by the steady clock; INT64_MAX: never */

/* What live.c (attaching, following) and live_session.c (frames, heartbeat) share. */
#pragma once
#include "frame.h"
#include "live.h"
#include "schema/live.h"
#include "schema/log.h"
#include "schema/websocket.h"
#include "ws.h"
#include <utlist.h>

enum {
        LIVE_PAGE_BYTES = 256 * 1024,
        LIVE_RETRY_US = 200 * 1000,
        LIVE_AHEAD_US = 20 * 1000,      /* what a client has from store may be so much ahead of fanout */
        LIVE_QUEUE_BYTES = 1024 * 1024, /* more than this waits: the client is told to pull */
        LIVE_SILENCE_MIN_MS = 15000,    /* then a ping; each time another length, so that sessions don't ping in step */
        LIVE_SILENCE_MAX_MS = 25000,
        LIVE_ANSWER_MS = 10000,         /* and within this anything must come */
        LIVE_BYE_SPREAD_MS = 5000,
        LIVE_DETACH_MAX = 4096,
        LIVE_SLOT_BITS = 20,
};

/* A delivery that waits. */
struct held {
        struct held *next;
        struct frame *frame;
        struct ulid epoch;
};

enum live_state {
        LIVE_ATTACHING,                 /* fanout was asked, or will be */
        LIVE_READING,                   /* store was asked for a page of the log */
        LIVE_WAITING,                   /* for the client to acknowledge what it was sent */
        LIVE_PUSHED,
};

struct live_session {
        struct live *live;
        struct ulid id;                 /* for the client and fanout */
        int64_t number;                 /* of this attachment; 0: none yet */
        uint32_t slot;
        struct request *request;        /* until the hello */
        struct ws *ws;                  /* from then on */
        struct visitor *visitor;
        enum live_state state;
        bool asking;                    /* a call of ours is under way */
        bool stale;                     /* what it asks about is over: attach again once it is answered */
        bool has_cursor;
        char cursor[CURSOR_TEXT];       /* where the client is: the last `to` it was sent */
        struct buf kept;                /* what fanout gave to keep */
        struct ulid epoch;              /* of the fanout that it is attached at */
        int64_t order;
        struct held *first, **last; /* delivered before the answer that attaches it */
        size_t waiting_bytes;
        struct loop_timer *timer;       /* heartbeat, or the bye */
        struct loop_timer *retry;
        int64_t heard_us;
        bool pinged, leaving;
        struct live_session *prev, *next;
};

struct live {
        struct gateway *gateway;
        struct live_session *sessions;
        struct live_session **slots;    /* an attachment's number ends with its session's slot */
        uint32_t *free_slots;
        size_t n_slots, n_free;
        struct follower *follower;
        int64_t attachments;            /* so far */
        bool has_epoch;
        struct ulid epoch;
        int64_t after;                  /* asked of live.follow */
        struct buf position;            /* every session attached by position_order has everything up to here; empty: unknown */
        int64_t position_order;
        struct ulid *gone;              /* sessions that ended and that fanout is to be told of */
        size_t n_gone, gone_capacity;
        size_t detaching;               /* so many of them it is being told of */
        size_t n;
        bool draining;
        int64_t bye_ms;                 /* within which all come back */
};

/* live_session.c */
struct live_session *live_session_new(struct live *live, struct request *q);
void live_session_free(struct live_session *s);
/* What the client missed: events, and where it is then. more: nothing follows until it acknowledges. Says hello first, if need be. */
void live_session_page(struct live_session *s, const struct event *events, size_t n, struct str to, bool more);
/* The client is to fetch what it needs again. Says it in the hello, if need be. */
void live_session_reset(struct live_session *s, struct str reason, struct str to);
void live_session_deliver(struct live_session *s, struct frame *frame);        /* now, or when it is attached */
void live_session_mention(struct live_session *s, const struct frame *frame);  /* something ephemeral */
void live_session_keep(struct live_session *s, struct str bytes);
void live_session_flush(struct live_session *s);                               /* what waited, in order */
void live_session_drop_held(struct live_session *s);
void live_session_end(struct live_session *s, enum ws_close code, const char *reason);
void live_session_refresh(struct live_session *s);   /* is the caller still who they were? */
void live_session_bye(struct live_session *s);
bool live_session_belongs(const struct live_session *s, const struct caller_change *change);
struct str live_session_cursor(const struct live_session *s);

/* live.c */
void live_slot_take(struct live *live, struct live_session *s);
void live_slot_leave(struct live *live, const struct live_session *s);
void live_attach(struct live_session *s);
void live_read(struct live_session *s);          /* on, in the log */
void live_detach(struct live *live, struct ulid id);
/* The newest position that this session has everything up to; empty where that isn't known. */
struct str live_position(const struct live_session *s);

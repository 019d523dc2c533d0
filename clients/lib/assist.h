/* libassist: a desk's client. One struct assist is one device at one desk.
 *
 * It belongs to one thread; calls block, the live side does not. A call that fails for a reason that may pass (no connection, Unavailable, RateLimited) is tried
 * again, with the same op id, until ASSIST_PATIENCE_MS are over: what it asked for happens once. A session that is stale is
 * opened anew. */
#pragma once
#include "libcommon/codec.h"
#include "libcommon/fault.h"
#include "schema/log.h"

enum { ASSIST_PORT = 7272, ASSIST_PATIENCE_MS = 20000, ASSIST_SILENCE_MS = 2000 };

struct assist;

struct assist_error {
        int code;                  /* an enum fault_code, or a negative errno: -ECONNREFUSED, -EPROTO, ... */
        char message[300];         /* one line for people: what is wrong, and what would be right */
        char field[96];            /* of InvalidParams */
        char request[32];          /* what the desk's operator can search for; empty where there is none */
        struct str newer;          /* of a Conflict: what is newer, as JSON, in the caller's arena; empty where there is none */
};

struct assist_options {            /* what it names is copied */
        const char *project;       /* the desk: "ADDRESS", "ADDRESS:PORT", "[IPV6]:PORT" */
        const char *from;          /* the source address, where a machine has several; NULL: any */
        const char *state;         /* where device secrets are kept; NULL: $XDG_STATE_HOME/assist, else ~/.local/state/assist */
        void (*waiting)(void *data); /* called once in a call that is tried again, when ASSIST_SILENCE_MS are over; NULL is fine */
        void *data;                /* for waiting */
};

/* 0, or a negative errno with *error. Nothing is sent yet. */
int assist_open(const struct assist_options *options, struct assist **ret, struct assist_error *error);
void assist_close(struct assist *a);

/* Who this device is at the desk; opens the session if need be. */
struct assist_identity {
        char device[65];
        bool bound;
        struct ulid user;
        char name[330];
        int role;                  /* enum role; where bound */
        uint8_t project[32];
};
int assist_identify(struct assist *a, struct assist_identity *ret, struct assist_error *error);

/* Keeps what enroll.redeem answered: from now on this device proves itself. */
int assist_bind(struct assist *a, const uint8_t secret[32], struct assist_error *error);

/* Calls a public method. params: its struct; a mutation without op_id is given one. result: its struct, in the arena. 0, or
 * error->code. */
int assist_call(struct assist *a, const struct schema_method *method, void *params, struct arena *arena, void *result,
                struct assist_error *error);

/* ---- files ---- */

/* Uploads a file, in pieces, going on where a broken connection left it. ret_upload: name it in a comment or ticket. */
int assist_upload(struct assist *a, const char *path, struct arena *arena, struct ulid *ret_upload, struct assist_error *error);
/* Downloads an attachment to a descriptor. */
int assist_download(struct assist *a, struct ulid attachment, int fd, struct assist_error *error);

/* ---- live ---- */

/* Follows a desk. Connections that break are made again, at random moments that grow apart, and resume: each event is given out once, in the
 * desk's order, and none is missing unless ASSIST_LIVE_RESET said so. Nothing here waits but assist_live_next; the desk's answers for a
 * session, which assist_call waits for, come here by the way. Several may follow with one struct assist, on its thread. */
struct assist_live;

/* cursor: where to go on from, as assist_live_cursor and results of assist_call tell; empty: from now on. Sends nothing yet. 0, or
 * *error: FAULT_INVALID_PARAMS where it can't be a cursor, or no descriptor is left. */
int assist_live_open(struct assist *a, struct str cursor, struct assist_live **ret, struct assist_error *error);
void assist_live_close(struct assist_live *l);  /* before its struct assist; NULL is fine */

enum assist_live_kind {
        ASSIST_LIVE_NOTHING,       /* for now */
        ASSIST_LIVE_EVENT,         /* *ret: one event, until the next call; assist_event_read knows its data */
        ASSIST_LIVE_CONNECTED,     /* the connection stands; after a break, nothing was missed */
        ASSIST_LIVE_RESET,         /* fetch what you show again, and keep what is yet to be sent: *error says why */
        ASSIST_LIVE_BROKEN,        /* the connection broke, or the first try failed: *error says why. It is made again, by itself */
};
/* What comes next: an enum assist_live_kind; or a negative errno or an enum fault_code, with *error, where there is no use in going on (this
 * device is nobody's, the cursor is forged): that is said once. Waits so long at most (-1: for ever), or until a signal comes. */
int assist_live_next(struct assist_live *l, int timeout_ms, const struct event **ret, struct assist_error *error);

/* The same for those with a loop of their own: where the descriptor is readable, call _process until it answers ASSIST_LIVE_NOTHING; once in
 * the beginning, too. The descriptor is the same all the time; no timer is needed beside it. */
int assist_live_fd(const struct assist_live *l);
int assist_live_process(struct assist_live *l, const struct event **ret, struct assist_error *error);

/* Behind the last event that was given out, whose frame is complete; empty before the first connection. Keep it with what you made of the
 * events, and begin there next time. Valid until the next call. */
struct str assist_live_cursor(const struct assist_live *l);
/* What the desk calls this connection, for presence.view and its like; zero while there is none. It is another one after each
 * ASSIST_LIVE_CONNECTED. */
struct ulid assist_live_session(const struct assist_live *l);

/* What an event is about: *ret_type its descriptor (&schema_event_comment_added, ...), *ret_data its struct (struct event_comment_added),
 * in the arena with all that it points to. *ret_type is NULL, and *ret_data untouched, for an event that this library is too old to know:
 * pass it over. -EBADMSG where the data is not as the type says. An ephemeral event is of nobody's doing: it has neither op_id nor actor. */
int assist_event_read(const struct event *event, struct arena *arena, const struct schema_event **ret_type, void **ret_data);

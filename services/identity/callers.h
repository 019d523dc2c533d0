/* What gateways must forget of callers, and how far each gateway has followed: so that revoking answers only when it is true
 * everywhere. */
#pragma once
#include "db.h"
#include "rpc.h"
#include "schema/identity.h"

enum {
        CALLERS_KEEP = 10000,                   /* changes; a gateway further behind forgets everything */
        CALLERS_PAGE = 1024,
        CALLERS_GATEWAYS_MAX = 64,
        CALLERS_LIVE_US = 3 * 1000 * 1000,      /* a gateway that did not ask for so long is gone */
        CALLERS_WAIT_US = 2 * 1000 * 1000,
};

struct callers {
        struct loop *loop;
        struct loop_timer *timer;
        struct {
                struct ulid id;
                int64_t revision, asked_us;
        } gateways[CALLERS_GATEWAYS_MAX];
        size_t n_gateways;
        struct callers_wait *waiting;
        bool draining;
};

void callers_init(struct callers *callers, struct loop *loop);
void callers_drain(struct callers *callers);    /* answers those who wait (what they asked for is done), and lets nobody wait */
void callers_deinit(struct callers *callers);

/* Notes what changed, as a gateway is told it; in the caller's transaction. Its revision is the next one. */
int callers_note(struct db *db, const struct caller_change *change, int64_t *ret_revision);
int callers_revision(struct db *db, int64_t *ret_revision);
int callers_read(struct db *db, int64_t after, struct arena *arena, struct callers_follow_result *ret);

/* A gateway has acted on everything up to this revision. */
void callers_followed(struct callers *callers, struct ulid gateway, int64_t revision);
bool callers_all_past(const struct callers *callers, int64_t revision);

/* For a handler whose result is complete: 0 where every live gateway is past this revision, else CALL_PARKED: the call is answered once they
 * are, or after CALLERS_WAIT_US. */
int callers_wait(struct callers *callers, struct call *c, int64_t revision);

/* The live sessions: each WebSocket's place between fanout, which pushes, and the log, from which what is too old for fanout is read.
 *
 * A session is attached at fanout under a number (a fresh one each time, so that what belonged to an earlier attachment can't be
 * taken for the new one's) with its client's cursor. Either fanout has what came since, and pushes on; or the client is sent a page, and is attached
 * again once it acknowledged that. So is a client that reads too slowly. When fanout is another one, all sessions begin again so. */
#pragma once
#include "request.h"
#include "schema/identity.h"

struct live;
struct live *live_new(struct gateway *g);
int live_follow(struct live *live);             /* begins to follow fanout; 0 or -errno */
void live_drain(struct live *live);             /* says bye to all, a little apart */
void live_free(struct live *live);
size_t live_count(const struct live *live);

/* What identity says of callers. */
void live_caller_changed(struct live *live, const struct caller_change *change);
void live_callers_reset(struct live *live);

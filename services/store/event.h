/* What clients see of an op. The event is made when it is served: it shows the thing as it is now, so that what was redacted stays
 * so, and a value that lost to a concurrent one does not flicker. */
#pragma once
#include "schema/comment.h"
#include "schema/log.h"
#include "tx.h"

/* 1 and *ret filled; 0 where the op has no event of its own; or an error. JSON and texts in the arena. */
int event_of(struct db *db, const struct log_entry *e, struct arena *arena, struct event *ret);
/* Whether it is for those of its user's sessions alone that are an agent's: what only agents have, and mentions, which may be where a customer sees
 * nothing. A session of an agent may have a customer's rights. */
int event_as_agent(struct db *db, const struct log_entry *e, struct arena *arena, bool *ret);
/* The event of an op that added this comment or note, which looks like this now. */
void event_of_added(const struct log_entry *e, const struct comment *comment, struct arena *arena, struct event *ret);

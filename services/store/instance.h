/* Who writes the log: this instance, and those that wrote it before it was restored from a backup. What they wrote keeps its places and
 * chains. Ours begins behind it, with an op that names the last one of theirs: so it vouches for what it found, and an op's hash stands for
 * all that is before it in the log, whoever wrote that. */
#pragma once
#include "store.h"

/* Our chain as the database has it, where it begins, and the clock past everything in the log. -EBADMSG where the log is shorter or longer than
 * the chains say. On start. */
int instance_load(struct store *s);
/* Enters ours where this log does not know it; where it is not the log's first, by a commit of its own with its first op and checkpoint. On start,
 * behind all else that is loaded. */
int instance_enter(struct store *s);

/* In the transaction of what was appended: how far our chain has come; and, where it is time for one, a checkpoint. */
int instance_save(struct store *s);
int instance_checkpoint(struct store *s);

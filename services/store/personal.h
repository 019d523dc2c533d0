/* What is a user's own and never logged: read marks, drafts and snoozes. Each change takes the next of one count, so that fanout can follow
 * them and tell the user's other devices. */
#pragma once
#include "store.h"

/* The count for a change, as part of the command under way. On the writer. */
int personal_next(struct store *s, int64_t *ret_seq);
/* The count's state as it is on disk. On start. */
int personal_load(struct store *s);
/* As a command: past all that was counted before a restore from a backup. */
int personal_restored(struct store *s);

/* A version for what replaces one: the time, but never going back. */
int64_t personal_version(struct store *s, int64_t before);

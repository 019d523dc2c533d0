/* Undoing a command: new ops, and only where each register still bears the stamp of the command's own write,
 * or of an undo that put that write back. */
#pragma once
#include "tx.h"

enum { UNDO_KEPT = 100, UNDO_TICKETS_MAX = 1000 };

/* The command under way is one that `command.undo` without an op_id is about. Nothing where it had no effect. */
int undo_remember(struct tx *tx);

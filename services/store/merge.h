/* Merging tickets and splitting them: pointers, which undo.c takes back. */
#pragma once
#include "thread.h"

/* Each appends the pointer's write: into, to NULL for none. */
int merge_append(struct tx *tx, const struct ticket_row *row, const struct ulid *into);
struct comment_row;
int move_append(struct tx *tx, const struct comment_row *row, const struct ulid *to);

/* Says at the ticket where work on this one goes on that something was written. */
int merge_tell(struct tx *tx, const struct ticket_row *row, struct ulid comment);

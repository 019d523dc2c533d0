/* Replying on a ticket, by hand or by a macro: what is written, and what follows from it. */
#pragma once
#include "schema/comment.h"
#include "tx.h"

/* The comment or note as the caller sees it, or NotFound. */
int comment_answer(struct tx *tx, struct call *c, bool internal, struct ulid id, struct comment *ret);

/* Each writes as the effects of the command under way: 0, a fault, or an error. */
int reply_write(struct tx *tx, struct call *c, const struct comment_add *in, struct comment *ret);
int note_write(struct tx *tx, struct call *c, const struct note_add *in, struct comment *ret);

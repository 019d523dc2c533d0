/* The steps of the fold: each takes the body of its kind, and answers 0 or an error of the database. Of fold.c and its parts alone. */
#pragma once
#include "fold.h"

/* What every step works on. */
struct fold {
        struct db *db;
        const struct op *op;
        const struct schema_op *kind;
        bool internal; /* for agents alone */
};

/* A ticket that is not there yet: hidden until it is filed. */
int fold_ticket_stub(struct fold *f, struct ulid ticket);
/* Something happened on it. */
int fold_ticket_touch(struct fold *f, struct ulid ticket);

/* fold_comment.c. A comment or note that is not there yet: hidden until it is written. */
int fold_comment_stub(struct fold *f, bool note, struct ulid ticket, struct ulid comment);
/* Of notes, too, where f->internal. */
int fold_comment_add(struct fold *f, const void *body);
int fold_comment_edit(struct fold *f, const void *body);
int fold_comment_delete(struct fold *f, const void *body);
int fold_comment_redact(struct fold *f, const void *body);
int fold_attachment_add(struct fold *f, const void *body);

/* Comments and internal notes: rows of the same shape in two tables, told apart by `internal`. */
#pragma once
#include "schema/comment.h"
#include "tx.h"

struct comment_row {
        struct ulid id, ticket, author;
        bool internal;
        uint64_t created, edited;        /* hlc; edited 0: never */
        bool deleted, redacted;
        bool has_body_op;
        struct ulid body_op;
        uint32_t body_n;
        int64_t seq;                     /* where its op stands in the log */
        int64_t attachments;
};

int comment_find(struct db *db, bool internal, struct ulid id, struct comment_row *ret);  /* -ENOENT */

/* A public comment, or where the caller is an agent and internal is asked for, a note, on a ticket that they may see. 0,
 * FAULT_NOT_FOUND, or an error of the database. */
int comment_find_visible(struct db *db, const struct caller *caller, bool internal, struct ulid id, struct comment_row *ret);

/* What is read of it by those who may; texts in the arena. */
int comment_view(struct db *db, const struct comment_row *row, struct arena *arena, struct comment *ret);

/* The page of what shows on a ticket after a position, oldest first; next is empty at the end. */
struct page;
struct ticket_row;
int comment_page(struct db *db, const struct caller *caller, bool internal, const struct ticket_row *ticket, const struct page *after,
                 int64_t limit, struct arena *arena, struct comment **ret_items, size_t *ret_n, struct str *ret_next);

/* Where a split has it shown. -ENOENT where there is no such comment. */
int comment_moved_to(struct db *db, bool internal, struct ulid id, bool *ret_has, struct ulid *ret);

int comment_created_stamp(struct db *db, const struct comment_row *row, struct stamp *ret);

/* Writes a comment or note with its attachments, as the effects of the command under way. *ret is what its author sees of it. */
struct comment_new {
        bool internal;
        struct ulid ticket;
        struct str body;
        const struct ulid *uploads;
        size_t n_uploads;
};
/* How one looks that was just added by the newest effect, with no attachment: what comment_view would read. It is kept for who follows the log. */
void comment_as_written(struct tx *tx, const struct comment_new *new, struct ulid id, struct comment *ret);
int comment_write(struct tx *tx, struct call *c, const struct comment_new *new, struct comment *ret);

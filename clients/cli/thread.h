/* A ticket and what was written on it: as people read it, and as it grows. */
#pragma once
#include "cli.h"

#include "link.h"
#include "schema/comment.h"
#include "schema/ticket.h"

struct comment_rows {
        struct comment *items;     /* the oldest first */
        size_t n;
};
struct thread {
        struct ticket_get_result got;
        struct link_list_result links;
        struct comment_rows comments, notes;
};

/* number: as people write it. What it fetches lies in cli's arena. 0, or an exit status, having said why. */
int thread_fetch(struct cli *cli, const char *number, struct thread *ret);
/* As it was at a time, or at a cursor: as people write it. Without links, which are of now. */
int thread_fetch_past(struct cli *cli, const char *number, const char *at, struct thread *ret);
/* The next comment or note by time; each place begins at 0. ret_internal: whether it is a note, or NULL. */
const struct comment *thread_next(const struct thread *t, size_t *comment_at, size_t *note_at, bool *ret_internal);
void thread_print(struct cli *cli, const struct thread *t);
/* The caller has read it up to its newest comment or note. Where the desk does not hear of it, it stays unread: nothing is said. */
void thread_mark(struct cli *cli, const struct thread *t);
void comment_mark(struct cli *cli, struct ulid ticket, const struct comment *comment);

void comment_print(struct cli *cli, const struct comment *comment, bool internal);
/* "state: pending, assignee: Ann" */
void change_words(struct cli *cli, const struct event_ticket_changed *change, struct buf *out);

/* follow.c: stays at a ticket that was printed, and prints what comes, until it is interrupted or there is nothing to be seen any more. An
 * exit status. */
int thread_follow(struct cli *cli, const struct thread *t);

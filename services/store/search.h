/* The index of texts: subjects, comments, custom fields, and apart from them notes and fields that customers don't know of, as SQLite's FTS5 has words. It is derived from the tables, and
 * follows the log by a position of its own, so that no command pays for it; search_upkeep.h says when. A redaction alone takes what is
 * redacted out with the command: it is found no more. That its words lie in no segment either takes longer, in steps. */
#pragma once
#include "arena.h"
#include "ulid.h"
#include <stdbool.h>
#include <stdint.h>

struct db;

enum search_source { SEARCH_SUBJECT, SEARCH_COMMENT, SEARCH_NOTE, SEARCH_FIELD, SEARCH_INNER_FIELD };

/* The position up to which the index goes, in this connection's view. */
int search_position(struct db *db, int64_t *ret);
/* Takes in what the next ops of log changed, at most max_ops of them; the position is then *ret_seq. In the caller's transaction. log: db
 * itself, or the database whose log was folded into db. */
int search_index(struct db *db, struct db *log, struct arena *arena, int64_t max_ops, int64_t *ret_seq);
/* Before the texts of the op at this position are deleted: they are not found any more. */
int search_forget(struct db *db, int64_t seq);
/* After texts were redacted: FTS5 has only written that their words are out, and so have edits and deletions before. Notes that they are to
 * be scrubbed, over a new start, too. */
int search_stain(struct db *db, bool notes);
/* A step of that: merges at most `pages` pages of the segments, which become one that has none of these words, as long as nothing else is
 * written to the index; where some is, it begins again. *ret_clean: there is nothing left to do. In the caller's transaction. */
int search_scrub(struct db *db, int64_t pages, bool *ret_clean);

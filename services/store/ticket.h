/* A ticket as it lies in its table, who may see it, and what callers get of it. */
#pragma once
#include "schema/ticket.h"
#include "tx.h"

struct ticket_row {
        struct ulid id, requester;
        int64_t number;
        uint64_t created;                /* hlc */
        uint64_t changed, touched;       /* hlc of the newest public change, and of any */
        int state, priority;
        bool has_assignee, has_newest;
        struct ulid assignee, newest_comment;
        struct ulid subject_op;
        uint32_t subject_n;
        int64_t comments, notes;
        bool has_type, has_team;
        struct ulid type, team;
        bool has_wake, has_label;
        int64_t wake_at;                 /* ms; of a pending one */
        struct ulid label;
        bool has_merged, branched;       /* thread.h */
        struct ulid merged;              /* the ticket that it is merged into */
};

/* 0, FAULT_NOT_FOUND (unsaid why: no such ticket, or not for this caller), or an error of the database. */
int ticket_find_visible(struct db *db, const struct caller *caller, struct ulid id, struct ticket_row *ret);
int ticket_find(struct db *db, struct ulid id, struct ticket_row *ret);          /* -ENOENT */
int ticket_find_number(struct db *db, int64_t number, struct ulid *ret);         /* -ENOENT */
int ticket_visible(struct db *db, const struct caller *caller, struct ulid id, bool *ret);

/* What the caller sees of it; lists and texts in the arena. */
int ticket_view(struct db *db, const struct caller *caller, const struct ticket_row *row, struct arena *arena, struct ticket *ret);

/* Empty where it was redacted; in the arena. */
int ticket_subject_text(struct db *db, const struct ticket_row *row, struct arena *arena, struct str *ret);
int ticket_number_next(struct db *db, int64_t *ret);

struct stamp ticket_created_stamp(const struct ticket_row *row);

/* The users beside the agents who may see it. */
int ticket_audience(struct db *db, struct ulid id, struct arena *arena, struct ulid **ret_users, size_t *ret_n);

/* Tags, watchers and links. element: the tag's text, the user's 16 bytes, or link_element's. */
enum member_kind { MEMBER_TAG = 1, MEMBER_WATCHER = 2, MEMBER_LINK = 3 };
int member_list(struct db *db, struct ulid ticket, enum member_kind kind, struct arena *arena, struct str **ret, size_t *ret_n);
int member_adders(struct db *db, struct ulid ticket, enum member_kind kind, struct str element, struct arena *arena,
                  struct ulid **ret, size_t *ret_n);

/* Pages: an opaque text around (hlc, id). */
struct page {
        uint64_t hlc;
        struct ulid id;
};
struct str page_text(struct page page, struct arena *arena);
int page_parse(struct call *c, struct str text, struct page *ret);

/* What a project defines for itself: teams, types of tickets, ...
 *
 * Each is one register that is written as a whole; of concurrent writes the greater stamp shows. Its op's body is the definition: the
 * first member is its id, and there are `name` and `retired`; where its audience is a user, it is that one's own (`user`). So a table of definitions says only where in the log the write is
 * that shows. A retired one stays, since tickets refer to it. `kind` is the op's kind everywhere; bodies are structs of that kind. */
#pragma once
#include "tx.h"

enum { DEFINITIONS_MAX = 1000 };        /* of a kind, for each owner where it is users' own */

int definition_fold(struct db *db, const struct schema_op *kind, const struct op *op, const void *body);

/* ret: the body, its texts in the arena. 0, or -ENOENT. */
int definition_find(struct db *db, const struct schema_op *kind, struct ulid id, struct arena *arena, void *ret);
/* Whether there is one that is not retired. */
int definition_usable(struct db *db, const struct schema_op *kind, struct ulid id, bool *ret);
/* owner: of a kind that is users' own, whose; else NULL. */
/* Which one has this name, whatever the case of its ASCII letters; one in use before a retired one. 0, or -ENOENT. */
int definition_named(struct db *db, const struct schema_op *kind, const struct ulid *owner, struct str name, struct ulid *ret);
/* All of them as an array of bodies, by name. */
int definition_list(struct db *db, const struct schema_op *kind, const struct ulid *owner, struct arena *arena, struct schema_list *ret);

/* Whether one may be given to something: 0, or the fault of this field. */
int definition_check(struct tx *tx, struct call *c, const char *field, const struct schema_op *kind, struct ulid id);

/* Writes one, of who acts where it is users' own. body: complete but for its id and user, which are put there: *id or, where that is NULL, a
 * new one. 0, or a fault: NotFound where there is no such definition (of theirs), Conflict where the name is taken, TooLarge. */
int definition_save(struct tx *tx, struct call *c, const struct schema_op *kind, const struct ulid *id, void *body);

/* A method that saves: check, where not NULL, says what is wrong beside what definition_save does, and definition_save follows; a retry only
 * answers. params: the method's. */
struct definition_saving {
        const struct schema_op *kind;
        const struct ulid *id;          /* NULL: a new one */
        void *body;
        int (*check)(struct tx *tx, struct call *c, const void *params, const void *body);
};
/* ret: the body as it is then. Its handler's result has the other two. */
int definition_handle(struct store *s, struct call *c, const struct definition_saving *saving, void *ret, bool *ret_has_cursor, struct str *ret_cursor);

/* People as store knows them: what identity says of them, logged, so that tickets hold ids and clients join names. */
#pragma once
#include "schema/person.h"
#include "tx.h"

int person_find(struct db *db, struct ulid id, struct arena *arena, struct person *ret);  /* -ENOENT */
/* Who has this name, whatever the case of its ASCII letters; staff: among agents and admins. -ENOENT for nobody. */
int person_named(struct db *db, struct str name, bool staff, struct ulid *ret, bool *ret_several);
/* Whether the id is somebody with this role at least, and active. */
int person_may(struct db *db, struct ulid id, enum schema_role role, bool *ret);

/* Somebody who is active, as who acts; the device is empty. -ENOENT for nobody. */
int person_caller(struct db *db, struct ulid id, struct caller *ret);

enum schema_role role_rank(int role);   /* enum role of the schema, in the dispatcher's terms */

/* Logs what is new of a person, under the op id of identity's change. On the writer. */
int person_log(struct store *s, struct arena *arena, struct ulid op_id, struct ulid user, struct str name, int role, bool active);

/* Follows identity's people and logs their changes. On the loop; the logging on the writer. */
int people_start(struct store *s);

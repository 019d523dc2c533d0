/* Teams, and types of tickets: who a ticket comes to. */
#pragma once
#include "schema/team.h"
#include "schema/type.h"
#include "tx.h"

/* Whose turn it is: the member after the one who had the last turn, who is an active agent; it is theirs from now on.
 * 0, or -ENOENT where the team does not rotate, or has nobody. */
int team_turn(struct tx *tx, struct ulid team, struct ulid *ret);

/* The team that tickets of this type go to: 0, or -ENOENT. */
int type_team(struct tx *tx, struct ulid type, struct ulid *ret);

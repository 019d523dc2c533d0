/* Custom fields: what a project's tickets have beside the usual ones. */
#pragma once
#include "schema/field.h"
#include "ticket.h"

/* What the register of a ticket's field belongs to. */
struct ulid field_entity(struct ulid ticket, struct ulid field);
int field_fold(struct db *db, const struct op *op, const struct op_ticket_field *body, bool internal);

/* The values of a ticket, texts in the arena; those that customers don't know of for agents alone. */
int field_values(struct db *db, struct ulid ticket, bool agent, struct arena *arena, struct field_value **ret, size_t *ret_n);
/* One value. 0, or -ENOENT where there is none, or not one as visible as this. */
int field_value(struct db *db, struct ulid ticket, struct ulid field, bool internal, struct arena *arena, struct str *ret);

/* Checks and appends changes, each of its field. seen: as a struct change's. 0, or a fault of `fields`, or an error. */
int fields_change(struct tx *tx, struct call *c, const struct ticket_row *row, int64_t seen, const struct field_change *changes, size_t n);

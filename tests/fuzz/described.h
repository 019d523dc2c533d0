/* Which of the described structs an input is about: its first line names a method (its parameters), an event, an op or a type; an
 * unknown name picks one by its first byte. */
#pragma once
#include "schema.h"

/* Advances *in past the line. */
const struct schema_struct *described_by(struct str *in);

/* A field's type, limits and flags in words of the schema language. */
#pragma once
#include "schema.h"

/* "string 1..200", "list of Comment 0..100"; `link` writes the name of a type or enum. */
void field_type_text(const struct schema_field *f, void (*link)(const char *name, struct buf *out), struct buf *out);
/* "optional", "default 20, secret", or nothing. */
void field_flags_text(const struct schema_field *f, struct buf *out);

/* Results for people: tables of lists, "name: value" of the rest, by descriptors. */
#pragma once
#include "codec.h"

/* columns: names of the item's fields to show, NULL at the end; NULL: all plain ones. width: of the terminal, 0: no limit. */
void show_list(const struct schema_struct *item, const struct schema_list *list, const char *const *columns, size_t width, struct buf *out);
void show_struct(const struct schema_struct *type, const void *value, struct buf *out);

/* Anything that a method answers: its first list as a table, else all of it. */
void show_result(const struct schema_struct *type, const void *value, size_t width, struct buf *out);

/* Without control characters, for what others wrote must not speak to the terminal. lines: but for the ends of lines. */
void show_text(struct str s, bool lines, struct buf *out);
/* One value in a few characters: "2026-11-21 04:05", "open", "a, b"; its texts so. */
void show_value(const struct schema_field *f, const void *base, struct buf *out);

/* Who says what an id is called from now on, NULL for nobody: then it shows as it is. name: puts the name, or nothing where it has none. */
void show_names(void (*name)(void *data, const struct schema_field *f, struct ulid id, struct buf *out), void *data);

/* The C that a checked program becomes: types, constant tables and one-line thunks. Each function appends one file's text. */
#pragma once
#include "ast.h"

void emit_types(struct program *program, const struct file *file, struct text *out);          /* ticket.h */
void emit_tables(struct program *program, const struct file *file, struct text *out);         /* ticket.c */
void emit_index(struct program *program, struct text *out);                                   /* index.c */
void emit_handler_types(struct program *program, enum service service, struct text *out);     /* store_handlers.h */
void emit_handler_tables(struct program *program, enum service service, struct text *out);    /* store_handlers.c */

/* The struct tags of a declaration: "ticket", "event_comment_added", "op_comment_add". */
const char *emit_tag(struct program *program, const struct declaration *d);
const char *emit_value_type(struct program *program, const struct type_use *use); /* "int64_t", "struct comment" */

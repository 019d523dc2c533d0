/* Whether the declarations of all files together make sense; resolves names, and orders what the emitters need in order.
 * Each check runs only where those before it found nothing, so it may rely on what they say. */
#pragma once
#include "ast.h"

void check(struct program *program);

void check_files(struct program *program);  /* stems, uses, circles among them */
void check_names(struct program *program);  /* fills by_kind; names are there once, in the schemas and in C */
void check_fields(struct program *program); /* resolves types, ranges, flags; types that hold themselves; fills file->types */
void check_calls(struct program *program);  /* errors, methods, events, ops */

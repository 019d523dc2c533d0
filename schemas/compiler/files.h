/* Whole files. Both say on stderr what went wrong. */
#pragma once
#include "text.h"

bool file_read(const char *path, struct text *ret);
bool file_write_changed(const char *directory, const char *name, const struct text *text); /* leaves an equal file alone */

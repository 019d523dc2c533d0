/* One schema file's declarations, as written; names and limits are check.h's matter. */
#pragma once
#include "ast.h"

void parse(struct program *program, struct file *file);

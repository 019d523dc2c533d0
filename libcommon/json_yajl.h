/* yajl as json_read.c needs it: with memory from an arena, and with a second look at texts that it takes and that are no JSON. */
#pragma once
#include "arena.h"
#include <yajl/yajl_parse.h>

/* What it frees stays the arena's. */
yajl_alloc_funcs json_yajl_memory(struct arena *arena);

/* Of a text that yajl took, whose root's last token ends at `end`: whether it is JSON. Strings' UTF-8 is not looked at. */
bool json_yajl_right(struct str in, size_t end);

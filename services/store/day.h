/* Days as people write them: 2026-01-31, in UTC. */
#pragma once
#include "str.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* False unless there is such a day, from 1970 on. ret_ms: its first moment. */
bool day_read(struct str s, int64_t *ret_ms);

/* Times as people type them: "2d", "1d12h", "tomorrow 9:00", "monday", "14:30", "2026-12-24 18:00". In the local time zone. */
#pragma once
#include "str.h"

enum when_side {
        WHEN_TO_COME,    /* durations are from now on; a day without a time means its morning, at WHEN_MORNING_HOUR */
        WHEN_GONE,       /* durations are ago; a day without a time means its beginning */
};
enum { WHEN_MORNING_HOUR = 9 };

#define WHEN_EXAMPLES "2h, 3d, tomorrow 9:00, monday, 14:30, 2026-12-24 18:00"

/* Weekdays and times alone mean the next one, or the last one, as seen from now. 0, or -EINVAL. */
int when_parse(struct str text, int64_t now_ms, enum when_side side, int64_t *ret_ms);

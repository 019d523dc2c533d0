/* The project's own names for states. */
#pragma once
#include "cli.h"

/* By its name, whatever the case: 0 or an exit status, having said which ones there are. */
int label_find(struct cli *cli, const char *name, struct ulid *ret);
/* Its name, or empty where it can't be told. */
struct str label_name(struct cli *cli, struct ulid label);

/* "tomorrow 9:00" to ms: 0 or an exit status, having said how times are written. */
int cli_when(const char *text, bool gone, int64_t *ret_ms);

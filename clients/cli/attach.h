/* Files of a ticket or comment. */
#pragma once
#include "cli.h"

enum { ATTACHMENTS_MAX = 10 };

/* Takes every --attach FILE out of the arguments and uploads the files. 0, or an exit status, having said why. */
int attach_all(struct cli *cli, int *argc, char **argv, struct ulid uploads[ATTACHMENTS_MAX], size_t *ret_n);

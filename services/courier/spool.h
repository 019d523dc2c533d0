/* A folder of mails for where there is no mail server: one file each, <id>.eml, 0600, whole or not there. */
#pragma once
#include "str.h"
#include "ulid.h"

/* Makes the folder (0700) where it is missing. 0 or -errno. */
int spool_write(const char *folder, struct ulid id, struct str message);

/* `assistctl backup`: the whole desk in a folder, made while it works. `assistctl restore`: a stopped desk made of such a folder. docs/operations.md,
 * "Backups", says what lies in it. */
#pragma once
#include "operator.h"
#include "schema/backup.h"

int run_backup(struct operator *o, int argc, char **argv);
int run_backup_list(struct operator *o, int argc, char **argv);
int run_restore(struct operator *o, int argc, char **argv);

/* Reads backup.json of a folder into the operator's arena: 0, -ENOENT where it is no backup, or -EBADMSG. */
int backup_read(struct operator *o, const char *folder, struct backup *ret);
/* The state is one command's at a time: an fd that holds it as long as it is open, or, negative, an exit status after having said why. */
int backup_lock(struct operator *o);
/* "can't DO PATH: why", on stderr; EXIT_FAILURE. */
int backup_failed(const char *action, const char *path, int r);

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
/* "FOLDER/NAME", in the operator's arena. */
const char *backup_path(struct operator *o, const char *folder, const char *name);

/* Where they lie if nobody says otherwise. */
const char *backups_usual(struct operator *o);
/* What one of this time is called. */
const char *backups_name(struct operator *o, int64_t at, bool sound);
/* All in a folder, the oldest first; in the operator's arena. These answer 0, or an exit status after having said why. */
int backups_list(struct operator *o, const char *into, struct backup_list *ret);
/* Removes the oldest ones, so that `keep` are left, `own` among them, whatever its time. */
int backups_forget(struct operator *o, const char *into, uint64_t keep, const char *own);
/* Removes all that were not whole, but `own`. */
int backups_forget_damaged(struct operator *o, const char *into, const char *own);

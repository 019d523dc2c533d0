/* The store's part of a backup: store.db as it is at one moment, and the attachments that it names, in a folder of store's own. It is checked
 * like a desk that was restored from it, and lies there until the next one begins or store starts, or `assistctl backup` has copied it. */
#pragma once
#include "job.h"
#include "stats.h"

/* As rebuild_run, in job.h. The connection is in no transaction. */
int backup_run(struct job *job, struct db *db, struct backed_up *ret);
/* Removes what lies there, whole or not. */
void backup_clean(const struct store *s);
/* The last one that was kept. */
void backup_stats(struct stats *stats, struct db *db);

/* The fold: what an accepted op does to the tables. It never refuses, asks or derives: a missing parent becomes a hidden
 * stub. Any order and any repetition of the same ops gives the same tables (fold_test.c). */
#pragma once
#include "tx.h"

/* body: the kind's struct, with the texts that are not redacted. 0, or an error of the database. */
int fold_apply(struct db *db, const struct log_entry *e, const void *body);

/* Group commit: the writer takes all commands that wait, gives each a savepoint, commits once (one fdatasync), then answers them all. */
#pragma once
#include "store.h"

void *writer_main(void *worker);

/* The chain, clock and position as the database has them. */
int writer_load(struct store *s);

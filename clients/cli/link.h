/* A ticket's links, for people. */
#pragma once
#include "cli.h"

#include "schema/link.h"

/* In cli's arena. 0, or an exit status, having said why. */
int links_fetch(struct cli *cli, struct ulid ticket, struct link_list_result *ret);
/* "blocks #43 The printer burns (open)", a line each */
void links_print(const struct link *items, size_t n);
/* As an array's items. */
void links_json(const struct link *items, size_t n, struct buf *out);

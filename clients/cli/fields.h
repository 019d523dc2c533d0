/* Custom fields on the command line. */
#pragma once
#include "cli.h"

#include "schema/field.h"

/* Takes each `--field KEY=VALUE` out of the arguments; `KEY=` takes the value away. 0 or an exit status, having said why. */
int fields_take(struct cli *cli, int *argc, char **argv, struct field_change **ret, size_t *ret_n);
/* A line for each value that a ticket has: "Room: Attic". */
void fields_print(struct cli *cli, const struct field_value *values, size_t n);

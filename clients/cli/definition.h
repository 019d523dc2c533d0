/* What a project defines for itself (teams, types, fields, labels, views, ...): every noun N with methods N.list and N.save, of things that have
 * an id first and a `name`. */
#pragma once
#include "cli.h"

/* Which one of a noun has this name, whatever the case; one in use before a retired one: 0 or an exit status, having said which there are. */
int definition_find(struct cli *cli, const char *noun, struct str name, struct ulid *ret);
/* Its name, control characters left out; empty where it can't be told. */
struct str definition_name(struct cli *cli, const char *noun, struct ulid id);
/* The same as definition_find for flags: of the field's name. -ENOENT where there is no such noun. */
int definition_flag(struct cli *cli, const char *noun, struct str name, struct ulid *ret, struct flags_error *error);

/* `assist N list|new|set|retire`; cli->method is N.save. */
int run_definition(struct cli *cli, int argc, char **argv);

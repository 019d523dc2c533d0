/* Names where the protocol has ids: --assignee Agnes, --team Network, --ticket 42. */
#include "definition.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool means_person(const char *field)
{
        static const char *const fields[] = { "assignee", "requester", "members", "add_watchers", "remove_watchers", "user", "actor" };

        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                if (strcmp(field, fields[i]) == 0)
                        return true;
        return false;
}

/* team of `team`, view of `views`. */
static int defined(struct cli *cli, const char *field, struct str value, struct ulid *ret, struct flags_error *error)
{
        char noun[64];
        size_t n = (size_t)snprintf(noun, sizeof(noun), "%s", field);
        int r = definition_flag(cli, noun, value, ret, error);

        if (r != -ENOENT || !n || noun[n - 1] != 's')
                return r;
        noun[n - 1] = '\0';
        return definition_flag(cli, noun, value, ret, error);
}

static int find(void *data, const struct schema_field *f, struct str value, struct ulid *ret, struct flags_error *error)
{
        struct cli *cli = data;
        int r;

        if (means_person(f->name))
                return cli_person(cli, value, ret, error);
        if (strcmp(f->name, "ticket") == 0 || strcmp(f->name, "other") == 0) {
                if (!cli_ticket(cli, arena_str(&cli->arena, value).p, ret))
                        return 0;
                snprintf(error->text, sizeof(error->text), "--%s \"%.*s\" can't be looked up", f->name, STR_ARG(value));
                return -EINVAL;
        }
        r = defined(cli, f->name, value, ret, error);
        if (r == -ENOENT)
                snprintf(error->text, sizeof(error->text), "--%s must be an id of 26 characters", f->name);
        return r ? -EINVAL : 0;
}

int cli_flags(struct cli *cli, const struct schema_struct *type, int argc, char **argv, const char *const *positional, void *ret)
{
        const struct flags_names names = { find, cli };
        struct flags_error error;

        return flags_read(type, argc, argv, positional, &names, &cli->arena, ret, &error) ? cli_usage("%s", error.text) : 0;
}

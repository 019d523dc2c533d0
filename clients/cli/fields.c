#include "fields.h"

#include "show.h"

#include <stdio.h>
#include <string.h>

enum { FIELDS_GIVEN_MAX = 100 };

static int all_fields(struct cli *cli, struct field_list_result *ret)
{
        struct field_list params = { 0 };

        return cli_call(cli, &schema_method_field_list, &params, ret);
}

static int field_read(const struct field_list_result *all, const char *given, struct field_change *ret)
{
        const char *equals = strchr(given, '=');
        size_t n = equals ? (size_t)(equals - given) : 0;

        if (!n)
                return cli_usage("--field %s: write KEY=VALUE, or KEY= to take the value away", given);
        for (size_t i = 0; i < all->items.n; i++) {
                const struct field *f = &all->items.items[i];

                if (f->key.n != n || strncmp(f->key.p, given, n) != 0)
                        continue;
                *ret = (struct field_change){ f->field, equals[1] ? SCHEMA_PRESENT : SCHEMA_NULL, str_of(equals + 1) };
                return 0;
        }
        fprintf(stderr, "assist: there is no field \"%.*s\"", (int)n, given);
        for (size_t i = 0; i < all->items.n; i++)
                fprintf(stderr, "%s%.*s", i ? ", " : "; there are ", STR_ARG(all->items.items[i].key));
        fprintf(stderr, "\n");
        return EXIT_NOT_FOUND;
}

int fields_take(struct cli *cli, int *argc, char **argv, struct field_change **ret, size_t *ret_n)
{
        struct field_list_result all;
        const char *given;
        int r = 0;

        *ret = arena_array(&cli->arena, FIELDS_GIVEN_MAX, sizeof(**ret));
        *ret_n = 0;
        while (!r && (given = cli_take(argc, argv, "--field"))) {
                if (*ret_n == FIELDS_GIVEN_MAX)
                        return cli_usage("at most %d --field may be given", FIELDS_GIVEN_MAX);
                r = *ret_n ? 0 : all_fields(cli, &all);
                if (!r)
                        r = field_read(&all, given, &(*ret)[(*ret_n)++]);
        }
        return r;
}

void fields_print(struct cli *cli, const struct field_value *values, size_t n)
{
        struct field_list_result all;

        if (!n || all_fields(cli, &all))
                return;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < all.items.n; k++) {
                        struct buf line = { 0 };

                        if (!ulid_eq(all.items.items[k].field, values[i].field))
                                continue;
                        show_value(schema_field_find(&schema_type_field, "name"), &all.items.items[k], &line);
                        buf_text(&line, ": ");
                        show_value(schema_field_find(&schema_type_field_value, "value"), &values[i], &line);
                        printf("%s\n", buf_z(&line));
                        buf_deinit(&line);
                }
}

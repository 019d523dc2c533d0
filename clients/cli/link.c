/* `assist ticket link` and `ticket unlink`, and how links are shown. */
#include "link.h"

#include "show.h"

#include <assert.h>
#include <stdio.h>

static_assert(sizeof(struct link_add) == sizeof(struct link_remove) && sizeof(struct link_add_result) == sizeof(struct link_remove_result),
              "link.remove is called as link.add is");

void links_json(const struct link *items, size_t n, struct buf *out)
{
        for (size_t i = 0; i < n; i++) {
                if (i)
                        buf_char(out, ',');
                json_write(&schema_type_link, &items[i], out);
        }
}

void links_print(const struct link *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct buf subject = { 0 };

                show_value(schema_field_find(&schema_type_link, "subject"), &items[i], &subject);
                printf("%s #%lld %s (%s)\n", schema_enum_link_kind.values[items[i].kind], (long long)items[i].number, buf_z(&subject),
                       schema_enum_ticket_state.values[items[i].state]);
                buf_deinit(&subject);
        }
}

int links_fetch(struct cli *cli, struct ulid ticket, struct link_list_result *ret)
{
        return cli_call(cli, &schema_method_link_list, &(struct link_list){ .ticket = ticket }, ret);
}

static int kind_read(const char *text, int *ret)
{
        struct buf names = { 0 };
        int r;

        *ret = schema_enum_find(&schema_enum_link_kind, str_of(text));
        if (*ret >= 0)
                return 0;
        for (int i = 0; i < schema_enum_link_kind.n; i++)
                buf_format(&names, "%s%s", i ? ", " : "", schema_enum_link_kind.values[i]);
        r = cli_usage("\"%s\" is no kind of link; take one of %s", text, buf_z(&names));
        buf_deinit(&names);
        return r;
}

static int change(struct cli *cli, int argc, char **argv, const struct schema_method *method, const char *usage)
{
        struct link_add params = { 0 };
        struct link_add_result made;
        int r;

        if (argc != 3)
                return cli_usage("%s", usage);
        r = kind_read(argv[1], &params.kind);
        if (!r)
                r = cli_ticket(cli, argv[0], &params.ticket);
        if (!r)
                r = cli_ticket(cli, argv[2], &params.other);
        if (!r)
                r = cli_call(cli, method, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, method->result, &made);
        else if (!made.links.n)
                printf("No links.\n");
        else
                links_print(made.links.items, made.links.n);
        return 0;
}

int run_ticket_link(struct cli *cli, int argc, char **argv)
{
        return change(cli, argc, argv, &schema_method_link_add, "ticket link NUMBER KIND NUMBER");
}

int run_ticket_unlink(struct cli *cli, int argc, char **argv)
{
        return change(cli, argc, argv, &schema_method_link_remove, "ticket unlink NUMBER KIND NUMBER");
}

/* `assist snooze`. */
#include "cli.h"

#include "schema/snooze.h"
#include "schema/ticket.h"
#include "show.h"

#include <stdio.h>

int run_snooze(struct cli *cli, int argc, char **argv)
{
        struct ticket_get_result got;
        struct snooze_set params = { 0 };
        struct snooze_set_result made;
        int r = 0;

        if (argc < 1 || argc > 2)
                return cli_usage("snooze NUMBER [WHEN]");
        params.has_until_at = argc == 2;
        if (argc == 2)
                r = cli_when(argv[1], false, &params.until_at);
        if (!r)
                r = cli_ticket_get(cli, argv[0], &got);
        if (r)
                return r;
        params.ticket = got.ticket.id;
        r = cli_call(cli, &schema_method_snooze_set, &params, &made);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_snooze_set.result, &made);
        } else if (made.snooze.has_until_at) {
                struct str at = cli_time(cli, made.snooze.until_at);

                printf("Ticket #%lld is put aside until %.*s, or until somebody replies.\n", (long long)got.ticket.number, STR_ARG(at));
        } else {
                printf("Ticket #%lld is put aside until somebody replies.\n", (long long)got.ticket.number);
        }
        return 0;
}

int run_snooze_end(struct cli *cli, int argc, char **argv)
{
        struct ticket_get_result got;
        struct snooze_end params = { 0 };
        struct snooze_end_result made;
        int r;

        if (argc != 1)
                return cli_usage("snooze end NUMBER");
        r = cli_ticket_get(cli, argv[0], &got);
        if (r)
                return r;
        params.ticket = got.ticket.id;
        r = cli_call(cli, &schema_method_snooze_end, &params, &made);
        if (!r && cli->json)
                cli_print(cli, schema_method_snooze_end.result, &made);
        else if (!r)
                printf("Ticket #%lld is back.\n", (long long)got.ticket.number);
        return r;
}

static int item_print(struct cli *cli, const struct snooze *snooze)
{
        struct ticket_get params = { .has_ticket = true, .ticket = snooze->ticket };
        struct ticket_get_result got;
        struct buf subject = { 0 };
        struct str at = snooze->has_until_at ? cli_time(cli, snooze->until_at) : STR("a reply");
        int r = cli_call(cli, &schema_method_ticket_get, &params, &got);

        if (r)
                return r;
        show_value(schema_field_find(&schema_type_ticket, "subject"), &got.ticket, &subject);
        printf("%5lld  %-16.*s  %s\n", (long long)got.ticket.number, STR_ARG(at), buf_z(&subject));
        buf_deinit(&subject);
        return 0;
}

int run_snooze_list(struct cli *cli, int argc, char **argv)
{
        struct snooze_list params = { 0 };
        struct snooze_list_result all;
        int r;

        (void)argv;
        if (argc)
                return cli_usage("snooze list");
        r = cli_call(cli, &schema_method_snooze_list, &params, &all);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_snooze_list.result, &all);
                return 0;
        }
        if (all.items.n)
                printf("%5s  %-16s  %s\n", "#", "UNTIL", "SUBJECT");
        else
                printf("Nothing is put aside.\n");
        for (size_t i = 0; i < all.items.n && !r; i++)
                r = item_print(cli, &all.items.items[i]);
        return r;
}

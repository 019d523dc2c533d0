/* `assist ticket history`. */
#include "cli.h"

#include "schema/audit.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>

static void member_print(const struct audit_entry *entry, const char *name, const char *label)
{
        struct buf text = { 0 };

        show_value(schema_field_find(&schema_type_audit_entry, name), entry, &text);
        printf("    %s %s\n", label, buf_z(&text));
        buf_deinit(&text);
}

static void entry_print(struct cli *cli, const struct audit_entry *entry)
{
        struct buf at = { 0 };
        struct str actor = cli_name(cli, entry->actor);

        show_value(schema_field_find(&schema_type_audit_entry, "at"), entry, &at);
        printf("%s  %-18.*s  %.*s\n", buf_z(&at), STR_ARG(entry->kind), STR_ARG(actor));
        if (entry->has_before)
                member_print(entry, "before", "before");
        if (entry->has_after)
                member_print(entry, "after", "after ");
        buf_deinit(&at);
}

int run_ticket_history(struct cli *cli, int argc, char **argv)
{
        const char *limit = cli_take(&argc, argv, "--limit"), *after = cli_take(&argc, argv, "--after");
        struct ticket_history params = { .limit = limit ? atoi(limit) : 50, .has_after = after != NULL, .after = str_of(after ? after : "") };
        struct ticket_history_result page;
        int r;

        if (argc != 1 || params.limit < 1 || params.limit > 200)
                return cli_usage("ticket history NUMBER [--limit N] [--after NEXT]; N is 1 to 200");
        r = cli_ticket(cli, argv[0], &params.ticket);
        if (!r)
                r = cli_call(cli, &schema_method_ticket_history, &params, &page);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_ticket_history.result, &page);
                return 0;
        }
        for (size_t i = 0; i < page.items.n; i++)
                entry_print(cli, &page.items.items[i]);
        if (page.has_next)
                printf("There is more: --after %.*s\n", STR_ARG(page.next));
        return 0;
}

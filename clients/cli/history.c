/* `assist ticket history`. */
#include "cli.h"

#include "schema/audit.h"
#include "show.h"

#include <stdio.h>

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
        static const char *const positional[] = { "ticket", NULL };
        struct ticket_history params;
        struct ticket_history_result page;
        char id[ULID_TEXT + 1];
        struct ulid ticket;
        int r;

        if (!argc)
                return cli_usage("ticket history NUMBER [--limit N] [--after NEXT]");
        r = cli_ticket(cli, argv[0], &ticket);
        if (r)
                return r;
        ulid_text(ticket, id);
        argv[0] = id;
        r = cli_flags(cli, schema_method_ticket_history.params, argc, argv, positional, &params);
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

/* `assist macro run`. */
#include "definition.h"

#include "schema/macro.h"
#include "show.h"

#include <stdio.h>

int run_macro_run(struct cli *cli, int argc, char **argv)
{
        struct macro_run params = { 0 };
        struct ticket_get_result got;
        struct macro_run_result made;
        int r;

        if (argc != 2)
                return cli_usage("macro run NAME NUMBER");
        r = definition_find(cli, "macro", str_of(argv[0]), &params.macro);
        if (!r)
                r = cli_ticket_get(cli, argv[1], &got);
        if (r)
                return r;
        params.ticket = got.ticket.id;
        params.has_seen_comment = got.ticket.has_newest_comment;
        params.seen_comment = got.ticket.newest_comment;
        r = cli_call(cli, &schema_method_macro_run, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_macro_run.result, &made);
        else
                printf("Ticket #%lld is %s; `assist undo` takes back what was changed.\n", (long long)made.value.number,
                       schema_enum_ticket_state.values[made.value.state]);
        return 0;
}

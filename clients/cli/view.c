/* `assist view list`: with how many tickets each has now. */
#include "cli.h"

#include "schema/view.h"
#include "show.h"

#include <stdio.h>

enum { COUNTED_MAX = 50, NAME_COLUMNS = 24 };

static void view_print(const struct view *view, const struct view_tally *tally)
{
        struct buf name = { 0 }, query = { 0 };

        show_value(schema_field_find(&schema_type_view, "name"), view, &name);
        show_value(schema_field_find(&schema_type_view, "query"), view, &query);
        printf("%5lld%c  %-*s  %-7s  %-8s  %s\n", (long long)tally->count, tally->more ? '+' : ' ', NAME_COLUMNS, buf_z(&name),
               view->shared ? "all" : "me", schema_enum_view_order.values[view->order], buf_z(&query));
        buf_deinit(&name);
        buf_deinit(&query);
}

int run_view_list(struct cli *cli, int argc, char **argv)
{
        struct view_list params = { 0 };
        struct view_list_result all;
        struct ulid ids[COUNTED_MAX];
        int r;

        (void)argv;
        if (argc)
                return cli_usage("view list");
        r = cli_call(cli, &schema_method_view_list, &params, &all);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_view_list.result, &all);
                return 0;
        }
        if (all.items.n)
                printf("%6s  %-*s  %-7s  %-8s  %s\n", "COUNT", NAME_COLUMNS, "NAME", "FOR", "ORDER", "QUERY");
        else
                printf("There is no view.\n");
        for (size_t at = 0; at < all.items.n && !r; at += COUNTED_MAX) {
                struct view_count count = { .views = { ids, 0 } };
                struct view_count_result counts;

                for (; count.views.n < COUNTED_MAX && at + count.views.n < all.items.n; count.views.n++)
                        ids[count.views.n] = all.items.items[at + count.views.n].view;
                r = cli_call(cli, &schema_method_view_count, &count, &counts);
                for (size_t i = 0; !r && i < counts.items.n; i++)
                        view_print(&all.items.items[at + i], &counts.items.items[i]);
        }
        return r;
}

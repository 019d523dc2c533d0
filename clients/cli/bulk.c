/* `assist bulk`: shows what would change, asks, and does it. */
#include "cli.h"

#include "schema/bulk.h"
#include "show.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_MAX = 20, ARGUMENTS_MAX = 1200 };

/* Numbers in front are tickets, other words a query's filters; then flags. */
static int arguments(struct cli *cli, int argc, char **argv, char **out, int *ret_n)
{
        struct buf query = { 0 };
        int n = 0, i = 0;

        for (; i < argc && strncmp(argv[i], "--", 2) != 0; i++) {
                const char *number = argv[i][0] == '#' ? argv[i] + 1 : argv[i];
                char id[ULID_TEXT + 1];
                struct ulid ticket;
                int r;

                if (strspn(number, "0123456789") != strlen(number)) {
                        buf_format(&query, "%s%s", query.n ? " " : "", argv[i]);
                        continue;
                }
                r = cli_ticket(cli, argv[i], &ticket);
                if (r) {
                        buf_deinit(&query);
                        return r;
                }
                ulid_text(ticket, id);
                out[n++] = (char *)(uintptr_t)arena_format(&cli->arena, "--tickets=%s", id).p;
        }
        if (query.n)
                out[n++] = (char *)(uintptr_t)arena_format(&cli->arena, "--query=%s", buf_z(&query)).p;
        buf_deinit(&query);
        for (; i < argc; i++)
                out[n++] = argv[i];
        *ret_n = n;
        return 0;
}

static void item_print(const struct bulk_item *item)
{
        struct buf subject = { 0 }, what = { 0 };

        show_value(schema_field_find(&schema_type_bulk_item, "subject"), item, &subject);
        show_value(schema_field_find(&schema_type_bulk_item, item->has_skipped ? "skipped" : "changes"), item, &what);
        printf("%5lld  %-32.32s  %s\n", (long long)item->number, buf_z(&subject), what.n ? buf_z(&what) : "nothing");
        buf_deinit(&subject);
        buf_deinit(&what);
}

static void preview_print(const struct bulk_preview_result *preview)
{
        if (preview->items.n)
                printf("%5s  %-32s  %s\n", "#", "SUBJECT", "WOULD CHANGE");
        for (size_t i = 0; i < preview->items.n && i < SHOWN_MAX; i++)
                item_print(&preview->items.items[i]);
        if (preview->items.n > SHOWN_MAX)
                printf("       … and %zu more\n", preview->items.n - SHOWN_MAX);
        printf("%lld of %zu tickets would change%s.\n", (long long)preview->changed, preview->items.n,
               preview->more ? "; there are more, which stay for the next time" : "");
}

static bool agreed(void)
{
        char answer[16] = "";

        if (!isatty(STDIN_FILENO)) {
                printf("Nothing was done: give --yes to do it.\n");
                return false;
        }
        printf("Do it? [y/N] ");
        fflush(stdout);
        return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static struct bulk_run run_of(const struct bulk_preview *in, const struct bulk_preview_result *preview, struct arena *arena)
{
        struct bulk_run run = {
                .seen = preview->seen, .has_macro = in->has_macro, .macro = in->macro, .has_state = in->has_state, .state = in->state,
                .has_label = in->has_label, .label = in->label, .has_priority = in->has_priority, .priority = in->priority,
                .has_assignee = in->has_assignee, .assignee = in->assignee, .has_type = in->has_type, .type = in->type,
                .has_team = in->has_team, .team = in->team, .has_add_tags = in->has_add_tags, .has_remove_tags = in->has_remove_tags,
        };

        run.add_tags.items = in->add_tags.items;
        run.add_tags.n = in->add_tags.n;
        run.remove_tags.items = in->remove_tags.items;
        run.remove_tags.n = in->remove_tags.n;
        run.tickets.items = arena_array(arena, preview->items.n, sizeof(*run.tickets.items));
        for (size_t i = 0; i < preview->items.n; i++)
                if (preview->items.items[i].changes.n)
                        run.tickets.items[run.tickets.n++] = preview->items.items[i].ticket;
        return run;
}

static int do_it(struct cli *cli, const struct bulk_preview *in, const struct bulk_preview_result *preview)
{
        struct bulk_run run = run_of(in, preview, &cli->arena);
        struct bulk_run_result done;
        int r;

        if (!run.tickets.n)
                return 0;
        r = cli_call(cli, &schema_method_bulk_run, &run, &done);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_bulk_run.result, &done);
                return 0;
        }
        printf("%zu tickets were changed; `assist undo` takes it back.\n", done.changed.n);
        for (size_t i = 0; i < done.skipped.n; i++) {
                const struct bulk_skip *skip = &done.skipped.items[i];

                for (size_t k = 0; k < preview->items.n; k++)
                        if (ulid_eq(preview->items.items[k].ticket, skip->ticket))
                                printf("#%lld was left: %.*s\n", (long long)preview->items.items[k].number, STR_ARG(skip->reason));
        }
        return 0;
}

int run_bulk(struct cli *cli, int argc, char **argv)
{
        bool yes = cli_take_flag(&argc, argv, "--yes"), dry = cli_take_flag(&argc, argv, "--preview");
        char **args = arena_array(&cli->arena, ARGUMENTS_MAX, sizeof(*args));
        struct bulk_preview params;
        struct bulk_preview_result preview;
        int n, r;

        if (!argc || argc > ARGUMENTS_MAX)
                return cli_usage("bulk NUMBER... | FILTER... | --view NAME, then --state, --macro, ... [--preview | --yes]");
        r = arguments(cli, argc, argv, args, &n);
        if (!r)
                r = cli_flags(cli, schema_method_bulk_preview.params, n, args, NULL, &params);
        if (!r)
                r = cli_call(cli, &schema_method_bulk_preview, &params, &preview);
        if (r)
                return r;
        if (cli->json && !yes)
                cli_print(cli, schema_method_bulk_preview.result, &preview);
        else if (!cli->json)
                preview_print(&preview);
        if (dry || !preview.changed || (!yes && (cli->json || !agreed())))
                return 0;
        return do_it(cli, &params, &preview);
}

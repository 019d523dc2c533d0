/* `assist search`. */
#include "cli.h"

#include "schema/search.h"
#include "show.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>

enum { SUBJECT_COLUMNS = 32 };

static bool continues(const struct buf *text, size_t at)
{
        return at < text->n && ((unsigned char)text->p[at] & 0xc0) == 0x80;
}

/* At most so many bytes of it, without half a character, and that filled up. */
static void clip(struct buf *text, size_t width, bool fill)
{
        size_t n = text->n < width ? text->n : width;

        while (n && continues(text, n))
                n--;
        text->n = n;
        for (size_t i = 0; i < text->n; i++)
                width += continues(text, i);
        while (fill && text->n < width)
                buf_char(text, ' ');
}

static void found_print(const struct found *found, size_t width)
{
        struct buf subject = { 0 }, snippet = { 0 };

        show_value(schema_field_find(&schema_type_ticket, "subject"), &found->ticket, &subject);
        show_value(schema_field_find(&schema_type_found, "snippet"), found, &snippet);
        clip(&subject, SUBJECT_COLUMNS, true);
        if (width > 80)
                clip(&snippet, width - 51, false);
        printf("%5lld  %-8s  %s", (long long)found->ticket.number, schema_enum_ticket_state.values[found->ticket.state], buf_z(&subject));
        printf("  %s\n", buf_z(&snippet));
        buf_deinit(&subject);
        buf_deinit(&snippet);
}

int run_search(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "query", NULL };
        static const char *const flags[] = { "--limit", "--after", "--order" };
        struct ticket_search params;
        struct ticket_search_result page;
        struct buf query = { 0 };
        char *args[8];
        size_t width = terminal_width();
        int n = 0, r;

        for (int i = 0; i < 3; i++) {
                const char *value = cli_take(&argc, argv, flags[i]);

                if (!value)
                        continue;
                args[n++] = (char *)(uintptr_t)flags[i];
                args[n++] = (char *)(uintptr_t)value;
        }
        for (int i = 0; i < argc; i++) {
                if (strncmp(argv[i], "--", 2) == 0)
                        return cli_usage("search QUERY... [--limit N] [--after NEXT] [--order best]; there is no %s", argv[i]);
                buf_text(&query, i ? " " : "");
                buf_text(&query, argv[i]);
        }
        args[n++] = (char *)(uintptr_t)arena_str(&cli->arena, buf_view(&query)).p;
        buf_deinit(&query);
        if (!argc)
                return cli_usage("search QUERY... [--limit N] [--after NEXT] [--order best]");
        r = cli_flags(cli, schema_method_ticket_search.params, n, args, positional, &params);
        if (!r)
                r = cli_call(cli, &schema_method_ticket_search, &params, &page);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_ticket_search.result, &page);
                return 0;
        }
        if (!page.items.n)
                printf("Nothing was found.\n");
        else
                printf("%5s  %-8s  %-*s  %s\n", "#", "STATE", SUBJECT_COLUMNS, "SUBJECT", "WHERE");
        for (size_t i = 0; i < page.items.n; i++)
                found_print(&page.items.items[i], width);
        if (page.has_next)
                printf("There are more: --after %.*s\n", STR_ARG(page.next));
        return 0;
}

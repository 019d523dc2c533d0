/* What wants to be looked at: `assist next` and `assist mentions`. */
#include "cli.h"

#include "clock.h"
#include "schema/mention.h"
#include "schema/ticket.h"
#include "show.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_MAX = 15 };

/* Unread first, then by priority, then who has waited longest. */
static int by_need(const void *a, const void *b)
{
        const struct ticket *x = a, *y = b;

        if ((x->unread > 0) != (y->unread > 0))
                return x->unread > 0 ? -1 : 1;
        if (x->priority != y->priority)
                return x->priority > y->priority ? -1 : 1;
        return (x->changed_at > y->changed_at) - (x->changed_at < y->changed_at);
}

static void why(const struct ticket *t, struct buf *out)
{
        if (t->unread)
                buf_format(out, "%lld unread", (long long)t->unread);
        else
                buf_text(out, t->has_assignee ? "waiting" : "nobody's");
}

/* "3 d" */
static void age(int64_t since_ms, struct buf *out)
{
        int64_t minutes = (clock_now_ms(&clock_system) - since_ms) / 60000;

        if (minutes < 60)
                buf_format(out, "%lld min", (long long)(minutes < 0 ? 0 : minutes));
        else if (minutes < 48 * 60)
                buf_format(out, "%lld h", (long long)(minutes / 60));
        else
                buf_format(out, "%lld d", (long long)(minutes / (24 * 60)));
}

static void next_print(const struct ticket *t, size_t width)
{
        struct buf reason = { 0 }, waits = { 0 }, subject = { 0 };

        why(t, &reason);
        age(t->changed_at, &waits);
        show_value(schema_field_find(&schema_type_ticket, "subject"), t, &subject);
        if (width > 50 && subject.n > width - 44)
                subject.n = width - 44;
        printf("%5lld  %-10s  %-7s  %6s  %-8s  %.*s\n", (long long)t->number, buf_z(&reason), schema_enum_priority.values[t->priority], buf_z(&waits),
               schema_enum_ticket_state.values[t->state], subject.n ? (int)subject.n : 0, subject.n ? subject.p : "");
        buf_deinit(&reason);
        buf_deinit(&waits);
        buf_deinit(&subject);
}

/* A person's own, and what is nobody's. */
static int wanting(struct cli *cli, struct ticket_list_result *ret)
{
        static const char *const queries[] = { "-state:pending -state:solved -state:closed assignee:me snoozed:no",
                                               "-state:pending -state:solved -state:closed assignee:nobody snoozed:no" };
        struct ticket *all = arena_array(&cli->arena, 400, sizeof(*all));
        size_t n = 0;

        for (int i = 0; i < 2; i++) {
                struct ticket_list params = { .limit = 200, .has_query = true, .query = str_of(queries[i]), .has_order = true, .order = VIEW_ORDER_URGENT };
                int r = cli_call(cli, &schema_method_ticket_list, &params, ret);

                if (r)
                        return r;
                for (size_t k = 0; k < ret->items.n; k++)
                        all[n++] = ret->items.items[k];
        }
        if (n)
                qsort(all, n, sizeof(*all), by_need);
        ret->items.items = all;
        ret->items.n = n;
        ret->has_next = false;
        return 0;
}

int run_next(struct cli *cli, int argc, char **argv)
{
        struct ticket_list_result all;
        size_t shown, width = terminal_width();
        int r;

        (void)argv;
        if (argc)
                return cli_usage("next");
        r = wanting(cli, &all);
        if (r)
                return r;
        shown = all.items.n < SHOWN_MAX ? all.items.n : SHOWN_MAX;
        if (cli->json) {
                all.items.n = shown;
                cli_print(cli, schema_method_ticket_list.result, &all);
                return 0;
        }
        if (!shown) {
                printf("Nothing waits for you.\n");
                return 0;
        }
        printf("%5s  %-10s  %-7s  %6s  %-8s  %s\n", "#", "WHY", "PRIO", "SINCE", "STATE", "SUBJECT");
        for (size_t i = 0; i < shown; i++)
                next_print(&all.items.items[i], width);
        if (shown < all.items.n)
                printf("... and %zu more\n", all.items.n - shown);
        printf("\nassist ticket show %lld\n", (long long)all.items.items[0].number);
        return 0;
}

static int mention_print(struct cli *cli, const struct mention *mention)
{
        struct ticket_get params = { .has_ticket = true, .ticket = mention->ticket };
        struct ticket_get_result got;
        struct str who = cli_name(cli, mention->by), at = cli_time(cli, mention->at);
        struct buf subject = { 0 };
        int r = cli_call(cli, &schema_method_ticket_get, &params, &got);

        if (r)
                return r;
        show_value(schema_field_find(&schema_type_ticket, "subject"), &got.ticket, &subject);
        printf("%5lld  %-16.*s  %-16.*s  %-7s  %s\n", (long long)got.ticket.number, STR_ARG(at), who.n > 16 ? 16 : (int)who.n, who.p,
               mention->note ? "note" : "comment", buf_z(&subject));
        buf_deinit(&subject);
        return 0;
}

int run_mentions(struct cli *cli, int argc, char **argv)
{
        struct mention_list params;
        struct mention_list_result page;
        int r = cli_flags(cli, schema_method_mention_list.params, argc, argv, NULL, &params);

        if (!r)
                r = cli_call(cli, &schema_method_mention_list, &params, &page);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_mention_list.result, &page);
                return 0;
        }
        if (!page.items.n)
                printf("Nobody has named you.\n");
        else
                printf("%5s  %-16s  %-16s  %-7s  %s\n", "#", "WHEN", "WHO", "IN", "SUBJECT");
        for (size_t i = 0; i < page.items.n && !r; i++)
                r = mention_print(cli, &page.items.items[i]);
        if (page.has_next)
                printf("There are more: --after %.*s\n", STR_ARG(page.next));
        return r;
}

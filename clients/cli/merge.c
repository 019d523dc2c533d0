/* `assist ticket merge`, `ticket split` and `undo`. */
#include "thread.h"

#include "schema/merge.h"
#include "schema/undo.h"
#include "show.h"

#include <stdio.h>
#include <string.h>

enum { SPLIT_MAX = 64 };

int run_ticket_merge(struct cli *cli, int argc, char **argv)
{
        struct ticket_get_result source, target;
        struct ticket_merge params = { 0 };
        struct ticket_merge_result made;
        int r;

        if (argc != 2 && (argc != 3 || strcmp(argv[1], "into") != 0))
                return cli_usage("ticket merge NUMBER into NUMBER");
        r = cli_ticket_get(cli, argv[0], &source);
        if (!r)
                r = cli_ticket_get(cli, argv[argc - 1], &target);
        if (r)
                return r;
        params.ticket = source.ticket.id;
        params.into = target.ticket.id;
        r = cli_call(cli, &schema_method_ticket_merge, &params, &made);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_ticket_merge.result, &made);
                return 0;
        }
        printf("Ticket #%lld is merged into #%lld; `assist undo` takes it apart again.\n", (long long)source.ticket.number,
               (long long)target.ticket.number);
        if (!ulid_eq(source.ticket.requester, target.ticket.requester))
                printf("%.*s sees what is written on #%lld alone: answer them there, or make them a watcher of #%lld.\n",
                       STR_ARG(cli_name(cli, source.ticket.requester)), (long long)source.ticket.number, (long long)target.ticket.number);
        return 0;
}

/* What `ticket show` prints as the n-th, from 1; or an id. */
static int comment_find(const struct thread *t, const char *text, struct ulid *ret)
{
        uint64_t n, at = 0;

        if (ulid_parse(str_of(text), ret) == 0)
                return 0;
        if (str_u64(str_of(text), &n) || !n)
                return cli_usage("\"%s\" is no comment; count them as `ticket show` has them, from 1, or write an id", text);
        for (size_t i = 0, k = 0; i < t->comments.n || k < t->notes.n;) {
                const struct comment *comment = thread_next(t, &i, &k, NULL);

                if (++at < n)
                        continue;
                *ret = comment->id;
                return 0;
        }
        return cli_usage("there are %llu comments and notes on this ticket", (unsigned long long)at);
}

int run_ticket_split(struct cli *cli, int argc, char **argv)
{
        const char *subject = cli_take(&argc, argv, "--subject");
        struct ulid comments[SPLIT_MAX];
        struct ticket_split params = { .comments = { comments, 0 } };
        struct ticket_split_result made;
        struct thread thread;
        int r;

        if (argc < 2 || !subject || argc - 1 > SPLIT_MAX)
                return cli_usage("ticket split NUMBER COMMENT... --subject SUBJECT; at most %d", SPLIT_MAX);
        r = thread_fetch(cli, argv[0], &thread);
        for (int i = 1; i < argc && !r; i++)
                r = comment_find(&thread, argv[i], &comments[params.comments.n++]);
        if (r)
                return r;
        params.ticket = thread.got.ticket.id;
        params.subject = str_of(subject);
        r = cli_call(cli, &schema_method_ticket_split, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_ticket_split.result, &made);
        else
                printf("Ticket #%lld has %zu of them now; `assist undo` puts them back.\n", (long long)made.value.number, params.comments.n);
        return 0;
}

int run_undo(struct cli *cli, int argc, char **argv)
{
        struct command_undo params = { .has_command = argc == 1 };
        struct command_undo_result made;
        int r;

        if (argc > 1 || (argc && ulid_parse(str_of(argv[0]), &params.command)))
                return cli_usage("undo [COMMAND]; COMMAND is an op_id, as --json has it; without one, your last command");
        r = cli_call(cli, &schema_method_command_undo, &params, &made);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_command_undo.result, &made);
                return 0;
        }
        printf("Undone:");
        for (size_t i = 0; i < made.tickets.n; i++) {
                struct ticket_get ticket = { .has_ticket = true, .ticket = made.tickets.items[i] };
                struct ticket_get_result got;
                struct assist_error error;

                if (!assist_call(cli->a, &schema_method_ticket_get, &ticket, &cli->arena, &got, &error))
                        printf(" #%lld", (long long)got.ticket.number);
        }
        printf("\n");
        return 0;
}

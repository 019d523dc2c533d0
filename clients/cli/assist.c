/* assist: the desk in a terminal. */
#include "definition.h"
#include "schema/audit.h"
#include "schema/bulk.h"
#include "schema/field.h"
#include "schema/label.h"
#include "schema/macro.h"
#include "schema/mention.h"
#include "schema/team.h"
#include "schema/ticket.h"
#include "schema/type.h"
#include "schema/view.h"
#include "show.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
        const char *words, *arguments, *does;
        int (*run)(struct cli *cli, int argc, char **argv);
        const struct schema_method *flags; /* whose flags it takes, too */
        const char *example;
        bool pages; /* what it prints may be long */
};

static bool callable(const struct schema_method *m)
{
        return m->role != SCHEMA_ROLE_NOBODY && strcmp(m->via, "rpc") == 0;
}

static int run_call(struct cli *cli, int argc, char **argv)
{
        const struct schema_method *m = argc ? schema_method_find(str_of(argv[0])) : NULL;
        struct buf help = { 0 };
        void *params, *result;
        int r;

        if (!m || !callable(m))
                return cli_usage("call METHOD [--field value]...; `assist methods` has their names");
        if (argc > 1 && strcmp(argv[1], "--help") == 0) {
                flags_help(m->params, &help);
                printf("usage: assist call %s [--field value]...\n\n%s\n\n%s", m->name, m->doc, buf_z(&help));
                buf_deinit(&help);
                return 0;
        }
        params = arena_zalloc(&cli->arena, m->params->size + 1);
        result = arena_zalloc(&cli->arena, m->result->size + 1);
        r = cli_flags(cli, m->params, argc - 1, argv + 1, NULL, params);
        if (!r)
                r = cli_call(cli, m, params, result);
        if (!r)
                cli_print(cli, m->result, result);
        return r;
}

static int run_methods(struct cli *cli, int argc, char **argv)
{
        (void)cli;
        (void)argc;
        (void)argv;
        for (size_t i = 0; schema_methods[i]; i++)
                if (callable(schema_methods[i]))
                        printf("%-20s %.*s\n", schema_methods[i]->name, (int)strcspn(schema_methods[i]->doc, "\n"), schema_methods[i]->doc);
        return 0;
}

static int run_completion(struct cli *cli, int argc, char **argv);

/* Ends with one without words. */
static const struct command commands[] = {
        { "enroll", "YOUR@EMAIL [--label LABEL] | --code CODE", "bind this device: ask for a code by mail, then redeem it", run_enroll, NULL,
          "assist enroll ann@example.org\n  assist enroll --code 7K3M9QXZ" },
        { "whoami", "", "who this device is here", run_whoami, NULL, NULL },
        { "next", "", "what you should answer now", run_next, NULL, NULL },
        { "mentions", "[--limit N] [--after NEXT]", "where you were named", run_mentions, &schema_method_mention_list, NULL, true },
        { "ticket new", "SUBJECT [BODY] [--attach FILE] [--type NAME] ...", "file a ticket", run_ticket_new, NULL,
          "assist ticket new 'The printer burns' 'Since this morning.' --attach photo.png\n  journalctl -u thing | assist ticket new 'thing fails'" },
        { "ticket list", "[--view NAME | --query FILTERS | --state STATE ...]", "tickets, those that changed last first", run_ticket_list, &schema_method_ticket_list,
          "assist ticket list --state open\n  assist ticket list --view Mine\n  assist ticket list --query 'team:Network -state:closed' --order urgent", true },
        { "ticket show", "NUMBER [--follow | --at WHEN]", "a ticket and what was written on it, and what comes; or as it was", run_ticket_show, NULL,
          "assist ticket show 42 --follow\n  assist ticket show 42 --at 'yesterday 18:00'", true },
        { "ticket reply", "NUMBER [TEXT|--draft|--canned NAME] [--attach FILE]... [--state STATE] [--wake WHEN]", "answer, or send what was kept", run_ticket_reply, NULL,
          "assist ticket reply 42 'Try turning it off.' --state pending --wake 3d" },
        { "ticket note", "NUMBER [TEXT]", "an internal note, for agents", run_ticket_note, NULL, "assist ticket note 42 'Call them.'" },
        { "ticket close", "NUMBER", "close a ticket", run_ticket_close, NULL, NULL },
        { "ticket history", "NUMBER [--limit N] [--after NEXT]", "what was done to a ticket, the newest first, for agents", run_ticket_history, &schema_method_ticket_history,
          "assist ticket history 42" },
        { "ticket set", "NUMBER [--state STATE] [--wake WHEN] [--label NAME] ...", "change a ticket", run_ticket_set, &schema_method_ticket_set,
          "assist ticket set 42 --state pending --wake 'tomorrow 9:00'\n  assist ticket set 42 --label 'Waiting for the vendor' --wake 3d" },
        { "ticket edit", "NUMBER", "change a ticket in $EDITOR", run_ticket_edit, NULL, NULL },
        { "ticket link", "NUMBER KIND NUMBER", "link two tickets: parent, blocks, duplicate_of, relates", run_ticket_link, NULL,
          "assist ticket link 42 blocks 43\n  assist ticket link 43 blocked_by 42" },
        { "ticket unlink", "NUMBER KIND NUMBER", "take a link away", run_ticket_unlink, NULL, "assist ticket unlink 42 blocks 43" },
        { "ticket merge", "NUMBER into NUMBER", "put one's thread into another's", run_ticket_merge, NULL, "assist ticket merge 42 into 43" },
        { "ticket split", "NUMBER COMMENT... --subject SUBJECT", "make a ticket of some comments", run_ticket_split, NULL,
          "assist ticket split 42 3 5 --subject 'The other printer'\n\nCOMMENT: 3 is the third that `ticket show` has" },
        { "bulk", "NUMBER... | FILTER... | --view NAME, --state ... [--preview|--yes]", "change many tickets at once", run_bulk, &schema_method_bulk_preview,
          "assist bulk state:new tag:spam --macro 'Close as spam'\n  assist bulk 42 43 44 --priority high --assignee Agnes --yes" },
        { "undo", "[COMMAND]", "take back what you did last, or a command by its op_id", run_undo, NULL, NULL },
        { "snooze list", "", "the tickets that you put aside", run_snooze_list, NULL, NULL },
        { "snooze end", "NUMBER", "take one up again", run_snooze_end, NULL, NULL },
        { "snooze", "NUMBER [WHEN]", "put a ticket aside until a time, or until somebody else replies", run_snooze, NULL,
          "assist snooze 42 2d\n  assist snooze 42 'monday 9:00'\n  assist snooze 42" },
        { "label", "list | new NAME ... | set NAME ... | retire NAME",
          "the project's own names for states", run_definition, &schema_method_label_save,
          "assist label new 'Waiting for the vendor' --state pending" },
        { "macro run", "NAME NUMBER", "do to a ticket what a macro says", run_macro_run, NULL, "assist macro run 'Close as spam' 42" },
        { "macro", "list | new NAME ... | set NAME ... | retire NAME",
          "several changes in one", run_definition, &schema_method_macro_save,
          "assist macro new 'Close as spam' --when-states new --state closed --add-tags spam --assign nobody" },
        { "reply", "list | new NAME ... | set NAME ... | retire NAME",
          "texts that are written again and again", run_definition, &schema_method_reply_save,
          "assist reply new Thanks --text 'Dear {requester.name}, thank you! {agent.name}'\n  assist ticket reply 42 --canned Thanks" },
        { "team", "list | new NAME ... | set NAME ... | retire NAME",
          "agents who work on the same tickets", run_definition, &schema_method_team_save,
          "assist team new Network --members Agnes --members Arthur --rotate\n  assist team set Network --rotate no" },
        { "type", "list | new NAME ... | set NAME ... | retire NAME",
          "kinds of tickets", run_definition, &schema_method_type_save,
          "assist type new Outage --team Network" },
        { "field", "list | new NAME ... | set NAME ... | retire NAME",
          "what tickets have beside the usual", run_definition, &schema_method_field_save,
          "assist field new Room --key room --kind text --access write" },
        { "view list", "", "filters that are kept, and how many tickets each has", run_view_list, NULL, NULL },
        { "view", "new NAME ... | set NAME ... | retire NAME",
          "keep a filter, change or drop it", run_definition, &schema_method_view_save,
          "assist view new Mine --query 'assignee:me -state:closed' --order urgent\n  assist ticket list --view Mine" },
        { "search", "QUERY... [--limit N] [--after NEXT | --order best]", "tickets by words, \"a phrase\", begin* and filters", run_search, NULL,
          "assist search printer '\"blank page\"' 'ton*'\n  assist search state:open assignee:nobody -tag:vpn 'created:>2026-01-31'\n\n"
          "Filters: state: priority: assignee: requester: type: team: label: snoozed: tag: field.KEY: created: changed:", true },
        { "attach", "NUMBER FILE... [--body TEXT]", "add files to a ticket", run_attach, NULL, "assist attach 42 trace.log" },
        { "attachment get", "ID [-o FILE]", "fetch a file", run_attachment_get, NULL, NULL },
        { "watch", "[--cursor CURSOR] [--count EVENTS]", "what happens, as it happens", run_watch, NULL,
          "assist watch\n  assist --json watch --count 10" },
        { "call", "METHOD [--field value]...", "any method of the protocol", run_call, NULL, "assist --json call ticket.list --limit 5" },
        { "methods", "", "their names", run_methods, NULL, NULL },
        { "completion", "bash", "completion for your shell", run_completion, NULL, "source <(assist completion bash)" },
        { 0 },
};

/* Words by position, then the flags of the method that is being called. */
static int run_completion(struct cli *cli, int argc, char **argv)
{
        (void)cli;
        if (argc != 1 || strcmp(argv[0], "bash") != 0)
                return cli_usage("completion bash");
        printf("_assist() {\n"
               "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} method\n"
               "    case $previous in\n");
        for (const char *first[] = { "ticket", "attachment", "snooze", NULL }, **f = first; *f; f++) {
                printf("    %s) COMPREPLY=($(compgen -W '", *f);
                for (const struct command *c = commands; c->words; c++)
                        if (strncmp(c->words, *f, strlen(*f)) == 0 && c->words[strlen(*f)] == ' ')
                                printf("%s ", c->words + strlen(*f) + 1);
                printf("' -- \"$word\")); return;;\n");
        }
        printf("    label|team|type|field|view) COMPREPLY=($(compgen -W 'list new set retire' -- \"$word\")); return;;\n");
        printf("    call) COMPREPLY=($(compgen -W '");
        for (size_t i = 0; schema_methods[i]; i++)
                if (callable(schema_methods[i]))
                        printf("%s ", schema_methods[i]->name);
        printf("' -- \"$word\")); return;;\n"
               "    --attach|-o) COMPREPLY=($(compgen -f -- \"$word\")); return;;\n"
               "    esac\n"
               "    for method in \"${COMP_WORDS[@]}\"; do\n"
               "        case $method in\n");
        for (size_t i = 0; schema_methods[i]; i++) {
                if (!callable(schema_methods[i]))
                        continue;
                printf("        %s) COMPREPLY=($(compgen -W '", schema_methods[i]->name);
                for (uint32_t k = 0; k < schema_methods[i]->params->n_fields; k++) {
                        printf("--");
                        for (const char *p = schema_methods[i]->params->fields[k].name; *p; p++)
                                putchar(*p == '_' ? '-' : *p);
                        putchar(' ');
                }
                printf("' -- \"$word\")); return;;\n");
        }
        printf("        esac\n    done\n    COMPREPLY=($(compgen -W '--project --from --json --help ");
        for (const struct command *c = commands; c->words; c++) {
                size_t first = strcspn(c->words, " ");

                if (c == commands || strncmp(c[-1].words, c->words, first + 1) != 0)
                        printf("%.*s ", (int)first, c->words);
        }
        printf("' -- \"$word\"))\n}\ncomplete -o default -F _assist assist\n");
        return 0;
}

static void usage(FILE *to)
{
        fprintf(to, "usage: assist [--project ADDRESS[:PORT]] [--from ADDRESS] [--json] COMMAND\n\n");
        for (const struct command *c = commands; c->words; c++)
                fprintf(to, "  %-14s %-56s %s\n", c->words, c->arguments, c->does);
        fprintf(to, "\n"
                    "  --project ADDRESS  the desk; else $ASSIST_PROJECT\n"
                    "  --from ADDRESS     the source address, where this machine has several; else $ASSIST_FROM\n"
                    "  --json             results as JSON\n"
                    "  COMMAND --help     its flags, with an example where it helps\n"
                    "\n"
                    "Devices' secrets are kept in $ASSIST_STATE, else $XDG_STATE_HOME/assist, else ~/.local/state/assist.\n"
                    "Exit status: 0 done, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 conflict, 6 the desk is away\n");
}

static void help(const struct command *c)
{
        struct buf flags = { 0 };

        printf("usage: assist %s %s\n\n%s\n", c->words, c->arguments, c->does);
        if (c->flags) {
                flags_help(c->flags->params, &flags);
                printf("\n%s", buf_z(&flags));
                buf_deinit(&flags);
        }
        if (c->example)
                printf("\nExample:\n  %s\n", c->example);
}

/* What goes on for ever is not for a pager. */
static bool follows(int argc, char **argv)
{
        for (int i = 0; i < argc; i++)
                if (strcmp(argv[i], "--follow") == 0)
                        return true;
        return false;
}

static int run(struct cli *cli, const struct command *c, struct assist_options *options, int argc, char **argv)
{
        struct assist_error error;
        int status;

        if ((c->run != run_call || argc == 1) && argc && strcmp(argv[argc - 1], "--help") == 0) {
                help(c);
                return 0;
        }
        if (c->run == run_methods || c->run == run_completion || (c->run == run_call && argc > 1 && strcmp(argv[1], "--help") == 0))
                return c->run(cli, argc, argv);
        if (!options->project)
                return cli_usage("which desk? give --project ADDRESS, or set ASSIST_PROJECT");
        cli->project = options->project;
        options->waiting = cli_waiting;
        options->data = cli;
        if (assist_open(options, &cli->a, &error))
                return cli_failed(cli, &error);
        cli->method = c->flags;
        if (c->pages && !cli->json && !follows(argc, argv))
                terminal_page();
        status = c->run(cli, argc, argv);
        assist_close(cli->a);
        arena_deinit(&cli->people_arena);
        arena_deinit(&cli->arena);
        return status;
}

int main(int argc, char **argv)
{
        struct assist_options options = { .project = getenv("ASSIST_PROJECT"), .from = getenv("ASSIST_FROM"),
                                          .state = getenv("ASSIST_STATE") };
        struct cli cli = { 0 };
        int at = 1;

        for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
                if (strcmp(argv[at], "--project") == 0 && at + 1 < argc) {
                        options.project = argv[++at];
                } else if (strcmp(argv[at], "--from") == 0 && at + 1 < argc) {
                        options.from = argv[++at];
                } else if (strcmp(argv[at], "--json") == 0) {
                        cli.json = true;
                } else if (strcmp(argv[at], "--version") == 0) {
                        printf("assist %s\n", ASSIST_VERSION);
                        return 0;
                } else {
                        usage(strcmp(argv[at], "--help") == 0 ? stdout : stderr);
                        return strcmp(argv[at], "--help") == 0 ? 0 : EXIT_USAGE;
                }
        }
        for (const struct command *c = commands; c->words; c++) {
                int words = flags_words(c->words, argc - at, argv + at);

                if (words)
                        return run(&cli, c, &options, argc - at - words, argv + at + words);
        }
        usage(stderr);
        return EXIT_USAGE;
}

/* The commands about tickets. */
#include "attach.h"
#include "fields.h"
#include "show.h"
#include "terminal.h"
#include "thread.h"

#include <stdio.h>
#include <string.h>

enum { UNREAD_MAX = 100 };

int run_ticket_new(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "subject", "body", NULL };
        struct ulid uploads[ATTACHMENTS_MAX];
        struct ticket_create params;
        struct ticket_create_result made;
        const char *body = cli_take(&argc, argv, "--body");
        struct str text;
        char *args[64], body_flag[] = "--body";
        struct field_change *fields;
        size_t n, n_fields;
        int r;

        r = attach_all(cli, &argc, argv, uploads, &n);
        if (!r)
                r = fields_take(cli, &argc, argv, &fields, &n_fields);
        if (r)
                return r;
        if (!argc || argc > 60)
                return cli_usage("ticket new SUBJECT [BODY] [--attach FILE]... [--type NAME] [--field KEY=VALUE]...");
        if (argc == 1 || argv[1][0] == '-' || body) {
                r = cli_text(cli, body, (struct str){ 0 }, "What is your question?", &text);
                if (r)
                        return r;
                memcpy(args, argv, (size_t)argc * sizeof(*args));
                args[argc++] = body_flag;
                args[argc++] = (char *)(uintptr_t)arena_str(&cli->arena, text).p;
                argv = args;
        }
        r = cli_flags(cli, schema_method_ticket_create.params, argc, argv, positional, &params);
        if (r)
                return r;
        if (n) {
                params.has_attachments = true;
                params.attachments.items = uploads;
                params.attachments.n = n;
        }
        if (n_fields) {
                params.has_fields = true;
                params.fields.items = arena_array(&cli->arena, n_fields, sizeof(*params.fields.items));
                for (; params.fields.n < n_fields; params.fields.n++)
                        params.fields.items[params.fields.n] = (struct field_value){ fields[params.fields.n].field, fields[params.fields.n].value };
        }
        r = cli_call(cli, &schema_method_ticket_create, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_ticket_create.result, &made);
        else
                printf("Ticket #%lld is filed.\n", (long long)made.value.number);
        return 0;
}

static const char *priority_style(int priority)
{
        return terminal_style(priority == PRIORITY_URGENT ? STYLE_RED : priority == PRIORITY_HIGH ? STYLE_YELLOW : STYLE_PLAIN);
}

int run_ticket_list(struct cli *cli, int argc, char **argv)
{
        struct ticket_list params;
        struct ticket_list_result page;
        size_t width = terminal_width();
        int r;

        r = cli_flags(cli, schema_method_ticket_list.params, argc, argv, NULL, &params);
        if (!r)
                r = cli_call(cli, &schema_method_ticket_list, &params, &page);
        if (r)
                return r;
        if (cli->json) {
                cli_print(cli, schema_method_ticket_list.result, &page);
                return 0;
        }
        if (!page.items.n)
                printf("No tickets.\n");
        else
                printf("%5s  %4s  %-8s %-7s  %-16s  %-16s  %s\n", "#", "NEW", "STATE", "PRIO", "FROM", "CHANGED", "SUBJECT");
        for (size_t i = 0; i < page.items.n; i++) {
                const struct ticket *t = &page.items.items[i];
                struct str name = cli_name(cli, t->requester), changed = cli_time(cli, t->changed_at);
                struct buf unread = { 0 }, subject = { 0 };

                if (t->has_unread && t->unread)
                        buf_format(&unread, "%lld%s", (long long)t->unread, t->unread < UNREAD_MAX ? "" : "+");
                show_value(schema_field_find(&schema_type_ticket, "subject"), t, &subject);
                if (width > 76 && subject.n > width - 70)
                        subject.n = width - 70;
                printf("%5lld  %4s  %-8s %s%-7s%s  %-16.*s  %-16.*s  %s%.*s%s\n", (long long)t->number, buf_z(&unread),
                       schema_enum_ticket_state.values[t->state], priority_style(t->priority), schema_enum_priority.values[t->priority],
                       terminal_style(STYLE_PLAIN), name.n > 16 ? 16 : (int)name.n, name.p, STR_ARG(changed),
                       terminal_style(t->unread ? STYLE_BOLD : STYLE_PLAIN), subject.n ? (int)subject.n : 0, subject.n ? subject.p : "",
                       terminal_style(STYLE_PLAIN));
                buf_deinit(&unread);
                buf_deinit(&subject);
        }
        if (page.has_next)
                printf("There are more: --after %.*s\n", STR_ARG(page.next));
        return 0;
}

int run_ticket_show(struct cli *cli, int argc, char **argv)
{
        bool follow = cli_take_flag(&argc, argv, "--follow");
        const char *at = cli_take(&argc, argv, "--at");
        struct thread thread;
        int r;

        if (argc != 1 || (at && follow))
                return cli_usage("ticket show NUMBER [--follow | --at WHEN]");
        r = at ? thread_fetch_past(cli, argv[0], at, &thread) : thread_fetch(cli, argv[0], &thread);
        if (r)
                return r;
        thread_print(cli, &thread);
        if (!cli->json && !at)
                thread_mark(cli, &thread);
        return follow ? thread_follow(cli, &thread) : 0;
}

int run_ticket_note(struct cli *cli, int argc, char **argv)
{
        struct note_add params = { 0 };
        struct note_add_result made;
        int r;

        if (argc < 1 || argc > 2)
                return cli_usage("ticket note NUMBER [TEXT]");
        r = cli_ticket(cli, argv[0], &params.ticket);
        if (!r)
                r = cli_text(cli, argc > 1 ? argv[1] : NULL, (struct str){ 0 }, "An internal note: customers never see it", &params.body);
        if (!r)
                r = cli_call(cli, &schema_method_note_add, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_note_add.result, &made);
        else
                printf("Your note is there, for agents only.\n");
        return 0;
}

int run_ticket_close(struct cli *cli, int argc, char **argv)
{
        struct ticket_set params = { .has_state = true, .state = TICKET_STATE_CLOSED };
        struct ticket_set_result made;
        int r;

        if (argc != 1)
                return cli_usage("ticket close NUMBER");
        r = cli_ticket(cli, argv[0], &params.ticket);
        if (!r)
                r = cli_call(cli, &schema_method_ticket_set, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_ticket_set.result, &made);
        else
                printf("Ticket #%lld is closed.\n", (long long)made.value.number);
        return 0;
}

static int wake_read(const char *text, struct ticket_set *params)
{
        params->has_wake_at = strcmp(text, "none") == 0 ? SCHEMA_NULL : SCHEMA_PRESENT;
        return params->has_wake_at == SCHEMA_NULL ? 0 : cli_when(text, false, &params->wake_at);
}

static void set_print(struct cli *cli, const struct ticket *t)
{
        struct str until = t->has_wake_at ? cli_time(cli, t->wake_at) : (struct str){ 0 };

        printf("Ticket #%lld is %s%s%.*s.\n", (long long)t->number, schema_enum_ticket_state.values[t->state], t->has_wake_at ? " until " : "",
               STR_ARG(until));
}

int run_ticket_set(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "ticket", NULL };
        const char *wake = cli_take(&argc, argv, "--wake");
        struct field_change *fields;
        char id[ULID_TEXT + 1];
        struct ticket_set params;
        struct ticket_set_result made;
        struct ulid ticket;
        size_t n_fields;
        int r;

        r = fields_take(cli, &argc, argv, &fields, &n_fields);
        if (r)
                return r;
        if (argc < 1 || (argc == 1 && !wake && !n_fields))
                return cli_usage("ticket set NUMBER [--state STATE] [--wake WHEN] [--label NAME] [--field KEY=VALUE]... ...; --help has all");
        r = cli_ticket(cli, argv[0], &ticket);
        if (r)
                return r;
        ulid_text(ticket, id);
        argv[0] = id;
        r = cli_flags(cli, schema_method_ticket_set.params, argc, argv, positional, &params);
        if (!r && wake)
                r = wake_read(wake, &params);
        if (!r && n_fields) {
                params.has_fields = true;
                params.fields.items = fields;
                params.fields.n = n_fields;
        }
        if (!r)
                r = cli_call(cli, &schema_method_ticket_set, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_ticket_set.result, &made);
        else
                set_print(cli, &made.value);
        return 0;
}

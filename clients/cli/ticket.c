/* The commands about tickets. */
#include "cli.h"

#include "schema/comment.h"
#include "schema/ticket.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ATTACHMENTS_MAX = 10 };

/* Takes every --attach FILE out of the arguments and uploads the files. */
static int attach_all(struct cli *cli, int *argc, char **argv, struct ulid uploads[ATTACHMENTS_MAX], size_t *ret_n)
{
        struct assist_error error;
        const char *path;

        *ret_n = 0;
        while ((path = cli_take(argc, argv, "--attach"))) {
                if (*ret_n == ATTACHMENTS_MAX)
                        return cli_usage("a comment takes %d files at most", ATTACHMENTS_MAX);
                if (assist_upload(cli->a, path, &cli->arena, &uploads[(*ret_n)++], &error))
                        return cli_failed(cli, &error);
        }
        return 0;
}

int run_ticket_new(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "subject", "body", NULL };
        struct ulid uploads[ATTACHMENTS_MAX];
        struct ticket_create params;
        struct ticket_create_result made;
        struct flags_error error;
        const char *body = cli_take(&argc, argv, "--body");
        struct str text;
        char *args[64], body_flag[] = "--body";
        size_t n;
        int r;

        r = attach_all(cli, &argc, argv, uploads, &n);
        if (r)
                return r;
        if (!argc || argc > 60)
                return cli_usage("ticket new SUBJECT [BODY] [--attach FILE]...");
        if (argc == 1 || argv[1][0] == '-' || body) {
                r = cli_text(cli, body, "What is your question?", &text);
                if (r)
                        return r;
                memcpy(args, argv, (size_t)argc * sizeof(*args));
                args[argc++] = body_flag;
                args[argc++] = (char *)(uintptr_t)arena_str(&cli->arena, text).p;
                argv = args;
        }
        if (flags_read(schema_method_ticket_create.params, argc, argv, positional, &cli->arena, &params, &error))
                return cli_usage("%s", error.text);
        if (n) {
                params.has_attachments = true;
                params.attachments.items = uploads;
                params.attachments.n = n;
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

int run_ticket_list(struct cli *cli, int argc, char **argv)
{
        struct ticket_list params;
        struct ticket_list_result page;
        struct flags_error error;
        size_t width = show_width();
        int r;

        if (flags_read(schema_method_ticket_list.params, argc, argv, NULL, &cli->arena, &params, &error))
                return cli_usage("%s", error.text);
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
                printf("%5s  %-8s %-7s  %-16s  %-16s  %s\n", "#", "STATE", "PRIO", "FROM", "CHANGED", "SUBJECT");
        for (size_t i = 0; i < page.items.n; i++) {
                const struct ticket *t = &page.items.items[i];
                struct str name = cli_name(cli, t->requester), changed = cli_time(cli, t->changed_at);
                struct buf subject = { 0 };

                show_value(schema_field_find(&schema_type_ticket, "subject"), t, &subject);
                if (width > 70 && subject.n > width - 64)
                        subject.n = width - 64;
                printf("%5lld  %-8s %-7s  %-16.*s  %-16.*s  %.*s\n", (long long)t->number, schema_enum_ticket_state.values[t->state],
                       schema_enum_priority.values[t->priority], name.n > 16 ? 16 : (int)name.n, name.p, STR_ARG(changed),
                       subject.n ? (int)subject.n : 0, subject.n ? subject.p : "");
                buf_deinit(&subject);
        }
        if (page.has_next)
                printf("There are more: --after %.*s\n", STR_ARG(page.next));
        return 0;
}

static void comment_print(struct cli *cli, const struct comment *comment, bool internal)
{
        struct str name = cli_name(cli, comment->author), at = cli_time(cli, comment->created_at);
        struct buf body = { 0 };
        char id[ULID_TEXT + 1];

        printf("\n%s%.*s, %.*s%s\n", internal ? "[internal note] " : "", STR_ARG(name), STR_ARG(at),
               comment->has_edited_at ? " (edited)" : "");
        if (comment->deleted || comment->redacted) {
                printf("  (%s)\n", comment->deleted ? "deleted" : "redacted");
                return;
        }
        show_value(schema_field_find(&schema_type_comment, "body"), comment, &body);
        for (struct str rest = buf_view(&body), line; rest.n;) {
                line = str_cut(&rest, '\n');
                printf("  %.*s\n", STR_ARG(line));
        }
        buf_deinit(&body);
        for (size_t i = 0; i < comment->attachments.n; i++) {
                const struct attachment *a = &comment->attachments.items[i];
                struct buf file = { 0 };

                show_value(schema_field_find(&schema_type_attachment, "name"), a, &file);
                ulid_text(a->id, id);
                printf("  [%s, %lld bytes: assist attachment get %s]\n", buf_z(&file), (long long)a->size, id);
                buf_deinit(&file);
        }
}

/* All pages of a ticket's comments, or notes. */
static int comments_fetch(struct cli *cli, struct ulid ticket, bool internal, struct comment **ret, size_t *ret_n)
{
        struct comment_list params = { .ticket = ticket, .limit = 200 };
        struct comment_list_result page; /* note.list has the same shape */
        struct comment *all = NULL;
        size_t n = 0;
        int r;

        do {
                struct comment *more;

                if (internal) {
                        struct note_list notes = { .ticket = ticket, .has_after = params.has_after, .after = params.after, .limit = 200 };
                        struct note_list_result note_page;

                        r = cli_call(cli, &schema_method_note_list, &notes, &note_page);
                        page.items.items = note_page.items.items;
                        page.items.n = note_page.items.n;
                        page.has_next = note_page.has_next;
                        page.next = note_page.next;
                } else {
                        r = cli_call(cli, &schema_method_comment_list, &params, &page);
                }
                if (r)
                        return r;
                more = arena_array(&cli->arena, n + page.items.n, sizeof(*more));
                if (n)
                        memcpy(more, all, n * sizeof(*more));
                if (page.items.n)
                        memcpy(more + n, page.items.items, page.items.n * sizeof(*more));
                all = more;
                n += page.items.n;
                params.has_after = page.has_next;
                params.after = page.next;
        } while (page.has_next);
        *ret = all;
        *ret_n = n;
        return 0;
}

int run_ticket_show(struct cli *cli, int argc, char **argv)
{
        struct ticket_get params = { .has_ticket = true };
        struct ticket_get_result got;
        struct comment *comments, *notes = NULL;
        size_t n, n_notes = 0, i = 0, k = 0;
        struct buf out = { 0 };
        struct str name;
        int r;

        if (argc != 1)
                return cli_usage("ticket show NUMBER");
        r = cli_ticket(cli, argv[0], &params.ticket);
        if (!r)
                r = cli_call(cli, &schema_method_ticket_get, &params, &got);
        if (!r)
                r = comments_fetch(cli, params.ticket, false, &comments, &n);
        if (!r && got.ticket.has_notes && got.ticket.notes)
                r = comments_fetch(cli, params.ticket, true, &notes, &n_notes);
        if (r)
                return r;
        if (cli->json) {
                struct comment_list_result all = { .items = { comments, n } };

                buf_text(&out, "{\"ticket\":");
                json_write(&schema_type_ticket, &got.ticket, &out);
                buf_text(&out, ",\"comments\":[");
                for (; i < n; i++) {
                        if (i)
                                buf_char(&out, ',');
                        json_write(&schema_type_comment, &all.items.items[i], &out);
                }
                buf_text(&out, "],\"notes\":[");
                for (; k < n_notes; k++) {
                        if (k)
                                buf_char(&out, ',');
                        json_write(&schema_type_comment, &notes[k], &out);
                }
                printf("%s]}\n", buf_z(&out));
                buf_deinit(&out);
                return 0;
        }
        show_value(schema_field_find(&schema_type_ticket, "subject"), &got.ticket, &out);
        name = cli_name(cli, got.ticket.requester);
        printf("#%lld  %s\n%s, %s, from %.*s", (long long)got.ticket.number, buf_z(&out), schema_enum_ticket_state.values[got.ticket.state],
               schema_enum_priority.values[got.ticket.priority], STR_ARG(name));
        buf_clear(&out);
        if (got.ticket.has_assignee) {
                name = cli_name(cli, got.ticket.assignee);
                printf(", assigned to %.*s", STR_ARG(name));
        }
        show_value(schema_field_find(&schema_type_ticket, "tags"), &got.ticket, &out);
        printf("%s%s\n", out.n ? ", tagged " : "", buf_z(&out));
        buf_deinit(&out);
        while (i < n || k < n_notes) /* both by time */
                if (k == n_notes || (i < n && comments[i].created_at <= notes[k].created_at))
                        comment_print(cli, &comments[i++], false);
                else
                        comment_print(cli, &notes[k++], true);
        return 0;
}

int run_ticket_reply(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "body", NULL };
        struct ulid uploads[ATTACHMENTS_MAX], ticket;
        struct comment_add params;
        struct comment_add_result made;
        struct flags_error error;
        struct str text;
        char *args[64], id[ULID_TEXT + 1];
        size_t n;
        int r, count = 0;

        r = attach_all(cli, &argc, argv, uploads, &n);
        if (r)
                return r;
        if (!argc || argc > 50)
                return cli_usage("ticket reply NUMBER [TEXT] [--attach FILE]... [--state STATE]");
        r = cli_ticket(cli, argv[0], &ticket);
        if (!r)
                r = cli_text(cli, argc > 1 && argv[1][0] != '-' ? argv[1] : NULL, "Your reply", &text);
        if (r)
                return r;
        ulid_text(ticket, id);
        args[count++] = (char[]){ "--ticket" };
        args[count++] = id;
        args[count++] = (char[]){ "--body" };
        args[count++] = (char *)(uintptr_t)arena_str(&cli->arena, text).p;
        for (int i = argc > 1 && argv[1][0] != '-' ? 2 : 1; i < argc; i++)
                args[count++] = argv[i];
        if (flags_read(schema_method_comment_add.params, count, args, positional, &cli->arena, &params, &error))
                return cli_usage("%s", error.text);
        if (n) {
                params.has_attachments = true;
                params.attachments.items = uploads;
                params.attachments.n = n;
        }
        r = cli_call(cli, &schema_method_comment_add, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_comment_add.result, &made);
        else
                printf("Your reply is there.\n");
        return 0;
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
                r = cli_text(cli, argc > 1 ? argv[1] : NULL, "An internal note: customers never see it", &params.body);
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

int run_attach(struct cli *cli, int argc, char **argv)
{
        char *args[2 + 2 * ATTACHMENTS_MAX], attach_flag[] = "--attach";
        const char *text = cli_take(&argc, argv, "--body");
        int n = 0;

        if (argc < 2 || argc > 1 + ATTACHMENTS_MAX)
                return cli_usage("attach NUMBER FILE... [--body TEXT]");
        args[n++] = argv[0];
        args[n++] = (char *)(uintptr_t)(text ? text : argc > 2 ? "See the files." : "See the file.");
        for (int i = 1; i < argc; i++) {
                args[n++] = attach_flag;
                args[n++] = argv[i];
        }
        return run_ticket_reply(cli, n, args);
}

int run_attachment_get(struct cli *cli, int argc, char **argv)
{
        const char *out = cli_take(&argc, argv, "-o");
        struct assist_error error;
        struct ulid id;
        int fd = STDOUT_FILENO, r;

        if (argc != 1 || ulid_parse(str_of(argv[0]), &id))
                return cli_usage("attachment get ID [-o FILE]");
        if (!out && isatty(STDOUT_FILENO))
                return cli_usage("say where to: -o FILE");
        if (out)
                fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return cli_usage("%s: %s", out, strerror(errno));
        r = assist_download(cli->a, id, fd, &error);
        if (out)
                close(fd);
        if (r && out)
                unlink(out);
        return r ? cli_failed(cli, &error) : 0;
}

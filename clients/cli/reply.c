/* `assist ticket reply`. What was typed is not lost where it can't be sent: the desk keeps it as a draft, or a file does. */
#include "attach.h"
#include "definition.h"
#include "thread.h"

#include "schema/draft.h"
#include "schema/macro.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reply {
        struct cli *cli;
        const char *number;        /* of the ticket, as it was typed */
        struct ticket_get_result got;
        bool typed;                /* now, or before: not an argument of the command */
        bool edited;               /* in an editor, under which others may have written */
        bool has_draft;
        struct draft draft;
        struct str text;
};

static bool has_editor(void)
{
        const char *editor = getenv("EDITOR");

        return editor && *editor;
}

/* What was begun before. Where that can't be told, nothing was. */
static void draft_find(struct reply *p)
{
        struct draft_get params = { .ticket = p->got.ticket.id };
        struct draft_get_result kept;
        struct assist_error error;

        if (assist_call(p->cli->a, &schema_method_draft_get, &params, &p->cli->arena, &kept, &error))
                return;
        p->draft = kept.draft;
        p->has_draft = kept.draft.has_body && kept.draft.body.n;
}

static int draft_offer(const struct reply *p)
{
        struct str at = cli_time(p->cli, p->draft.saved_at);

        fprintf(stderr, "assist: there is a draft of yours (%.*s). Send it: assist ticket reply %s --draft; or set EDITOR, and go on with it\n",
                STR_ARG(at), p->number);
        return EXIT_USAGE;
}

static int text_get(struct reply *p, const char *given, bool send_draft)
{
        bool terminal = isatty(STDIN_FILENO);

        p->typed = !given;
        if (p->typed && (terminal || send_draft))
                draft_find(p);
        if (send_draft && !p->has_draft) {
                fprintf(stderr, "assist: there is no draft of yours for this ticket\n");
                return EXIT_NOT_FOUND;
        }
        if (send_draft) {
                p->text = p->draft.body;
                return 0;
        }
        if (p->has_draft && !has_editor())
                return draft_offer(p);
        p->edited = p->typed && terminal;
        return cli_text(p->cli, given, p->has_draft ? p->draft.body : (struct str){ 0 }, "Your reply", &p->text);
}

static int canned_get(struct reply *p, const char *name)
{
        struct reply_render params = { .ticket = p->got.ticket.id };
        struct reply_render_result text = { 0 };
        int r = definition_find(p->cli, "reply", str_of(name), &params.reply);

        if (!r)
                r = cli_call(p->cli, &schema_method_reply_render, &params, &text);
        if (!r)
                p->text = text.body;
        return r;
}

/* Where even the desk can't keep it. */
static void file_keep(const struct reply *p)
{
        char path[] = "/tmp/assist-XXXXXX.md";
        int fd = mkstemps(path, 3);
        bool whole = fd >= 0 && write(fd, p->text.p, p->text.n) == (ssize_t)p->text.n;

        if (fd >= 0)
                close(fd);
        if (whole)
                fprintf(stderr, "assist: your text is kept. Send it later: assist ticket reply %s < %s\n", p->number, path);
        else
                fprintf(stderr, "assist: your text could not be kept:\n%.*s\n", STR_ARG(p->text));
}

static void draft_keep(const struct reply *p, int status)
{
        struct draft_save params = { .ticket = p->got.ticket.id, .body = p->text, .has_version = p->draft.version > 0, .version = p->draft.version };
        struct draft_save_result kept;
        struct assist_error error;

        if (status == EXIT_AWAY || assist_call(p->cli->a, &schema_method_draft_save, &params, &p->cli->arena, &kept, &error))
                file_keep(p);
        else
                fprintf(stderr, "assist: your text is kept as a draft. Send it: assist ticket reply %s --draft\n", p->number);
}

/* It was sent: a draft that stays would only be offered again. */
static void draft_drop(const struct reply *p)
{
        struct draft_discard params = { .ticket = p->got.ticket.id, .has_version = true, .version = p->draft.version };
        struct draft_discard_result gone;
        struct assist_error error;

        if (p->has_draft)
                assist_call(p->cli->a, &schema_method_draft_discard, &params, &p->cli->arena, &gone, &error);
}

static int send(struct reply *p, struct comment_add *params)
{
        struct comment_add_result made;
        struct assist_error error;
        int r;

        if (p->edited && !params->has_seen_comment && p->got.ticket.has_newest_comment) {
                params->has_seen_comment = true;
                params->seen_comment = p->got.ticket.newest_comment;
        }
        r = assist_call(p->cli->a, &schema_method_comment_add, params, &p->cli->arena, &made, &error);
        if (r == FAULT_CONFLICT && p->edited) {
                fprintf(stderr, "assist: somebody wrote meanwhile; read it first: assist ticket show %s\n", p->number);
                return EXIT_CONFLICT;
        }
        if (r)
                return cli_failed(p->cli, &error);
        if (p->cli->json)
                cli_print(p->cli, schema_method_comment_add.result, &made);
        else if (made.follow_up)
                printf("Ticket #%lld was closed long ago: your reply is on its follow-up, #%lld.\n", (long long)p->got.ticket.number,
                       (long long)made.follow_up->number);
        else
                printf("Your reply is there.\n");
        return 0;
}

int run_ticket_reply(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "body", NULL };
        struct reply reply = { .cli = cli };
        struct ulid uploads[ATTACHMENTS_MAX];
        struct comment_add params;
        bool send_draft = cli_take_flag(&argc, argv, "--draft"), given;
        const char *canned = cli_take(&argc, argv, "--canned"), *wake = cli_take(&argc, argv, "--wake"), *label = cli_take(&argc, argv, "--label");
        char *args[64], id[ULID_TEXT + 1];
        struct ulid label_id;
        int64_t wake_at;
        size_t n;
        int r, count = 0;

        r = attach_all(cli, &argc, argv, uploads, &n);
        if (r)
                return r;
        given = argc > 1 && argv[1][0] != '-';
        if (!argc || argc > 50 || (given + send_draft + (canned != NULL) > 1))
                return cli_usage("ticket reply NUMBER [TEXT | --draft | --canned NAME] [--attach FILE]... [--state STATE] [--wake WHEN] [--label NAME]");
        reply.number = argv[0];
        r = wake ? cli_when(wake, false, &wake_at) : 0;
        if (!r && label)
                r = definition_find(cli, "label", str_of(label), &label_id);
        if (!r)
                r = cli_ticket_get(cli, argv[0], &reply.got);
        if (!r)
                r = canned ? canned_get(&reply, canned) : text_get(&reply, given ? argv[1] : NULL, send_draft);
        if (r)
                return r;
        ulid_text(reply.got.ticket.id, id);
        args[count++] = (char[]){ "--ticket" };
        args[count++] = id;
        args[count++] = (char[]){ "--body" };
        args[count++] = (char *)(uintptr_t)arena_str(&cli->arena, reply.text).p;
        for (int i = given ? 2 : 1; i < argc; i++)
                args[count++] = argv[i];
        r = cli_flags(cli, schema_method_comment_add.params, count, args, positional, &params);
        if (!r) {
                params.has_attachments = n > 0;
                params.attachments.items = uploads;
                params.attachments.n = n;
                if (wake) {
                        params.has_wake_at = true;
                        params.wake_at = wake_at;
                }
                if (label) {
                        params.has_label = true;
                        params.label = label_id;
                }
                r = send(&reply, &params);
        }
        if (r && reply.typed && !send_draft)
                draft_keep(&reply, r);
        else if (!r)
                draft_drop(&reply);
        return r;
}

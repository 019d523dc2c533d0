/* `assist watch`: a line for each event, as it happens; resumes by itself. */
#include "show.h"
#include "thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct str quoted(struct cli *cli, const struct schema_struct *type, const char *field, const void *value)
{
        struct buf text = { 0 };
        struct str r;

        show_value(schema_field_find(type, field), value, &text);
        for (size_t i = 0; i < text.n; i++)
                if (text.p[i] == '\n')
                        text.p[i] = ' ';
        r = arena_str(&cli->arena, buf_view(&text));
        buf_deinit(&text);
        return r;
}

static long long ticket_number(struct cli *cli, struct ulid ticket)
{
        struct ticket_get params = { .has_ticket = true, .ticket = ticket };
        struct ticket_get_result got;
        struct assist_error error;

        return assist_call(cli->a, &schema_method_ticket_get, &params, &cli->arena, &got, &error) ? 0 : (long long)got.ticket.number;
}

static void event_print(struct cli *cli, const struct event *event)
{
        const struct schema_event *type;
        struct str who = cli_name(cli, event->actor), what;
        void *data;

        if (assist_event_read(event, &cli->arena, &type, &data))
                return;
        if (!type) {
                printf("%.*s (this client is older than the desk)\n", STR_ARG(event->type));
                return;
        }
        if (type == &schema_event_ticket_created) {
                const struct ticket *t = &((struct event_ticket_created *)data)->ticket;

                what = quoted(cli, &schema_type_ticket, "subject", t);
                printf("#%lld is new, from %.*s: %.*s\n", (long long)t->number, STR_ARG(who), STR_ARG(what));
        } else if (type == &schema_event_comment_added || type == &schema_event_comment_changed || type == &schema_event_note_added ||
                   type == &schema_event_note_changed) {
                const struct comment *comment = &((struct event_comment_added *)data)->comment;
                bool note = type == &schema_event_note_added || type == &schema_event_note_changed;
                bool added = type == &schema_event_comment_added || type == &schema_event_note_added;

                what = quoted(cli, &schema_type_comment, "body", comment);
                printf("#%lld %.*s %s%s: %.*s%s\n", ticket_number(cli, comment->ticket), STR_ARG(who), added ? "wrote" : "changed",
                       note ? " an internal note" : "", STR_ARG(what),
                       comment->attachments.n ? " [files]" : comment->deleted ? "(deleted)" : comment->redacted ? "(redacted)" : "");
        } else if (type == &schema_event_ticket_changed) {
                const struct event_ticket_changed *change = data;
                long long number = ticket_number(cli, change->ticket);
                struct buf words = { 0 };

                change_words(cli, change, &words);
                printf("#%lld %.*s set %s\n", number, STR_ARG(who), buf_z(&words));
                buf_deinit(&words);
        } else {
                struct buf json = { 0 };

                json_write(type->data, data, &json);
                printf("%.*s %s\n", STR_ARG(event->type), buf_z(&json));
                buf_deinit(&json);
        }
}

int run_watch(struct cli *cli, int argc, char **argv)
{
        const char *cursor = cli_take(&argc, argv, "--cursor"), *count = cli_take(&argc, argv, "--count");
        struct assist_error error;
        struct assist_live *live;
        struct assist_identity identity;
        struct buf json = { 0 };
        const struct event *event;
        uint64_t left = UINT64_MAX;
        int status = 0, r;

        if (argc || (count && str_u64(str_of(count), &left)))
                return cli_usage("watch [--cursor CURSOR] [--count EVENTS]");
        r = assist_identify(cli->a, &identity, &error);
        if (!r)
                r = assist_live_open(cli->a, str_of(cursor), &live, &error);
        if (r)
                return cli_failed(cli, &error);
        while (left) {
                r = assist_live_next(live, -1, &event, &error);
                if (r < 0 || r > ASSIST_LIVE_BROKEN) {
                        status = cli_failed(cli, &error);
                        break;
                }
                if (r == ASSIST_LIVE_EVENT && !event->has_op_id)
                        continue;       /* who looks, types and is there: it is not for a list */
                if (r == ASSIST_LIVE_EVENT) {
                        left--;
                        buf_clear(&json);
                        if (cli->json) {
                                json_write(&schema_type_event, event, &json);
                                printf("%s\n", buf_z(&json));
                        } else {
                                event_print(cli, event);
                                cli->people_fetched = cli->people_fetched && cli->n_people < 1000;
                        }
                } else if (r == ASSIST_LIVE_CONNECTED) {
                        fprintf(stderr, "watching; Ctrl-C ends it\n");
                } else if (r == ASSIST_LIVE_BROKEN) {
                        fprintf(stderr, "the connection broke; connecting again\n");
                } else if (r == ASSIST_LIVE_RESET) {
                        fprintf(stderr, "too much was missed to tell: look at `assist ticket list`\n");
                }
                fflush(stdout);
        }
        buf_deinit(&json);
        assist_live_close(live);
        return status;
}

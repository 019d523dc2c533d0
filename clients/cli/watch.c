/* `assist watch`: a line for each event, as it happens; resumes by itself. */
#include "definition.h"
#include "schema/identity.h"
#include "schema/mention.h"
#include "schema/merge.h"
#include "schema/person.h"
#include "schema/presence.h"
#include "schema/project.h"
#include "show.h"
#include "thread.h"

#include <stdio.h>

enum { NAMES_MAX = 20 };

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

/* "Here now: Ann, Linus and 3 more." */
static void here_add(struct cli *cli, struct ulid person, size_t *n, struct buf *names)
{
        if (++*n <= NAMES_MAX)
                buf_format(names, "%s%.*s", *n > 1 ? ", " : "", STR_ARG(cli_name(cli, person)));
}

static void here_print(size_t n, struct buf *names)
{
        if (n > NAMES_MAX)
                buf_format(names, " and %zu more", n - NAMES_MAX);
        if (n)
                printf("Here now: %s.\n", buf_z(names));
        buf_deinit(names);
}

/* Who is there already; where that can't be told, only those who come will be. */
static void here_fetch(struct cli *cli, struct ulid me)
{
        struct presence_online params = { .limit = 1000 };
        struct presence_online_result here;
        struct assist_error error;
        struct buf names = { 0 };
        size_t n = 0;

        if (assist_call(cli->a, &schema_method_presence_online, &params, &cli->arena, &here, &error))
                return;
        for (size_t i = 0; i < here.items.n; i++)
                if (!ulid_eq(here.items.items[i].user, me))
                        here_add(cli, here.items.items[i].user, &n, &names);
        here_print(n, &names);
}

/* "Ann is here.", "Ann has left."; all at once where the desk tells who is there at all. */
static void online_print(struct cli *cli, const struct event_presence_online *e, struct ulid me)
{
        struct buf names = { 0 };
        size_t n = 0;

        for (size_t i = 0; i < e->people.n; i++) {
                const struct online_change *person = &e->people.items[i];
                struct str name = cli_name(cli, person->user), status = quoted(cli, &schema_type_online_change, "status", person);

                if (ulid_eq(person->user, me))
                        continue;
                if (e->complete)
                        here_add(cli, person->user, &n, &names);
                else if (person->online)
                        printf("%.*s is here%s%.*s.\n", STR_ARG(name), status.n ? ": " : "", STR_ARG(status));
                else
                        printf("%.*s has left.\n", STR_ARG(name));
        }
        here_print(n, &names);
}

static void comment_line(struct cli *cli, const struct schema_event *type, const struct comment *comment, struct str who)
{
        bool note = type == &schema_event_note_added || type == &schema_event_note_changed;
        bool added = type == &schema_event_comment_added || type == &schema_event_note_added;
        struct str what = quoted(cli, &schema_type_comment, "body", comment);

        printf("#%lld %.*s %s%s: %.*s%s\n", ticket_number(cli, comment->ticket), STR_ARG(who), added ? "wrote" : "changed",
               note ? " an internal note" : "", STR_ARG(what),
               comment->attachments.n ? " [files]" : comment->deleted ? "(deleted)" : comment->redacted ? "(redacted)" : "");
}

/* What concerns people and the desk itself. Marks and drafts of one's own are no news to oneself. */
static void news_print(struct cli *cli, const struct schema_event *type, const void *data)
{
        struct buf json = { 0 };

        if (type == &schema_event_person_changed) {
                const struct person *person = &((const struct event_person_changed *)data)->person;

                printf("%.*s, %s, %s.\n", STR_ARG(quoted(cli, &schema_type_person, "name", person)), schema_enum_role.values[person->role],
                       person->active ? "belongs to this desk" : "may not come in any more");
        } else if (type == &schema_event_role_changed) {
                const struct event_role_changed *role = data;

                printf("Your role is another one: %s.\n", role->active ? schema_enum_role.values[role->role] : "none any more");
        } else if (type == &schema_event_device_changed) {
                const struct event_device_changed *device = data;

                printf("A device of yours is %s: %.*s.\n", device->bound ? "bound" : "bound no more", STR_ARG(device->device));
        } else if (type == &schema_event_project_changed) {
                printf("This desk is called %.*s now.\n", STR_ARG(quoted(cli, type->data, "name", data)));
        } else if (type == &schema_event_access_gained) {
                printf("#%lld is yours to see now.\n", ticket_number(cli, ((const struct event_access_gained *)data)->ticket));
        } else if (type == &schema_event_access_lost) {
                printf("A ticket is not yours to see any more.\n");
        } else if (type == &schema_event_mention_added) {
                const struct mention *mention = &((const struct event_mention_added *)data)->mention;

                printf("#%lld %.*s named you in a %s.\n", ticket_number(cli, mention->ticket), STR_ARG(cli_name(cli, mention->by)),
                       mention->note ? "note" : "comment");
        } else if (type == &schema_event_ticket_routed) {
                const struct event_ticket_routed *routed = data;
                struct str team = routed->has_team ? definition_name(cli, "team", routed->team) : STR("no team");

                printf("#%lld goes to %.*s.\n", ticket_number(cli, routed->ticket), STR_ARG(team));
        } else if (type == &schema_event_link_added || type == &schema_event_link_removed) {
                const struct event_link_added *link = data; /* both have this shape */

                printf("#%lld %s %s #%lld\n", ticket_number(cli, link->ticket), type == &schema_event_link_added ? "now" : "no more",
                       schema_enum_link_kind.values[link->kind], ticket_number(cli, link->other));
        } else if (type == &schema_event_ticket_merged) {
                const struct event_ticket_merged *merged = data;

                if (merged->has_into)
                        printf("#%lld is merged into #%lld\n", ticket_number(cli, merged->ticket), ticket_number(cli, merged->into));
                else
                        printf("#%lld is apart again\n", ticket_number(cli, merged->ticket));
        } else if (!type->ephemeral) {
                json_write(type->data, data, &json);
                printf("%s %s\n", type->name, buf_z(&json));
        }
        buf_deinit(&json);
}

static void event_print(struct cli *cli, const struct event *event, struct ulid me)
{
        const struct schema_event *type;
        struct buf words = { 0 };
        struct str who, what;
        void *data;

        if (assist_event_read(event, &cli->arena, &type, &data))
                return;
        if (!type) {
                printf("%.*s (this client is older than the desk)\n", STR_ARG(event->type));
                return;
        }
        if (type == &schema_event_person_changed)
                cli_names_changed(cli);
        who = event->has_actor ? cli_name(cli, event->actor) : (struct str){ 0 };
        if (type == &schema_event_ticket_created) {
                const struct ticket *t = &((struct event_ticket_created *)data)->ticket;

                what = quoted(cli, &schema_type_ticket, "subject", t);
                printf("#%lld is new, from %.*s: %.*s\n", (long long)t->number, STR_ARG(who), STR_ARG(what));
        } else if (type == &schema_event_comment_added || type == &schema_event_comment_changed || type == &schema_event_note_added ||
                   type == &schema_event_note_changed) {
                comment_line(cli, type, &((struct event_comment_added *)data)->comment, who);
        } else if (type == &schema_event_ticket_changed) {
                const struct event_ticket_changed *change = data;
                long long number = ticket_number(cli, change->ticket);

                change_words(cli, change, &words);
                printf("#%lld %.*s set %s\n", number, STR_ARG(who), buf_z(&words));
        } else if (type == &schema_event_presence_online) {
                online_print(cli, data, me);
        } else {
                news_print(cli, type, data);
        }
        buf_deinit(&words);
}

/* Scripts read what is logged, and count it; people see who comes and goes, too. */
int run_watch(struct cli *cli, int argc, char **argv)
{
        const char *cursor = cli_take(&argc, argv, "--cursor"), *count = cli_take(&argc, argv, "--count");
        struct assist_error error;
        struct assist_live *live;
        struct assist_identity me;
        const struct event *event;
        uint64_t left = UINT64_MAX;
        int status = 0, r;

        if (argc || (count && str_u64(str_of(count), &left)))
                return cli_usage("watch [--cursor CURSOR] [--count EVENTS]");
        r = assist_identify(cli->a, &me, &error);
        if (!r)
                r = assist_live_open(cli->a, str_of(cursor), &live, &error);
        if (r)
                return cli_failed(cli, &error);
        cli_until_interrupted();
        while (left && !status) {
                r = assist_live_next(live, -1, &event, &error);
                arena_reset(&cli->arena);
                if (r == ASSIST_LIVE_EVENT) {
                        left -= event->has_op_id;
                        if (!cli->json)
                                event_print(cli, event, me.user);
                        else if (event->has_op_id)
                                cli_print(cli, &schema_type_event, event);
                } else if (r == ASSIST_LIVE_CONNECTED) {
                        fprintf(stderr, "watching; Ctrl-C ends it\n");
                        if (!cli->json)
                                here_fetch(cli, me.user);
                } else if (r == ASSIST_LIVE_BROKEN) {
                        fprintf(stderr, "%s; connecting again\n", error.message);
                } else if (r == ASSIST_LIVE_RESET) {
                        fprintf(stderr, "not all that was missed can be told (%s): look at `assist ticket list`\n", error.message);
                } else if (r != ASSIST_LIVE_NOTHING) {
                        status = cli_failed(cli, &error);
                }
                fflush(stdout);
        }
        assist_live_close(live);
        return status;
}

/* `assist ticket show --follow`: at a ticket, until Ctrl-C. On a terminal, what somebody does just now stands in the last line, and goes when
 * they stop; elsewhere it is a line like the others. */
#include "onlookers.h"
#include "schema/merge.h"
#include "schema/person.h"
#include "thread.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { VIEW_AGAIN_MS = 5000 };

struct follow {
        struct cli *cli;
        struct assist_live *live;
        struct ulid ticket, me;
        char grant[129];
        struct buf printed;        /* the ids of comments that were */
        struct buf merged;         /* the ids of the tickets that are merged into this one, directly or by others */
        struct onlookers onlookers;
        bool viewing;              /* the desk shows us here, and tells us of others */
        bool broken;               /* the connection, and that was said */
        bool terminal;
        struct buf doing;          /* the last line, as it stands on the terminal */
};

/* ---- the last line ---- */

static void doing_erase(struct follow *f)
{
        if (f->doing.n)
                printf("\r\033[K");
        fflush(stdout); /* before anything is said on stderr */
        buf_clear(&f->doing);
}

static struct str name_of(void *data, struct ulid person)
{
        struct follow *f = data;

        return cli_name(f->cli, person);
}

static void doing_draw(struct follow *f)
{
        if (f->terminal)
                onlookers_doing(&f->onlookers, name_of, f, &f->doing);
        printf("%s", buf_z(&f->doing));
        fflush(stdout);
}

/* ---- comments ---- */

static bool is_among(const struct buf *ids, struct ulid id)
{
        for (size_t at = 0; at < ids->n; at += sizeof(id))
                if (memcmp(ids->p + at, &id, sizeof(id)) == 0)
                        return true;
        return false;
}

static bool was_printed(const struct follow *f, struct ulid comment)
{
        return is_among(&f->printed, comment);
}

/* Whether a ticket's pointers lead here. */
static bool leads_here(const struct follow *f, struct ulid ticket)
{
        enum { POINTERS_MAX = 16 };

        for (int i = 0; i < POINTERS_MAX; i++) {
                struct ticket_get params = { .has_ticket = true, .ticket = ticket };
                struct ticket_get_result got;
                struct assist_error error;

                if (assist_call(f->cli->a, &schema_method_ticket_get, &params, &f->cli->arena, &got, &error) || !got.ticket.has_merged_into)
                        return false;
                ticket = got.ticket.merged_into;
                if (ulid_eq(ticket, f->ticket))
                        return true;
        }
        return false;
}

/* Of what is shown here, what was written elsewhere was so on a merged ticket, or was moved by a split. */
static void merged_find(struct follow *f, const struct thread *t)
{
        struct ulid last = f->ticket;

        buf_clear(&f->merged);
        for (size_t i = 0; i < t->comments.n; i++) {
                struct ulid ticket = t->comments.items[i].ticket;

                if (!ulid_eq(ticket, last) && !ulid_eq(ticket, f->ticket) && !is_among(&f->merged, ticket) && leads_here(f, ticket))
                        buf_add(&f->merged, &ticket, sizeof(ticket));
                last = ticket;
        }
}

static void rows_printed(struct follow *f, const struct comment_rows *rows)
{
        for (size_t i = 0; i < rows->n; i++)
                buf_add(&f->printed, &rows->items[i].id, sizeof(struct ulid));
}

static void rows_print_new(struct follow *f, const struct comment_rows *rows, bool internal)
{
        for (size_t i = 0; i < rows->n; i++)
                if (!was_printed(f, rows->items[i].id))
                        comment_print(f->cli, &rows->items[i], internal);
        rows_printed(f, rows);
}

static void comment_came(struct follow *f, const struct comment *comment, bool internal, bool added)
{
        if (added && was_printed(f, comment->id))
                return;
        if (added)
                buf_add(&f->printed, &comment->id, sizeof(comment->id));
        comment_print(f->cli, comment, internal);
        if (added && !ulid_eq(comment->author, f->me))
                comment_mark(f->cli, f->ticket, comment);
}

/* ---- presence ---- */

static void grant_keep(struct follow *f, struct str grant)
{
        snprintf(f->grant, sizeof(f->grant), "%.*s", STR_ARG(grant));
}

static void people_came(struct follow *f, const struct viewer *people, size_t n)
{
        struct buf lines = { 0 };

        onlookers_take(&f->onlookers, people, n, f->me, !f->terminal, name_of, f, &lines);
        printf("%s", buf_z(&lines));
        buf_deinit(&lines);
}

/* Shows us at the ticket. Without it, all else still comes: a failure is not told. */
static void view(struct follow *f)
{
        struct cli *cli = f->cli;
        struct presence_view params = { .session = assist_live_session(f->live), .ticket = f->ticket, .grant = str_of(f->grant) };
        struct ticket_get again = { .has_ticket = true, .ticket = f->ticket };
        struct presence_view_result seen;
        struct ticket_get_result got;
        struct assist_error error;
        int r = assist_call(cli->a, &schema_method_presence_view, &params, &cli->arena, &seen, &error);

        if (r == FAULT_EXPIRED && !assist_call(cli->a, &schema_method_ticket_get, &again, &cli->arena, &got, &error)) {
                grant_keep(f, got.grant);
                params.grant = str_of(f->grant);
                r = assist_call(cli->a, &schema_method_presence_view, &params, &cli->arena, &seen, &error);
        }
        f->viewing = !r;
        if (!r && !cli->json)
                people_came(f, seen.people.items, seen.people.n);
}

/* ---- what comes ---- */

/* The ticket that an event is about; zero where it is about none. */
static struct ulid event_ticket(const struct schema_event *type, const void *data)
{
        const struct schema_field *ticket = schema_field_find(type->data, "ticket"), *comment = schema_field_find(type->data, "comment");

        if (ticket && ticket->kind == SCHEMA_ULID)
                return *(const struct ulid *)schema_at(ticket, data);
        if (comment && comment->type == &schema_type_comment)
                return ((const struct comment *)schema_at(comment, data))->ticket;
        return (struct ulid){ 0 };
}

static void event_print(struct follow *f, const struct event *event, const struct schema_event *type, const void *data)
{
        bool added = type == &schema_event_comment_added || type == &schema_event_note_added;
        bool note = type == &schema_event_note_added || type == &schema_event_note_changed;

        if (f->cli->json) {
                cli_print(f->cli, &schema_type_event, event);
        } else if (added || type == &schema_event_comment_changed || type == &schema_event_note_changed) {
                comment_came(f, &((const struct event_comment_added *)data)->comment, note, added);
        } else if (type == &schema_event_ticket_changed) {
                struct str who = event->has_actor ? cli_name(f->cli, event->actor) : (struct str){ 0 };
                struct buf words = { 0 };

                change_words(f->cli, data, &words);
                printf("\n%.*s set %s\n", STR_ARG(who), buf_z(&words));
                buf_deinit(&words);
        } else if (type == &schema_event_presence_changed) {
                const struct event_presence_changed *now = data;

                people_came(f, now->people.items, now->people.n);
        }
}

static bool is_written(const struct schema_event *type)
{
        return type == &schema_event_comment_added || type == &schema_event_comment_changed || type == &schema_event_note_added ||
               type == &schema_event_note_changed;
}

/* What was not printed yet. */
static int fetch_anew(struct follow *f, const char *why)
{
        struct thread now;
        char id[ULID_TEXT + 1];
        int r;

        ulid_text(f->ticket, id);
        r = thread_fetch(f->cli, id, &now);
        if (r)
                return r;
        grant_keep(f, now.got.grant);
        merged_find(f, &now);
        if (f->cli->json) {
                thread_print(f->cli, &now);
                return 0;
        }
        printf("\n%s The ticket is %s.\n", why, schema_enum_ticket_state.values[now.got.ticket.state]);
        rows_print_new(f, &now.comments, false);
        rows_print_new(f, &now.notes, true);
        thread_mark(f->cli, &now);
        return 0;
}

/* What shows here may be more or less from now on. */
static int merged_take(struct follow *f, const struct event_ticket_merged *merged)
{
        bool here = merged->has_into && (ulid_eq(merged->into, f->ticket) || is_among(&f->merged, merged->into));

        if (!here && !is_among(&f->merged, merged->ticket))
                return 0;
        return fetch_anew(f, here ? "Another ticket was merged into this one." : "A ticket that was merged into this one is apart again.");
}

/* 0, or an exit status where that was the last of it. */
static int event_take(struct follow *f, const struct event *event)
{
        struct cli *cli = f->cli;
        const struct schema_event *type;
        void *data;

        if (assist_event_read(event, &cli->arena, &type, &data) || !type)
                return 0;
        if (type == &schema_event_person_changed)
                cli_names_changed(cli);
        if (type == &schema_event_ticket_merged)
                return merged_take(f, data);
        if (!ulid_eq(event_ticket(type, data), f->ticket) && (!is_written(type) || !is_among(&f->merged, event_ticket(type, data))))
                return 0;
        event_print(f, event, type, data);
        if (type != &schema_event_access_lost)
                return 0;
        fprintf(stderr, "assist: this ticket is not yours to see any more\n");
        return EXIT_NOT_FOUND;
}

static int step(struct follow *f)
{
        struct assist_error error;
        const struct event *event;
        int r = assist_live_next(f->live, f->viewing || ulid_is_zero(assist_live_session(f->live)) ? -1 : VIEW_AGAIN_MS, &event, &error);

        arena_reset(&f->cli->arena);
        doing_erase(f);
        switch (r) {
        case ASSIST_LIVE_EVENT:
                r = event_take(f, event);
                break;
        case ASSIST_LIVE_CONNECTED:
                if (f->broken)
                        fprintf(stderr, "connected again\n");
                f->broken = false;
                view(f);
                r = 0;
                break;
        case ASSIST_LIVE_NOTHING:
                view(f);
                r = 0;
                break;
        case ASSIST_LIVE_RESET:
                r = fetch_anew(f, "Much happened meanwhile.");
                break;
        case ASSIST_LIVE_BROKEN:
                f->viewing = false;
                f->broken = true;
                onlookers_still(&f->onlookers);
                fprintf(stderr, "%s; connecting again\n", error.message);
                r = 0;
                break;
        default:
                r = cli_failed(f->cli, &error);
        }
        doing_draw(f);
        return r;
}

int thread_follow(struct cli *cli, const struct thread *t)
{
        struct follow f = { .cli = cli, .ticket = t->got.ticket.id, .terminal = isatty(STDOUT_FILENO) && !cli->json };
        struct assist_identity me;
        struct assist_error error;
        int r;

        grant_keep(&f, t->got.grant);
        merged_find(&f, t);
        rows_printed(&f, &t->comments);
        rows_printed(&f, &t->notes);
        r = assist_identify(cli->a, &me, &error);
        if (!r)
                r = assist_live_open(cli->a, t->got.cursor, &f.live, &error);
        if (r)
                return cli_failed(cli, &error);
        f.me = me.user;
        fprintf(stderr, "\nfollowing; Ctrl-C ends it\n");
        fflush(stdout);
        cli_until_interrupted();
        while (!r)
                r = step(&f);
        assist_live_close(f.live);
        buf_deinit(&f.printed);
        buf_deinit(&f.merged);
        buf_deinit(&f.doing);
        return r;
}

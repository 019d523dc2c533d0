#include "thread.h"

#include "definition.h"
#include "fields.h"
#include "schema/read.h"
#include "show.h"
#include "terminal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { CURSOR_TEXT_MIN = 40 }; /* longer than any time */

/* ---- fetching ---- */

/* All pages of a ticket's comments, or of its notes, which have the same shape. */
static int rows_fetch(struct cli *cli, const struct ticket_get *of, const struct schema_method *method, struct comment_rows *ret)
{
        struct comment_list params = { .ticket = of->ticket, .limit = 200, .has_at = of->has_at, .at = of->at, .has_at_cursor = of->has_at_cursor,
                                       .at_cursor = of->at_cursor };
        struct comment_list_result page;
        struct comment_rows all = { 0 };
        int r;

        static_assert(sizeof(struct note_list) == sizeof(struct comment_list) &&
                      sizeof(struct note_list_result) == sizeof(struct comment_list_result), "note.list is called as comment.list is");
        do {
                struct comment *more;

                r = cli_call(cli, method, &params, &page);
                if (r)
                        return r;
                more = arena_array(&cli->arena, all.n + page.items.n, sizeof(*more));
                if (all.n)
                        memcpy(more, all.items, all.n * sizeof(*more));
                if (page.items.n)
                        memcpy(more + all.n, page.items.items, page.items.n * sizeof(*more));
                all.items = more;
                all.n += page.items.n;
                params.has_after = page.has_next;
                params.after = page.next;
        } while (page.has_next);
        *ret = all;
        return 0;
}

static int rows_of(struct cli *cli, const struct ticket_get *of, struct thread *t)
{
        int r = rows_fetch(cli, of, &schema_method_comment_list, &t->comments);

        return r || !t->got.ticket.has_notes || !t->got.ticket.notes ? r : rows_fetch(cli, of, &schema_method_note_list, &t->notes);
}

int thread_fetch_past(struct cli *cli, const char *number, const char *at, struct thread *ret)
{
        struct ticket_get params = { .has_ticket = true, .has_at_cursor = strlen(at) >= CURSOR_TEXT_MIN, .at_cursor = str_of(at) };
        struct thread t = { 0 };
        int r = 0;

        params.has_at = !params.has_at_cursor;
        if (params.has_at)
                r = cli_when(at, true, &params.at);
        if (!r)
                r = cli_ticket(cli, number, &params.ticket);
        if (!r)
                r = cli_call(cli, &schema_method_ticket_get, &params, &t.got);
        if (!r)
                r = rows_of(cli, &params, &t);
        if (!r)
                *ret = t;
        return r;
}

int thread_fetch(struct cli *cli, const char *number, struct thread *ret)
{
        struct thread t = { 0 };
        int r;

        r = cli_ticket_get(cli, number, &t.got);
        if (!r)
                r = rows_of(cli, &(struct ticket_get){ .ticket = t.got.ticket.id }, &t);
        if (!r)
                r = links_fetch(cli, t.got.ticket.id, &t.links);
        if (!r)
                *ret = t;
        return r;
}

/* ---- marks ---- */

void comment_mark(struct cli *cli, struct ulid ticket, const struct comment *comment)
{
        struct read_mark params = { .ticket = ticket, .comment = comment->id };
        struct read_mark_result marked;
        struct assist_error error;

        assist_call(cli->a, &schema_method_read_mark, &params, &cli->arena, &marked, &error);
}

void thread_mark(struct cli *cli, const struct thread *t)
{
        const struct comment *comment = t->comments.n ? &t->comments.items[t->comments.n - 1] : NULL;
        const struct comment *note = t->notes.n ? &t->notes.items[t->notes.n - 1] : NULL;

        if (t->got.ticket.has_unread && t->got.ticket.unread && (comment || note))
                comment_mark(cli, t->got.ticket.id, !note || (comment && comment->created_at > note->created_at) ? comment : note);
}

/* ---- for people ---- */

/* In a colour of its own, too: nobody must take a note for an answer. */
static const char *note_mark(void)
{
        static char mark[64];

        snprintf(mark, sizeof(mark), "%s[internal note]%s ", terminal_style(STYLE_NOTE), terminal_style(STYLE_PLAIN));
        return mark;
}

void comment_print(struct cli *cli, const struct comment *comment, bool internal)
{
        struct str name = cli_name(cli, comment->author), at = cli_time(cli, comment->created_at);
        struct buf body = { 0 };
        char id[ULID_TEXT + 1];

        printf("\n%s%.*s, %.*s%s\n", internal ? note_mark() : "", STR_ARG(name), STR_ARG(at),
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

void change_words(struct cli *cli, const struct event_ticket_changed *change, struct buf *out)
{
        const struct schema_struct *type = schema_event_ticket_changed.data;

        for (uint32_t i = 1; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];
                enum schema_presence presence = schema_presence(f, change);

                if (presence == SCHEMA_ABSENT)
                        continue;
                buf_text(out, out->n ? ", " : "");
                for (const char *p = f->name; *p; p++)
                        buf_char(out, (char)(*p == '_' ? ' ' : *p));
                buf_text(out, ": ");
                if (presence == SCHEMA_NULL)
                        buf_text(out, "nobody");
                else if (strcmp(f->name, "label") == 0 || strcmp(f->name, "type") == 0)
                        buf_str(out, definition_name(cli, f->name, *(struct ulid *)schema_at(f, change)));
                else if (f->kind == SCHEMA_ULID)
                        buf_str(out, cli_name(cli, *(struct ulid *)schema_at(f, change)));
                else
                        show_value(f, change, out);
        }
}

/* " (Waiting for the vendor) until 2026-11-25 09:00" */
static void state_print(struct cli *cli, const struct ticket *t)
{
        struct str label = t->has_label ? definition_name(cli, "label", t->label) : (struct str){ 0 }, until = { 0 };

        if (label.n)
                printf(" (%.*s)", STR_ARG(label));
        if (t->has_wake_at) {
                until = cli_time(cli, t->wake_at);
                printf(" until %.*s", STR_ARG(until));
        }
}

static void noun_print(struct cli *cli, const char *noun, struct ulid id)
{
        struct str name = definition_name(cli, noun, id);

        printf("%s: %.*s\n", noun, STR_ARG(name));
}

static void merged_print(struct cli *cli, struct ulid into)
{
        struct ticket_get params = { .has_ticket = true, .ticket = into };
        struct ticket_get_result got;
        struct assist_error error;

        if (!assist_call(cli->a, &schema_method_ticket_get, &params, &cli->arena, &got, &error))
                printf("merged into #%lld\n", (long long)got.ticket.number);
}

static void head_print(struct cli *cli, const struct ticket *t)
{
        struct str name = cli_name(cli, t->requester);
        struct buf out = { 0 };

        show_value(schema_field_find(&schema_type_ticket, "subject"), t, &out);
        printf("%s#%lld  %s%s\n%s", terminal_style(STYLE_BOLD), (long long)t->number, buf_z(&out), terminal_style(STYLE_PLAIN),
               schema_enum_ticket_state.values[t->state]);
        state_print(cli, t);
        printf(", %s, from %.*s", schema_enum_priority.values[t->priority], STR_ARG(name));
        buf_clear(&out);
        if (t->has_assignee) {
                name = cli_name(cli, t->assignee);
                printf(", assigned to %.*s", STR_ARG(name));
        }
        show_value(schema_field_find(&schema_type_ticket, "tags"), t, &out);
        printf("%s%s\n", out.n ? ", tagged " : "", buf_z(&out));
        if (t->has_merged_into)
                merged_print(cli, t->merged_into);
        buf_deinit(&out);
        if (t->has_type)
                noun_print(cli, "type", t->type);
        if (t->has_team)
                noun_print(cli, "team", t->team);
        fields_print(cli, t->fields.items, t->fields.n);
}

static void rows_json(const struct comment_rows *rows, struct buf *out)
{
        for (size_t i = 0; i < rows->n; i++) {
                if (i)
                        buf_char(out, ',');
                json_write(&schema_type_comment, &rows->items[i], out);
        }
}

const struct comment *thread_next(const struct thread *t, size_t *comment_at, size_t *note_at, bool *ret_internal)
{
        const struct comment *comment = &t->comments.items[*comment_at], *note = &t->notes.items[*note_at];
        bool internal = *comment_at == t->comments.n || (*note_at < t->notes.n && note->created_at < comment->created_at);

        if (ret_internal)
                *ret_internal = internal;
        ++*(internal ? note_at : comment_at);
        return internal ? note : comment;
}

void thread_print(struct cli *cli, const struct thread *t)
{
        size_t i = 0, k = 0;
        struct buf out = { 0 };

        if (cli->json) {
                buf_text(&out, "{\"ticket\":");
                json_write(&schema_type_ticket, &t->got.ticket, &out);
                buf_text(&out, ",\"comments\":[");
                rows_json(&t->comments, &out);
                buf_text(&out, "],\"notes\":[");
                rows_json(&t->notes, &out);
                buf_text(&out, "],\"links\":[");
                links_json(t->links.links.items, t->links.links.n, &out);
                printf("%s]}\n", buf_z(&out));
                buf_deinit(&out);
                return;
        }
        head_print(cli, &t->got.ticket);
        links_print(t->links.links.items, t->links.links.n);
        while (i < t->comments.n || k < t->notes.n) {
                bool internal;
                const struct comment *comment = thread_next(t, &i, &k, &internal);

                comment_print(cli, comment, internal);
        }
}

/* `assist ticket edit`: a ticket as lines in $EDITOR; what was changed there is changed here, at once or not at all. */
#include "definition.h"

#include "schema/ticket.h"
#include "show.h"

#include <stdio.h>
#include <string.h>

enum { ARGUMENTS_MAX = 200 };

/* The lines, by their names; a set's items are parted by commas. */
enum line { SUBJECT, STATE, PRIORITY, ASSIGNEE, TYPE, TEAM, TAGS, LINES };
static const char *const names[LINES] = { "subject", "state", "priority", "assignee", "type", "team", "tags" };

struct sheet {
        struct str lines[LINES];
};

static struct str shown(struct cli *cli, const struct ticket *t, enum line line)
{
        struct buf out = { 0 };
        struct str s;

        if (line == ASSIGNEE)
                return t->has_assignee ? cli_name(cli, t->assignee) : STR("none");
        if (line == TYPE)
                return t->has_type ? definition_name(cli, "type", t->type) : STR("none");
        if (line == TEAM)
                return t->has_team ? definition_name(cli, "team", t->team) : STR("none");
        show_value(schema_field_find(&schema_type_ticket, names[line]), t, &out);
        s = arena_str(&cli->arena, buf_view(&out));
        buf_deinit(&out);
        return s;
}

static struct str sheet_text(struct cli *cli, const struct sheet *sheet)
{
        struct buf out = { 0 };
        struct str s;

        for (enum line i = 0; i < LINES; i++)
                buf_format(&out, "%s: %.*s\n", names[i], STR_ARG(sheet->lines[i]));
        s = arena_str(&cli->arena, buf_view(&out));
        buf_deinit(&out);
        return s;
}

/* A line that is gone changes nothing. 0 or an exit status. */
static int sheet_read(struct str text, struct sheet *ret)
{
        while (text.n) {
                struct str line = str_trim(str_cut(&text, '\n')), name;
                enum line i = 0;

                if (!line.n)
                        continue;
                name = str_trim(str_cut(&line, ':'));
                while (i < LINES && !str_is(name, names[i]))
                        i++;
                if (i == LINES)
                        return cli_usage("\"%.*s\" is no line of a ticket: nothing was changed", STR_ARG(name));
                ret->lines[i] = str_trim(line);
        }
        return 0;
}

struct arguments {
        struct cli *cli;
        char *items[ARGUMENTS_MAX];
        int n;
};

static void add(struct arguments *a, const char *flag, struct str value)
{
        if (a->n < ARGUMENTS_MAX)
                a->items[a->n++] = (char *)(uintptr_t)arena_format(&a->cli->arena, "--%s=%.*s", flag, STR_ARG(value)).p;
}

static bool has_tag(struct str tags, struct str tag)
{
        while (tags.n)
                if (str_eq(str_trim(str_cut(&tags, ',')), tag))
                        return true;
        return false;
}

/* Each tag of `of` that is not among `without`. */
static void add_tags(struct arguments *a, const char *flag, struct str of, struct str without)
{
        while (of.n) {
                struct str tag = str_trim(str_cut(&of, ','));

                if (tag.n && !has_tag(without, tag))
                        add(a, flag, tag);
        }
}

static void changes(struct arguments *a, const struct sheet *was, const struct sheet *is)
{
        for (enum line i = 0; i < TAGS; i++)
                if (!str_eq(was->lines[i], is->lines[i]))
                        add(a, names[i], is->lines[i].n ? is->lines[i] : STR("none"));
        add_tags(a, "add-tags", is->lines[TAGS], was->lines[TAGS]);
        add_tags(a, "remove-tags", was->lines[TAGS], is->lines[TAGS]);
}

int run_ticket_edit(struct cli *cli, int argc, char **argv)
{
        struct arguments a = { .cli = cli };
        struct ticket_get_result got;
        struct ticket_set_result made;
        struct ticket_set params;
        struct sheet was = { 0 }, is;
        char id[ULID_TEXT + 1];
        struct str text;
        int r;

        if (argc != 1)
                return cli_usage("ticket edit NUMBER");
        r = cli_ticket_get(cli, argv[0], &got);
        if (r)
                return r;
        for (enum line i = 0; i < LINES; i++)
                was.lines[i] = shown(cli, &got.ticket, i);
        is = was;
        r = cli_text(cli, NULL, sheet_text(cli, &was), arena_format(&cli->arena, "Ticket #%lld", (long long)got.ticket.number).p, &text);
        if (!r)
                r = sheet_read(text, &is);
        if (r)
                return r;
        changes(&a, &was, &is);
        if (!a.n) {
                printf("Nothing was changed.\n");
                return 0;
        }
        ulid_text(got.ticket.id, id);
        add(&a, "ticket", str_of(id));
        add(&a, "seen", got.cursor);
        r = cli_flags(cli, schema_method_ticket_set.params, a.n, a.items, NULL, &params);
        if (!r)
                r = cli_call(cli, &schema_method_ticket_set, &params, &made);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, schema_method_ticket_set.result, &made);
        else if (made.value.conflicts.n)
                printf("Ticket #%lld is changed; somebody else changed it at the same time: look at it.\n", (long long)made.value.number);
        else
                printf("Ticket #%lld is changed.\n", (long long)made.value.number);
        return 0;
}

/* `assist label`, and `assist ticket set`. */
#include "label.h"

#include "clock.h"
#include "schema/label.h"
#include "schema/ticket.h"
#include "show.h"
#include "when.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool named(const struct label *label, const char *name)
{
        return label->name.n == strlen(name) && strncasecmp(label->name.p, name, label->name.n) == 0;
}

/* What is in use stands before what is not any more. */
static const struct label *find(const struct label_list_result *all, const char *name)
{
        const struct label *retired = NULL;

        for (size_t i = 0; i < all->items.n; i++) {
                if (!named(&all->items.items[i], name))
                        continue;
                if (!all->items.items[i].retired)
                        return &all->items.items[i];
                retired = &all->items.items[i];
        }
        return retired;
}

static int label_get(struct cli *cli, const char *name, struct label *ret)
{
        struct label_list params = { 0 };
        struct label_list_result all;
        const struct label *label;
        int r = cli_call(cli, &schema_method_label_list, &params, &all);

        if (r)
                return r;
        label = find(&all, name);
        if (!label) {
                fprintf(stderr, "assist: there is no label \"%s\"", name);
                for (size_t i = 0; i < all.items.n; i++)
                        fprintf(stderr, "%s%.*s", i ? ", " : "; there are ", STR_ARG(all.items.items[i].name));
                fprintf(stderr, "\n");
                return EXIT_NOT_FOUND;
        }
        *ret = *label;
        return 0;
}

int label_find(struct cli *cli, const char *name, struct ulid *ret)
{
        struct label label;
        int r = ulid_parse(str_of(name), ret) ? label_get(cli, name, &label) : 0;

        if (!r && ulid_parse(str_of(name), ret))
                *ret = label.label;
        return r;
}

struct str label_name(struct cli *cli, struct ulid label)
{
        struct label_list params = { 0 };
        struct label_list_result all;
        struct assist_error error;

        if (assist_call(cli->a, &schema_method_label_list, &params, &cli->arena, &all, &error))
                return STR("");
        for (size_t i = 0; i < all.items.n; i++)
                if (ulid_eq(all.items.items[i].label, label)) {
                        struct buf plain = { 0 };
                        struct str name;

                        show_value(schema_field_find(&schema_type_label, "name"), &all.items.items[i], &plain);
                        name = arena_str(&cli->arena, buf_view(&plain));
                        buf_deinit(&plain);
                        return name;
                }
        return STR("");
}

int cli_when(const char *text, bool gone, int64_t *ret_ms)
{
        if (!when_parse(str_of(text), clock_now_ms(&clock_system), gone ? WHEN_GONE : WHEN_TO_COME, ret_ms))
                return 0;
        return cli_usage("\"%s\" is no time; write " WHEN_EXAMPLES, text);
}

/* ---- commands ---- */

int run_label_list(struct cli *cli, int argc, char **argv)
{
        struct label_list params = { 0 };
        struct label_list_result all;
        int r;

        (void)argv;
        if (argc)
                return cli_usage("label list");
        r = cli_call(cli, &schema_method_label_list, &params, &all);
        if (!r && !cli->json && !all.items.n)
                printf("No labels: the states are new, open, pending, solved and closed.\n");
        else if (!r)
                cli_print(cli, schema_method_label_list.result, &all);
        return r;
}

static int label_save(struct cli *cli, struct label_save *params)
{
        struct label_save_result made;
        int r = cli_call(cli, &schema_method_label_save, params, &made);

        if (!r)
                cli_print(cli, schema_method_label_save.result, &made);
        return r;
}

int run_label_new(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "name", NULL };
        struct label_save params;
        struct flags_error error;

        if (flags_read(schema_method_label_save.params, argc, argv, positional, &cli->arena, &params, &error))
                return cli_usage("%s", error.text);
        return label_save(cli, &params);
}

int run_label_retire(struct cli *cli, int argc, char **argv)
{
        struct label label;
        int r;

        if (argc != 1)
                return cli_usage("label retire NAME");
        r = label_get(cli, argv[0], &label);
        return r ? r : label_save(cli, &(struct label_save){ .has_label = true, .label = label.label, .name = label.name, .state = label.state,
                                                             .retired = true });
}

static int wake_read(const char *text, struct ticket_set *params)
{
        params->has_wake_at = strcmp(text, "none") == 0 ? SCHEMA_NULL : SCHEMA_PRESENT;
        return params->has_wake_at == SCHEMA_NULL ? 0 : cli_when(text, false, &params->wake_at);
}

static int label_read(struct cli *cli, const char *text, struct ticket_set *params)
{
        params->has_label = strcmp(text, "none") == 0 ? SCHEMA_NULL : SCHEMA_PRESENT;
        return params->has_label == SCHEMA_NULL ? 0 : label_find(cli, text, &params->label);
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
        const char *wake = cli_take(&argc, argv, "--wake"), *label = cli_take(&argc, argv, "--label");
        char id[ULID_TEXT + 1];
        struct ticket_set params;
        struct ticket_set_result made;
        struct flags_error error;
        struct ulid ticket;
        int r;

        if (argc < 1 || (argc == 1 && !wake && !label))
                return cli_usage("ticket set NUMBER [--state STATE] [--wake WHEN] [--label NAME] ...; --help has all");
        r = cli_ticket(cli, argv[0], &ticket);
        if (r)
                return r;
        ulid_text(ticket, id);
        argv[0] = id;
        if (flags_read(schema_method_ticket_set.params, argc, argv, positional, &cli->arena, &params, &error))
                return cli_usage("%s", error.text);
        if (wake)
                r = wake_read(wake, &params);
        if (!r && label)
                r = label_read(cli, label, &params);
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

#include "definition.h"

#include "show.h"
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAMES_SHOWN = 12, ARGUMENTS_MAX = 400 };

/* All of a noun, as its list answers them. */
struct all {
        const struct schema_struct *type;
        const struct schema_list *items;
};

static const struct schema_method *method_of(const char *noun, const char *verb)
{
        char name[80];

        snprintf(name, sizeof(name), "%s.%s", noun, verb);
        return schema_method_find(str_of(name));
}

static int fetch(struct cli *cli, const struct schema_method *list, struct all *ret, struct assist_error *error)
{
        const struct schema_field *items = schema_field_find(list->result, "items");
        void *params = arena_zalloc(&cli->arena, list->params->size + 1), *result = arena_zalloc(&cli->arena, list->result->size);
        int r = assist_call(cli->a, list, params, &cli->arena, result, error);

        if (r)
                return r;
        ret->type = items->type;
        ret->items = schema_at(items, result);
        return 0;
}

static const void *item_at(const struct all *all, size_t i)
{
        return (const char *)all->items->items + i * all->type->size;
}

static struct ulid id_of(const void *item)
{
        return *(const struct ulid *)item;
}

static struct str name_of(const struct all *all, const void *item)
{
        return *(const struct str *)schema_at(schema_field_find(all->type, "name"), item);
}

static bool is_retired(const struct all *all, const void *item)
{
        const struct schema_field *f = schema_field_find(all->type, "retired");

        return f && *(const bool *)schema_at(f, item);
}

static const void *named(const struct all *all, struct str name)
{
        const void *retired = NULL;

        for (size_t i = 0; i < all->items->n; i++) {
                struct str is = name_of(all, item_at(all, i));

                if (is.n != name.n || strncasecmp(is.p, name.p, is.n) != 0)
                        continue;
                if (!is_retired(all, item_at(all, i)))
                        return item_at(all, i);
                retired = item_at(all, i);
        }
        return retired;
}

/* "there is no team "x"; there are a, b" */
static void unknown(const struct all *all, const char *noun, struct str name, struct buf *out)
{
        size_t shown = 0;

        buf_format(out, "there is no %s \"%.*s\"", noun, STR_ARG(name));
        for (size_t i = 0; i < all->items->n && shown < NAMES_SHOWN; i++) {
                if (is_retired(all, item_at(all, i)))
                        continue;
                buf_text(out, shown++ ? ", " : "; there are ");
                show_value(schema_field_find(all->type, "name"), item_at(all, i), out);
        }
}

int definition_find(struct cli *cli, const char *noun, struct str name, struct ulid *ret)
{
        struct assist_error error;
        struct buf why = { 0 };
        const void *item;
        struct all all;
        int r;

        if (!ulid_parse(name, ret))
                return 0;
        r = fetch(cli, method_of(noun, "list"), &all, &error);
        if (r)
                return cli_failed(cli, &error);
        item = named(&all, name);
        if (item) {
                *ret = id_of(item);
                return 0;
        }
        unknown(&all, noun, name, &why);
        fprintf(stderr, "assist: %s\n", buf_z(&why));
        buf_deinit(&why);
        return EXIT_NOT_FOUND;
}

int definition_flag(struct cli *cli, const char *noun, struct str name, struct ulid *ret, struct flags_error *error)
{
        const struct schema_method *list = method_of(noun, "list");
        struct assist_error why;
        struct buf text = { 0 };
        const void *item;
        struct all all;

        if (!list || !method_of(noun, "save"))
                return -ENOENT;
        if (fetch(cli, list, &all, &why)) {
                snprintf(error->text, sizeof(error->text), "%s", why.message);
                return -EINVAL;
        }
        item = named(&all, name);
        if (item) {
                *ret = id_of(item);
                return 0;
        }
        unknown(&all, noun, name, &text);
        snprintf(error->text, sizeof(error->text), "%s", buf_z(&text));
        buf_deinit(&text);
        return -EINVAL;
}

struct str definition_name(struct cli *cli, const char *noun, struct ulid id)
{
        struct assist_error error;
        struct all all;

        if (fetch(cli, method_of(noun, "list"), &all, &error))
                return STR("");
        for (size_t i = 0; i < all.items->n; i++) {
                struct buf plain = { 0 };
                struct str name;

                if (!ulid_eq(id_of(item_at(&all, i)), id))
                        continue;
                show_value(schema_field_find(all.type, "name"), item_at(&all, i), &plain);
                name = arena_str(&cli->arena, buf_view(&plain));
                buf_deinit(&plain);
                return name;
        }
        return STR("");
}

/* ---- commands ---- */

/* "team" of team.save. */
static const char *noun_of(struct cli *cli)
{
        const char *name = cli->method->name;

        return arena_format(&cli->arena, "%.*s", (int)strcspn(name, "."), name).p;
}

/* What an id of a definition's member is called. */
static void member_name(void *data, const struct schema_field *f, struct ulid id, struct buf *out)
{
        struct cli *cli = data;
        struct str name = strcmp(f->name, "members") == 0 ? cli_name(cli, id) : definition_name(cli, f->name, id);

        buf_str(out, name);
}

/* A table without what only programs want: the id, and where all are in use, that they are. */
static void print(struct cli *cli, const struct schema_struct *type, const struct schema_list *items)
{
        const struct all all = { type, items };
        const char *columns[16];
        struct buf out = { 0 };
        bool retired = false;
        size_t n = 0;

        for (size_t i = 0; i < items->n; i++)
                retired |= is_retired(&all, item_at(&all, i));
        for (uint32_t i = 1; i < type->n_fields && n < 15; i++)
                if (retired || strcmp(type->fields[i].name, "retired") != 0)
                        columns[n++] = type->fields[i].name;
        columns[n] = NULL;
        show_names(member_name, cli);
        show_list(type, items, columns, terminal_width(), &out);
        show_names(NULL, NULL);
        fwrite(out.p, 1, out.n, stdout);
        buf_deinit(&out);
}

static int list(struct cli *cli, int argc, char **argv)
{
        const struct schema_method *method = method_of(noun_of(cli), "list");
        const struct schema_field *items = schema_field_find(method->result, "items");
        void *params = arena_zalloc(&cli->arena, method->params->size + 1), *result = arena_zalloc(&cli->arena, method->result->size);
        int r = cli_flags(cli, method->params, argc, argv, NULL, params);

        if (!r)
                r = cli_call(cli, method, params, result);
        if (r)
                return r;
        if (cli->json)
                cli_print(cli, method->result, result);
        else if (!((const struct schema_list *)schema_at(items, result))->n)
                printf("There is no %s.\n", noun_of(cli));
        else
                print(cli, items->type, schema_at(items, result));
        return 0;
}

static int save(struct cli *cli, int argc, char **argv)
{
        static const char *const positional[] = { "name", NULL };
        void *params = arena_zalloc(&cli->arena, cli->method->params->size), *result = arena_zalloc(&cli->arena, cli->method->result->size);
        const struct schema_field *made = schema_field_find(cli->method->result, noun_of(cli));
        int r = cli_flags(cli, cli->method->params, argc, argv, positional, params);

        if (!r)
                r = cli_call(cli, cli->method, params, result);
        if (!r && cli->json)
                cli_print(cli, cli->method->result, result);
        else if (!r)
                print(cli, made->type, &(struct schema_list){ schema_at(made, result), 1 });
        return r;
}

/* Whether --name or --name=... is among the arguments; `-` stands for `_`. */
static bool is_given(int argc, char **argv, const char *name)
{
        for (int i = 0; i < argc; i++) {
                size_t k = 0;

                if (strncmp(argv[i], "--", 2) != 0)
                        continue;
                while (name[k] && (argv[i][2 + k] == name[k] || (argv[i][2 + k] == '-' && name[k] == '_')))
                        k++;
                if (!name[k] && (!argv[i][2 + k] || argv[i][2 + k] == '='))
                        return true;
        }
        return false;
}

/* The flags that say what an item is, as far as they are not given. */
static int flags_of(struct cli *cli, const struct all *all, const void *item, int argc, char **argv, char **out)
{
        int n = 0;

        for (uint32_t i = 0; i < cli->method->params->n_fields; i++) {
                const struct schema_field *to = &cli->method->params->fields[i], *from = schema_field_find(all->type, to->name);
                const struct schema_list *list;

                if (!from || from->kind != to->kind || is_given(argc, argv, to->name) || schema_presence(from, item) != SCHEMA_PRESENT)
                        continue;
                if (!(from->flags & (SCHEMA_LIST | SCHEMA_SET))) {
                        struct buf value = { 0 };

                        show_value(from, item, &value);
                        out[n++] = (char *)(uintptr_t)arena_format(&cli->arena, "--%s=%s", to->name, buf_z(&value)).p;
                        buf_deinit(&value);
                        continue;
                }
                list = schema_at(from, item);
                for (size_t k = 0; k < list->n && n < ARGUMENTS_MAX; k++) {
                        struct schema_field one = *from;
                        struct buf value = { 0 };

                        one.flags &= ~(unsigned)(SCHEMA_LIST | SCHEMA_SET);
                        one.offset = 0;
                        show_value(&one, (const char *)list->items + k * from->size, &value);
                        out[n++] = (char *)(uintptr_t)arena_format(&cli->arena, "--%s=%s", to->name, buf_z(&value)).p;
                        buf_deinit(&value);
                }
        }
        return n;
}

/* A definition is written as a whole: what is not given stays as it is. */
static int change(struct cli *cli, int argc, char **argv, const char *more)
{
        char **out = arena_array(&cli->arena, ARGUMENTS_MAX + 64, sizeof(*out));
        struct str name = str_of(argv[0]);
        struct assist_error error;
        struct buf why = { 0 };
        const void *item = NULL;
        struct ulid id;
        struct all all;
        int n, r;

        if (argc > 60)
                return cli_usage("there are too many arguments");
        r = fetch(cli, method_of(noun_of(cli), "list"), &all, &error);
        if (r)
                return cli_failed(cli, &error);
        for (size_t i = 0; !ulid_parse(name, &id) && i < all.items->n && !item; i++)
                item = ulid_eq(id_of(item_at(&all, i)), id) ? item_at(&all, i) : NULL;
        item = item ? item : named(&all, name);
        if (!item) {
                unknown(&all, noun_of(cli), name, &why);
                fprintf(stderr, "assist: %s\n", buf_z(&why));
                buf_deinit(&why);
                return EXIT_NOT_FOUND;
        }
        for (n = 0; n < argc - 1; n++)
                out[n] = argv[n + 1];
        if (more)
                out[n++] = (char *)(uintptr_t)more;
        n += flags_of(cli, &all, item, n, out, out + n);
        return save(cli, n, out);
}

int run_definition(struct cli *cli, int argc, char **argv)
{
        const char *verb = argc ? argv[0] : "list";

        if (argc) {
                argc--;
                argv++;
        }
        if (strcmp(verb, "list") == 0)
                return list(cli, argc, argv);
        if (strcmp(verb, "new") == 0 && argc)
                return save(cli, argc, argv);
        if (strcmp(verb, "set") == 0 && argc > 1)
                return change(cli, argc, argv, NULL);
        if (strcmp(verb, "retire") == 0 && argc == 1)
                return change(cli, argc, argv, "--retired=yes");
        return cli_usage("%s list | new NAME ... | set NAME --FLAG VALUE ... | retire NAME; --help has the flags", noun_of(cli));
}

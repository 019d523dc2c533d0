#include "audit.h"

#include "clock.h"
#include "schema/audit.h"
#include "schema/identity.h"
#include "show.h"
#include "when.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { ARGS_MAX = 40 };

/* ---- people ---- */

struct people {
        struct user *items;
        size_t n;
};

/* Without identity, ids will have to do. */
static void people_fetch(struct operator *o, struct people *ret)
{
        struct user_list params = { .limit = 200 };
        struct user_list_result page;
        struct fault fault;

        *ret = (struct people){ 0 };
        do {
                struct user *more;

                if (operator_try(o, &schema_method_user_list, &params, 0, &page, &fault))
                        return;
                more = arena_array(&o->arena, ret->n + page.items.n, sizeof(*more));
                if (ret->n)
                        memcpy(more, ret->items, ret->n * sizeof(*more));
                if (page.items.n)
                        memcpy(more + ret->n, page.items.items, page.items.n * sizeof(*more));
                ret->items = more;
                ret->n += page.items.n;
                params.has_after = page.has_next;
                params.after = page.next;
        } while (page.has_next);
}

static struct str name_of(struct operator *o, const struct people *people, struct ulid id)
{
        char text[ULID_TEXT + 1];

        if (ulid_is_zero(id))
                return STR("the desk");
        for (size_t i = 0; i < people->n; i++)
                if (ulid_eq(people->items[i].id, id))
                        return people->items[i].email;
        ulid_text(id, text);
        return arena_str(&o->arena, str_of(text));
}

/* ---- arguments as people write them ---- */

static char *ms_text(struct operator *o, const char *when)
{
        int64_t at;

        if (when_parse(str_of(when), clock_now_ms(&clock_system), WHEN_GONE, &at))
                return NULL;
        return (char *)(uintptr_t)arena_format(&o->arena, "%lld", (long long)at).p;
}

static char *id_text(struct operator *o, const struct people *people, char *email)
{
        char text[ULID_TEXT + 1];

        for (size_t i = 0; i < people->n; i++)
                if (strcasecmp(arena_str(&o->arena, people->items[i].email).p, email) == 0) {
                        ulid_text(people->items[i].id, text);
                        return (char *)(uintptr_t)arena_str(&o->arena, str_of(text)).p;
                }
        return email; /* an id, or what the method says of it */
}

/* --ticket 42, --actor or --user EMAIL, --from and --to WHEN become the method's own. 0, or an exit status, having said why. */
static int args_read(struct operator *o, const struct people *people, int argc, char **argv, const struct schema_method *m, void *ret)
{
        struct flags_error error;
        char number[] = "--number", from[] = "--from-at", to[] = "--to-at", *args[ARGS_MAX];

        if (argc > ARGS_MAX) {
                fprintf(stderr, "assistctl: these are too many arguments\n");
                return EXIT_USAGE;
        }
        for (int i = 0; i < argc; i++) {
                const char *flag = i ? argv[i - 1] : "";

                args[i] = argv[i];
                if (strcmp(argv[i], "--ticket") == 0 && i + 1 < argc && strlen(argv[i + 1]) < ULID_TEXT)
                        args[i] = number;
                else if (strcmp(argv[i], "--from") == 0)
                        args[i] = from;
                else if (strcmp(argv[i], "--to") == 0)
                        args[i] = to;
                else if (strcmp(flag, "--ticket") == 0 && *argv[i] == '#')
                        args[i] = argv[i] + 1;
                else if (strcmp(flag, "--actor") == 0 || strcmp(flag, "--user") == 0)
                        args[i] = id_text(o, people, argv[i]);
                else if (strcmp(flag, "--from") == 0 || strcmp(flag, "--to") == 0)
                        args[i] = ms_text(o, argv[i]);
                if (!args[i]) {
                        fprintf(stderr, "assistctl: \"%s\" is no time; write " WHEN_EXAMPLES "\n", argv[i]);
                        return EXIT_USAGE;
                }
        }
        if (!flags_read(m->params, argc, args, NULL, NULL, &o->arena, ret, &error))
                return 0;
        fprintf(stderr, "assistctl: %s\n", error.text);
        return EXIT_USAGE;
}

static void time_print(int64_t at_ms)
{
        time_t seconds = (time_t)(at_ms / 1000);
        char text[32];
        struct tm tm;

        localtime_r(&seconds, &tm);
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
        fputs(text, stdout);
}

/* JSON escapes all control characters but those of two bytes in UTF-8. */
static void json_show(const char *label, struct str json)
{
        printf("    %s ", label);
        for (size_t i = 0; i < json.n; i++)
                if ((unsigned char)json.p[i] == 0xc2 && i + 1 < json.n && (unsigned char)json.p[i + 1] < 0xa0)
                        i++;
                else
                        putchar(json.p[i]);
        putchar('\n');
}

/* "#42", or what was about no ticket. */
static const char *ticket_text(bool has_number, int64_t number, char buffer[24])
{
        snprintf(buffer, 24, has_number ? "#%lld" : "-", (long long)number);
        return buffer;
}

static void entry_print(struct operator *o, const struct people *people, const struct audit_entry *e)
{
        struct str actor = name_of(o, people, e->actor);
        char ticket[24];

        time_print(e->at);
        printf("  %-7s  %-18.*s  %.*s  %.*s\n", ticket_text(e->has_number, e->number, ticket), STR_ARG(e->kind), STR_ARG(actor), STR_ARG(e->device));
        if (e->has_before)
                json_show("before", e->before);
        if (e->has_after)
                json_show("after ", e->after);
}

static void more_print(bool has_next, struct str next)
{
        if (has_next)
                printf("There is more: --after %.*s\n", STR_ARG(next));
}

int run_audit_list(struct operator *o, int argc, char **argv)
{
        struct audit_list params = { 0 };
        struct audit_list_result page;
        struct people people;
        int r;

        people_fetch(o, &people);
        r = args_read(o, &people, argc, argv, &schema_method_audit_list, &params);
        while (!r) {
                r = operator_call(o, &schema_method_audit_list, &params, 0, &page);
                if (r)
                        return r;
                if (o->json) {
                        operator_print(o, schema_method_audit_list.result, &page);
                        return 0;
                }
                for (size_t i = 0; i < page.items.n; i++)
                        entry_print(o, &people, &page.items.items[i]);
                params.limit -= (int64_t)page.items.n;
                if (!page.has_next || !params.limit)
                        break;
                params.has_after = true; /* a page may end before it is full */
                params.after = page.next;
        }
        if (!r)
                more_print(page.has_next, page.next);
        return r;
}

int run_audit_access(struct operator *o, int argc, char **argv)
{
        struct audit_access params = { 0 };
        struct audit_access_result page;
        struct people people;
        int r;

        people_fetch(o, &people);
        r = args_read(o, &people, argc, argv, &schema_method_audit_access, &params);
        if (!r)
                r = operator_call(o, &schema_method_audit_access, &params, 0, &page);
        if (r)
                return r;
        if (o->json) {
                operator_print(o, schema_method_audit_access.result, &page);
                return 0;
        }
        for (size_t i = 0; i < page.items.n; i++) {
                const struct access_row *a = &page.items.items[i];
                struct str user = name_of(o, &people, a->user);
                char ticket[24];

                time_print(a->last_at);
                printf("  %-9s  %-7s  %4lld  %.*s  %.*s  %.*s\n", schema_enum_access_kind.values[a->kind],
                       ticket_text(a->has_number, a->number, ticket), (long long)a->count, STR_ARG(user), STR_ARG(a->method), STR_ARG(a->device));
        }
        more_print(page.has_next, page.next);
        return 0;
}

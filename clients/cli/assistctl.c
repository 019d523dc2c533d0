/* assistctl: what the operator of a desk types. Each command is a row of a table; most are one method of one service. */
#include "audit.h"
#include "backup.h"
#include "doctor.h"
#include "flags.h"
#include "init.h"
#include "job.h"
#include "mailbox.h"
#include "operator.h"
#include "seed.h"
#include "schema/identity.h"
#include "schema/project.h"
#include "top.h"
#include "vitals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- commands that are more than a method ---- */

static int run_init(struct operator *o, int argc, char **argv)
{
        bool development = argc == 1 && strcmp(argv[0], "--development") == 0;

        if (argc && !development) {
                fprintf(stderr, "assistctl: project init takes --development or nothing\n");
                return EXIT_USAGE;
        }
        if (init_project(o, development))
                return EXIT_FAILURE;
        printf("The desk's settings are in %s, its keys in %s; `assistctl backup` has what a restore wants of them.\n", operator_path(o, o->root ? "/etc/assist.conf" : "/etc/assist/assist.conf"),
               operator_path(o, o->root ? "/keys" : "/etc/assist/keys"));
        return 0;
}

static int run_mail(struct operator *o, int argc, char **argv)
{
        if (argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0))
                return mailbox_list(o);
        if (argc == 2 && strcmp(argv[0], "show") == 0)
                return mailbox_print(o, argv[1]);
        fprintf(stderr, "assistctl: mail list, or mail show FILE, or mail show last\n");
        return EXIT_USAGE;
}

static int run_config(struct operator *o, int argc, char **argv)
{
        struct buf out = { 0 };

        if (argc == 1 && strcmp(argv[0], "check") == 0) { /* operator_open has read it already, or said what is wrong */
                printf("The settings are good.\n");
                return 0;
        }
        if (argc == 1 && strcmp(argv[0], "print") == 0) {
                settings_print(&o->settings, &out);
                fwrite(out.p, 1, out.n, stdout);
                buf_deinit(&out);
                return 0;
        }
        fprintf(stderr, "assistctl: config check, or config print\n");
        return EXIT_USAGE;
}

/* ---- commands that are a method ---- */

/* An operator knows users by email. */
static int user_by_email(struct operator *o, char **arg)
{
        struct user_list params = { .limit = 200 };
        struct user_list_result page;
        char id[ULID_TEXT + 1];
        int r;

        do {
                r = operator_call(o, &schema_method_user_list, &params, 0, &page);
                if (r)
                        return r;
                for (size_t i = 0; i < page.items.n; i++)
                        if (strcasecmp(arena_str(&o->arena, page.items.items[i].email).p, *arg) == 0) {
                                ulid_text(page.items.items[i].id, id);
                                *arg = (char *)(uintptr_t)arena_str(&o->arena, str_of(id)).p;
                                return 0;
                        }
                params.has_after = page.has_next;
                params.after = page.next;
        } while (page.has_next);
        fprintf(stderr, "assistctl: there is no user %s; `assistctl user list` has all\n", *arg);
        return EXIT_NOT_FOUND;
}

static int run_method(struct operator *o, const struct schema_method *m, const char *const *positional, int argc, char **argv,
                      void **ret_result)
{
        void *params = arena_zalloc(&o->arena, m->params->size + 1), *result = arena_zalloc(&o->arena, m->result->size + 1);
        struct flags_error error;
        int r;

        if (positional && positional[0] && strcmp(positional[0], "user") == 0 && argc && strchr(argv[0], '@')) {
                r = user_by_email(o, &argv[0]);
                if (r)
                        return r;
        }
        if (flags_read(m->params, argc, argv, positional, NULL, &o->arena, params, &error)) {
                fprintf(stderr, "assistctl: %s\n", error.text);
                return EXIT_USAGE;
        }
        r = operator_call(o, m, params, 0, result);
        if (!r)
                operator_print(o, m->result, result);
        if (ret_result)
                *ret_result = result;
        return r;
}

static int run_call(struct operator *o, int argc, char **argv)
{
        const struct schema_method *m = argc ? schema_method_find(str_of(argv[0])) : NULL;

        if (!m || !(m->from & SCHEMA_PEER_OPERATOR)) {
                fprintf(stderr, "assistctl: call METHOD --field value ...; an operator may call:\n");
                for (size_t i = 0; schema_methods[i]; i++)
                        if (schema_methods[i]->from & SCHEMA_PEER_OPERATOR)
                                fprintf(stderr, "  %s\n", schema_methods[i]->name);
                return EXIT_USAGE;
        }
        return run_method(o, m, NULL, argc - 1, argv + 1, NULL);
}

static int run_enable(struct operator *o, int argc, char **argv)
{
        char *args[] = { argc ? argv[0] : NULL, (char[]){ "--active" }, (char[]){ "yes" } };

        if (argc != 1) {
                fprintf(stderr, "assistctl: user enable EMAIL\n");
                return EXIT_USAGE;
        }
        return run_method(o, &schema_method_user_disable, (const char *const[]){ "user", NULL }, 3, args, NULL);
}

static const char *const by_user[] = { "user", NULL };
static const char *const by_email[] = { "email", NULL };
static const char *const by_device[] = { "device", NULL };
static const char *const by_name[] = { "name", NULL };

static const struct command {
        const char *words, *arguments, *does;
        const struct schema_method *method;
        const char *const *positional;
        int (*run)(struct operator *o, int argc, char **argv);
} commands[] = {
        { "status", "", "how each service is doing", .run = run_status },
        { "top", "[--once]", "what it does just now: calls, rates, latencies, queues; once a second until q", .run = run_top },
        { "doctor", "", "what is wrong with the desk, or soon will be, and what to do", .run = run_doctor },
        { "project init", "[--development]", "make a new desk's settings and keys; overwrites nothing", .run = run_init },
        { "project set", "NAME", "what the desk is called", &schema_method_project_set, by_name, NULL },
        { "user add", "EMAIL --name NAME [--role customer|agent|admin]", "let somebody in", &schema_method_user_add, by_email, NULL },
        { "user list", "", "everybody", &schema_method_user_list, NULL, NULL },
        { "user set", "EMAIL [--name NAME] [--role ROLE] [--email NEW]", "change somebody", &schema_method_user_set, by_user, NULL },
        { "user disable", "EMAIL", "let somebody in no more", &schema_method_user_disable, by_user, NULL },
        { "user enable", "EMAIL", "and again", .run = run_enable },
        { "device list", "[EMAIL]", "bound devices", &schema_method_device_list, by_user, NULL },
        { "device revoke", "ID", "unbind a device", &schema_method_device_revoke, by_device, NULL },
        { "mail", "[list | show FILE | show last]", "mails in the spool folder, where no mail server is configured", .run = run_mail },
        { "outbox", "", "mails on their way, and what became of them", &schema_method_outbox_list, NULL, NULL },
        { "backup list", "[--in DIR]", "backups that are there", .run = run_backup_list },
        { "backup", "[--to DIR] [--keep N]", "all of the desk as it is now, into a new folder of DIR; N: how many stay there", .run = run_backup },
        { "restore", "FOLDER [--replace]", "make a stopped desk what it was at a backup", .run = run_restore },
        { "store rebuild", "", "fold the whole log anew, and compare", .run = run_rebuild },
        { "audit list", "[--ticket N] [--actor EMAIL] [--kind KIND] [--from WHEN] [--to WHEN]", "who changed what, before and after", .run = run_audit_list },
        { "audit access", "[--ticket N] [--user EMAIL] [--kind KIND] [--from WHEN] [--to WHEN]", "who looked at tickets, and what was refused",
          .run = run_audit_access },
        { "audit verify", "", "check the log's hashes, checkpoints and commitments", .run = run_verify },
        { "seed", "--tickets N [--seed S]", "fill the desk with invented people, tickets and history", .run = run_seed },
        { "config", "check | print", "the settings", .run = run_config },
        { "call", "METHOD [--field value ...]", "any method that operators may call", .run = run_call },
};

static void usage(FILE *to)
{
        fprintf(to, "usage: assistctl [--root DIR] [--json] COMMAND\n\n");
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
                fprintf(to, "  %-14s %-48s %s\n", commands[i].words, commands[i].arguments, commands[i].does);
        fprintf(to, "\n"
                    "  --root DIR   the desk under DIR, instead of the system's; else $ASSIST_ROOT\n"
                    "  --json       results as JSON\n"
                    "  COMMAND --help has its flags\n"
                    "\n"
                    "Examples:\n"
                    "  assistctl user add ann@example.org --name 'Ann Other' --role agent\n"
                    "  assistctl mail show last\n");
}

static int run_command(struct operator *o, const struct command *command, int argc, char **argv)
{
        struct buf help = { 0 };

        if (argc && strcmp(argv[0], "--help") == 0) {
                printf("usage: assistctl %s %s\n\n%s\n", command->words, command->arguments, command->does);
                if (command->method) {
                        flags_help(command->method->params, &help);
                        printf("\n%s", buf_z(&help));
                        buf_deinit(&help);
                }
                return 0;
        }
        return command->run ? command->run(o, argc, argv) : run_method(o, command->method, command->positional, argc, argv, NULL);
}

int main(int argc, char **argv)
{
        struct operator o = { 0 };
        const char *root = getenv("ASSIST_ROOT");
        int at = 1, status, words;

        for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
                if (strcmp(argv[at], "--root") == 0 && at + 1 < argc) {
                        root = argv[++at];
                } else if (strcmp(argv[at], "--json") == 0) {
                        o.json = true;
                } else if (strcmp(argv[at], "--version") == 0) {
                        printf("assistctl %s\n", ASSIST_VERSION);
                        return 0;
                } else {
                        usage(strcmp(argv[at], "--help") == 0 ? stdout : stderr);
                        return strcmp(argv[at], "--help") == 0 ? 0 : EXIT_USAGE;
                }
        }
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
                words = flags_words(commands[i].words, argc - at, argv + at);
                if (!words)
                        continue;
                status = operator_open(&o, root);
                if (!status && commands[i].run != run_init && commands[i].run != run_restore) /* before there are settings, nobody is known to run the desk */
                        status = operator_check(&o);
                if (!status)
                        status = run_command(&o, &commands[i], argc - at - words, argv + at + words);
                operator_close(&o);
                return status;
        }
        usage(stderr);
        return EXIT_USAGE;
}
